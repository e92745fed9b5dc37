"""A whole journal refolded by several processes, a share of the aggregates each, for the inputs that its entries end with.

Owns the way there: aggregates couple through derived facts, so the shares are lanes, as those of workers are, and what one
tells another is carried between steps. People and pools hear from everybody else and hold most entries: they are folded
once, when names and repositories have said all they say. What stands is a function of each aggregate's facts, in whichever
order they came (invariant 3), so the inputs are those of one process; a test compares the bytes. Judges nothing.
"""

from __future__ import annotations

import heapq
import multiprocessing
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any, Final, Protocol

from engine.domain import codec
from engine.domain.derivation import read_deliveries
from engine.domain.errors import IntegrityError
from engine.domain.events import Event
from engine.domain.order import lane as lane_of
from engine.domain.order import place
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, from_bytes
from engine.service import naming
from engine.service.backtest_inputs import Kept, Noting, blocks_of, read_inputs, write_blocks
from engine.service.folding import Folding
from engine.service.memory import Aggregate, LaneMemory
from engine.service.process import Body
from engine.service.replay import AT_ONCE, Progress, finish_lane
from engine.store.memory_store import MemoryStore
from engine.store.protocol import REFERENCE_LANE, Store

HELD: Final = ("person", "pool")
"""Kinds of aggregates that wait for what the others say, in the order in which they are folded then."""
FOLDED_AT_ONCE: Final = 100
"""Aggregates that waited and are folded in one batch."""

Told = tuple[list[tuple[str, bytes]], int]
"""What a share tells others (key, message), and how many of its events are still to be taken."""


class End(Protocol):
    """Where a share is asked: what is sent is the name of one of its methods and the arguments."""

    def send(self, asked: tuple[Any, ...], /) -> None:
        """Ask."""
        ...

    def recv(self) -> Any:
        """Wait for the answer to what gives one."""
        ...


class _Waiting(Folding):
    """Leaves whole kinds of aggregates for later, as one with a long tail is left."""

    held: tuple[str, ...] = ()

    def _long(self, aggregate: Aggregate) -> bool:
        return aggregate.kind in self.held or super()._long(aggregate)


class _Lane(Body):
    """One lane of the refold."""

    held: tuple[str, ...] = HELD

    def _folding(self, memory: LaneMemory, recorded_at: int) -> Folding:
        def need(key: str, event: Event) -> None:
            self._load(memory, [key], naming.linked_to(key, event))

        folding = _Waiting(memory, self.lanes, recorded_at, need)
        folding.held = self.held
        return folding


class Share:
    """What one process does: takes its share of the events, hears the others, and writes the inputs it ends with."""

    def __init__(self, lane: int, lanes: int, bundle: Bundle, spool: IO[bytes]) -> None:
        """Begin with nothing, as one of so many shares; inputs are noted in an open file."""
        self.lane = lane
        self.noting = Noting(bundle, spool)
        self.body = _Lane(MemoryStore(), self.noting, bundle, lanes=lanes)
        self.body.asking = self.noting  # type: ignore[assignment]
        self.rows: list[tuple[str, int]] = []
        self.events: list[tuple[Event, int]] = []
        self.taken = 0
        self.learnt = 1
        """When the newest of what was taken so far was learnt (µs)."""

    def refer(self, rows: list[str]) -> None:
        """Take in the reference data."""
        self.body.refer([Arrival(codec.parse_event(row)) for row in rows], {}, 1)
        self.body.open(self.lane)

    def keep(self, rows: list[tuple[str, int]]) -> None:
        """Keep rows of this share until all were read."""
        self.rows += rows

    def begin(self) -> None:
        """Put the events in order of time."""
        self.events = [(codec.parse_event(row), learnt) for row, learnt in self.rows]
        self.events.sort(key=lambda one: (one[0].time, place(one[0])))
        self.rows = []

    def step(self, messages: list[bytes]) -> Told:
        """Take the next events, and what others told."""
        part = self.events[self.taken : self.taken + AT_ONCE]
        self.taken += len(part)
        heard = [delivery for message in messages for delivery in read_deliveries(message)]
        self.learnt = max((learnt for _, learnt in part), default=self.learnt)
        if part or heard:
            self.body.process(self.lane, [*(Arrival(event) for event, _ in part), *heard], {}, self.learnt)
        return self._told()

    def fold(self, kind: str) -> Told:
        """Fold the aggregates of a kind that waited, and have no further one wait."""
        self.body.held = self.body.held[self.body.held.index(kind) + 1 :]
        keys = [key for key in self.body.dirty(self.lane) if key.split("/", 2)[1] == kind]
        for start in range(0, len(keys), FOLDED_AT_ONCE):
            self.body.redecide(self.lane, self.learnt, keys[start : start + FOLDED_AT_ONCE])
        return self._told()

    def finish(self, until: int) -> Told:
        """Let time pass to the end."""
        finish_lane(self.body, self.lane, self.learnt, until=until)
        return self._told()

    def write(self, path: Path) -> Told:
        """Write what each entry is asked in the end, in order."""
        with path.open("wb") as out:
            write_blocks(out, blocks_of(self.noting.kept()))
        return self._told()

    def _told(self) -> Told:
        store = self.body.store
        rows = store.outbox(self.lane, 0, 1 << 60)
        if rows:
            store.mark_published(self.lane, rows[-1].sequence)
        return [(row.key, row.value) for row in rows], len(self.events) - self.taken


