"""Facts that many events of an aggregate make up together, such as what a person drew from a pool in an hour.

Each entry holds its part; the fact is their sum, and is sent when it differs from what was sent last: a replaced sum is
the correction. Part of a lane's memory; sends and writes nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from engine.domain import codec
from engine.domain.effects import Share
from engine.domain.events import Event
from engine.domain.timeline import Entry
from engine.domain.values import Quantity
from engine.domain.written import write
from engine.service.before import Summed


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
        self._keys: dict[tuple[str, str], str] = {}
        """Target and id of a fact → its key."""
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

    def resume(self, sums: Sequence[Summed]) -> None:
        """Begin, while empty, from what entries that aren't here make up."""
        for one in sums:
            event = codec.parse_event(one.event)
            self._sums[one.key] = Sum(one.target, event, list(one.total), one.parts, one.sent)

    def without(self, entries: Sequence[Entry]) -> list[Summed]:
        """Give what all other entries than these make up, and what would have been sent of it."""
        parts: dict[str, list[tuple[int, ...]]] = {}
        for entry in entries:
            for key, amounts in entry.shares.items():
                parts.setdefault(key, []).append(amounts)
        found = []
        for key, held in self._sums.items():
            less = parts.get(key, [])
            left = Sum(held.target, held.event, list(held.total), held.parts - len(less), held.sent)
            for amounts in less:
                left.total = [a - b for a, b in zip(left.total, amounts, strict=True)]
            if (stated := left.stated()) is not None:
                sent = write(stated).content if less else held.sent
                wire = codec.write_event(held.event).decode()
                found.append(Summed(key, held.target, wire, left.total, left.parts, sent))
        return found

    def take_as_sent(self) -> list[str]:
        """Take all sums as sent as they are now; gives those that changed since they were last."""
        changed = [key for key in self._changed if key in self._sums]
        for key in changed:
            stated = self._sums[key].stated()
            self._sums[key].sent = "" if stated is None else write(stated).content
        self._changed.clear()
        return changed

    def fold(self, entry: Entry, shares: Sequence[Share]) -> None:
        """Replace an entry's parts by what it does now."""
        if not shares and not entry.shares:
            return
        now: dict[str, tuple[int, ...]] = {}
        for share in shares:
            key = self._keys.get((share.target, share.ident)) or self._begin(share)
            part = now.get(key)
            now[key] = share.amounts if part is None else tuple(a + b for a, b in zip(part, share.amounts, strict=True))
        if now == entry.shares:
            return
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

    def _begin(self, share: Share) -> str:
        """Give the key of a share's sum, and begin the sum if it is the first to come."""
        fact = share.fact()
        key = self._keys[share.target, share.ident] = f"{share.target} {codec.identity(fact).hex()}"
        if key not in self._sums:
            sent = self._sent.pop(key, ("", ""))[1]
            self._sums[key] = Sum(share.target, fact, [0] * len(share.amounts), sent=sent)
        return key

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
