"""Which entries make up a violation or a missing fact, in order; of those before a checkpoint only how many, and the ends."""

from __future__ import annotations

import bisect
from collections.abc import Callable

import msgspec

from engine.domain.order import Place
from engine.domain.timeline import Entry
from engine.service.before import Counted, Said


class Group(msgspec.Struct):
    """The entries whose outcome makes up one violation or one indeterminate fact, in order."""

    places: list[Place] = []
    identities: list[str] = []
    before: Counted | None = None
    """Of those that aren't loaded."""

    @property
    def count(self) -> int:
        """Give how many there are."""
        return len(self.identities) + (self.before.count if self.before is not None else 0)

    @property
    def span(self) -> tuple[int, int]:
        """Give the place times of the first and the last; there must be one."""
        first = self.before.first.place if self.before is not None else self.places[0]
        return first.time, (self.places[-1] if self.places else self.before.last.place if self.before is not None else first).time

    def ends(self, find: Callable[[str], Entry | None]) -> tuple[Entry | Said, Entry | Said] | None:
        """Give the first and the last that `find` finds, None for none."""
        first = next(filter(None, map(find, self.identities)), None)
        last = next(filter(None, map(find, reversed(self.identities))), None)
        if self.before is not None:
            return self.before.first, last or self.before.last
        return (first, last) if first is not None and last is not None else None

    def last(self, find: Callable[[str], Entry | None]) -> Entry | Said | None:
        """Give the last one, None where there is none or `find` doesn't find it."""
        if self.identities:
            return find(self.identities[-1])
        return self.before.last if self.before is not None else None

    def within(self, end: Place) -> list[str]:
        """Give those loaded that stand before a place."""
        return self.identities[: bisect.bisect_left(self.places, end)]

    def add(self, at: Place, identity: str) -> None:
        """Count an entry in."""
        index = bisect.bisect_left(self.places, at)
        if index < len(self.places) and self.places[index] == at:
            return
        self.places.insert(index, at)
        self.identities.insert(index, identity)

    def discard(self, at: Place) -> None:
        """Count an entry out."""
        index = bisect.bisect_left(self.places, at)
        if index < len(self.places) and self.places[index] == at:
            del self.places[index]
            del self.identities[index]
