"""Every event type Covenant knows; importing this package fills the register `TYPES`."""

from __future__ import annotations

from engine.domain.events import aliases, derived, grants, people, reference, repositories, usage
from engine.domain.events.base import TYPES, Alias, Data, Event, Key, Rank

DERIVED_TYPES = frozenset(cls.TYPE for cls in vars(derived).values() if isinstance(cls, type) and issubclass(cls, Data) and cls.TYPE and cls.__module__ == derived.__name__)
"""Types that only the engine itself may make."""

INBOUND_TYPES = frozenset(TYPES) - DERIVED_TYPES
"""Types accepted from outside."""

__all__ = [
    "DERIVED_TYPES",
    "INBOUND_TYPES",
    "TYPES",
    "Alias",
    "Data",
    "Event",
    "Key",
    "Rank",
    "aliases",
    "derived",
    "grants",
    "people",
    "reference",
    "repositories",
    "usage",
]
