"""Replay: the journal folded again, under the bundle it was decided by, compared with what was recorded.

`check` takes each lane's batches in recorded order and compares every decision; `canonical` takes all events in order
of event time, in one lane, and compares what stands in the end; `rebuild` writes the projections anew from a replay.
All run the same body over a store in memory; only `rebuild` writes to the store, and only projections.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from engine.domain import cause, codec, verdicts
from engine.domain.derivation import Delivery
from engine.domain.errors import IntegrityError
from engine.domain.events import Event
from engine.domain.order import place
from engine.domain.records import Batch, DecisionRow, JournalRow
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, from_bytes
from engine.policy.limits import DEFAULTS, Limits
from engine.policy.opa_child import OpaChild
from engine.service import horizon
from engine.service.holding import read as read_held
from engine.service.process import Body
from engine.service.revisions import Others
from engine.service.standing import export_standing
from engine.store.memory_store import MemoryStore
from engine.store.protocol import REFERENCE_LANE, Store

AT_ONCE: Final = 2000
"""Events a canonical batch."""
AGGREGATES_AT_ONCE: Final = 200
"""Aggregates read from the store at once."""
SHOWN: Final = 5
"""Differences that a report spells out."""
_COMPARED: Final = ("id", "aggregate", "identity", "bundle", "input_digest", "outcomes", "verdict", "supersedes", "cause")

Progress = Callable[[int], None]


class Report(msgspec.Struct, frozen=True):
    """What a replay compared. `decisions` is how many were made again (lines of the export for `canonical`)."""

    decisions: int
    differences: int
    first: tuple[str, ...] = ()
    """The first few differences, a sentence each."""


class Engines(msgspec.Struct, frozen=True):
    """How policy engines are started."""

    opa: Path
    limits: Limits

    def start(self, bundle: Bundle) -> OpaChild:
        """Start one on a bundle."""
        return OpaChild(bundle, self.opa, limits=self.limits)


def check(store: Store, opa: Path, progress: Progress = lambda _: None, limits: Limits = DEFAULTS) -> Report:
    """Make every decision again, batch by batch as recorded, and compare; `progress` is told of decisions made."""
    counted, differences = 0, 0
    first: list[str] = []
    for lane in _lanes(store):
        for version, recorded, again in _replayed(store, Engines(opa, limits), lane):
            found = list(_differences(lane, version, recorded, again))
            differences += len(found)
            first += found[: SHOWN - len(first)]
            counted += len(recorded)
            progress(counted)
    return Report(counted, differences, tuple(first))


def canonical(store: Store, opa: Path, progress: Progress = lambda _: None, limits: Limits = DEFAULTS) -> Report:
    """Fold all events in order of event time and compare what stands; how far a run had settled isn't compared.

    In order nothing is late: what the correction horizon left uncharged is taken over from the store.
    """
    bundle = bundle_of(store)
    if bundle is None:
        return Report(0, 0)
    memory = MemoryStore()
    with _body(store, memory, bundle, Engines(opa, limits), 1) as body:
        body.carried = _made_by_the_horizon(store)
        refold(store, body, progress)
    return _compare_standing(store, memory)


def _made_by_the_horizon(store: Store) -> dict[tuple[str, str], horizon.Outcomes]:
    """Give the outcomes that stand because of the correction horizon: they depend on when facts came."""
    found = {}
    keys = store.aggregates()
    for start in range(0, len(keys), AGGREGATES_AT_ONCE):
        for loaded in store.load(keys[start : start + AGGREGATES_AT_ONCE]).values():
            for row in loaded.decisions:
                if horizon.GUARD in row.outcomes:
                    found[row.aggregate, row.identity] = horizon.made_by_it(verdicts.read(row.outcomes).said)
    return found


def rebuild(store: Store, opa: Path, progress: Progress = lambda _: None, limits: Limits = DEFAULTS) -> Report:
    """Write each lane's projections anew from a replay; refuses where the replay decides otherwise than recorded."""
    counted = 0
    for lane in _lanes(store):
        memory = MemoryStore()
        for version, recorded, again in _replayed(store, Engines(opa, limits), lane, memory):
            if (difference := next(_differences(lane, version, recorded, again), None)) is not None:
                msg = f"The journal decides otherwise than was recorded: {difference}."
                raise IntegrityError(msg, "Nothing of this lane was rewritten; `covenant replay --check` shows all.")
            counted += len(recorded)
            progress(counted)
        store.replace_projections(lane, memory.projections(lane))
    return Report(counted, 0)


def refold(store: Store, body: Body, progress: Progress = lambda _: None) -> None:
    """Fold all that a store's journal took in, in order of event time, in one lane of a body; `progress` counts events."""
    body.refer([Arrival(event) for event, _ in _taken_in(store, REFERENCE_LANE)], {}, 1)
    body.open(0)
    taken = sorted((t for lane in _lanes(store) for t in _taken_in(store, lane)), key=lambda t: (t[0].time, place(t[0])))
    for start in range(0, len(taken), AT_ONCE):
        part = taken[start : start + AT_ONCE]
        body.process(0, [Arrival(event) for event, _ in part], {}, max(learnt for _, learnt in part))
        progress(min(start + AT_ONCE, len(taken)))
    learnt = max((learnt for _, learnt in taken), default=1)
    finish_lane(body, 0, learnt, until=max((lane.watermark for lane in store.lanes()), default=0))


