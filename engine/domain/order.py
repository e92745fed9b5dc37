"""Where an event stands: its aggregate, its place among that aggregate's events, and its lane.

An aggregate is keyed `organisation/kind/id`. Its events are ordered by the instant from which they have effect, then
rank, then source and id bytewise; a lane is murmur2(key) modulo the partition count, as Kafka's Java and Python
clients compute it. Pure.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from engine.domain.events import Event


class Place(NamedTuple):
    """An event's place in its aggregate's order."""

    time: int
    rank: int
    source: bytes
    id: bytes


def place(event: Event) -> Place:
    """Give the event's place: effect first, then rank, then source and id bytewise."""
    data = event.data
    return Place(data.effective(event.time), data.RANK, event.source.encode(), event.id.encode())


def aggregate(event: Event) -> str:
    """Give the key of the aggregate the event concerns."""
    kind, ident = event.data.about()
    return f"{event.organisation}/{kind}/{ident}"


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit murmur2 (org.apache.kafka.common.utils.Utils), as a positive number."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    length = len(data)
    h = (0x9747B28C ^ length) & mask
    tail = length & ~3
    for i in range(0, tail, 4):
        k = int.from_bytes(data[i : i + 4], "little")
        k = (k * m) & mask
        k ^= k >> 24
        h = ((h * m) & mask) ^ ((k * m) & mask)
    rest = data[tail:]
    if rest:
        h ^= int.from_bytes(rest, "little")
        h = (h * m) & mask
    h ^= h >> 13
    h = (h * m) & mask
    return (h ^ (h >> 15)) & 0x7FFFFFFF


@lru_cache(maxsize=65_536)
def lane(key: str, lanes: int) -> int:
    """Give the lane (partition) of an aggregate's key."""
    return murmur2(key.encode()) % lanes if lanes > 1 else 0
