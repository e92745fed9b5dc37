"""Names that nobody has linked: what they did waits on disk, not in memory, and goes where it may not be kept.

A lane holds of such a name only what its batches in flight brought; the first link loads the rest. What a name did
outside the organisation's repositories is dropped once the lane's watermark has passed 30 days after it happened and was
learnt: a function of what the journal says, so that a replay drops the same. Pure but for what it asks of the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.domain.aggregates.alias import KEPT_US, LINKING
from engine.domain.derivation import Delivery
from engine.domain.events import Event
from engine.domain.events.base import NAMED
from engine.domain.records import DroppedRow
from engine.domain.written import Written
from engine.service.memory import LaneMemory
from engine.store.protocol import Store


def is_name(key: str) -> bool:
    """Whether an aggregate is an alias."""
    return key.split("/", 2)[1] == "alias"


def linked_by(events: Iterable[tuple[Event, Written]], deliveries: Iterable[Delivery]) -> frozenset[str]:
    """Give the names of which a batch says whom they stand for."""
    said = {f"{event.organisation}/{'/'.join(event.data.about())}" for event, _ in events if event.type in LINKING}
    return frozenset(said | {delivery.target for delivery in deliveries if delivery.event.type in LINKING})


def linked_to(key: str, event: Event) -> frozenset[str]:
    """Give the name that a derived fact says something of."""
    return frozenset((key,)) if event.type in LINKING else frozenset()


def without_names(keys: Iterable[str]) -> list[str]:
    """Leave out aliases: no deadline of theirs is folded, and no reference data bears on them."""
    return [key for key in keys if not is_name(key)]


def no_longer_waiting(memory: LaneMemory, linked: Iterable[str]) -> list[str]:
    """Give the names in memory whose facts are on disk, now that something is said of them."""
    held = ((key, memory.aggregates.get(key)) for key in sorted(linked))
    return [key for key, aggregate in held if aggregate is not None and aggregate.waiting]


def waiting(store: Store, keys: Sequence[str], linked: frozenset[str]) -> set[str]:
    """Give the names among keys of which nothing was ever said."""
    names = [key for key in keys if is_name(key) and key not in linked and f"/alias/{NAMED}" not in key]
    return set(names) - store.linked(names) if names else set()


def drop(store: Store, memory: LaneMemory, fallen: Sequence[str]) -> tuple[DroppedRow, ...]:
    """Give what goes of the names whose time is over; one with facts in flight waits for the next batch."""
    before = memory.watermark - KEPT_US
    gone = []
    for key in sorted(key for key in fallen if is_name(key)):
        held = memory.aggregates.get(key)
        if held is not None and held.waiting:
            memory.await_deadline(key, memory.watermark)
        elif held is None and not store.linked([key]):
            left = store.waiting_since(key, before)
            due = -1 if left < 0 else left + KEPT_US
            memory.await_deadline(key, due)
            gone.append(DroppedRow(key, before, due))
    return tuple(gone)
