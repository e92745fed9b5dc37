"""What a pool is told of the grants made from it: how much of it is committed, and what came back.

Part of the person aggregate. What is consumed stays committed; what is lost comes back when it is lost, and what runs out
by its date or its termination window alone comes back at that moment, which is a deadline the aggregate sets itself. The
units in the holder's hands don't change by it: a late amendment, a transfer or a rollover commits them again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.domain.effects import NOTHING, Derived, Effects, Posting, cause_id, deadline, make
from engine.domain.events import Event
from engine.domain.events.derived import DeadlineReached, PoolCommitted
from engine.domain.grants import Grant
from engine.domain.values import FOREVER, Instant, Quantity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.domain.aggregates.person import State

RUN_OUT: Final = "grant_run_out"
_LOST: Final = ("expired", "voided", "forfeited")


def lost(postings: Iterable[Posting], grant: Grant) -> int:
    """Give how much of a grant postings take from its holder, not counting what goes on to another grant or holder."""
    return sum(posting.amount for posting in postings if posting.grant == grant.id and posting.kind in _LOST)


def tell(state: State, event: Event, grant: Grant, at: int, change: int) -> list[Derived]:
    """Tell a grant's pool of a change to what is committed (negative: it came back), and set when the rest runs out."""
    pool = grant.terms.pool
    if pool is None:
        return []
    ends = grant.ends(state.ended_at, state.ended_reason)
    rest = grant.outstanding + grant.unvested
    returned = rest if at >= ends else 0
    change, grant.returned = change + grant.returned - returned, returned
    derived = []
    if change:
        fact = PoolCommitted(pool, grant.id, state.id, Quantity(change), grant.unit)
        told = make(event, fact, f"committed {grant.id} {cause_id(event)}")
        derived.append(Derived(f"{event.organisation}/pool/{pool}", told))
    if rest and at < ends < FOREVER and ends != grant.runs_out:
        grant.runs_out = ends
        derived.append(deadline(event, DeadlineReached(RUN_OUT, grant.id, "person", state.id, Instant(at)), ends))
    return derived


def tell_all(state: State, event: Event, at: int, effects: Effects) -> Effects:
    """Tell the pools of all grants what employment's beginning or end took from them, and when the rest runs out now."""
    for grant in state.grants.values():
        effects.derived += tell(state, event, grant, at, -lost(effects.postings, grant))
    return effects


def run_out(state: State, event: Event, grant_id: str, at: int) -> Effects:
    """Give back what is left of a grant that has run out, unless its end was moved meanwhile."""
    grant = state.grants.get(grant_id)
    return NOTHING if grant is None else Effects(derived=tell(state, event, grant, at, 0))
