"""The first half of a batch: put arrivals in their places, refold what they made stale, and find what must be asked.

Works on a lane's memory alone; evaluates nothing and writes nothing. Derived facts for aggregates of the same lane
are folded within the batch, others go to the outbox. Everything it makes is a function of the lane's recorded input.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence

from engine.domain import cause, codec
from engine.domain.aggregates import alias
from engine.domain.cause import Cause
from engine.domain.derivation import Delivery, pack
from engine.domain.effects import Derived, Effects
from engine.domain.events import Event
from engine.domain.events.base import Problem
from engine.domain.events.reference import FeedCompletedThrough
from engine.domain.order import Place, place
from engine.domain.order import lane as lane_of
from engine.domain.records import DerivedRow, JournalRow, PostingRow, RefusedRow
from engine.domain.timeline import Entry
from engine.domain.values import HOUR_US
from engine.domain.written import Written, wire, write
from engine.service.causes import Causes
from engine.service.checkpoints import reaches_back
from engine.service.memory import KINDS, Aggregate, LaneMemory
from engine.service.taking import unapplied

Behind = tuple[Cause | None, bool]
"""The event that a derived fact comes from, None where it carries that itself, and whether it was late."""
_FIRST = Place(0, 0, b"", b"")
TAIL = 4096
"""Entries a late fact may make stale before its aggregate is re-decided in the background instead."""


class Folding:
    """One batch being folded; collects rows and touched entries."""

    def __init__(
        self, memory: LaneMemory, lanes: int, recorded_at: int, need: Callable[[str, Event], None] = lambda _key, _event: None,
        horizon_us: int = 0, whole: Callable[[str], None] = lambda _key: None,
    ) -> None:  # fmt: skip
        """Begin a batch of a lane; `need` brings an aggregate into memory that an event is for, `whole` all of one.

        `horizon_us` 0 is none.
        """
        self.need = need
        self.whole = whole
        self.memory = memory
        self.lanes = lanes
        self.recorded_at = recorded_at
        self.known_at = recorded_at
        """When what is being folded was learnt: a batch may go through several such moments."""
        self.journal: list[JournalRow] = []
        self.derived: list[DerivedRow] = []
        self.postings: list[PostingRow] = []
        self.refused: list[RefusedRow] = []
        """What has no effect though it was taken in."""
        self.resolved: set[str] = set()
        """Ids of what was told of as such and isn't so any more."""
        self._away: dict[int, list[tuple[Delivery, str]]] = {}
        """Lane → deliveries to it, each with its event as written."""
        self.touched: dict[tuple[str, str], tuple[Aggregate, Entry]] = {}
        self.retired: dict[tuple[str, str], tuple[Aggregate, Entry]] = {}
        self.changed: dict[str, Aggregate] = {}
        self.outdated: dict[str, int] = {}
        """Aggregate → place time from which what it had folded is changed: no checkpoint that reaches there holds."""
        self.causes = Causes(memory.watermark - horizon_us if horizon_us else 0)
        self._stood: dict[str, Place] = {}
        """Aggregate → the last place it had folded when this batch began."""
        self._begun_at = memory.watermark
        """How far the lane had come before this batch: what a sum of earlier holds is late."""
        self._background: set[str] = set()
        """Aggregates with a long tail that are re-decided all the same."""
        self._stale: dict[str, Aggregate] = {}
        self._order: list[tuple[int, str]] = []
        """A heap of the stale aggregates' ranks and keys."""
        self._fresh: dict[str, int] = {}
        self._written: dict[int, tuple[Event, Written]] = {}
        """By `id` of the event, which is held here so that no other takes its place: a forwarded event is written once."""

    def accept(self, event: Event, written: Written, key: str) -> None:
        """Take an inbound event into its aggregate, by its key, or forward it when it belongs to another lane."""
        self._written[id(event)] = (event, written)
        if lane_of(key, self.lanes) != self.memory.lane:
            self._journal(Delivery(key, written.identity, 0, withdrawn=False, event=event), "forwarded")
            self._send_away(Delivery(key, written.identity, 1, withdrawn=False, event=event, known_at=self._said_at))
            return
        self._take(Delivery(key, written.identity, 0, withdrawn=False, event=event), self.memory.aggregates[key], "inbound")

    def record(self, event: Event, written: Written) -> None:
        """Only journal an event: reference data isn't folded into an aggregate."""
        self._written[id(event)] = (event, written)
        key = f"{event.organisation}/organisation/"
        self._journal(Delivery(key, written.identity, 0, withdrawn=False, event=event), "inbound")

    def deliver(self, delivery: Delivery, origin: str) -> None:
        """Take a derived fact: a higher revision replaces a lower one, a lower one is ignored."""
        aggregate = self.memory.aggregates[delivery.target]
        if delivery.revision <= max(aggregate.revision_of(delivery.identity), 0):
            return
        self._take(delivery, aggregate, origin)

    def _take(self, delivery: Delivery, aggregate: Aggregate, origin: str) -> None:
        at = place(delivery.event)
        if reaches_back(aggregate, delivery.identity, delivery.revision, at):
            self.whole(aggregate.key)
        known = aggregate.timeline.at.get(delivery.identity)
        if known is not None or at < self._stood_at(aggregate):
            self._outdate(aggregate, min(at, known or at).time)
        late = delivery.late or self._late(delivery, aggregate, at)
        self._journal(delivery, origin, cause.write(delivery.cause) if late else "")
        if late:
            behind = delivery.cause or self._named(delivery.event, delivery.identity, aggregate.key)
            self.causes.late(aggregate.key, delivery.identity, min(known or at, at).time, behind)
        else:
            self.causes.brought(aggregate.key, delivery.identity, delivery.cause)
        self._place(delivery, aggregate, at)

    def _late(self, delivery: Delivery, aggregate: Aggregate, at: Place) -> bool:
        """Whether a fact comes before what the aggregate had folded when this batch began, fired deadlines among it."""
        if delivery.event.data.SUMMED:  # one grows as long as its hour lasts, and each person's stands beside others'
            return at.time + HOUR_US < self._begun_at
        return at < self._stood_at(aggregate)

    def _stood_at(self, aggregate: Aggregate) -> Place:
        """Give the last place that an aggregate had folded when this batch began."""
        stood = self._stood.get(aggregate.key)
        if stood is None:
            places, count = aggregate.timeline.places, aggregate.timeline.facts
            while count < len(places) and places[count].time <= self._begun_at:
                count += 1
            stood = self._stood[aggregate.key] = places[count - 1] if count else _FIRST
        return stood

    def _outdate(self, aggregate: Aggregate, since: int) -> None:
        self.outdated[aggregate.key] = min(since, self.outdated.get(aggregate.key, since))
        aggregate.saved = 0

    def _place(self, delivery: Delivery, aggregate: Aggregate, at: Place) -> None:
        timeline = aggregate.timeline
        aggregate.received[delivery.identity] = delivery.revision
        entry = timeline.remove(delivery.identity)
        self._touch(aggregate)
        if delivery.withdrawn:
            if entry is not None:
                self._retire(aggregate, entry)
            return
        if entry is None:
            retired = self.retired.pop((aggregate.key, delivery.identity), None)
            entry = retired[1] if retired else Entry(delivery.identity, at, delivery.event)
            self.memory.entries += 1
        self._resolve(aggregate, entry)
        if entry.place.time != at.time:  # what was posted of it happened at another time: it is taken back there
            self._post(aggregate, entry, {})
        entry.place, entry.event = at, delivery.event
        timeline.insert(entry)
        if aggregate.kind == "alias":
            self._park(aggregate, delivery.event, at.time)
        self._fresh[aggregate.key] = self._fresh.get(aggregate.key, 0) + 1

    def _park(self, aggregate: Aggregate, event: Event, at: int) -> None:
        """Note when what a name did falls due to be dropped; a name that was ever linked drops nothing."""
        if event.type in alias.LINKING:
            aggregate.waiting = False
            self.memory.waiting.pop(aggregate.key, None)
            self.memory.await_deadline(aggregate.key, -1)
        elif aggregate.waiting:
            self.memory.keep_waiting(aggregate.key, self.memory.begun + 1)
            due, known = alias.gone_at(event, at, event.recorded_at or self.known_at), self.memory.due.get(aggregate.key, -1)
            if due >= 0:
                self.memory.await_deadline(aggregate.key, due if known < 0 else min(due, known))

    def _touch(self, aggregate: Aggregate) -> None:
        self.changed[aggregate.key] = aggregate
        if aggregate.key not in self._stale:
            self._stale[aggregate.key] = aggregate
            heapq.heappush(self._order, (KINDS.get(aggregate.kind, 9), aggregate.key))

    def _retire(self, aggregate: Aggregate, entry: Entry) -> None:
        self._resolve(aggregate, entry)
        self._send(aggregate, entry, [])
        aggregate.sums.fold(entry, [])
        self._post(aggregate, entry, {})
        self.touched.pop((aggregate.key, entry.identity), None)
        self.retired[aggregate.key, entry.identity] = (aggregate, entry)
        self.memory.entries -= 1

    def invalidate(self, news: Sequence[tuple[Event, int]]) -> None:
        """Reference data changed: what it had effect on is stale, since when each event says.

        How far a feed is complete concerns only what asked about it.
        """
        since: dict[str, int] = {}
        feeds: dict[str, dict[str, int]] = {}
        for event, at in news:
            if isinstance(event.data, FeedCompletedThrough):
                feeds.setdefault(event.organisation, {})[event.data.feed] = at
            else:
                since[event.organisation] = min(at, since.get(event.organisation, at))
            self.causes.reference(
                event.organisation, at, self._named(event, codec.identity(event).hex(), ""), getattr(event.data, "feed", "")
            )
        for aggregate in list(self.memory.aggregates.values()):
            if aggregate.kind == "alias":
                continue
            if aggregate.organisation in since:
                aggregate.timeline.rewind_to(since[aggregate.organisation])
            if aggregate.organisation in feeds:
                aggregate.timeline.reconsider(feeds[aggregate.organisation])
            if aggregate.timeline.tail:
                self._outdate(aggregate, aggregate.timeline.places[aggregate.timeline.changed_from].time)
                self._touch(aggregate)

    def refold(self, only: Iterable[str] | None = None) -> None:
        """Refold what is stale until nothing is; a long tail is left dirty unless named in `only`."""
        learnt = {key: self.memory.aggregates[key].learnt or self.recorded_at for key in only or ()}
        for key in sorted(learnt, key=lambda key: (learnt[key], key)):
            self.known_from(learnt[key])
            aggregate = self.memory.aggregates[key]
            self._touch(aggregate)
            self.causes.remember(key, aggregate.dirty_causes)
            aggregate.dirty_from, aggregate.dirty_causes = -1, ""
            self.memory.dirty.discard(key)
            self._background.add(key)
        self._refold()
        for key, aggregate in self.changed.items():
            if aggregate.kind != "alias":
                self.memory.await_deadline(key, -1 if key in self.memory.dirty else aggregate.timeline.due)

    def known_from(self, recorded_at: int) -> None:
        """What comes next was learnt at another moment: what was learnt before it is folded, and posted, without it."""
        if recorded_at != self.known_at:
            self._refold()
            self.known_at = recorded_at

    def _refold(self) -> None:
        while self._order:
            _, key = heapq.heappop(self._order)
            aggregate = self._stale.pop(key)
            if key in self.memory.dirty or (key not in self._background and self._long(aggregate)):
                self._leave_dirty(aggregate)
                continue
            for entry in aggregate.timeline.refold(self.memory.watermark):
                self.touched[key, entry.identity] = (aggregate, entry)
                if not entry.effects.again:
                    self._carry_out(aggregate, entry, entry.effects)
            self._send_sums(aggregate)
            self._fresh.pop(key, None)

    def _carry_out(self, aggregate: Aggregate, entry: Entry, effects: Effects) -> None:
        if effects.derived or entry.derived:
            self._send(aggregate, entry, effects.derived)
        if effects.shares or entry.shares:
            aggregate.sums.fold(entry, effects.shares)
        if effects.postings or entry.postings:
            self._post(aggregate, entry, effects.posted())
        if effects.refused is not None or entry.refused:
            self._tell_refused(aggregate, entry)

    def _tell_refused(self, aggregate: Aggregate, entry: Entry) -> None:
        """Tell once of a fact that has no effect; the journal keeps it, and it has one as soon as what it contradicts is gone."""
        problem = entry.effects.refused
        if problem is None or problem.code != entry.refused:
            self._resolve(aggregate, entry)
        if problem is not None and not entry.refused:
            entry.refused = problem.code
            self.refused.append(unapplied(problem, entry.event, aggregate.key, self.recorded_at))

    def _resolve(self, aggregate: Aggregate, entry: Entry) -> None:
        """Take back that a fact has no effect: it has one now, says something else, or went elsewhere."""
        if entry.refused:
            gone = unapplied(Problem(entry.refused, ""), entry.event, aggregate.key, self.recorded_at).id
            self.refused = [row for row in self.refused if row.id != gone]
            self.resolved.add(gone)
            entry.refused = ""

    def wake(self, keys: Iterable[str]) -> None:
        """Let aggregates fold on whose deadlines have fallen due."""
        for key in keys:
            self._touch(self.memory.aggregates[key])

    def _long(self, aggregate: Aggregate) -> bool:
        return aggregate.timeline.tail - self._fresh.get(aggregate.key, 0) > TAIL

    def _leave_dirty(self, aggregate: Aggregate) -> None:
        timeline = aggregate.timeline
        index = timeline.changed_from
        since = timeline.places[index].time if 0 <= index < len(timeline.places) else aggregate.newest
        aggregate.dirty_from = since if aggregate.dirty_from < 0 else min(since, aggregate.dirty_from)
        self.causes.remember(aggregate.key, aggregate.dirty_causes)
        aggregate.dirty_causes = self.causes.remembered(aggregate.key)
        self.memory.dirty.add(aggregate.key)

    def _send(self, aggregate: Aggregate, entry: Entry, derived: list[Derived]) -> None:
        before, now, events = entry.derived, {}, {}
        if len(derived) == 1 and not before:  # what most facts do: a name hands on to its target
            ((target, event),) = derived
            written = self._write(event)
            key = f"{target} {written.identity}"
            entry.derived = {key: (target, written.content)}
            self._emit(aggregate, entry, key, target, event, written.content)
            return
        for target, event in derived:
            written = self._write(event)
            key = f"{target} {written.identity}"
            now[key], events[key] = (target, written.content), event
        for key, (target, _) in before.items():
            if key not in now:
                self._emit(aggregate, entry, key, target, entry.event, None)
        for key, said in now.items():
            if before.get(key) != said:
                self._emit(aggregate, entry, key, said[0], events[key], said[1])
        entry.derived = now

    def _send_sums(self, aggregate: Aggregate) -> None:
        behind: Behind | None = None
        for key, target, event, content in aggregate.sums.settle():
            stands = event if event is not None else aggregate.first
            behind = behind or self._behind(aggregate, None, stands)
            self._emit(aggregate, None, key, target, stands, content if event is not None else None, behind)

    def _emit(
        self, aggregate: Aggregate, entry: Entry | None, key: str, target: str, event: Event, content: str | None,
        behind: Behind | None = None,
    ) -> None:  # fmt: skip
        """Send a derived fact, or its withdrawal where `content` is None; `entry` is what it comes from, if it is one's."""
        revision = aggregate.sent_before(key, target) + 1
        aggregate.sent[key] = revision
        identity = key[len(target) + 1 :]
        root, late = behind or self._behind(aggregate, entry, event)
        delivery = Delivery(target, identity, revision, content is None, event, root, late, self._said_at)
        of = entry.identity if entry is not None else ""
        self.derived.append(DerivedRow(aggregate.key, of, identity, target, revision, content or ""))
        if lane_of(target, self.lanes) == self.memory.lane:
            self.need(target, event)
            self.deliver(delivery, "inline")
        else:
            self._send_away(delivery)

    def _behind(self, aggregate: Aggregate, entry: Entry | None, event: Event) -> Behind:
        if entry is None:
            newest = self.causes.newest(aggregate.key)
            last = aggregate.timeline.entries[max(aggregate.timeline.folded, 1) - 1]
            return newest or self._named(last.event, last.identity, aggregate.key), newest is not None
        root, late = self.causes.root(aggregate.key, entry)
        if root is None and event.source == "covenant":
            root = self._named(entry.event, entry.identity, aggregate.key)
        return root, late

    @property
    def _said_at(self) -> int:
        """When what is being folded was learnt, where a source said so and is believed; else 0."""
        return self.known_at if self.known_at != self.recorded_at else 0

    def _named(self, event: Event, identity: str, aggregate: str) -> Cause:
        """Name an event: one of ours where it stands, any other where it was taken in."""
        return cause.of_event(event, identity, aggregate if event.source == "covenant" else "")

    def _send_away(self, delivery: Delivery) -> None:
        self._away.setdefault(lane_of(delivery.target, self.lanes), []).append((delivery, self._wire(delivery.event)))

    def messages(self) -> Iterator[tuple[str, bytes]]:
        """Give (key, value) of what other lanes are told."""
        for _, deliveries in sorted(self._away.items()):
            yield from pack(deliveries)

    def _write(self, event: Event) -> Written:
        known = self._written.get(id(event))
        if known is None:
            known = self._written[id(event)] = (event, write(event))
        return known[1]

    def _wire(self, event: Event) -> str:
        return known[1].wire if (known := self._written.get(id(event))) else wire(event)

    def _post(self, aggregate: Aggregate, entry: Entry, now: dict[tuple[str, str, str], int]) -> None:
        for key in sorted(entry.postings.keys() | now.keys()):
            change = now.get(key, 0) - entry.postings.get(key, 0)
            if change:
                grant, unit, kind = key
                self.postings.append(
                    PostingRow(
                        len(self.postings), aggregate.organisation, aggregate.key, entry.identity, grant,
                        aggregate.ident, unit, kind, change, entry.place.time, self.known_at,
                    )
                )  # fmt: skip
        entry.postings = now

    def _journal(self, delivery: Delivery, origin: str, behind: str = "") -> None:
        event = delivery.event
        self.journal.append(
            JournalRow(
                len(self.journal), event.organisation, delivery.target, delivery.identity, event.type, event.time,
                event.data.effective(event.time), self.known_at, origin, delivery.revision, delivery.withdrawn,
                self._wire(event), behind,
            )
        )  # fmt: skip
