"""Whether all is done: every inbound topic read to its end by every lane, nothing dirty, nothing waiting to be published.

Decided from the store and the broker, since a worker knows its own lanes only. What is read is only believed when no
lane was written meanwhile.
"""

from __future__ import annotations

from engine.domain.records import Lane
from engine.service.recording import REFERENCE_LANE
from engine.store.protocol import Store
from streams.topics import REFERENCE, Ends, all_inputs


class Drained:
    """Asks, again and again, whether all is done."""

    def __init__(self, store: Store, ends: Ends, lanes: int) -> None:
        """Look at a store and a broker."""
        self.store = store
        self.ends = ends
        self.lanes = lanes
        self.inputs = all_inputs(lanes)

    def __call__(self) -> bool:
        """Whether nothing is left to do; not, when in doubt."""
        return not self.why_not()

    @property
    def last(self) -> int:
        """When the run ends: the newest event time any lane has seen (µs)."""
        return max((lane.watermark for lane in self.store.lanes()), default=0)

    def overdue(self) -> bool:
        """Whether a deadline up to the end of the run has yet to fire, in whichever lane."""
        last = self.last
        return any(row.due <= last for number in range(self.lanes) for row in self.store.deadlines(number))

    def why_not(self) -> str:
        """Say what is left to do; empty when nothing is."""
        before = {lane.lane: lane for lane in self.store.lanes()}
        for number in range(REFERENCE_LANE, self.lanes):
            if self.store.outbox(number, self.store.published(number), 1):
                return f"Lane {number} has messages to be published."
        for name, end in self.ends.of(self.inputs).items():
            topic, partition = self.inputs[name]
            number = REFERENCE_LANE if topic == REFERENCE else partition
            position = before.get(number, Lane(number)).positions.get(name, 0)
            if position < end:
                return f"{name} is read up to {position} of {end}."
        known = len(self.store.reference(0))
        for number in range(self.lanes):
            if before.get(number, Lane(number)).reference != known:
                return f"Lane {number} has yet to read the reference data."
            if self.store.dirty(number):
                return f"Lane {number} has aggregates to re-decide."
        after = {lane.lane: lane.version for lane in self.store.lanes()}
        return "" if after == {number: lane.version for number, lane in before.items()} else "Lanes are still written."