def _work(connection: Connection, lane: int, lanes: int, bundle: bytes) -> None:
    """Do what the other end asks for, until it is gone."""
    with closing(connection), tempfile.TemporaryFile() as spool:
        work = Share(lane, lanes, from_bytes(bundle), spool)
        while True:
            try:
                name, *arguments = connection.recv()
            except EOFError:
                return
            try:
                answer = getattr(work, name)(*arguments)
            except Exception as error:  # noqa: BLE001 - said where the others are
                connection.send(IntegrityError(f"A part of the refold failed: {error}"))
                return
            if answer is not None:
                connection.send(answer)


def refolded(store: Store, bundle: Bundle, processes: int, progress: Progress = lambda _: None) -> Iterator[Kept]:
    """Give each entry's final input, by aggregate (bytewise) and place, as `collect` gives them."""
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="covenant-refold-")))
        ends: list[Connection] = []
        for lane in range(processes):
            ours, theirs = context.Pipe()
            ends.append(stack.enter_context(closing(ours)))
            process = context.Process(target=_work, args=(theirs, lane, processes, bundle.to_bytes()), daemon=True)
            process.start()
            stack.callback(process.join)
            stack.callback(ours.close)
            theirs.close()
        yield from through(ends, store, folder, progress)


def through(ends: Sequence[End], store: Store, folder: Path, progress: Progress = lambda _: None) -> Iterator[Kept]:
    """Have shares refold a journal between them; what they end with is written to the folder, and given in order."""
    total = _hand_out(store, ends)
    _run(ends, lambda left: progress(total - left), max((lane.watermark for lane in store.lanes()), default=0))
    files = [folder / str(number) for number in range(len(ends))]
    _ask(ends, "write", [[file] for file in files])
    kept = [(one for block in read_inputs(file) for one in block) for file in files]
    return heapq.merge(*kept, key=lambda one: (one.aggregate.encode(), one.place))


def _hand_out(store: Store, ends: Sequence[End]) -> int:
    """Give every share the reference data, and its own part of what was taken in; gives how many events that were."""
    total = 0
    wanted = ("inbound", "forwarded")
    reference = [row.event for batch in store.batches(REFERENCE_LANE) for row in batch.journal if row.origin in wanted]
    for end in ends:
        end.send(("refer", reference))
    for lane in store.lanes():
        for batch in store.batches(lane.lane) if lane.lane != REFERENCE_LANE else ():
            shares: list[list[tuple[str, int]]] = [[] for _ in ends]
            for row in batch.journal:
                if row.origin in wanted:
                    shares[lane_of(row.aggregate, len(ends))].append((row.event, row.recorded_at))
            total += sum(map(len, shares))
            for end, share in zip(ends, shares, strict=True):
                end.send(("keep", share))
    for end in ends:
        end.send(("begin",))
    return total


def _run(ends: Sequence[End], left_is: Progress, until: int) -> None:
    """Take everything in, fold those who waited, let time pass; what is told meanwhile is carried until nobody tells more."""
    waiting: list[list[bytes]] = [[] for _ in ends]

    def carry(answers: list[Told]) -> int:
        for told, _ in answers:
            for key, message in told:
                waiting[lane_of(key, len(ends))].append(message)
        return sum(left for _, left in answers)

    def listen() -> None:
        left = 1
        while left or any(waiting):
            messages = [[one] for one in waiting]
            waiting[:] = [[] for _ in ends]
            left = carry(_ask(ends, "step", messages))
            left_is(left)

    listen()
    for kind in HELD:
        carry(_ask(ends, "fold", [[kind] for _ in ends]))
        listen()
    carry(_ask(ends, "finish", [[until] for _ in ends]))
    while any(waiting):
        listen()
        carry(_ask(ends, "finish", [[until] for _ in ends]))


def _ask(ends: Sequence[End], name: str, arguments: list[list[Any]]) -> list[Told]:
    """Ask all shares at once; gives their answers in their order."""
    for end, given in zip(ends, arguments, strict=True):
        end.send((name, *given))
    answers = []
    for end in ends:
        try:
            answer = end.recv()
        except EOFError as error:
            msg = "A part of the refold ended before its time."
            raise IntegrityError(msg, "Run the backtest again; with --jobs 1 it refolds in one process.") from error
        if isinstance(answer, Exception):
            raise answer
        answers.append(answer)
    return answers
