"""Sums over event time. Entries arrive in order of time; a window is half-open at its start: (t − length, t]."""

from __future__ import annotations

import bisect

import msgspec


class RunningSum(msgspec.Struct):
    """A sum over a sliding window: instants and cumulative sums, trimmed as they leave the longest window."""

    length: int
    times: list[int] = []
    sums: list[int] = []
    base: int = 0
    """Cumulative sum of what was trimmed."""

    def add(self, at: int, amount: int) -> int:
        """Add an amount at `at` and give the sum over (at − length, at]."""
        total = (self.sums[-1] if self.sums else self.base) + amount
        self.times.append(at)
        self.sums.append(total)
        start = bisect.bisect_right(self.times, at - self.length)
        before = self.sums[start - 1] if start else self.base
        if start > 64 and start * 2 > len(self.times):
            self.base = before
            del self.times[:start]
            del self.sums[:start]
        return total - before


class Recent(msgspec.Struct):
    """The last sighting of each value within a window."""

    length: int
    last: dict[str, int] = {}

    def add(self, at: int, value: str) -> None:
        """Note that `value` was seen at `at`."""
        self.last[value] = at

    def count(self, at: int) -> int:
        """Give how many distinct values were seen in (at − length, at]."""
        since = at - self.length
        if any(seen <= since for seen in self.last.values()):
            self.last = {value: seen for value, seen in self.last.items() if seen > since}
        return len(self.last)
