"""How work is spread over people and days, in whole numbers, so that every machine draws the same."""

from __future__ import annotations

from collections.abc import Sequence

from examples.company.clock import days
from examples.company.people import Member


def workdays(who: Member) -> list[int]:
    """Give the midnights of the days on which the background may give this person something to do."""
    return [day for since, until in who.working() for day in days(since, until)]


def divide(total: int, weights: Sequence[int]) -> list[int]:
    """Divide a number in proportion to weights; what is left over goes to the first of those that have any."""
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    having = [index for index, weight in enumerate(weights) if weight]
    for extra in range(total - sum(shares)):
        shares[having[extra % len(having)]] += 1
    return shares
