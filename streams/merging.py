"""Reading topics in step of event time: a pure merge of a lane's inputs that knows when it must wait for one of them.

Owns the order in which what was read is processed: per input as it stands on the topic, across inputs by event time.
An input that ran ahead waits for those that may still bring something earlier; one that is known to be read to its end
holds back nobody. Never reads a clock or a topic: whoever drives it says how far the inputs go and when to wait no
longer. The model is Kafka Streams' task idling.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
FOREVER = 2**63
ALWAYS = -1
"""The time of what has none, such as a refused message: it waits for nobody."""


class Item(NamedTuple, Generic[T]):
    """Something read from an input. Several may share one offset: a message that holds a batch."""

    time: int
    """Event time in µs, or ALWAYS."""
    input: str
    offset: int
    what: T


class Input(Generic[T]):
    """One input: what was read and not yet taken, how far it is read and how far it goes."""

    def __init__(self, position: int) -> None:
        """Begin where the store stands."""
        self.read = position
        """Position beyond what was read."""
        self.end = position
        """Position beyond what is known to be on the topic."""
        self.time = ALWAYS
        """Greatest event time taken; what follows is rarely earlier."""
        self.waiting: deque[Item[T]] = deque()

    @property
    def drained(self) -> bool:
        """Whether all that is known to be on the topic was read."""
        return self.read >= self.end


class Step:
    """Keeps the lanes of one process in step: whoever stands earliest in event time goes first.

    What lanes tell each other is then seldom far behind where its receiver stands. Told by the lanes' threads.
    """

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._heads: dict[int, int] = {}
        self._lock = threading.Lock()

    def stand(self, lane: int, head: int | None) -> bool:
        """Say where a lane stands (None: it has nothing to do); gives whether it is its turn."""
        with self._lock:
            if head is None:
                self._heads.pop(lane, None)
                return False
            self._heads[lane] = head
            return head <= min(self._heads.values())


class Ahead:
    """Bounds how far a lane goes ahead of what other lanes still have to tell it.

    Facts come from other lanes one hop late. A lane that read on meanwhile would fold again, for each of them, all it
    had read since; so it goes a few batches ahead of the slowest that speaks, and for a bounded while no further.
    """

    def __init__(self, batches: int, silence_s: float) -> None:
        """Allow so many batches; who is silent for so long has nothing to say."""
        self.batches = batches
        self.silence_s = silence_s
        self._told: dict[int, tuple[int, float]] = {}
        """Source lane → (newest event time told, when)."""
        self._taken: deque[int] = deque()
        self._moved = 0.0

    def hear(self, source: int, time: int, now: float) -> None:
        """Note that a lane told something of an event time."""
        newest, _ = self._told.get(source, (ALWAYS, now))
        self._told[source] = (max(newest, time), now)
        self._moved = now

    def took(self, time: int, now: float) -> None:
        """Note the newest event time of a batch that was taken."""
        self._taken.append(time)
        self._moved = now

    def limit(self, now: float) -> int | None:
        """Give the event time that nothing may be taken beyond now; None when there is no limit."""
        told = min((time for time, when in self._told.values() if now - when < 4 * self.silence_s), default=ALWAYS)
        while self._taken and self._taken[0] <= told:
            self._taken.popleft()
        return told if len(self._taken) >= self.batches and now - self._moved < self.silence_s else None


class Merge(Generic[T]):
    """The inputs of one lane."""

    def __init__(self, positions: Mapping[str, int]) -> None:
        """Begin with nothing read, at a position for every input."""
        self.inputs: dict[str, Input[T]] = {name: Input(position) for name, position in positions.items()}
        self.size = 0

    def skip(self, name: str, position: int) -> None:
        """Leave out what waits and stands before a position: somebody else recorded it."""
        source = self.inputs[name]
        while source.waiting and source.waiting[0].offset < position:
            source.waiting.popleft()
            self.size -= 1
        source.read = max(source.read, position)
        source.end = max(source.end, source.read)

    def add(self, name: str, items: Iterable[Item[T]], position: int) -> None:
        """Take in what was read of an input, and the position beyond it; what was read before is left out."""
        source = self.inputs[name]
        fresh = [item for item in items if item.offset >= source.read]
        source.waiting.extend(fresh)
        self.size += len(fresh)
        source.read = max(source.read, position)
        source.end = max(source.end, source.read)

    def reaches(self, name: str, end: int) -> None:
        """Learn how far an input goes."""
        source = self.inputs[name]
        source.end = max(source.end, end)

    @property
    def head(self) -> int | None:
        """Event time of the earliest that waits; None when nothing does."""
        return min((source.waiting[0].time for source in self.inputs.values() if source.waiting), default=None)

    @property
    def left(self) -> int:
        """How much is known to be on the topics and wasn't taken."""
        return self.size + sum(source.end - source.read for source in self.inputs.values())

    @property
    def drained(self) -> bool:
        """Whether everything known to be on the topics was read and taken."""
        return not self.left

    def take(self, limit: int, *, patient: bool = True, until: int = FOREVER) -> list[Item[T]]:
        """Take up to `limit` items in step of time, none later than `until`.

        When `patient`, nothing later than what an empty, undrained input may still bring is taken.
        """
        taken: list[Item[T]] = []
        while len(taken) < limit:
            frontier = min(until, self._frontier(patient=patient))
            name = self._first(frontier)
            if name is None:
                break
            source = self.inputs[name]
            last = self._until(name, frontier)
            while source.waiting and len(taken) < limit and source.waiting[0].time <= last:
                item = source.waiting.popleft()
                taken.append(item)
                source.time = max(source.time, item.time)
        self.size -= len(taken)
        return taken

    def positions(self) -> dict[str, int]:
        """Give the position of every input: beyond what was taken, and beyond what there was nothing in."""
        return {name: source.waiting[0].offset if source.waiting else source.read for name, source in self.inputs.items()}

    def _first(self, frontier: int) -> str | None:
        """Name the input whose head is earliest, unless it must wait; ties go by the inputs' order."""
        heads = [(source.waiting[0].time, name) for name, source in self.inputs.items() if source.waiting]
        if not heads:
            return None
        time, name = min(heads, key=lambda head: head[0])
        return name if time <= frontier else None

    def _until(self, name: str, frontier: int) -> int:
        """Give the time up to which an input's items precede all others' heads."""
        others: Sequence[int] = [s.waiting[0].time for other, s in self.inputs.items() if other != name and s.waiting]
        return min([*others, frontier])

    def _frontier(self, *, patient: bool) -> int:
        """Give the time beyond which an empty input may still bring something earlier."""
        empty = [s.time for s in self.inputs.values() if not s.waiting and not s.drained] if patient else []
        return min(empty, default=FOREVER)
