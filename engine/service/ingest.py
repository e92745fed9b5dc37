"""Taking in a stream of arrivals on one lane: batches begun while the one before is judged, then the run's end.

Owns the order of batches and the count of what became of each arrival; folds, decides and writes nothing itself. Killed
anywhere and run again over the same input, it ends in the same place: what was taken in counts as a duplicate.

Three batches are under way at most: one being folded, one being judged by the policy engine, one being written to the
store by a thread of its own, which leaves Python to the other two while the database works.

Where events say when they were learnt (`recordedat`, honoured only under a setting), they are taken in that order, as
far as `WINDOW` reaches, and reference data in a batch of its own: so that nothing is booked with what wasn't known yet.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import msgspec

from engine.domain.errors import LaneConflict
from engine.domain.records import Batch
from engine.intake.arrivals import Arrival
from engine.service.process import Body
from engine.service.works import BatchResult, Work

LANE: Final = 0
BATCH: Final = 2000
"""Arrivals a batch."""
WINDOW: Final = 20_000
"""Arrivals that may wait until it is their turn by when they were learnt."""


class Taking(msgspec.Struct):
    """What became of the arrivals of one run; always read = accepted + duplicates + refused."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    decisions: int = 0
    later: int = 0
    """Left alone because they occurred at `until` or after; not counted as read."""
    seconds: float = 0.0
    held: tuple[str, ...] = ()
    """Rules that are held, as the last batch left them."""

    def add(self, result: BatchResult | None) -> None:
        """Count a batch in."""
        if result is not None:
            self.read += result.read
            self.accepted += result.accepted
            self.duplicates += result.duplicates
            self.refused += result.refused
            self.decisions += result.decisions
            self.held = result.held


def ingest(
    body: Body,
    arrivals: Iterable[Arrival],
    *,
    clock: Callable[[], int],
    progress: Callable[[int], None] = lambda _: None,
    until: int | None = None,
    batch: int = BATCH,
) -> Taking:
    """Take arrivals in; `clock` gives µs UTC, `progress` takes how many were read, `until` (µs) ends the run before it."""
    started = time.monotonic()
    body.open(LANE)
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="record") as recorder:  # left only when nothing is being written
            run = _Run(body, clock, batch, recorder)
            for arrival in in_order_of_recording(arrivals):
                if until is not None and arrival.event is not None and arrival.event.time >= until:
                    run.taking.later += 1
                    continue
                if run.take(arrival):
                    run.send()
                    progress(run.taking.read)
            run.end(0 if until is None else until - 1)
    except LaneConflict as error:
        body.drop(LANE)
        msg = "Another run is writing this store."
        raise LaneConflict(msg, "Run it again once that one has ended: what was taken in counts as a duplicate.") from error
    except BaseException:
        body.drop(LANE)
        raise
    run.taking.seconds = round(time.monotonic() - started, 3)
    progress(run.taking.read)
    return run.taking


def in_order_of_recording(arrivals: Iterable[Arrival], window: int = WINDOW) -> Iterator[Arrival]:
    """Give arrivals in the order in which they were learnt; those that don't say when are given on at once.

    Holds at most `window` arrivals: one that comes later than that after its turn is given on as it comes.
    """
    waiting: list[tuple[int, int, Arrival]] = []
    for number, arrival in enumerate(arrivals):
        if arrival.event is None or not arrival.event.recorded_at:
            yield arrival
            continue
        heapq.heappush(waiting, (arrival.event.recorded_at, number, arrival))
        if len(waiting) > window:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


class _Run:
    """One run: its batches in flight, reference data before the events that arrived with it."""

    def __init__(self, body: Body, clock: Callable[[], int], batch: int, recorder: ThreadPoolExecutor) -> None:
        self.body = body
        self.recorder = recorder
        self.clock = clock
        self.batch = batch
        self.taking = Taking()
        self._events: list[Arrival] = []
        self._reference: list[Arrival] = []
        self._judged: Work | None = None
        """The batch that the policy engine is busy with."""
        self._written: tuple[Work, Batch, Future[None]] | None = None
        """The batch before that one, which the store is busy with."""
        self._known_at = 0
        """When what was taken last was learnt, as it says; 0 where anything of this run didn't say."""
        self._says = True

    def take(self, arrival: Arrival) -> bool:
        """Take an arrival; gives whether a batch is full now."""
        event = arrival.event
        is_reference = event is not None and event.data.TOPIC == "reference"
        if event is not None:
            self._learn(event.recorded_at, is_reference=is_reference)
        (self._reference if is_reference else self._events).append(arrival)
        return len(self._events) + len(self._reference) >= self.batch

    def _learn(self, recorded_at: int, *, is_reference: bool) -> None:
        """Send what was learnt before, where reference data would otherwise meet events that didn't know it."""
        if recorded_at and recorded_at != self._known_at and (self._reference or (is_reference and self._events)):
            self.send()
        self._says = self._says and recorded_at > 0
        self._known_at = recorded_at if self._says else 0

    def _now(self) -> int:
        return self._known_at or self.clock()

    def send(self) -> None:
        """Begin a batch, then decide the one before it: the policy engine and the store have work while we fold."""
        if self._reference:
            self._drain()
            self.taking.add(self.body.refer(self._reference, {}, self._now()))
            self._reference = []
        self.body.catch_up()  # what others recorded meanwhile: an activation, a release
        if self._events or self.body.behind(LANE):
            work = self.body.begin(LANE, self._events, {}, self._now(), caught_up=False)  # more may follow, or contradict it
            self._events = []
            self._decide()
            self._judged = work

    def end(self, until: int) -> None:
        """Take in what is left, let time pass up to `until`, re-decide what is left over, and let all be spoken of."""
        self.send()
        self._drain()
        self.taking.add(self.body.settle(LANE, self._now(), until=until, caught_up=False))
        while self.body.pending(LANE):
            self.taking.add(self.body.redecide(LANE, self._now()))
        self.taking.add(self.body.settle(LANE, self.clock(), ended=True, until=until))
        self.body.keep_checkpoints(LANE)

    def _decide(self) -> None:
        """Decide the batch that is judged, and have it written once the one before it is."""
        work, self._judged = self._judged, None
        if work is not None:
            batch = self.body.decide(work)
            self._wait()
            self._written = (work, batch, self.recorder.submit(self.body.store.record, batch))

    def _wait(self) -> None:
        """Wait until what is being written is in the store."""
        if self._written is not None:
            (work, batch, done), self._written = self._written, None
            done.result()
            self.taking.add(self.body.recorded(work, batch))

    def _drain(self) -> None:
        self._decide()
        self._wait()