def finish_lane(body: Body, lane: int, recorded_at: int, until: int = 0) -> None:
    """End a run at `until`: let deadlines fire, re-decide what is left dirty, then let everything settle."""
    body.settle(lane, recorded_at, until=until, caught_up=False)
    while body.pending(lane):
        body.redecide(lane, recorded_at)
    body.settle(lane, recorded_at, ended=True, until=until)


def bundle_of(store: Store) -> Bundle | None:
    """Give the bundle in force from the beginning, None where the store keeps none yet."""
    first = store.first_bundle()
    return from_bytes(store.bundle(first)) if first else None


def _lanes(store: Store) -> list[int]:
    return [lane.lane for lane in store.lanes() if lane.lane != REFERENCE_LANE]


@contextmanager
def _body(store: Store, memory: MemoryStore, bundle: Bundle, engines: Engines, lanes: int) -> Iterator[Body]:
    """Give a body that writes to memory, and judges by the revisions that the store keeps."""
    others = Others(lambda digest: from_bytes(store.bundle(digest)), engines.start)
    with closing(engines.start(bundle)) as evaluator:
        body = Body(memory, evaluator, bundle, lanes=lanes, others=others)
        with closing(body.revisions):
            yield body


def _replayed(
    store: Store, engines: Engines, lane: int, memory: MemoryStore | None = None
) -> Iterator[tuple[int, Sequence[DecisionRow], Sequence[DecisionRow]]]:
    """Replay a lane: for each batch its version, the decisions recorded, and the decisions made again."""
    bundle = bundle_of(store)
    if bundle is None:
        return
    memory = memory if memory is not None else MemoryStore()
    reference = _Reference(store, memory)
    batches = store.batches(lane)
    first = next(batches)
    with _body(store, memory, bundle, engines, first.lanes) as body:
        body.open(lane)
        for batch in itertools.chain([first], batches):
            reference.up_to(batch.reference)
            body.catch_up()
            _again(body, batch)
            yield batch.version, store.decisions(lane, batch.version), memory.decisions(lane, batch.version)


def _again(body: Body, batch: Batch) -> None:
    body.holding.given, body.horizon_days = read_held(batch.held), batch.horizon
    if batch.kind == "redecide":
        body.redecide(batch.lane, batch.recorded_at, msgspec.json.decode(batch.work, type=list[str]))
    elif batch.kind == "settle":
        said = msgspec.json.decode(batch.work)
        body.settle(
            batch.lane, batch.recorded_at, ended=said["ended"], until=said["until"], caught_up=batch.caught_up, again=True
        )
    else:
        arrivals = [arrival for row in batch.journal if (arrival := _arrival(row, batch.recorded_at)) is not None]
        body.finish(body.begin(batch.lane, arrivals, {}, batch.recorded_at, caught_up=batch.caught_up))


def _arrival(row: JournalRow, recorded_at: int) -> Arrival | Delivery | None:
    if row.origin == "inline":
        return None
    event = codec.parse_event(row.event)
    if row.origin == "derived":
        behind, known_at = cause.read(row.cause), row.recorded_at if row.recorded_at != recorded_at else 0
        return Delivery(row.aggregate, row.identity, row.revision, row.withdrawn, event, behind, bool(row.cause), known_at)
    return Arrival(event)


class _Reference:
    """The reference log, let into a replay no further than each batch knew it."""

    def __init__(self, store: Store, memory: MemoryStore) -> None:
        self._batches = store.batches(REFERENCE_LANE)
        self._memory = memory
        self._known = 0

    def up_to(self, count: int) -> None:
        while self._known < count:
            batch = next(self._batches, None)
            if batch is None:
                msg = f"A batch folded with {count} reference entries, and the store has {self._known}."
                raise IntegrityError(msg, "The store lost part of its journal; restore it from a backup.")
            self._memory.record(batch)
            self._known += len(batch.journal)


def _differences(lane: int, version: int, recorded: Sequence[DecisionRow], again: Sequence[DecisionRow]) -> Iterator[str]:
    where = f"lane {lane}, batch {version}"
    for before, now in zip(recorded, again, strict=False):
        changed = [name for name in _COMPARED if getattr(before, name) != getattr(now, name)]
        if changed:
            yield f"{where}: decision {before.id} of {before.event_id} comes out with another {', '.join(changed)}"
    if len(recorded) != len(again):
        yield f"{where}: {len(recorded)} decisions were recorded, {len(again)} come out"


def _taken_in(store: Store, lane: int) -> Iterator[tuple[Event, int]]:
    """Give what a lane took in, and when it was learnt: what waits for a name waits as long after that."""
    for batch in store.batches(lane):
        for row in batch.journal:
            if row.origin in ("inbound", "forwarded"):
                yield codec.parse_event(row.event), row.recorded_at


def _compare_standing(store: Store, memory: MemoryStore) -> Report:
    recorded, again = (set(map(_unsettled, export_standing(s))) for s in (store, memory))
    missing, extra = recorded - again, again - recorded
    told = [f"stands in the store only: {line.decode()}" for line in sorted(missing)]
    told += [f"stands in the refold only: {line.decode()}" for line in sorted(extra)]
    return Report(len(recorded), len(told), tuple(told[:SHOWN]))


def _unsettled(line: bytes) -> bytes:
    """Leave out how far a violation had settled: that follows from where a run ended, not from what happened."""
    return line.replace(b'"status":"provisional"', b'"status":"alleged"')
