"""A worker: lanes that are opened when their partitions are ours, fed by Faust, stopped when they are ours no longer.

Lives on Faust's event loop and does no work of its own: hands what was fetched to the lanes' threads, acknowledges what
they recorded, holds back partitions that ran ahead. A batch that doesn't begin where the one before ended is never
handed on; the partitions are then read again from where the lanes stand.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from faust.types import TP, EventT

from engine.domain.errors import CovenantError, StoreUnavailable
from engine.service.process import Body
from engine.service.recording import REFERENCE_LANE
from streams.decoding import Message
from streams.hearing import Hearing
from streams.lanes import BACKOFF_S, LaneDriver, Pace, Shared
from streams.reference import INPUT as REFERENCE_INPUT
from streams.reference import ReferenceDriver
from streams.topics import DERIVED, LANE_HEADER, REFERENCE, input_name
from streams.transport import Fetched, Progress

AHEAD_MAX: Final = 8_000
"""Records of one partition that may wait before no more of it are fetched."""
STOPPING_S: Final = 20.0
"""How long a rebalance waits for a lane's batch in flight; a process that can't stop one leaves."""


class Options(msgspec.Struct, frozen=True):
    """How a worker runs."""

    organisation: str = ""
    trust_recorded: bool = False
    pace: Pace = Pace()
    reference_s: float = 30.0
    """How long lanes wait at the start for the reference data that stood before it."""
    session_s: float = 10.0
    """How long a worker may be silent before its partitions go to others."""


class Worker:
    """The lanes this process has, by number; the reference lane (−1) among them when its partition is ours."""

    def __init__(self, body: Body, clock: Callable[[], int], options: Options, say: Callable[[str], None]) -> None:
        """Begin with no lanes; `attach` comes before any partition does."""
        self.body = body
        self.drivers: dict[int, LaneDriver | ReferenceDriver] = {}
        self.options = options
        self.say = say
        self.fatal: Callable[[BaseException], None] = leave
        self._expected: dict[TP, int] = {}
        self._pending: dict[TP, deque[tuple[int, int, EventT[Any]]]] = {}
        """(position beyond, records, event) of what was handed on and not yet recorded."""
        self._paused: set[TP] = set()
        self._ready = threading.Event()
        self._shared = Shared(
            body, clock, options.pace, options.organisation, options.trust_recorded, self._leave,
            self._committed, self._ready.is_set, Hearing(body.store, body.lanes, options.pace.calm_s), say,
        )  # fmt: skip
        self._seeking: asyncio.Task[None] | None = None

    def _leave(self, error: BaseException) -> None:
        self.fatal(error)

    def attach(self, app: Any) -> None:
        """Take the Faust app whose partitions these are."""
        self.app = app
        self.loop = asyncio.get_running_loop()
        app.transport.positions = self.positions
        app.transport.progress = self.progress
        app.on_partitions_revoked.connect(self._on_revoked, weak=False)

    async def positions(self, assigned: set[TP]) -> dict[TP, int]:
        """Open the lanes of partitions that are newly ours; give where each partition is to be read from."""
        lanes = {REFERENCE_LANE if tp.topic == REFERENCE else tp.partition for tp in assigned}
        await self.stop(self.drivers.keys() - lanes)
        new = lanes - self.drivers.keys()
        ends = await self.app.consumer.highwaters(*assigned) if new else {}
        for lane in sorted(new):
            await self._open(lane, {tp for tp in assigned if self._lane(tp) == lane}, ends)
        if new:
            numbers = ", ".join(str(lane) for lane in sorted(self.drivers) if lane != REFERENCE_LANE)
            self.say(f"Working on lanes {numbers or 'none'}{' and the reference data' * (REFERENCE_LANE in lanes)}.")
        if not self._ready.is_set():
            self._waiting = asyncio.ensure_future(self._await_reference())
        return {tp: self._expected[tp] for tp in assigned}

    async def _open(self, lane: int, tps: set[TP], ends: Mapping[Any, int]) -> None:
        stored = await self._patiently(self.body.store.lane if lane == REFERENCE_LANE else self._open_lane, lane)
        driver: LaneDriver | ReferenceDriver
        if lane == REFERENCE_LANE:
            driver = ReferenceDriver(stored.positions.get(REFERENCE_INPUT, 0), self._shared)
        else:
            driver = LaneDriver(lane, stored, self._shared)
        for tp in tps:
            name = input_name(tp.topic, tp.partition)
            self._expected[tp] = stored.positions.get(name, 0)
            self._pending[tp] = deque()
            driver.inbox.put((name, (), self._expected[tp], int(ends.get(tp, 0))))
        self.drivers[lane] = driver
        driver.start()

    def _open_lane(self, lane: int) -> Any:
        with self._shared.folding:
            return self.body.open(lane)

    async def _patiently(self, ask: Callable[[int], Any], lane: int) -> Any:
        """Ask the store, again and again while it doesn't answer."""
        for attempt in range(1_000_000):
            try:
                return await self.loop.run_in_executor(None, ask, lane)
            except StoreUnavailable as error:
                self.say(f"Lane {lane}: {error} It is tried again.")
                await asyncio.sleep(BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)])
        raise AssertionError

    def _lane(self, tp: TP) -> int:
        return REFERENCE_LANE if tp.topic == REFERENCE else tp.partition

    async def _await_reference(self) -> None:
        """Let the lanes begin once the reference data that stood before the start is in the store, or after a while."""
        deadline = time.monotonic() + self.options.reference_s
        try:
            ends = await self.app.consumer.highwaters(TP(REFERENCE, 0))
            end = int(next(iter(ends.values())))
            while time.monotonic() < deadline:
                stored = await self._patiently(self.body.store.lane, REFERENCE_LANE)
                if stored.positions.get(REFERENCE_INPUT, 0) >= end:
                    break
                await asyncio.sleep(0.05)
            else:
                self.say(
                    f"Reference data isn't read to its end after {self.options.reference_s:.0f} s; the lanes begin without it."
                )
            self._ready.set()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - a task's error would be silent
            self.fatal(error)

    def receive(self, event: EventT[Any]) -> None:
        """Hand what was fetched of a partition to its lane; called by the agent, and never raises."""
        tp, fetched = event.message.tp, event.value
        driver = self.drivers.get(self._lane(tp))
        expected = self._expected.get(tp)
        if driver is None or expected is None:
            return  # of partitions that are ours no longer
        if not isinstance(fetched, Fetched) or fetched.start > expected:
            self._read_again()
            return
        self._expected[tp] = max(expected, fetched.end)
        self._pending[tp].append((fetched.end, len(fetched.records), event))
        messages = [
            Message(tp.topic, tp.partition, r.offset, r.value, _source(tp, r)) for r in fetched.records if r.offset >= expected
        ]
        driver.inbox.put((input_name(tp.topic, tp.partition), messages, fetched.end, fetched.end))
        self._hold_back(tp)

    def progress(self, progress: Mapping[TP, Progress]) -> None:
        """Learn how far partitions go, and where there was nothing to deliver."""
        for tp, (start, position, end) in progress.items():
            driver = self.drivers.get(self._lane(tp))
            expected = self._expected.get(tp)
            if driver is None or expected is None:
                continue
            if start == expected and position > expected:
                self._expected[tp] = expected = position
            driver.inbox.put((input_name(tp.topic, tp.partition), (), expected, end))

    def _read_again(self) -> None:
        if self._seeking is None or self._seeking.done():
            self._seeking = asyncio.ensure_future(self.app.consumer.perform_seek())

    def _hold_back(self, tp: TP) -> None:
        waiting = sum(records for _, records, _ in self._pending[tp])
        if waiting > AHEAD_MAX and tp not in self._paused:
            self._paused.add(tp)
            self.app.consumer.pause_partitions({tp})
        elif waiting <= AHEAD_MAX // 2 and tp in self._paused:
            self._paused.discard(tp)
            self.app.consumer.resume_partitions({tp})

    def _committed(self, lane: int, positions: Mapping[str, int]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody to acknowledge to
            self.loop.call_soon_threadsafe(self._acknowledge, lane, dict(positions))

    def _acknowledge(self, lane: int, positions: Mapping[str, int]) -> None:
        for tp, waiting in self._pending.items():
            if self._lane(tp) != lane:
                continue
            position = positions.get(input_name(tp.topic, tp.partition), 0)
            while waiting and waiting[0][0] <= position:
                waiting.popleft()[2].ack()
            self._hold_back(tp)

    async def _on_revoked(self, _: Any, revoked: set[TP], **__: Any) -> None:
        await self.stop({self._lane(tp) for tp in revoked})

    async def stop(self, lanes: set[int] | None = None) -> None:
        """Stop lanes (all, when none are named) and forget them; what they hadn't recorded is read again by the next owner."""
        going = [self.drivers.pop(lane) for lane in (set(self.drivers) if lanes is None else lanes) if lane in self.drivers]
        for driver in going:
            driver.halt()
        for driver in going:
            await self.loop.run_in_executor(None, driver.join, STOPPING_S)
            if driver.is_alive():
                msg = f"Lane {driver.lane} doesn't stop: its batch in flight neither ends nor fails."
                self.fatal(StoreUnavailable(msg, "See why the store doesn't answer; the lane goes on elsewhere meanwhile."))
            self.body.drop(driver.lane)
            for tp in [tp for tp in self._pending if self._lane(tp) == driver.lane]:
                del self._pending[tp], self._expected[tp]
                self._paused.discard(tp)


def _source(tp: TP, record: Any) -> int:
    """Give the lane that tells a derived fact, as its header says."""
    if tp.topic != DERIVED:
        return -1
    return next((int(value) for name, value in record.headers if name == LANE_HEADER and value.isdigit()), -1)


def leave(error: BaseException) -> None:
    """Leave the process at once, without acknowledging anything."""
    said = str(error) if isinstance(error, CovenantError) else f"{type(error).__name__}: {error}"
    sys.stderr.write(f"covenant: the worker leaves without acknowledging: {said}\n")
    if not isinstance(error, CovenantError):
        import traceback  # noqa: PLC0415 - only on the way out

        traceback.print_exception(error)
    sys.stderr.flush()
    os._exit(error.exit_code if isinstance(error, CovenantError) else 70)
