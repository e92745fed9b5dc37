"""Every event type Covenant knows; importing this package fills the register `TYPES`."""

from __future__ import annotations

from engine.domain.events import agreements, aliases, derived, grants, people, pools, reference, repositories, reviews, usage
from engine.domain.events.base import TYPES, Alias, Data, Event, Key, Rank

DERIVED_TYPES = frozenset(name for name, cls in TYPES.items() if cls.__module__ == derived.__name__)
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
    "agreements",
    "aliases",
    "derived",
    "grants",
    "people",
    "pools",
    "reference",
    "repositories",
    "reviews",
    "usage",
]
