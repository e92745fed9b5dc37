"""Which late fact each correction of a batch is owed to: traced through the derived facts that lie between the two.

A fact is late where it comes before others of its aggregate, replaces one or takes one back; reference data is late for
all that it bears on. What it brings about elsewhere travels with its name. Of several late facts before a decision, the
one nearest to it is named among those that tell something (an approval, a link); else the nearest usage or act. Works
on one batch; what an aggregate left dirty owes is kept with it until it is decided.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from engine.domain.cause import Cause
from engine.domain.timeline import Entry
from engine.service.memory import Aggregate

_FOUND: Final = ("opened", "recurred")
"""Changes that an event alone brings about."""
KEPT: Final = 16
"""Late facts that an aggregate left dirty remembers."""


class Late(NamedTuple):
    """A late fact in the order in which it is named: what tells something, then the nearest."""

    telling: bool
    time: int
    """Place time from which it bears on its aggregate."""
    cause: Cause
    feed: str = ""
    """Of a feed's word: the feed that has become complete."""

    @property
    def order(self) -> tuple[bool, int, str, str]:
        """By what it is preferred to another."""
        return self.telling, self.time, self.cause.source, self.cause.id


class Remembered(msgspec.Struct, frozen=True, gc=False):
    """A late fact that an aggregate left dirty still owes its corrections to."""

    time: int
    cause: Cause
    feed: str = ""


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(list[Remembered])


class Causes:
    """The late facts of one batch."""

    def __init__(self, beyond: int = 0) -> None:
        """Begin with none; what has effect before `beyond` is older than the correction horizon (0: nothing is)."""
        self._beyond = beyond
        self._late: dict[str, list[Late]] = {}
        """Aggregate → late facts among its own."""
        self._reference: dict[str, list[Late]] = {}
        """Organisation → reference data that came to be known."""
        self._own: dict[tuple[str, str], tuple[Cause | None, bool]] = {}
        """Entry of this batch → what brought it, None for its own event, and whether that was late somewhere on the way."""

    def brought(self, aggregate: str, identity: str, cause: Cause | None) -> None:
        """Note what an entry that is on time comes from, None where it is its own event."""
        self._own[aggregate, identity] = (cause, False)

    def late(self, aggregate: str, identity: str, time: int, cause: Cause) -> None:
        """Note a late fact: everything of its aggregate from `time` on may change because of it."""
        self._own[aggregate, identity] = (cause, True)
        self._late.setdefault(aggregate, []).append(Late(cause.telling, time, cause))

    def reference(self, organisation: str, since: int, cause: Cause, feed: str) -> None:
        """Note reference data that bears on an organisation's events since a moment; `feed` is whose word it is, if one's."""
        self._reference.setdefault(organisation, []).append(Late(telling=True, time=since, cause=cause, feed=feed))

    def remember(self, aggregate: str, text: str) -> None:
        """Take up what an aggregate that was left dirty owes its corrections to."""
        if text:
            known = [Late(one.cause.telling, one.time, one.cause, one.feed) for one in _DECODER.decode(text.encode())]
            self._late[aggregate] = known + self._late.get(aggregate, [])

    def remembered(self, aggregate: str) -> str:
        """Give what is to be kept with an aggregate that is left dirty, of very many the most telling."""
        several = {one.cause: one for one in [*self._late.get(aggregate, ()), *self._reference.get(_organisation(aggregate), ())]}
        kept = sorted(several.values(), key=lambda one: one.order)[-KEPT:]
        return _ENCODER.encode([Remembered(int(one.time), one.cause, one.feed) for one in kept]).decode() if kept else ""

    def root(self, aggregate: str, entry: Entry) -> tuple[Cause | None, bool]:
        """Give what an entry's derived facts come from, None for the entry's own event, and whether that was late."""
        known = self._own.get((aggregate, entry.identity))
        if known is not None:
            return known
        found = self._nearest(aggregate, entry.place.time)
        return (found.cause, True) if found is not None else (None, False)

    def newest(self, aggregate: str) -> Cause | None:
        """Give the late fact that changed what an aggregate's events make up together; None if none did."""
        found = max(self._late.get(aggregate, ()), key=lambda one: one.order, default=None)
        return found.cause if found is not None else None

    def of(self, aggregate: str, entry: Entry) -> Late | None:
        """Give the late fact because of which an entry is decided anew, or decided at all; None for what is on time."""
        cause, late = self._own.get((aggregate, entry.identity), (None, False))
        if cause is not None and (late or entry.decision):
            return Late(cause.telling, entry.place.time, cause)
        return self._nearest(aggregate, entry.place.time, _missed(entry)) if entry.decision else None

    def too_old(self, aggregate: str, entry: Entry) -> bool:
        """Whether an entry is decided because of a fact older than the horizon, were it only one among several."""
        if self._beyond <= 0:
            return False
        if self._own.get((aggregate, entry.identity), (None, False))[1] and entry.place.time < self._beyond:
            return True
        if not entry.decision:
            return False
        ours = self._reference.get(_organisation(aggregate), ())
        if any(one.feed for one in ours) and entry.place.time < self._beyond:  # a feed's word is about each moment
            return True
        known = [*self._late.get(aggregate, ()), *(one for one in ours if not one.feed)]
        return any(one.time < self._beyond and one.time <= entry.place.time for one in known)

    def _nearest(self, aggregate: str, time: int, missed: str | None = None) -> Late | None:
        """Give the late fact to name; a feed's word only where it was missed, if what was missed is known."""
        several = [*self._late.get(aggregate, ())]
        if self._reference and not _is_alias(aggregate):  # what a name stands for depends on links alone
            several += self._reference.get(_organisation(aggregate), ())
        several = [
            one for one in several if one.time <= time and (not one.feed or missed is None or f"feed of {one.feed} " in missed)
        ]
        return max(several, key=lambda one: one.order, default=None)


class Touched:
    """A violation that a batch touches, and the late fact that its change is owed to."""

    def __init__(self, aggregate: Aggregate) -> None:
        """Begin owing to none."""
        self.aggregate = aggregate
        self._late: tuple[bool, Late] | None = None
        """Whether another event is to blame than the one that breaches, and which."""

    def owe(self, late: Late, *, own: bool) -> None:
        """Note a late fact behind one of its events; another event's before the breach's own, then as `Late` is ordered."""
        if self._late is None or (not own, late.order) > (self._late[0], self._late[1].order):
            self._late = (not own, late)

    def because(self, change: str) -> Cause | None:
        """Give the late fact that a change is owed to; what is found of an event that came late itself is no correction."""
        if self._late is None or (change in _FOUND and not self._late[0]):
            return None
        return self._late[1].cause


def is_its_own(entry: Entry, cause: Cause) -> bool:
    """Whether what brought an entry is the very event it tells of: then nothing else is to blame."""
    event = entry.event
    return (event.source, event.id) == (cause.source, cause.id) or event.causation_id == f"{cause.source} {cause.id}"


def _missed(entry: Entry) -> str:
    """Give why what was decided of an entry could not be judged, all reasons in one text."""
    missing = (outcome.get("missing", {}).values() for outcome in entry.outcomes.values())
    return "; ".join(f"{reason} " for reasons in missing for reason in reasons)


def _is_alias(aggregate: str) -> bool:
    return aggregate.split("/", 2)[1] == "alias"


def _organisation(aggregate: str) -> str:
    return aggregate.partition("/")[0]
