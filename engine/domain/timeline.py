"""One aggregate's events in their order, its folded state, and what each event did.

An event after all others is folded at once. One that belongs earlier (late, replaced or withdrawn) makes the timeline
stale from its place: the newest snapshot before that place is restored and everything after it refolded, once,
however many such events a batch brings. `refold` yields the entries whose effects may have changed, so that only what
differs is said anew; those between a snapshot and the first change are folded for the state alone.
Snapshots thin out with age, so their number grows with the logarithm of the history.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from engine.domain.effects import Effects, Question
from engine.domain.events import Event
from engine.domain.events.base import Rank
from engine.domain.order import Place
from engine.domain.values import FOREVER
from engine.domain.waiting import Kept

EVERY = 64
"""Entries between two snapshots at the young end."""


class Entry(msgspec.Struct):
    """One event in its place, and what was said because of it."""

    identity: str
    place: Place
    event: Event
    effects: Effects = msgspec.field(default_factory=Effects)
    input_digest: str = ""
    """Of the input asked last; empty when no rule was asked."""
    asked: str = ""
    """Digest of the bundle whose rules were asked last."""
    bundle: str = ""
    """Digest of the bundle that the outcomes stand under."""
    decision: str = ""
    """Id of the decision that stands."""
    outcomes: dict[str, Any] = {}
    """Outcomes that aren't a pass: rule code → outcome."""
    counted: Place | None = None
    """Where it stood when its outcomes were last counted into violations."""
    derived: dict[str, tuple[str, str]] = {}
    """Sent derived facts: their identity → (target, content digest)."""
    postings: dict[tuple[str, str, str], int] = {}
    """Posted so far: (grant, unit, kind) → amount."""
    refused: str = ""
    """By which rule it was last told that it has no effect."""
    shares: dict[str, tuple[int, ...]] = {}
    """Its parts of sums: the summed fact's key → amounts."""
    hears: tuple[str, ...] = ()
    """Feeds whose completeness its question asked about when it was folded last."""
    kept: Kept | None = None
    """Its question as it was asked, where feeds alone are waited for: as long as there is room, else it is folded again."""

    @property
    def time(self) -> int:
        """The event's own time."""
        return self.event.time


class Folder(msgspec.Struct, frozen=True):
    """How a kind of aggregate starts, folds, and keeps its state."""

    start: Callable[[], Any]
    fold: Callable[[Any, Event, int], Effects]
    save: Callable[[Any], bytes]
    restore: Callable[[bytes], Any]
    heard: Callable[[], tuple[str, ...]] = tuple
    """Gives the feeds that folding the last event asked about."""
    again: Callable[[Kept], Question] | None = None
    """Gives a kept question as folding its entry would now; None where no entry of the kind hears of feeds."""


