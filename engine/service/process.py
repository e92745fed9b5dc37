"""The body: takes a batch of a lane, returns what to record, and has the store record it in one transaction.

Drives nothing: a shell (a file on a laptop, Faust on Kafka) hands it batches. `begin` folds and starts evaluating;
`finish` waits, decides and records. Works of one lane begin in order and finish in order; two may be in flight.
After any error the lane must be dropped and opened again: the store's position is the truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future

import msgspec

from engine.domain import codec
from engine.domain.derivation import Delivery
from engine.domain.effects import NOTHING
from engine.domain.errors import LaneConflict
from engine.domain.order import lane as lane_of
from engine.domain.records import AggregateRow, Batch, Lane, OutboxRow, RefusedRow, SeenRow
from engine.domain.timeline import Entry
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle
from engine.policy.evaluator import Answer, Evaluator
from engine.service.deciding import Asked, Deciding
from engine.service.folding import Folding
from engine.service.judging import document_of, judge
from engine.service.memory import KINDS, Aggregate, LaneMemory, ReferenceLog, folder
from engine.service.publishing import Message, Publisher, Recorded
from engine.service.summing import Summing
from engine.service.taking import Taken, take
from engine.store.protocol import Store

REFERENCE_LANE = -1
DERIVED_TOPIC = "covenant.derived"
KEPT = 1_000_000
"""Entries a lane keeps in memory; aggregates untouched for longest are forgotten beyond it and loaded again at need."""


class BatchResult(msgspec.Struct, frozen=True):
    """What a batch did, for people and summaries."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    decisions: int = 0
    changes: int = 0


class Work(msgspec.Struct):
    """A batch between `begin` and `finish`."""

    lane: int
    kind: str
    folding: Folding
    asked: list[Asked]
    unasked: list[tuple[Aggregate, Entry, bool]]
    """Entries refolded whose input is the one asked before, or (False) of which no rule is asked."""
    answers: Future[list[Answer]] | None
    version: int
    reference: int
    watermark: int
    recorded_at: int
    positions: dict[str, int]
    aggregates: tuple[AggregateRow, ...]
    """As they stood when the batch was folded; a later batch may have gone on with them since."""
    refused: list[RefusedRow]
    seen: list[SeenRow]
    read: int
    duplicates: int
    work: str = ""
    ended: bool = False


