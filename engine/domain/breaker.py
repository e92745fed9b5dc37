"""When a rule is to be held: it opens far more in an hour than it does on its days. Pure.

A rule that finds very many all at once has more likely met a fault of a feed, or is one, than a company gone wrong in an
hour. Counted is by recorded time, which is when the engine spoke up: findings that opened, or opened again, and that were to be
spoken of. What opens and goes away before it settles, as when topics are caught up with, was never said.
"""

from __future__ import annotations

from typing import Final

from engine.domain.values import DAY_US, HOUR_US

WINDOW_US: Final = HOUR_US
BASELINE_DAYS: Final = 28
BASELINE_US: Final = BASELINE_DAYS * DAY_US
"""The days before the hour, whose mean says what is usual."""
FACTOR: Final = 5
"""An hour may bring as much as so many usual days."""


def limit(floor: int, before: int) -> int:
    """Give how many findings may open in an hour, of a rule that opened `before` in the 28 days before it."""
    return max(floor, FACTOR * before // BASELINE_DAYS)


def trips(opened: int, floor: int, before: int) -> bool:
    """Whether so many in an hour are too many."""
    return opened > floor and opened * BASELINE_DAYS > FACTOR * before
