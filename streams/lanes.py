"""One lane being worked on: what was read of its inputs is merged in step of time, judged, recorded, acknowledged.

A thread a lane, since the body's works block on the store; folding of all lanes takes turns under one lock, so that
what they share (reference data) changes between batches only. Nothing may escape: a transient fault is retried in
place, a lost lane is read again from the store, anything else ends the process without an acknowledgement.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from engine.domain.derivation import Delivery
from engine.domain.errors import CovenantError, EvaluatorUnavailable, IntegrityError, LaneConflict, StoreUnavailable
from engine.domain.records import Lane
from engine.intake.arrivals import Arrival
from engine.service.process import Body
from engine.service.works import Work
from streams.decoding import Message, decode
from streams.hearing import Hearing
from streams.merging import ALWAYS, FOREVER, Ahead, Item, Merge, Step
from streams.topics import DERIVED, input_name, inputs_of

TRANSIENT: Final = (StoreUnavailable, EvaluatorUnavailable, LaneConflict)
AHEAD: Final = 2
"""Batches that a lane may be ahead of what the slowest of the others told it."""
IN_FLIGHT: Final = 2
"""Batches begun and not yet recorded."""
BACKOFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
REDECIDED_AT_ONCE: Final = 4
"""Dirty aggregates re-decided in one batch, so that what arrives meanwhile doesn't wait long."""


class Pace(msgspec.Struct, frozen=True):
    """How a lane is worked on."""

    batch: int = 2000
    idling_s: float = 5.0
    """How long an input that ran ahead waits for one that is known to have more."""
    linger_s: float = 0.05
    """How long a batch that isn't full waits for what is known to come."""
    silence_s: float = 0.3
    """How long a lane that is ahead waits for a word of the others."""
    tick_s: float = 0.05
    quiet_s: float = 1.0
    """How often a quiet lane looks for reference data, settles, and records positions that only markers moved."""
    calm_s: float = 5.0
    """How long what one lane tells another may be under way: violations settle once all lanes were calm for so long."""


class Shared(msgspec.Struct):
    """What the lanes of one worker have in common."""

    body: Body
    clock: Callable[[], int]
    """µs UTC."""
    pace: Pace
    organisation: str
    trust_recorded: bool
    fatal: Callable[[BaseException], None]
    """Ends the process; never returns to the lane."""
    committed: Callable[[int, Mapping[str, int]], None]
    """Told (lane, positions) after each commit; called from the lane's thread."""
    ready: Callable[[], bool]
    """Whether the reference data that stood before the start was read."""
    hearing: Hearing
    say: Callable[[str], None] = lambda _: None
    folding: threading.Lock = msgspec.field(default_factory=threading.Lock)
    step: Step = msgspec.field(default_factory=Step)


class Held(msgspec.Struct):
    """A batch taken and not yet recorded, and what it is made of."""

    items: Sequence[Item[Arrival | Delivery]]
    positions: dict[str, int]
    work: Work | None = None