class Timeline:
    """An aggregate in memory."""

    def __init__(self, key: str, folder: Folder) -> None:
        """Begin empty."""
        self.key = key
        self.folder = folder
        self.entries: list[Entry] = []
        self.places: list[Place] = []
        self.at: dict[str, Place] = {}
        """Identity → place."""
        self.state: Any = folder.start()
        self._base = b""
        """State of what was folded before the first entry; empty where that is the beginning."""
        self.folded = 0
        """How many entries the state has folded; fewer than all when stale."""
        self.snapshots: list[tuple[int, bytes]] = []
        self.changed_from = -1
        """Least index changed since the last refold, −1 for none: a function of the entries' arrival alone."""
        self._stands = 0
        """How many entries, from the first, have effects that stand as `refold` gave them."""
        self._again: set[str] = set()
        """Identities of entries before that whose effects are to be given once more all the same."""
        self._edits = 0
        """How often entries came or went: what a refold in progress must notice."""

    def resume(self, base: bytes) -> None:
        """Begin, while empty, from a state that was folded of entries that aren't here; the first one here never moves."""
        self._base, self.state = base, self.folder.restore(base)

    def prepend(self, past: Timeline) -> None:
        """Put the entries in front from which the state was folded that this one resumed."""
        count = len(past.entries)
        self.entries[:0], self.places[:0] = past.entries, past.places
        self.at.update(past.at)
        later = [(length + count, saved) for length, saved in self.snapshots]
        self.snapshots = [*(one for one in past.snapshots if one[0] < count), (count, self._base), *later]
        self.folded += count
        self._stands += count
        self.changed_from += count if self.changed_from >= 0 else 0
        self._base = b""
        self._edits += 1

    def foothold(self, kept: int) -> tuple[int, bytes]:
        """Give (length, state) of the newest snapshot that as many folded entries come after, a fact first; (0, b"") for none.

        Whatever becomes of those that follow it, the fact has overtaken all deadlines before it.
        """
        for length, state in reversed(self.snapshots):
            if length <= self.folded - max(kept, 1) and self.places[length].rank != Rank.DEADLINE:
                return length, state
        return 0, b""

    @property
    def tail(self) -> int:
        """How many entries stand at or after the first one changed since the last refold, whatever is in memory."""
        return len(self.entries) - self.changed_from if self.changed_from >= 0 else 0

    def insert(self, entry: Entry) -> None:
        """Put an entry in its place; `refold` folds it."""
        place, places = entry.place, self.places
        self._edits += 1
        if not places or place > places[-1]:  # the common case: after all others
            self._changed(len(places))
            places.append(place)
            self.entries.append(entry)
            self.at[entry.identity] = place
            return
        index = bisect.bisect_left(places, place)
        self._rewind(index)
        self._changed(index)
        self.places.insert(index, place)
        self.entries.insert(index, entry)
        self.at[entry.identity] = place

    def remove(self, identity: str) -> Entry | None:
        """Take an entry out, if it is there."""
        place = self.at.pop(identity, None)
        if place is None:
            return None
        index = bisect.bisect_left(self.places, place)
        self._edits += 1
        self._rewind(index)
        self._changed(index)
        del self.places[index]
        gone = self.entries.pop(index)
        self._rewind(self.facts)  # deadlines that it had overtaken are pending again, wherever snapshots happen to stand
        return gone

    def find(self, identity: str) -> Entry | None:
        """Give the entry of an identity."""
        place = self.at.get(identity)
        return None if place is None else self.entries[bisect.bisect_left(self.places, place)]

    def rewind_to(self, time: int) -> None:
        """Make everything from a moment on stale: what it depends on from outside has changed."""
        index = bisect.bisect_left(self.places, time, key=lambda place: place.time)
        if index < len(self.places):
            self._rewind(index)
            self._changed(index)

    def reconsider(self, feeds: Mapping[str, int]) -> None:
        """Ask once more what asked about feeds that are complete further now than before (feed → up to when before).

        How far a feed is complete changes what is asked, never the state: entries that didn't ask keep their effects.
        """
        first = bisect.bisect_left(self.places, min(feeds.values(), default=FOREVER), key=lambda place: place.time)
        news = [
            index
            for index, entry in enumerate(self.entries[first:], first)
            for feed in entry.hears
            if entry.place.time >= feeds.get(feed, FOREVER)
        ]
        if news:
            self._again.update(self.entries[index].identity for index in news)
            self._note(news[0])

    @property
    def facts(self) -> int:
        """How many entries there are up to and with the last one that isn't a deadline: those that are folded anyway."""
        count = len(self.places)
        while count and self.places[count - 1].rank == Rank.DEADLINE:
            count -= 1
        return count

    @property
    def due(self) -> int:
        """When the next deadline falls due that no fact has overtaken; −1 when none is pending."""
        return self.places[self.folded].time if self.folded < len(self.places) else -1

    def refold(self, until: int = FOREVER) -> Iterator[Entry]:
        """Fold what is stale, yielding each entry after it was folded.

        A deadline fires before the next fact, or once `until` (the lane's watermark) has reached it.
        """
        if self._again:
            yield from self._asked_again()
        fold, heard = self.folder.fold, self.folder.heard
        facts, seen = self.facts, self._edits
        while self.folded < len(self.entries):
            if seen != self._edits:  # what an entry caused may have put a deadline of this very aggregate in or taken one out
                facts, seen = self.facts, self._edits
            entry = self.entries[self.folded]
            if self.folded >= facts and entry.place.time > until:
                break
            effects = fold(self.state, entry.event, entry.place.time)
            feeds = heard()
            self.folded = done = self.folded + 1
            if done % EVERY == 0:
                self._snapshot()
            if done > self._stands:
                self._stands = done
            elif entry.identity not in self._again:
                continue
            if self._again:
                self._again.discard(entry.identity)
            entry.effects, entry.hears = effects, feeds
            yield entry
        self.changed_from = -1

    def _asked_again(self) -> Iterator[Entry]:
        """Give entries that are folded and to be given once more from what is kept of them; lacking that, make them stale."""
        places = [place for place in map(self.at.get, self._again) if place is not None]
        indexes = [index for index in sorted(bisect.bisect_left(self.places, place) for place in places) if index < self.folded]
        entries, ask = [self.entries[index] for index in indexes], self.folder.again
        if ask is None or any(entry.kept is None for entry in entries):
            if indexes:
                self._rewind(indexes[0])
            return
        for entry in entries:
            self._again.discard(entry.identity)
            if entry.kept is not None:
                entry.effects, entry.hears = Effects(question=ask(entry.kept), again=True), self.folder.heard()
            yield entry

    def _changed(self, index: int) -> None:
        self._stands = min(index, self._stands)
        self._note(index)

    def _note(self, index: int) -> None:
        if self.changed_from < 0 or index < self.changed_from:
            self.changed_from = index

    def _rewind(self, index: int) -> None:
        if index >= self.folded:
            return
        while self.snapshots and self.snapshots[-1][0] > index:
            self.snapshots.pop()
        if self.snapshots:
            self.folded, saved = self.snapshots[-1]
            self.state = self.folder.restore(saved)
        else:
            self.folded, self.state = 0, self.folder.restore(self._base) if self._base else self.folder.start()

    def _snapshot(self) -> None:
        self.snapshots.append((self.folded, self.folder.save(self.state)))
        kept: list[tuple[int, bytes]] = []
        for snapshot in self.snapshots:
            age = self.folded - snapshot[0]
            if not age or snapshot[0] % max(EVERY, 1 << (age // 4).bit_length()) == 0:
                kept.append(snapshot)
        self.snapshots = kept
