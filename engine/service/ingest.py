"""Taking in a stream of arrivals on one lane: batches begun while the one before is judged, then the run's end.

Owns the order of batches and the count of what became of each arrival; folds, decides and writes nothing itself. Killed
anywhere and run again over the same input, it ends in the same place: what was taken in counts as a duplicate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from engine.domain.errors import LaneConflict
from engine.intake.arrivals import Arrival
from engine.service.process import BatchResult, Body, Work

LANE: Final = 0
BATCH: Final = 2000
"""Arrivals a batch."""


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

    def add(self, result: BatchResult | None) -> None:
        """Count a batch in."""
        if result is not None:
            self.read += result.read
            self.accepted += result.accepted
            self.duplicates += result.duplicates
            self.refused += result.refused
            self.decisions += result.decisions


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
    run = _Run(body, clock, batch)
    started = time.monotonic()
    body.open(LANE)
    try:
        for arrival in arrivals:
            if until is not None and arrival.event is not None and arrival.event.time >= until:
                run.taking.later += 1
                continue
            run.take(arrival)
            if run.full:
                run.send()
                progress(run.taking.read)
        run.end()
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


class _Run:
    """One run: at most two batches in flight, reference data before the events that arrived with it."""

    def __init__(self, body: Body, clock: Callable[[], int], batch: int) -> None:
        self.body = body
        self.clock = clock
        self.batch = batch
        self.taking = Taking()
        self._events: list[Arrival] = []
        self._reference: list[Arrival] = []
        self._before: Work | None = None

    @property
    def full(self) -> bool:
        return len(self._events) + len(self._reference) >= self.batch

    def take(self, arrival: Arrival) -> None:
        is_reference = arrival.event is not None and arrival.event.data.TOPIC == "reference"
        (self._reference if is_reference else self._events).append(arrival)

    def send(self) -> None:
        """Begin a batch, then finish the one before it: the policy engine has work while we fold."""
        if self._reference:
            self._finish()
            self.taking.add(self.body.refer(self._reference, {}, self.clock()))
            self._reference = []
        if self._events or self.body.behind(LANE):
            work = self.body.begin(LANE, self._events, {}, self.clock())
            self._events = []
            self._finish()
            self._before = work

    def end(self) -> None:
        """Take in what is left, re-decide what a long tail left over, and let what stands be spoken of."""
        self.send()
        self._finish()
        while self.body.pending(LANE):
            self.taking.add(self.body.redecide(LANE, self.clock()))
        self.taking.add(self.body.settle(LANE, self.clock(), ended=True))

    def _finish(self) -> None:
        if self._before is not None:
            self.taking.add(self.body.finish(self._before))
            self._before = None