class Body:
    """Processes lanes against one store under one bundle."""

    def __init__(
        self, store: Store, evaluator: Evaluator, bundle: Bundle, *, lanes: int = 1, publisher: Publisher | None = None
    ) -> None:
        """Begin with no lane open; `publisher` makes what the outbox tells the relay."""
        self.store = store
        self.evaluator = evaluator
        self.bundle = bundle
        self.lanes = lanes
        self.publisher = publisher
        self.sets = bundle.data["params"]
        self.windows = bundle.windows
        self.rules = {rule.code: rule for rule in bundle.catalogue.rules}
        self.log = ReferenceLog()
        self.summing = Summing(store)
        self._memory: dict[int, LaneMemory] = {}
        self._known_reference = 0

    def open(self, lane: int) -> Lane:
        """Load a lane from the store; gives where it stands."""
        self.catch_up()
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
        taken = take(self.store, arrivals, recorded_at, {})
        lane = self.store.lane(REFERENCE_LANE)
        folding = Folding(LaneMemory(lane), 1, recorded_at)
        for event, written in taken.events:
            folding.record(event, written)
        said = self._said(Recorded(REFERENCE_LANE, lane.version + 1, recorded_at, refused=taken.refused))
        outbox = _outbox(lane.outbox_sequence, said)
        self.store.record(
            Batch(
                lane=REFERENCE_LANE, version=lane.version + 1, kind="events", recorded_at=recorded_at, reference=0,
                watermark=0, work="", read=taken.read, accepted=len(taken.events), duplicates=taken.duplicates,
                outbox_sequence=lane.outbox_sequence + len(outbox), positions=dict(lane.positions) | dict(positions),
                journal=tuple(folding.journal), seen=tuple(taken.seen), refused=tuple(taken.refused), outbox=outbox,
            )
        )  # fmt: skip
        self.catch_up()
        self.summing.closed(event for event, _ in taken.events)
        return BatchResult(taken.read, len(taken.events), taken.duplicates, len(taken.refused))

    def begin(self, lane: int, arrivals: Sequence[Arrival | Delivery], positions: Mapping[str, int], recorded_at: int) -> Work:
        """Fold a batch and start evaluating what changed."""
        memory = self._memory[lane]
        taken = take(self.store, arrivals, recorded_at, memory.in_flight)
        folding = self._folding(memory, recorded_at)
        self._renew_reference(memory, folding)
        keys = [f"{e.organisation}/{'/'.join(e.data.about())}" for e, _ in taken.events]
        ours = [key for key in keys if lane_of(key, self.lanes) == lane]
        self._load(memory, [*ours, *(d.target for d in taken.deliveries)])
        for event, written in sorted(taken.events, key=lambda one: one[0].recorded_at or recorded_at):
            folding.known_from(event.recorded_at or recorded_at)
            folding.accept(event, written)
            memory.watermark = max(memory.watermark, event.time)
        for delivery in taken.deliveries:
            folding.known_from(recorded_at)
            folding.deliver(delivery, "derived")
        memory.positions.update(positions)
        memory.in_flight.update((row.identity, row.content) for row in taken.seen)
        return self._start(memory, folding, "events", taken)

    def redecide(self, lane: int, recorded_at: int, keys: Sequence[str] | None = None) -> BatchResult | None:
        """Re-decide the lane's dirty aggregates (or just `keys`) and what new reference data concerns; None if nothing."""
        memory = self._memory[lane]
        keys = sorted(memory.dirty) if keys is None else list(keys)
        if not keys and memory.reference == self._known_reference:
            return None
        folding = self._folding(memory, recorded_at)
        self._renew_reference(memory, folding)
        self._load(memory, keys)
        return self.finish(self._start(memory, folding, "redecide", Taken(), keys))

    def settle(self, lane: int, recorded_at: int, *, ended: bool = False, until: int = 0) -> BatchResult | None:
        """Let time pass up to `until`: deadlines fire and violations settle; None when nothing is due."""
        memory = self._memory[lane]
        watermark = max(memory.watermark, until)
        self.summing.passed(watermark)
        ripe = any(ended or r.opened_at + r.settle_us <= watermark for r in memory.unsettled.values())
        if not ripe and memory.next_due > watermark:
            return None
        memory.watermark = watermark
        work = self._start(memory, self._folding(memory, recorded_at), "settle", Taken())
        work.ended, work.work = ended, codec.encode({"ended": ended, "until": until}).decode()
        return self.finish(work)

    def finish(self, work: Work) -> BatchResult:
        """Wait for the answers, decide, and record everything in one transaction."""
        memory = self._memory.get(work.lane)
        if memory is None:
            msg = f"Lane {work.lane} was given up while a batch was in flight."
            raise LaneConflict(msg, "It is read again from the store's position.")
        deciding = Deciding(memory, self.bundle.digest, self.evaluator.opa_version, work.recorded_at, work.folding.cause)
        for aggregate, entry in work.folding.retired.values():
            deciding.withdraw(aggregate, entry)
        answers = work.answers.result() if work.answers is not None else []
        for asked, answer in zip(work.asked, answers, strict=True):
            deciding.decide(asked, judge(asked.rules, asked.document, answer))
        for aggregate, entry, asks in work.unasked:
            if not asks:
                if entry.decision:
                    deciding.withdraw(aggregate, entry)
            elif entry.counted is not None and entry.counted != entry.place:
                deciding.move(aggregate, entry)
        deciding.stand(self.rules)
        deciding.settle(work.watermark, ended=work.ended)
        batch = self._batch(memory, work, deciding)
        self.store.record(batch)
        memory.version, memory.outbox_sequence = batch.version, batch.outbox_sequence
        for row in work.seen:
            memory.in_flight.pop(row.identity, None)
        memory.forget(KEPT)
        return BatchResult(
            work.read, batch.accepted, work.duplicates, len(work.refused), len(batch.decisions), len(batch.changes)
        )

    def _folding(self, memory: LaneMemory, recorded_at: int) -> Folding:
        return Folding(memory, self.lanes, recorded_at, lambda key: self._load(memory, [key]))

    def _renew_reference(self, memory: LaneMemory, folding: Folding) -> None:
        if memory.reference == self._known_reference:
            return
        news = self.log.events[memory.reference : self._known_reference]
        since: dict[str, int] = {}
        for event in news:
            at = memory.log.now.affected_since(event)
            since[event.organisation] = min(at, since.get(event.organisation, at))
        earliest = min(since.values())
        self._load(memory, [row.aggregate for row in self.store.aggregates_since(memory.lane, earliest)])
        memory.log.extend(news)
        memory.reference += len(news)
        folding.invalidate(since)

    def _start(self, memory: LaneMemory, folding: Folding, kind: str, taken: Taken, background: Sequence[str] = ()) -> Work:
        fallen = memory.fallen_due()
        self._load(memory, fallen)
        folding.wake(fallen)
        folding.refold(background)
        asked, unasked = self._questions(folding)
        memory.begun += 1
        return Work(
            lane=memory.lane,
            kind=kind,
            folding=folding,
            asked=asked,
            unasked=unasked,
            answers=self.evaluator.submit([a.body for a in asked]) if asked else None,
            version=memory.begun,
            reference=memory.reference,
            watermark=memory.watermark,
            recorded_at=folding.recorded_at,
            positions=dict(memory.positions),
            aggregates=tuple(
                AggregateRow(key, memory.lane, a.newest, a.dirty_from, memory.due.get(key, -1))
                for key, a in sorted(folding.changed.items())
            ),
            refused=taken.refused,
            seen=taken.seen,
            read=taken.read,
            duplicates=taken.duplicates,
            work=codec.encode(list(background)).decode() if kind == "redecide" else "",
        )

    def _questions(self, folding: Folding) -> tuple[list[Asked], list[tuple[Aggregate, Entry, bool]]]:
        """Sort what was refolded; its effects are used up then, and kept no longer: they weigh more than the event."""
        asked, unasked = [], []
        for aggregate, entry in folding.touched.values():
            question = self._ask(aggregate, entry)
            if question is not None:
                asked.append(question)
            else:
                unasked.append((aggregate, entry, entry.effects.question is not None))
            entry.effects = NOTHING
        return asked, unasked

    def _ask(self, aggregate: Aggregate, entry: Entry) -> Asked | None:
        question = entry.effects.question
        if question is None:
            return None
        rules = self.bundle.catalogue.for_type(entry.event.type)
        if not rules:
            return None
        document = document_of(self.sets, aggregate.organisation, question)
        body = codec.encode(document)
        digest = codec.digest(body).hex()
        if digest == entry.input_digest:
            return None
        entry.input_digest = digest
        return Asked(aggregate, entry, document, body, digest, rules)

    def _load(self, memory: LaneMemory, keys: Sequence[str]) -> None:
        memory.touch(keys)
        missing = list(dict.fromkeys(key for key in keys if key not in memory.aggregates))
        if not missing:
            return
        stored = self.store.load(missing)
        for key in missing:
            aggregate = Aggregate(key, folder(key, self.windows, memory.log))
            loaded = stored.get(key)
            if loaded is not None and loaded.journal:
                aggregate.load(loaded)
                memory.entries += len(aggregate.timeline.entries)
            memory.aggregates[key] = aggregate

    def _batch(self, memory: LaneMemory, work: Work, deciding: Deciding) -> Batch:
        folding = work.folding
        recorded = Recorded(
            work.lane, work.version, work.recorded_at, deciding.decisions, list(deciding.violations.values()),
            deciding.before, deciding.changes, deciding.indeterminates, work.refused,
        )  # fmt: skip
        forwarded = [Message(DERIVED_TOPIC, key, value) for key, value in folding.messages()]
        outbox = _outbox(memory.outbox_sequence, [*forwarded, *self._said(recorded)])
        return Batch(
            lane=work.lane,
            version=work.version,
            kind=work.kind,
            recorded_at=work.recorded_at,
            reference=work.reference,
            watermark=work.watermark,
            work=work.work,
            read=work.read,
            accepted=len(work.seen),
            duplicates=work.duplicates,
            outbox_sequence=memory.outbox_sequence + len(outbox),
            lanes=self.lanes,
            positions=work.positions,
            journal=tuple(folding.journal),
            seen=tuple(work.seen),
            decisions=tuple(deciding.decisions),
            withdrawn=tuple(deciding.withdrawn),
            inputs=tuple({row.digest: row for row in deciding.inputs}.values()),
            postings=tuple(folding.postings),
            violations=tuple(deciding.violations.values()),
            changes=tuple(deciding.changes),
            indeterminates=tuple(deciding.indeterminates),
            refused=tuple(work.refused),
            derived=tuple({(r.aggregate, r.identity, r.key, r.target): r for r in folding.derived}.values()),
            outbox=outbox,
            aggregates=work.aggregates,
        )

    def _said(self, recorded: Recorded) -> list[Message]:
        """Give what is said of a batch to the outside."""
        return [] if self.publisher is None else self.publisher.messages(recorded)


def _outbox(sequence: int, messages: Sequence[Message]) -> tuple[OutboxRow, ...]:
    return tuple(OutboxRow(number, *message) for number, message in enumerate(messages, sequence + 1))
