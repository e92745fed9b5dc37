"""Sums over event time. Entries arrive in order of time; a window is half-open at its start: (t − length, t]."""

from __future__ import annotations

import bisect

import msgspec

from engine.domain.values import HOUR_US


class RunningSum(msgspec.Struct):
    """A sum over a sliding window: instants and cumulative sums, trimmed as they leave the longest window."""

    length: int
    times: list[int] = []
    sums: list[int] = []
    base: int = 0
    """Cumulative sum of what was trimmed."""

    def add(self, at: int, amount: int, since: int = -1) -> int:
        """Add an amount at `at` and give the sum over (at − length, at], of what was added at `since` or later."""
        total = (self.sums[-1] if self.sums else self.base) + amount
        self.times.append(at)
        self.sums.append(total)
        start = bisect.bisect_right(self.times, at - self.length)
        before = self.sums[start - 1] if start else self.base
        if start > 64 and start * 2 > len(self.times):
            self.base = before
            del self.times[:start]
            del self.sums[:start]
        if since > at - self.length:
            start = bisect.bisect_left(self.times, since)
            before = self.sums[start - 1] if start else self.base
        return total - before


class Recent(msgspec.Struct):
    """The last sighting of each value within a window."""

    length: int
    last: dict[str, int] = {}

    def add(self, at: int, value: str) -> None:
        """Note that `value` was seen at `at`."""
        self.last[value] = at

    def count(self, at: int, begin: int = -1, prefix: str = "") -> int:
        """Give how many distinct values that begin so were seen in (at − length, at], and at `begin` or later."""
        since = at - self.length
        if not self.last:
            return 0
        if min(self.last.values()) <= since:
            self.last = {value: seen for value, seen in self.last.items() if seen > since}
        return sum(seen >= begin and value.startswith(prefix) for value, seen in self.last.items())


class Hours(msgspec.Struct):
    """Sums by clock hour over the current hour and the `length` hours before it; hours are numbered since the epoch."""

    length: int
    hour: int = -1
    """The current one."""
    sums: dict[int, int] = {}
    times: list[int] = []
    """Hours that have a sum, in order."""
    ordered: list[int] = []
    """Sums of the hours before the current one, in order of size."""

    def move(self, hour: int) -> None:
        """Let it be `hour`: what was current is one of those before, and those too long ago leave."""
        if hour <= self.hour:
            return
        closed = self.sums.get(self.hour)
        if closed is not None:
            bisect.insort(self.ordered, closed)
        self.hour = hour
        cut = bisect.bisect_left(self.times, hour - self.length)
        for gone in self.times[:cut]:
            del self.ordered[bisect.bisect_left(self.ordered, self.sums.pop(gone))]
        del self.times[:cut]

    def add(self, hour: int, amount: int) -> None:
        """Count an amount in an hour that isn't over the window's edge; nothing is no amount."""
        if amount <= 0 or not self.hour - self.length <= hour <= self.hour:
            return
        before = self.sums.get(hour)
        if before is None:
            bisect.insort(self.times, hour)
        self.sums[hour] = after = (before or 0) + amount
        if hour < self.hour:
            if before is not None:
                del self.ordered[bisect.bisect_left(self.ordered, before)]
            bisect.insort(self.ordered, after)

    @property
    def current(self) -> int:
        """Give the sum of the current hour."""
        return self.sums.get(self.hour, 0)

    def percentile(self, percent: int) -> int:
        """Give the nearest-rank percentile of the hours before the current one that have a sum; 0 without any."""
        count = len(self.ordered)
        return self.ordered[-(-percent * count // 100) - 1] if count else 0


class Sessions(msgspec.Struct):
    """Stretches of use of one key from one network, with pauses of at most `gap` (µs); both ends belong to a stretch."""

    gap: int
    keys: dict[str, dict[str, tuple[int, int]]] = {}
    """Key → network → (start, last use) of its latest stretch."""

    def add(self, at: int, key: str, network: str) -> list[list[str]]:
        """Note a use; gives the networks whose stretches met at some instant since this stretch's last use, each set once.

        Only sets that aren't part of another are given; each has this use's network in it.
        """
        known = self.keys.get(key)
        if known is None or (len(known) == 1 and network in known):
            begun, last = (at, at) if known is None else known[network]
            self.keys[key] = {network: (begun if last >= at - self.gap else at, at)}
            return [[network]]
        live = {name: span for name, span in known.items() if span[1] >= at - self.gap}
        begun, last = live.pop(network, (at, at))
        instants = {last, *(since for since, _ in live.values() if since >= last)}
        found = {frozenset(name for name, (since, until) in live.items() if since <= one <= until) for one in instants}
        live[network] = (begun, at)
        self.keys[key] = live
        return sorted(sorted((*names, network)) for names in found if not any(names < other for other in found))


class DayHours(msgspec.Struct):
    """In how many distinct clock hours of each of the last `length` days something was seen (UTC)."""

    length: int
    days: dict[int, int] = {}
    """Day since the epoch → a bit for each of its hours."""

    def counts(self, at: int, *, add: bool) -> list[int]:
        """Give the hours of each day, the current one last; `add` says that something was seen at `at`."""
        hour = at // HOUR_US
        day = hour // 24
        if add:
            if day not in self.days:
                self.days = {known: mask for known, mask in self.days.items() if known > day - self.length}
            self.days[day] = self.days.get(day, 0) | 1 << hour % 24
        mask = self.days.get
        return [mask(one, 0).bit_count() for one in range(day - self.length + 1, day + 1)]
