"""Events about pools: a compute plan that grants are made from, or a cluster with a capacity. Keyed by plan or cluster."""

from __future__ import annotations

from engine.domain.events.base import Count, Data, Key, Name, Problem, Rank, event
from engine.domain.events.grants import Unit
from engine.domain.values import Instant, Quantity


class Pool(Data, frozen=True):
    """Base of an event about one pool."""

    pool: Name

    def about(self) -> Key:
        """Give the pool."""
        return ("pool", self.pool)


@event("pool.planned.v1", Rank.GRANT, "grants")
class PoolPlanned(Pool, frozen=True):
    """A plan was made: how many units may be granted from the pool in all."""

    quantity: Quantity = Quantity(0)
    unit: Unit = "CCU"
    gpus: Count = 0
    """Capacity of a cluster, in GPUs; 0 where the pool is no cluster."""
    until: Instant | None = None

    def problem(self, time: int) -> Problem | None:
        """Refuse a plan of less than nothing, and one that ends before it begins."""
        if self.quantity < 0:
            return Problem("negative-quantity", "data.quantity is negative: a plan holds nothing or more.")
        return (
            Problem("dates-out-of-order", "data.until is not after the event's time.")
            if self.until is not None and self.until <= time
            else None
        )


@event("pool.resized.v1", Rank.GRANT, "grants")
class PoolResized(Pool, frozen=True):
    """The plan's size or the cluster's capacity changed from the event's time on; a field left out stays."""

    quantity: Quantity | None = None
    gpus: Count | None = None

    def problem(self, time: int) -> Problem | None:  # noqa: ARG002 - one signature for all
        """Refuse a size of less than nothing."""
        if self.quantity is not None and self.quantity < 0:
            return Problem("negative-quantity", "data.quantity is negative: a plan holds nothing or more.")
        return None
