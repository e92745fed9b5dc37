"""Moments of the example: the nine months it covers, and short ways to write a time. Pure; never reads a clock."""

from __future__ import annotations

from typing import Final

from engine.domain.values import DAY_US, HOUR_US, SECOND_US, Instant, instant

MINUTE_US: Final = 60 * SECOND_US


def at(text: str) -> Instant:
    """Read "2026-03-05" or "2026-03-05 09:30" (UTC) as microseconds."""
    return instant(text if len(text) == 10 else text.replace(" ", "T") + ":00Z")


START: Final = at("2026-01-01")
END: Final = at("2026-10-01")
"""The first instant after the example."""


def days(since: int, until: int) -> list[int]:
    """Give the midnights of the working days in [since, until)."""
    first = -(-since // DAY_US) * DAY_US
    return [day for day in range(first, until, DAY_US) if (day // DAY_US + 3) % 7 < 5]


def after(moment: int, *, days: int = 0, hours: int = 0, minutes: int = 0) -> Instant:
    """Give the instant that lies so much later."""
    return Instant(moment + days * DAY_US + hours * HOUR_US + minutes * MINUTE_US)
