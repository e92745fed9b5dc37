"""The body: takes a batch of a lane, returns what to record, and has the store record it in one transaction.

Drives nothing: a shell (a file on a laptop, Faust on Kafka) hands it batches. `begin` folds and starts evaluating;
`finish` waits, decides and records. Works of one lane begin in order and finish in order; two may be in flight.
After any error the lane must be dropped and opened again: the store's position is the truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter

from engine.domain import codec
from engine.domain.aggregates.alias import LINKING
from engine.domain.derivation import Delivery
from engine.domain.errors import LaneConflict
from engine.domain.events import Event
from engine.domain.lowering import Lowering
from engine.domain.order import lane as lane_of
from engine.domain.order import place
from engine.domain.records import Batch, Lane
from engine.domain.values import DAY_US
from engine.domain.written import Written
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle
from engine.policy.evaluator import Evaluator
from engine.service import naming
from engine.service.activation import Admission, Conditions
from engine.service.asking import Asking
from engine.service.checkpoints import bears_on, complete, is_partial, make, reaches_back, restore
from engine.service.deciding import FOLD_VERSION, Deciding
from engine.service.folding import Folding
from engine.service.holding import Holding
from engine.service.holding import read as read_held
from engine.service.holding import write as write_held
from engine.service.horizon import Carried
from engine.service.judging import judge
from engine.service.memory import KINDS, Aggregate, LaneMemory, ReferenceLog, folder
from engine.service.publishing import Publisher
from engine.service.recording import Recording, refer
from engine.service.revisions import Others, Revisions
from engine.service.summing import Summing
from engine.service.taking import Taken, take
from engine.service.works import BatchResult, Work, start
from engine.store.protocol import Store

KEPT = 1_000_000
"""Entries a lane keeps in memory; aggregates untouched for longest are forgotten beyond it and loaded again at need."""


class Body:
    """Processes lanes against one store under one bundle."""

    def __init__(
        self,
        store: Store,
        evaluator: Evaluator,
        bundle: Bundle,
        *,
        lanes: int = 1,
        publisher: Publisher | None = None,
        breaker: int = 0,
        horizon_days: int = 0,
        others: Others | None = None,
    ) -> None:
        """Begin with no lane open and `bundle` in force from the beginning.

        `publisher` makes what the outbox tells the relay, `breaker` is what holds a rule. `horizon_days` (0: none) bounds what
        late facts may charge; `others` are the revisions that activations put in force; without them `bundle` judges
        everything.
        """
        self.store = store
        self.lanes = lanes
        self.conditions: Conditions | None = None
        """What activations are held to; any is taken in where there are none."""
        self.revisions = Revisions(bundle, evaluator, others)
        self.asking = Asking(self.revisions)
        self.recording = Recording(lanes, publisher)
        self.windows = bundle.windows
        self.fold = codec.digest(str(FOLD_VERSION).encode(), bundle.digest.encode()).hex()
        """What aggregates are folded by, as checkpoints say it."""
        self.lowering = Lowering(bundle.data["params"], self.revisions.sets_of)
        self.log = ReferenceLog()
        self.summing = Summing(store)
        self.holding = Holding(store, self.recording, breaker)
        self.horizon_days = horizon_days
        self.carried: Carried = {}
        """Outcomes that the correction horizon made in another run."""
        self._memory: dict[int, LaneMemory] = {}
        self._known_reference = 0

    def open(self, lane: int) -> Lane:
        """Load a lane from the store; gives where it stands."""
        self.catch_up()
        self.holding.forget(lane)
        stored = self.store.lane(lane)
        memory = LaneMemory(stored)
        if stored.reference:
            memory.log.extend(self.log.events[: stored.reference])
        memory.unsettled = {row.id: row for row in self.store.unsettled(lane)}
        memory.dirty = {row.aggregate for row in self.store.dirty(lane)}
        for row in self.store.deadlines(lane):
            memory.await_deadline(row.aggregate, row.due)
        self._memory[lane] = memory
        return stored

    def drop(self, lane: int) -> None:
        """Forget a lane: it isn't ours, or its memory is void."""
        self.holding.forget(lane)
        self._memory.pop(lane, None)

    def catch_up(self) -> None:
        """Read reference entries recorded since, by whomever."""
        rows = self.store.reference(self._known_reference)
        if rows:
            self.log.extend([codec.parse_event(row.event) for row in rows])
            self._known_reference += len(rows)

    def pending(self, lane: int) -> bool:
        """Whether aggregates of the lane still have to be re-decided, or reference data is news to it."""
        memory = self._memory[lane]
        return bool(memory.dirty) or memory.reference != self._known_reference

    def dirty(self, lane: int) -> list[str]:
        """The lane's aggregates that still have to be re-decided, those whose facts flow to others first."""
        return sorted(self._memory[lane].dirty, key=lambda key: (KINDS.get(key.split("/", 2)[1], 9), key))

    def behind(self, lane: int) -> bool:
        """Whether the lane has yet to fold with reference data that is known; its next batch does."""
        return self._memory[lane].reference != self._known_reference

    def process(
        self, lane: int, arrivals: Sequence[Arrival | Delivery], positions: Mapping[str, int], recorded_at: int
    ) -> BatchResult:
        """Begin and finish one batch."""
        return self.finish(self.begin(lane, arrivals, positions, recorded_at))

    def refer(self, arrivals: Sequence[Arrival], positions: Mapping[str, int], recorded_at: int) -> BatchResult:
        """Record reference data on its own lane; lanes see it from their next batch on."""
        self.catch_up()
        refuses = Admission(self.conditions, self.log.events).refuses if self.conditions else None
        taken = refer(self.store, self.recording, arrivals, positions, recorded_at, self.log.events, refuses)
        self.catch_up()
        self.summing.closed(event for event, _ in taken.events)
        return BatchResult(taken.read, len(taken.events), taken.duplicates, len(taken.refused))

    def begin(
        self,
        lane: int,
        arrivals: Sequence[Arrival | Delivery],
        positions: Mapping[str, int],
        recorded_at: int,
        *,
        caught_up: bool = True,
        behind: bool = False,
    ) -> Work:
        """Fold a batch and start evaluating what changed.

        Nothing settles with it unless its lane, and those that tell it facts, have `caught_up`: what opens while months are
        read may go away with the next fact. `behind`: more waits than a batch holds, for others to know.
        """
        memory = self._memory[lane]
        taken = take(self.store, arrivals, recorded_at, memory.in_flight)
        folding = self._folding(memory, recorded_at)
        self._renew_reference(memory, folding)
        keys = [f"{e.organisation}/{'/'.join(e.data.about())}" for e, _ in taken.events]
        ours = list(dict.fromkeys(key for key in reversed(keys) if lane_of(key, self.lanes) == lane))[::-1]
        linked = naming.linked_by(taken.events, taken.deliveries)
        self._load(memory, [*ours, *(d.target for d in taken.deliveries)], linked)
        self._complete(memory, _reaching_back(memory, keys, taken))
        arrived: list[tuple[int, Delivery | tuple[Event, Written, str]]] = [
            (event.recorded_at or recorded_at, (event, written, key))
            for (event, written), key in zip(taken.events, keys, strict=True)
        ]
        arrived += [(delivery.known_at or recorded_at, delivery) for delivery in taken.deliveries]
        for learnt, one in sorted(arrived, key=itemgetter(0)):
            folding.known_from(learnt)
            if isinstance(one, Delivery):
                folding.deliver(one, "derived")
            else:
                folding.accept(*one)
                memory.watermark = max(memory.watermark, one[0].time)
        memory.positions.update(positions)
        memory.in_flight.update((row.identity, row.content) for row in taken.seen)
        work = self._start(memory, folding, "events", taken)
        work.caught_up, work.behind = caught_up, behind
        return work

    def redecide(self, lane: int, recorded_at: int, keys: Sequence[str] | None = None) -> BatchResult | None:
        """Re-decide the lane's dirty aggregates (or just `keys`) and what new reference data concerns; None if nothing.

        Nothing settles with it: what it tells others isn't heard yet.
        """
        memory = self._memory[lane]
        keys = sorted(memory.dirty) if keys is None else list(keys)
        if not keys and memory.reference == self._known_reference:
            return None
        folding = self._folding(memory, recorded_at)
        self._renew_reference(memory, folding)
        self._load(memory, keys)
        work = self._start(memory, folding, "redecide", Taken(), keys)
        work.caught_up = False
        return self.finish(work)

    def settle(
        self,
        lane: int,
        recorded_at: int,
        *,
        ended: bool = False,
        until: int = 0,
        caught_up: bool = True,
        again: bool = False,
    ) -> BatchResult | None:
        """Let time pass up to `until`: deadlines fire and, where the lane has `caught_up` or the run `ended`, violations settle.

        Gives None when nothing is due, unless it is made `again`.
        """
        memory = self._memory[lane]
        watermark = max(memory.watermark, until)
        self.summing.passed(watermark)
        held = self.holding.held(self.log.events)
        unsettled = [row for row in memory.unsettled.values() if (row.organisation, row.rule) not in held]
        ripe = any(ended or (caught_up and r.opened_at + r.settle_us <= watermark) for r in unsettled)
        if not (again or ripe) and memory.next_due > watermark:
            return None
        memory.watermark = watermark
        work = self._start(memory, self._folding(memory, recorded_at), "settle", Taken())
        work.ended, work.caught_up = ended, caught_up
        work.work = codec.encode({"ended": ended, "until": until}).decode()
        return self.finish(work)

    def finish(self, work: Work) -> BatchResult:
        """Wait for the answers, decide, and record everything in one transaction."""
        batch = self.decide(work)
        self.store.record(batch)
        return self.recorded(work, batch)

    def decide(self, work: Work) -> Batch:
        """Wait for the answers and decide; what it gives is recorded before the lane's next, and `recorded` told so."""
        memory = self._memory.get(work.lane)
        if memory is None:
            msg = f"Lane {work.lane} was given up while a batch was in flight."
            raise LaneConflict(msg, "It is read again from the store's position.")
        deciding = Deciding(memory, self.revisions, work.recorded_at, work.folding.causes)
        deciding.carried = self.carried
        for aggregate, entry in work.folding.retired.values():
            deciding.withdraw(aggregate, entry)
        answers = work.answers.result() if work.answers is not None else []
        for asked, answer in zip(work.questions.asked, answers, strict=True):
            deciding.decide(asked, judge(asked.rules, asked.document, answer))
        for aggregate, entry, asks in work.questions.unasked:
            if not asks:
                if entry.decision:
                    deciding.withdraw(aggregate, entry)
            elif entry.counted is not None and entry.counted != entry.place:
                deciding.move(aggregate, entry)
        for asked, answer in work.shadowed():
            deciding.shadow(asked, judge(asked.rules, asked.document, answer))
        deciding.stand()
        held = self.holding.held(self.log.events)
        due = deciding.due(work.watermark, held, ended=work.ended) if work.caught_up or work.ended else []
        held |= self.holding.trip((work.lane, work.version), deciding.violations, deciding.changes, due, work.recorded_at)
        work.held = write_held(held)
        deciding.hold(held)
        spoken = [row for row in due if (row.organisation, row.rule) not in held]
        deciding.settle(spoken)
        memory.speak(deciding.violations[row.id] for row in spoken)
        batch = self.recording.batch(memory, work, deciding)
        memory.outbox_sequence = batch.outbox_sequence
        return batch

    def recorded(self, work: Work, batch: Batch) -> BatchResult:
        """Note that the store holds a batch: what was in flight with it is the store's to know from now on."""
        memory = self._memory[work.lane]
        memory.version = batch.version
        self.holding.written((batch.lane, batch.version))
        for row in work.seen:
            memory.in_flight.pop(row.identity, None)
        memory.stored(batch.violations)
        memory.let_go()
        if memory.entries > KEPT:
            self.keep_checkpoints(work.lane)
        memory.forget(KEPT)
        return BatchResult(
            work.read,
            batch.accepted,
            work.duplicates,
            len(work.refused),
            len(batch.decisions),
            len(batch.changes),
            tuple(sorted({rule for _, rule in read_held(batch.held)})),
        )

    def keep_checkpoints(self, lane: int) -> int:
        """Have the store keep the states of aggregates that have grown long; gives how many. For when a lane is quiet.

        A checkpoint says how an aggregate stands at the version that the store has: none of what a batch in flight changed.
        """
        memory = self._memory[lane]
        if memory.checked == memory.version:
            return 0
        memory.checked, kept = memory.version, 0
        for aggregate in memory.aggregates.values():
            row = make(aggregate, self.fold) if aggregate.changed_by <= memory.version else None
            if row is not None:
                self.store.keep_checkpoints(lane, memory.version, [row])
                kept += 1
        return kept

    def _folding(self, memory: LaneMemory, recorded_at: int) -> Folding:
        def need(key: str, event: Event) -> None:
            if key in memory.aggregates and event.type not in LINKING:  # nearly always; it is the last to be forgotten
                memory.aggregates[key] = memory.aggregates.pop(key)
            else:
                self._load(memory, [key], naming.linked_to(key, event))

        def whole(key: str) -> None:
            self._complete(memory, [key])

        return Folding(memory, self.lanes, recorded_at, need, self.horizon_days * DAY_US, whole)

    def _renew_reference(self, memory: LaneMemory, folding: Folding) -> None:
        if memory.reference == self._known_reference:
            return
        news = self.log.events[memory.reference : self._known_reference]
        since = [(event, memory.log.now.affected_since(event)) for event in news]
        earliest = min(at for _, at in since)
        self._load(memory, naming.without_names(row.aggregate for row in self.store.aggregates_since(memory.lane, earliest)))
        bears = (key for key, one in memory.aggregates.items() if any(bears_on(one, event, at) for event, at in since))
        self._complete(memory, list(bears))
        memory.log.extend(news)
        memory.reference += len(news)
        folding.invalidate(since)

    def _start(self, memory: LaneMemory, folding: Folding, kind: str, taken: Taken, background: Sequence[str] = ()) -> Work:
        fallen = memory.fallen_due()
        dropped = naming.drop(self.store, memory, fallen)
        fallen = naming.without_names(fallen)
        self._load(memory, fallen)
        folding.wake(fallen)
        work = start(memory, folding, self.asking, kind, taken, background)
        work.dropped, work.horizon = dropped, self.horizon_days
        return work

    def _load(self, memory: LaneMemory, keys: Sequence[str], linked: frozenset[str] = frozenset()) -> None:
        """Bring aggregates into memory; a name of which nothing was ever said, and isn't by `linked`, leaves all on disk."""
        memory.touch(keys)
        missing = list(dict.fromkeys(key for key in keys if key not in memory.aggregates))
        missing += naming.no_longer_waiting(memory, linked)
        if not missing:
            return
        waiting = naming.waiting(self.store, missing, linked)
        stored = self.store.load([key for key in missing if key not in waiting], self.fold)
        for key in missing:
            aggregate = memory.aggregates.get(key) or Aggregate(key, folder(key, self.windows, memory.log, self.lowering))
            aggregate.waiting = key in waiting
            if aggregate.waiting:
                memory.keep_waiting(key, memory.begun + 1)
            else:
                memory.waiting.pop(key, None)
            memory.entries -= len(aggregate.timeline.entries)
            loaded = stored.get(key)
            if loaded is not None and loaded.journal:
                restore(aggregate, loaded)
                memory.loaded(aggregate)
            memory.entries += len(aggregate.timeline.entries)
            memory.aggregates[key] = aggregate

    def _complete(self, memory: LaneMemory, keys: Sequence[str]) -> None:
        """Load the histories before checkpoints that something concerns."""
        if not keys:
            return
        for key, loaded in self.store.load(keys).items():
            aggregate = memory.aggregates[key]
            memory.entries -= len(aggregate.timeline.entries)
            complete(aggregate, loaded)
            memory.entries += len(aggregate.timeline.entries)


def _reaching_back(memory: LaneMemory, keys: Sequence[str], taken: Taken) -> list[str]:
    """Give the aggregates of which a batch concerns what isn't loaded, so that they are read at once."""
    partly = {key for key in {*keys, *(one.target for one in taken.deliveries)} if is_partial(memory.aggregates.get(key))}
    if not partly:
        return []
    arrived = [(key, written.identity, 0, e) for key, (e, written) in zip(keys, taken.events, strict=True)]
    arrived += [(one.target, one.identity, one.revision, one.event) for one in taken.deliveries]
    return sorted(
        {
            key
            for key, identity, revision, event in arrived
            if key in partly and reaches_back(memory.aggregates[key], identity, revision, place(event))
        }
    )
