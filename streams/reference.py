"""Reference data on its way from its topic to the store: one log, one partition, one writer at a time.

Whoever has the partition records it on the reference lane by compare-and-set, so that a second writer loses harmlessly;
every lane learns of it from the store. Never folds anything.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from typing import Final

from engine.domain.derivation import Delivery
from engine.domain.errors import EvaluatorUnavailable, LaneConflict, StoreUnavailable
from engine.intake.arrivals import Arrival
from engine.service.recording import REFERENCE_LANE
from streams.decoding import Message, decode
from streams.lanes import BACKOFF_S, Shared
from streams.merging import Item
from streams.topics import REFERENCE, input_name

INPUT: Final = input_name(REFERENCE, 0)
TICK_S: Final = 0.1


class ReferenceDriver(threading.Thread):
    """Records reference data until told to stop."""

    def __init__(self, position: int, shared: Shared) -> None:
        """Begin at the stored position."""
        super().__init__(name="reference", daemon=True)
        self.lane = REFERENCE_LANE
        self.shared = shared
        self.inbox: queue.SimpleQueue[tuple[str, Sequence[Message], int, int]] = queue.SimpleQueue()
        self.position = position
        self.recorded = position
        self._halt = threading.Event()

    def halt(self) -> None:
        """Have it stop before its next batch."""
        self._halt.set()

    def run(self) -> None:
        """Work; what can't be retried ends the process."""
        try:
            while not self._halt.is_set():
                self._step()
        except BaseException as error:  # noqa: BLE001 - nothing may escape and be acknowledged
            self.shared.fatal(error)

    def _step(self) -> None:
        try:
            _, messages, position, _ = self.inbox.get(timeout=TICK_S)
        except queue.Empty:
            if self.position > self.recorded:
                self._retry([])
            return
        items = decode(messages, self.shared.organisation, self.shared.clock(), trust=self.shared.trust_recorded)
        self.position = max(self.position, position)
        if messages:
            self._retry([item for item in items if item.offset >= self.recorded])

    def _retry(self, items: Sequence[Item[Arrival | Delivery]]) -> None:
        failures = 0
        while not self._halt.is_set():
            try:
                self._record(items)
            except (StoreUnavailable, EvaluatorUnavailable, LaneConflict) as error:
                failures += 1
                self.shared.say(f"Reference data: {error} It is tried again.")
                self._halt.wait(BACKOFF_S[min(failures, len(BACKOFF_S)) - 1])
            else:
                return

    def _record(self, items: Sequence[Item[Arrival | Delivery]]) -> None:
        body = self.shared.body
        with self.shared.folding:
            stored = body.store.lane(REFERENCE_LANE).positions.get(INPUT, 0)
            arrivals = [i.what for i in items if i.offset >= stored and isinstance(i.what, Arrival)]
            if arrivals or self.position > stored:
                body.refer(arrivals, {INPUT: max(self.position, stored)}, self.shared.clock())
        self.recorded = max(self.position, stored)
        self.shared.committed(REFERENCE_LANE, {INPUT: self.recorded})
