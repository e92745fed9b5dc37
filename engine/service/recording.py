"""What a batch records: its rows, and what is said of it to other lanes and to the outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.domain.events import Event
from engine.domain.records import Batch, Lane, OutboxRow, Outdated
from engine.intake.arrivals import Arrival
from engine.service.deciding import Deciding
from engine.service.folding import Folding
from engine.service.memory import LaneMemory
from engine.service.publishing import Message, Publisher, Recorded
from engine.service.taking import Refuses, Taken, apart, take
from engine.service.works import Work
from engine.store.protocol import Store

REFERENCE_LANE = -1
DERIVED_TOPIC = "covenant.derived"


class Recording:
    """Makes the rows of batches; `publisher` says what the outbox tells the relay, None that nobody is told."""

    def __init__(self, lanes: int, publisher: Publisher | None) -> None:
        """Begin for so many lanes."""
        self.lanes = lanes
        self.publisher = publisher

    def batch(self, memory: LaneMemory, work: Work, deciding: Deciding) -> Batch:
        """Give what one lane's batch records."""
        folding = work.folding
        recorded = Recorded(
            work.lane, work.version, work.recorded_at, deciding.decisions, list(deciding.violations.values()),
            deciding.before, deciding.changes, deciding.indeterminates, [*work.refused, *folding.refused],
        )  # fmt: skip
        forwarded = [Message(DERIVED_TOPIC, key, value) for key, value in folding.messages()]
        outbox = _outbox(memory.outbox_sequence, [*forwarded, *self._said(recorded)])
        learnt = {row.recorded_at for row in folding.journal} | {row.recorded_at for row in folding.postings} or {
            work.recorded_at
        }
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
            held=work.held,
            horizon=work.horizon,
            caught_up=work.caught_up,
            behind=work.behind,
            learnt_from=min(learnt),
            learnt_until=max(learnt),
            positions=work.positions,
            journal=tuple(folding.journal),
            seen=tuple(work.seen),
            originals=work.originals,
            payloads=work.payloads,
            decisions=tuple(deciding.decisions),
            withdrawn=tuple(deciding.withdrawn),
            inputs=tuple({row.digest: row for row in deciding.inputs}.values()),
            postings=tuple(folding.postings),
            violations=tuple(deciding.violations.values()),
            changes=tuple(deciding.changes),
            indeterminates=tuple(deciding.indeterminates),
            resolved=tuple(sorted(folding.resolved)),
            refused=(*work.refused, *folding.refused),
            derived=tuple({(r.aggregate, r.identity, r.key, r.target): r for r in folding.derived}.values()),
            outbox=outbox,
            aggregates=work.aggregates,
            dropped=work.dropped,
            outdated=tuple(Outdated(key, since) for key, since in sorted(folding.outdated.items())),
            shadows=tuple(deciding.shadows),
        )

    def reference(self, lane: Lane, taken: Taken, folding: Folding, positions: Mapping[str, int]) -> Batch:
        """Give what a batch of reference data records on its own lane."""
        recorded_at = folding.recorded_at
        said = self._said(Recorded(REFERENCE_LANE, lane.version + 1, recorded_at, refused=taken.refused))
        outbox = _outbox(lane.outbox_sequence, said)
        return Batch(
            lane=REFERENCE_LANE, version=lane.version + 1, kind="events", recorded_at=recorded_at, reference=0,
            watermark=0, work="", read=taken.read, accepted=len(taken.events), duplicates=taken.duplicates,
            outbox_sequence=lane.outbox_sequence + len(outbox), positions=dict(lane.positions) | dict(positions),
            journal=tuple(folding.journal), seen=tuple(taken.seen), originals=tuple(taken.originals),
            payloads=tuple(taken.payloads.values()), refused=tuple(taken.refused), outbox=outbox,
        )  # fmt: skip

    def _said(self, recorded: Recorded) -> list[Message]:
        """Give what is said of a batch to the outside."""
        return [] if self.publisher is None else self.publisher.messages(recorded)


def refer(
    store: Store,
    recording: Recording,
    arrivals: Sequence[Arrival],
    positions: Mapping[str, int],
    recorded_at: int,
    known: Sequence[Event] = (),
    refuses: Refuses | None = None,
) -> Taken:
    """Record reference data on its own lane, beside what is `known`; lanes see it from the batch on after their next look."""
    taken = take(store, arrivals, recorded_at, {}, refuses)
    apart(taken, known, recorded_at)
    lane = store.lane(REFERENCE_LANE)
    folding = Folding(LaneMemory(lane), 1, recorded_at)
    for event, written in taken.events:
        folding.known_from(event.recorded_at or recorded_at)
        folding.record(event, written)
    store.record(recording.reference(lane, taken, folding, positions))
    return taken


def _outbox(sequence: int, messages: Sequence[Message]) -> tuple[OutboxRow, ...]:
    return tuple(OutboxRow(number, *message) for number, message in enumerate(messages, sequence + 1))
