"""What a person read of each repository: how often in the last window, and how often in each of the windows before it.

Part of the person aggregate. Instants are kept for as long as the windows reach back; nothing here is compared with a
threshold. A window before which nothing was heard of the person says nothing of what is usual, and isn't counted.
"""

from __future__ import annotations

import bisect
from itertools import pairwise
from typing import Any, Final

import msgspec

from engine.domain.events.derived import ContributionAttributed

PERIOD: Final = "download_window_us"
"""The bundle's `data.facts`: length of a window (µs)."""
BEFORE: Final = 3
"""How many windows before the last one say what is usual: ninety days of thirty each."""


class Read(msgspec.Struct):
    """Readings of one repository: when, and what was known of it at the last one."""

    times: list[int] = []
    name: str = ""
    in_org: bool | None = None
    private: bool | None = None


class Reading(msgspec.Struct):
    """Readings of all repositories; `since` is when the person was first heard of, −1 for never."""

    length: int
    since: int = -1
    repositories: dict[str, Read] = {}


def heard(reading: Reading, at: int) -> None:
    """Note that the person was there: what they read from then on is known."""
    if reading.since < 0:
        reading.since = at


def read(reading: Reading, data: ContributionAttributed, at: int) -> None:
    """Count a reading in."""
    one = reading.repositories.setdefault(data.repository, Read())
    one.times.append(at)
    one.name, one.in_org, one.private = data.name, data.in_org, data.private
    reach = at - (BEFORE + 1) * reading.length
    if one.times[0] <= reach - reading.length:  # now and then, not at each
        del one.times[: bisect.bisect_right(one.times, reach)]


def facts(reading: Reading, repository: str, at: int) -> dict[str, Any]:
    """Give how often it was read in (at − window, at], the median of the windows before, and how many of those are whole."""
    one = reading.repositories.get(repository) or Read()
    edges = [at - number * reading.length for number in range(BEFORE + 2)]
    counts = [_within(one.times, since, until) for until, since in pairwise(edges)]
    whole = sum(reading.since <= since for since in edges[2:]) if reading.since >= 0 else 0
    usual = sorted(counts[1 : 1 + whole])
    return {"window": counts[0], "usual": usual[len(usual) // 2] if usual else 0, "windows": whole}


def recent(reading: Reading, at: int) -> list[tuple[str, Read]]:
    """Give the repositories read in (at − window, at], by id."""
    since = at - reading.length
    return [(name, one) for name, one in sorted(reading.repositories.items()) if one.times and one.times[-1] > since]


def _within(times: list[int], since: int, until: int) -> int:
    return bisect.bisect_right(times, until) - bisect.bisect_right(times, since)
