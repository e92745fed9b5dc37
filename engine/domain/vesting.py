"""Vesting schedules: which units vest when. Pure, exact; follows the Open Cap Format's vesting terms and allocation types.

Whole units are shared out over installments by the schedule's allocation; a fraction of a unit goes to the last one.
Months are calendar months in UTC: the day of the start, or the month's last day where there is none.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from engine.domain.events.grants import Vesting
from engine.domain.values import DAY_US, MICRO, from_datetime

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Tranche(NamedTuple):
    """Units that vest together; times in µs, quantity in micro-units."""

    due: int
    quantity: int
    since: int
    """When vesting began: from here to `due` its cost accrues by days of service."""


def tranches(quantity: int, schedule: Vesting, start: int) -> list[Tranche]:
    """Give a grant's tranches in order of their dates; they add up to `quantity` exactly."""
    installments = list(_installments(schedule, start))
    amounts = _shared_out(quantity, [share for _, share in installments], schedule.allocation)
    by_date: dict[int, int] = {}
    for (due, _), amount in zip(installments, amounts, strict=True):
        by_date[due] = by_date.get(due, 0) + amount
    return [Tranche(due, amount, start) for due, amount in sorted(by_date.items()) if amount]


def _installments(schedule: Vesting, start: int) -> Iterator[tuple[int, Fraction]]:
    anchor, months, reached = start, 0, start
    for segment in schedule.segments:
        if segment.unit == "days":
            dates = [reached + number * segment.every * DAY_US for number in range(1, segment.occurrences + 1)]
        else:  # from the same day throughout: a month that lacks it doesn't move the months after it
            dates = [add_months(anchor, months + number * segment.every) for number in range(1, segment.occurrences + 1)]
        share = Fraction(segment.numerator, segment.denominator)
        for number, due in enumerate(dates, 1):
            yield (dates[min(segment.cliff, segment.occurrences) - 1] if number <= segment.cliff else due), share
        if segment.unit == "months":
            months += segment.occurrences * segment.every
        elif dates[-1] != reached:
            anchor, months = dates[-1], 0
        reached = dates[-1]


def add_months(start: int, months: int) -> int:
    """Give the same day and time some calendar months later, or the month's last day where there is no such day."""
    when = _EPOCH + dt.timedelta(microseconds=start)
    index = when.year * 12 + when.month - 1 + months
    year, month = divmod(index, 12)
    day = min(when.day, calendar.monthrange(year, month + 1)[1])
    return int(from_datetime(when.replace(year=year, month=month + 1, day=day)))


def _shared_out(quantity: int, shares: list[Fraction], allocation: str) -> list[int]:
    """Share micro-units out: cumulative roundings, whole units to the front or the back, or as finely as can be."""
    unit = 1 if allocation == "fractional" else MICRO
    whole = quantity // unit
    if allocation in ("front_loaded", "back_loaded"):
        counts = [int(whole * share) for share in shares]
        left = whole - sum(counts)
        places = range(left) if allocation == "front_loaded" else range(len(counts) - left, len(counts))
        for place in places:
            counts[place] += 1
    else:
        half = Fraction(1, 2) if allocation == "cumulative_rounding" else Fraction(0)
        sums, reached = [], Fraction(0)
        for share in shares:
            reached += share
            sums.append(int(whole * reached + half))
        counts = [now - before for before, now in zip([0, *sums], sums, strict=False)]
    amounts = [count * unit for count in counts]
    amounts[-1] += quantity - sum(amounts)
    return amounts


def accrued(tranche: Tranche, as_of: int) -> Fraction:
    """Give how much of an unvested tranche is earned by days of service, exactly: days served ÷ days to its date."""
    if as_of <= tranche.since:
        return Fraction(0)
    days = (tranche.due - tranche.since) // DAY_US
    served = max(0, (as_of - tranche.since) // DAY_US)
    return Fraction(tranche.quantity * min(served, days), days) if days > 0 else Fraction(tranche.quantity)
