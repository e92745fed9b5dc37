"""What whoever looks at findings must know first: rules that are held, and aggregates still being decided anew.

Owns the words; reads the store, decides nothing.
"""

from __future__ import annotations

from engine.service import holding
from engine.store.queries import Queries


def attention(queries: Queries) -> list[str]:
    """Give the sentences, none where all has been decided and every rule speaks."""
    waiting = queries.waiting(holding.TYPES)
    said = [holding.in_words(hold) for hold in holding.holds(waiting.holds, waiting.unsettled)]
    if waiting.dirty:
        several = waiting.dirty > 1
        many, them = (f"{waiting.dirty:,} aggregates are", "them") if several else ("One aggregate is", "it")
        said.append(f"{many} being decided anew because of late facts; what is shown of {them} may yet change.")
    return said


def being_decided(queries: Queries, aggregate: str) -> str:
    """Say that an aggregate is still being decided anew; empty where it isn't."""
    if not queries.dirty(aggregate):
        return ""
    return "Late facts about it are still being taken into account: what is shown here may yet change."
