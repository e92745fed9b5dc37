"""Facts that many events of an aggregate make up together, such as what a person drew from a pool in an hour.

Each entry holds its part; the fact is their sum, and is sent when it differs from what was sent last: a replaced sum is
the correction. Part of a lane's memory; sends and writes nothing itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from engine.domain.effects import Derived
from engine.domain.events import Event
from engine.domain.timeline import Entry
from engine.domain.values import Quantity
from engine.domain.written import write


class Sum(msgspec.Struct):
    """One summed fact: whom it is for, what it says but for its amounts, and what was sent of it."""

    target: str
    event: Event
    total: list[int]
    parts: int = 0
    """How many entries have a part in it."""
    sent: str = ""
    """Digest of the content sent last; empty when nothing stands at the target."""

    def stated(self) -> Event | None:
        """Give the fact as it is now, None when nothing has a part in it any more."""
        if not self.parts:
            return None
        names = self.event.data.SUMMED
        amounts: dict[str, Any] = {name: Quantity(amount) for name, amount in zip(names, self.total, strict=True)}
        return msgspec.structs.replace(self.event, data=msgspec.structs.replace(self.event.data, **amounts))


class Changed(NamedTuple):
    """A sum that is to be sent anew, or withdrawn where there is no event."""

    key: str
    target: str
    event: Event | None
    content: str


class Sums:
    """All summed facts of one aggregate."""

    def __init__(self) -> None:
        """Begin with none."""
        self._sums: dict[str, Sum] = {}
        self._sent: dict[str, tuple[str, str]] = {}
        """What the store says was sent, of sums no entry has made up yet: key → (target, content)."""
        self._changed: dict[str, None] = {}

    def note_sent(self, key: str, target: str, content: str) -> None:
        """Take what the store holds of a sum."""
        if key in self._sums:
            self._sums[key].sent = content
        elif content:
            self._sent[key] = (target, content)
            self._changed[key] = None

    def fold(self, entry: Entry, shares: list[Derived]) -> None:
        """Replace an entry's parts by what it does now."""
        if not shares and not entry.shares:
            return
        now: dict[str, tuple[int, ...]] = {}
        for target, event in shares:
            key = f"{target} {write(event).identity}"
            known = self._sums.get(key)
            if known is None:
                sent = self._sent.pop(key, ("", ""))[1]
                known = self._sums[key] = Sum(target, event, [0] * len(event.data.SUMMED), sent=sent)
            amounts = tuple(int(getattr(event.data, name)) for name in event.data.SUMMED)
            now[key] = tuple(a + b for a, b in zip(now.get(key, (0,) * len(amounts)), amounts, strict=True))
        for key in entry.shares.keys() | now.keys():
            before, after = entry.shares.get(key), now.get(key)
            if before == after:
                continue
            held = self._sums[key]
            held.parts += (after is not None) - (before is not None)
            for index in range(len(held.total)):
                held.total[index] += (after[index] if after else 0) - (before[index] if before else 0)
            self._changed[key] = None
        entry.shares = now

    def settle(self) -> list[Changed]:
        """Give the sums that differ from what was sent, in order of their keys, and take them as sent."""
        found = []
        for key in sorted(self._changed):
            held = self._sums.get(key)
            if held is None:
                target, _ = self._sent.pop(key)
                found.append(Changed(key, target, None, ""))
                continue
            event = held.stated()
            content = "" if event is None else write(event).content
            if content != held.sent:
                held.sent = content
                found.append(Changed(key, held.target, event, content))
        self._changed.clear()
        return found
