"""A cluster in one process: four lanes over one store in memory, with every interleaving a random source can make.

The lanes share nothing but the store; what one derives for another waits in its outbox until a relay step delivers it.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence

from engine.domain.derivation import Delivery, read_deliveries
from engine.domain.events import Event
from engine.domain.order import aggregate, lane
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle
from engine.policy.evaluator import Evaluator
from engine.service.process import Body
from engine.service.replay import finish_lane
from engine.store.memory_store import MemoryStore

LANES = 4
KEPT = 0.7
"""How likely checkpoints are kept after a step, where they are."""


def is_reference(event: Event) -> bool:
    """Whether an event belongs on the reference log."""
    return bool(event.data.TOPIC == "reference")


def last_time(events: Sequence[Event]) -> int:
    """When the run ends: at the newest event, whichever lane it is in."""
    return max((event.time for event in events), default=0)


def run_in_order(events: Sequence[Event], evaluator: Evaluator, bundle: Bundle) -> MemoryStore:
    """One lane, one batch, everything in order: what must come out."""
    store = MemoryStore()
    body = Body(store, evaluator, bundle)
    body.refer([Arrival(e) for e in events if is_reference(e)], {}, 1)
    body.open(0)
    body.process(0, [Arrival(e) for e in sorted(events, key=lambda e: e.time) if not is_reference(e)], {}, 1)
    finish_lane(body, 0, 2, until=last_time(events))
    return store


class Cluster:
    """Four lanes, taking steps in an order drawn at random."""

    def __init__(
        self, events: Sequence[Event], evaluator: Evaluator, bundle: Bundle, chance: random.Random,
        restarts: float = 0.2, keeping: random.Random | None = None,
    ) -> None:  # fmt: skip
        """Shuffle the events over the lanes' topics, some of them delivered twice.

        `restarts` is how likely a quiet step is a restart; `keeping` draws when checkpoints are kept, None for never.
        """
        self.chance = chance
        self.restarts = restarts
        self.keeping = keeping
        self.until = last_time(events)
        self.store = MemoryStore()
        self.store.save_bundle(bundle.digest, bundle.to_bytes(), 0)
        self.body = Body(self.store, evaluator, bundle, lanes=LANES)
        self.evaluator, self.bundle = evaluator, bundle
        arriving = list(events) + chance.sample(list(events), len(events) // 4)
        chance.shuffle(arriving)
        self.reference = deque(e for e in arriving if is_reference(e))
        self.inbound: dict[int, deque[Event]] = {n: deque() for n in range(LANES)}
        for event in arriving:
            if not is_reference(event):
                wrong = chance.random() < 0.1  # a producer whose client hashes keys differently
                self.inbound[chance.randrange(LANES) if wrong else lane(aggregate(event), LANES)].append(event)
        self.topic: dict[int, deque[Delivery]] = {n: deque() for n in range(LANES)}
        for number in range(LANES):
            self.body.open(number)

    def run(self) -> MemoryStore:
        """Take steps until nothing is left, then end the run."""
        while self._left():
            number = self.chance.randrange(LANES)
            step = self.chance.choice((self._refer, self._events, self._events, self._derived, self._relay, self._restart))
            step(number)
            if self.keeping is not None and self.keeping.random() < KEPT:
                self.body.keep_checkpoints(number)
        for number in range(LANES):
            finish_lane(self.body, number, 3, until=self.until)
            self._relay(number)
        return self.run() if self._left() else self.store

    def _left(self) -> bool:
        waiting = self.reference or any(self.inbound.values()) or any(self.topic.values())
        return bool(waiting) or any(self.store.outbox(n, 0, 1) for n in range(LANES))

    def _refer(self, _: int) -> None:
        if self.reference:
            self.body.refer([Arrival(self.reference.popleft())], {}, 1)

    def _events(self, number: int) -> None:
        queue = self.inbound[number]
        batch = [Arrival(queue.popleft()) for _ in range(min(len(queue), self.chance.randint(1, 8)))]
        if batch and self.chance.random() < 0.5:
            self.body.process(number, batch, {}, 1)
        elif batch:
            self._pipelined(number, batch)

    def _pipelined(self, number: int, batch: Sequence[Arrival]) -> None:
        """Three batches in flight, the second decided before the first is recorded, the third begun before the second is."""
        third = len(batch) // 3
        first = self.body.begin(number, batch[:third], {}, 1)
        second = self.body.begin(number, batch[third : 2 * third], {}, 1)
        decided = [self.body.decide(work) for work in (first, second)]
        self.store.record(decided[0])
        self.body.recorded(first, decided[0])
        last = self.body.begin(number, batch[2 * third :], {}, 1)
        self.store.record(decided[1])
        self.body.recorded(second, decided[1])
        self.body.finish(last)

    def _derived(self, number: int) -> None:
        queue = self.topic[number]
        if queue:
            self.body.process(number, [queue.popleft() for _ in range(self.chance.randint(1, len(queue)))], {}, 1)

    def _relay(self, number: int) -> None:
        rows = self.store.outbox(number, 0, self.chance.randint(1, 20))
        for row in rows:
            for delivery in read_deliveries(row.value):
                self.topic[lane(row.key, LANES)].append(delivery)
        if rows and self.chance.random() < 0.9:  # otherwise it died between send and mark: they are sent again
            self.store.mark_published(number, rows[-1].sequence)

    def _restart(self, number: int) -> None:
        if self.chance.random() < self.restarts:
            self.body = Body(self.store, self.evaluator, self.bundle, lanes=LANES)
            for n in range(LANES):
                self.body.open(n)
        else:
            self.body.settle(number, 2)
            self.body.redecide(number, 2)
