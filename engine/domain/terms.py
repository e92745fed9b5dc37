"""The terms of a holder's grants at a moment, from the events that make them: which installments are due, when each ends.

Folds the events of grants and of employment alone, with the person's own fold: usage changes balances and never terms,
so a holder's million usages needn't be read to know what is due. Pure; posts nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

import msgspec

from engine.domain import codec
from engine.domain.aggregates import holdings, person
from engine.domain.effects import Effects
from engine.domain.events import Event
from engine.domain.events.derived import DeadlineReached, GrantReceived
from engine.domain.events.grants import GrantClawedBack, GrantIssued
from engine.domain.grants import Grant
from engine.domain.order import Place, place
from engine.domain.reference import Reference
from engine.domain.values import FOREVER
from engine.domain.vesting import Tranche

_NO_REFERENCE = Reference()


class Installment(msgspec.Struct, frozen=True):
    """An installment whose day has come: the deadline's identity, and the units that vested by it (0: none could)."""

    identity: str
    grant: str
    due: int
    units: int


class Claim(msgspec.Struct, frozen=True):
    """A clawback: money the company claims back, a receivable."""

    grant: str
    amount: int
    currency: str
    time: int


class Terms(msgspec.Struct):
    """What is known of one holder's grants at a moment."""

    grants: dict[str, Grant]
    came: list[Installment]
    """Installments due before the moment."""
    ahead: dict[str, list[Tranche]]
    """Grant → installments due at the moment or later."""
    claims: list[Claim]
    causes: dict[str, Event]
    """Grant → the event that brought it here."""
    ended_at: int
    ended_reason: str

    def ends(self, grant: str) -> int:
        """Give when a grant ends by its date or its termination window; FOREVER where it doesn't, or isn't known."""
        known = self.grants.get(grant)
        return FOREVER if known is None else known.ends(self.ended_at, self.ended_reason)


def terms_of(holder: str, events: Iterable[Event], as_of: int, windows: Mapping[str, int]) -> Terms:
    """Fold a holder's grants and employment up to a moment (µs, left out), deadlines of installments among them."""
    state = person.start(holder, dict(windows))
    terms = Terms(state.grants, [], {}, [], {}, -1, "other")
    waiting: list[tuple[Place, Event]] = [(place(event), event) for event in events]
    heapq.heapify(waiting)
    while waiting and waiting[0][0].time < as_of:
        at, event = heapq.heappop(waiting)
        effects = person.fold(state, event, at.time, _NO_REFERENCE)
        _note(terms, event, at.time, effects)
        for target, derived in effects.derived:
            due = isinstance(derived.data, DeadlineReached) and derived.data.kind == holdings.TRANCHE
            if due and target.endswith(f"/person/{holder}"):
                heapq.heappush(waiting, (place(derived), derived))
    for at, event in waiting:
        if isinstance(event.data, DeadlineReached) and state.ended_at < 0 and holdings.counts(state, event, event.data):
            tranche = Tranche(at.time, int(event.data.quantity), int(event.data.since))
            terms.ahead.setdefault(event.data.about_, []).append(tranche)
    terms.ended_at, terms.ended_reason = state.ended_at, state.ended_reason
    return terms


def _note(terms: Terms, event: Event, at: int, effects: Effects) -> None:
    data = event.data
    if isinstance(data, DeadlineReached):
        units = sum(posting.amount for posting in effects.postings if posting.kind == "vested")
        terms.came.append(Installment(codec.identity(event).hex(), data.about_, at, units))
    elif isinstance(data, GrantClawedBack):
        terms.claims.append(Claim(data.grant_id, int(data.amount), data.currency, at))
    elif isinstance(data, GrantIssued | GrantReceived):
        grant = data.grant_id if isinstance(data, GrantIssued) else data.terms.grant_id
        terms.causes.setdefault(grant, event)