class LaneDriver(threading.Thread):
    """Works on one lane until told to stop."""

    def __init__(self, lane: int, stored: Lane, shared: Shared) -> None:
        """Begin at the stored positions; the body has the lane open."""
        super().__init__(name=f"lane-{lane}", daemon=True)
        self.lane = lane
        self.shared = shared
        self.inbox: queue.SimpleQueue[tuple[str, Sequence[Message], int, int]] = queue.SimpleQueue()
        """(input, messages, position beyond them, end known)."""
        self.merge: Merge[Arrival | Delivery] = Merge({name: stored.positions.get(name, 0) for name in inputs_of(lane)})
        self.recorded = dict(self.merge.positions())
        self.ahead = Ahead(AHEAD, shared.pace.silence_s)
        self._derived = input_name(DERIVED, lane)
        self.held: deque[Held] = deque()
        self.ending = threading.Event()
        """Set by whoever wants violations settled as at the end of a run."""
        self.until = 0
        """How far time has passed where a run ends (µs): deadlines up to then fire, whatever this lane saw last."""
        self._passed = 0
        self.ended = threading.Event()
        self._halt = threading.Event()
        self._waiting_since: float | None = None
        self._rested_at = 0.0
        self._idle = False
        """Whether the last step could do nothing: a full lane that must wait for another input doesn't spin."""

    def halt(self) -> None:
        """Have it stop before its next batch."""
        self._halt.set()

    @property
    def quiet(self) -> bool:
        """Whether nothing is in hand here; for others to ask, and for them to be sure only of a no."""
        return self.inbox.empty() and not self.held and self.merge.drained

    def run(self) -> None:
        """Work; what can't be retried ends the process."""
        failures = 0
        try:
            while not self._halt.is_set():
                try:
                    self._step()
                    failures = 0
                except TRANSIENT as error:
                    failures += 1
                    self._recover(error, failures)
        except BaseException as error:  # noqa: BLE001 - nothing may escape and be acknowledged
            self.shared.fatal(error)
        finally:
            self.shared.step.stand(self.lane, None)

    def _step(self) -> None:
        self._read()
        self._idle = not self.shared.ready()
        if self._idle:
            return
        items = self._take()
        if items:
            self._begin(items, self.merge.positions())
            while len(self.held) >= IN_FLIGHT:
                self._finish()
        elif self.held:
            self._finish()
        else:
            self._idle = True
            self._rest()

    def _read(self) -> None:
        """Take in what was fetched; wait a little when there is nothing to do."""
        busy = self.held or self.merge.size >= self.shared.pace.batch
        wait = self._idle or not busy
        while True:
            try:
                name, messages, position, end = self.inbox.get(timeout=self._patience() if wait else None, block=wait)
            except queue.Empty:
                return
            wait = False
            items = list(decode(messages, self.shared.organisation, self.shared.clock(), trust=self.shared.trust_recorded))
            self.merge.add(name, items, position)
            if name == self._derived:
                self._hear(messages, items)
            self.merge.reaches(name, end)
            if self.merge.size >= self.shared.pace.batch:
                return

    def _hear(self, messages: Sequence[Message], items: Sequence[Item[Arrival | Delivery]]) -> None:
        """Note how far the lanes are that told us something."""
        sources = {message.offset: message.source for message in messages if message.source >= 0}
        newest: dict[int, int] = {}
        for item in items:
            source = sources.get(item.offset, -1)
            newest[source] = max(item.time, newest.get(source, ALWAYS))
        for source, at in newest.items():
            if source >= 0:
                self.ahead.hear(source, at, time.monotonic())

    def _patience(self) -> float:
        pace = self.shared.pace
        return pace.linger_s / 5 if self.merge.size else pace.tick_s

    def _take(self) -> list[Item[Arrival | Delivery]]:
        """Take a batch, unless something is known to come that belongs before it: an input's, another lane's."""
        merge, pace, now = self.merge, self.shared.pace, time.monotonic()
        limit = self.ahead.limit(now) if self._backlog else None
        until = FOREVER if limit is None else limit
        waits = merge.head is None or merge.head > until
        turn = self.shared.step.stand(self.lane, None if waits else merge.head)
        if not merge.size:
            self._waiting_since = None
        if waits:
            return []
        since = self._waiting_since = self._waiting_since or now
        full = merge.size >= pace.batch or all(source.drained for source in merge.inputs.values())
        patient = now - since < pace.idling_s
        if (not full and now - since < pace.linger_s) or (patient and not turn):
            return []
        items = merge.take(pace.batch, patient=patient, until=until)
        if items:
            self._waiting_since = None
            self.shared.step.stand(self.lane, merge.head)
            newest = max((item.time for item in items if item.input != self._derived), default=ALWAYS)
            if newest > ALWAYS:
                self.ahead.took(newest, now)
        return items

    @property
    def _backlog(self) -> bool:
        """Whether anything but derived facts waits, and there are other lanes to tell some."""
        return self.shared.body.lanes > 1 and any(s.waiting for name, s in self.merge.inputs.items() if name != self._derived)

    def _begin(self, items: Sequence[Item[Arrival | Delivery]], positions: dict[str, int]) -> None:
        body, held = self.shared.body, Held(items, positions)
        self.held.append(held)  # before anything can fail: what was taken must not be lost
        caught_up, behind = self._caught_up(), self.merge.left > self.shared.pace.batch
        with self.shared.folding:
            body.catch_up()
            held.work = body.begin(
                self.lane, [item.what for item in items], positions, self.shared.clock(), caught_up=caught_up, behind=behind
            )

    def _caught_up(self) -> bool:
        return self.merge.drained and self.shared.hearing.all(time.monotonic())

    def _finish(self) -> None:
        first = self.held[0]
        if first.work is not None:
            self.shared.body.finish(first.work)
        self.held.popleft()
        self.recorded = first.positions
        self.shared.committed(self.lane, first.positions)

    def _rest(self) -> None:
        """Use the quiet: re-decide what is dirty, settle what is due, record positions that only markers moved."""
        body, shared = self.shared.body, self.shared
        if self.merge.size:
            return
        if body.dirty(self.lane):
            self._redecide()
            return
        now, moved = time.monotonic(), self.merge.positions()
        if now - self._rested_at < shared.pace.quiet_s and not self.ending.is_set() and self.until <= self._passed:
            return
        self._rested_at = now
        with shared.folding:
            body.catch_up()
            behind = body.behind(self.lane)
        if behind or moved != self.recorded:
            self._begin([], moved)
            self._finish()
        elif self.merge.drained and not self.ended.is_set():
            caught_up = self._caught_up()
            with shared.folding:
                until = self.until
                body.settle(self.lane, shared.clock(), ended=self.ending.is_set(), until=until, caught_up=caught_up)
                self._passed = until
                body.keep_checkpoints(self.lane)
            if self.ending.is_set():
                self.ended.set()

    def _redecide(self) -> None:
        body = self.shared.body
        with self.shared.folding:
            body.redecide(self.lane, self.shared.clock(), body.dirty(self.lane)[:REDECIDED_AT_ONCE])

    def _recover(self, error: CovenantError, failures: int) -> None:
        """Open the lane again and begin anew what wasn't recorded, once what failed answers."""
        self.shared.say(f"Lane {self.lane}: {error} It is tried again.")
        self.shared.step.stand(self.lane, None)
        held = list(self.held)
        self.held.clear()
        self.shared.body.drop(self.lane)
        while not self._halt.wait(BACKOFF_S[min(failures, len(BACKOFF_S)) - 1]):
            try:
                with self.shared.folding:
                    stored = self.shared.body.open(self.lane)
                self._resume(stored, held)
            except TRANSIENT as again:
                failures += 1
                self.shared.say(f"Lane {self.lane}: {again}")
                self.held.clear()
                self.shared.body.drop(self.lane)
            else:
                return

    def _resume(self, stored: Lane, held: Sequence[Held]) -> None:
        """Go on from where the store stands with what is held; what was recorded meanwhile is left out."""
        before, self.recorded = self.recorded, {name: stored.positions.get(name, 0) for name in self.merge.inputs}
        lost = [name for name, position in before.items() if self.recorded[name] < position]
        if lost:
            msg = f"The store stands before what it had recorded of {lost[0]}."
            raise IntegrityError(
                msg, "Was it restored from a backup? Start the worker again: it reads on where the store stands."
            )
        for name, position in self.recorded.items():
            self.merge.skip(name, position)
        for batch in held:
            items = [item for item in batch.items if item.offset >= self.recorded[item.input]]
            ahead = {name: max(position, self.recorded[name]) for name, position in batch.positions.items()}
            if items or ahead != self.recorded:
                self._begin(items, ahead)
                self._finish()
        self.shared.committed(self.lane, self.recorded)
