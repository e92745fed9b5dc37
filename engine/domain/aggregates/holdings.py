"""A person's grants: how each begins, vests, changes, moves and ends. Part of the person aggregate.

A schedule's later tranches are deadlines the aggregate sets itself, so that they vest when their day comes and not
before. Natural expiry and the end of access are dates, not postings: see `engine.domain.grants`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from engine.domain import grants as lifecycle
from engine.domain.aggregates import commitments, duties
from engine.domain.approvals import tell
from engine.domain.effects import NOTHING, Derived, Effects, Posting, Question, cause_id, deadline, header, make
from engine.domain.events import Alias, Event
from engine.domain.events import grants as g
from engine.domain.events.aliases import Target
from engine.domain.events.base import Problem
from engine.domain.events.derived import DeadlineReached, GrantAssigned, GrantReceived
from engine.domain.grants import Grant
from engine.domain.reference import Reference
from engine.domain.values import Instant, Quantity
from engine.domain.vesting import Tranche, tranches

if TYPE_CHECKING:
    from engine.domain.aggregates.person import State

FOLDED: Final = (g.GrantIssued, g.GrantEvent, GrantReceived)
TRANCHE: Final = "tranche"
_OVER: Final = ("voided", "transferred", "revoked", "rolled_over")
"""States in which nothing can happen to a grant any more."""


def fold(state: State, event: Event, data: Any, at: int, reference: Reference) -> Effects:
    """Fold one event of a grant."""
    if isinstance(data, g.GrantIssued):
        return _issue(state, event, data, at)
    if isinstance(data, GrantReceived):
        return _receive(state, event, data, at)
    known = state.grants.get(data.grant_id)
    if isinstance(data, g.GrantTransferred):
        return _transfer(state, event, data, at, known, reference)
    if known is None and isinstance(data, g.GrantVested):
        _early(state, data, at)
    if known is None or known.state in _OVER:
        return NOTHING
    if isinstance(data, g.GrantVestingStarted):
        return _start(state, event, data, at, known)
    if isinstance(data, g.GrantRolledOver):
        return _roll_over(state, event, data, at, known)
    effects = Effects(postings=_change(state, data, at, known), derived=[])
    effects.derived += commitments.tell(state, event, known, at, -commitments.lost(effects.postings, known))
    if isinstance(data, g.GrantAmended) and data.expires_at is not None:
        effects.derived += duties.expiring(state.duties, event, known.id, known.until, at, state.id)
    return effects


def lapse(state: State, at: int) -> Effects:
    """Settle what ran out since employment ended, before another word about employment: it doesn't come back with it."""
    effects = Effects(postings=[], derived=[])
    for grant in state.grants.values():
        ran_out = min(at + 1, grant.until) > grant.ends(state.ended_at, state.ended_reason)  # by its window, not by its date
        if ran_out and grant.state not in _OVER:
            effects.postings += lifecycle.lose(grant, "expired")
            grant.state = "expired"
    return effects


def forfeit(state: State) -> list[Posting]:
    """End employment: what hasn't vested is forfeited."""
    return [posting for grant in state.grants.values() for posting in lifecycle.forfeit(grant)]


def vest(state: State, event: Event, data: DeadlineReached, at: int) -> Effects:
    """Let a tranche vest whose day has come, unless employment or the grant ended before, or the grant left meanwhile."""
    if not counts(state, event, data) or not _vests(state, state.grants[data.about_], at):
        return NOTHING
    return Effects(postings=lifecycle.vest(state.grants[data.about_], int(data.quantity)))


def counts(state: State, event: Event, data: DeadlineReached) -> bool:
    """Whether a tranche is still its grant's: one that left and came back brought others, and has what is left to give."""
    known = state.grants.get(data.about_)
    return known is not None and known.state not in _OVER and known.installed_by == event.causation_id


def unspent(state: State, grant_id: str) -> dict[str, Any]:
    """Give the facts of a grant that is about to expire: what is vested and unspent, and its share of the grant."""
    grant = state.grants.get(grant_id)
    live = grant is not None and grant.state in ("live", "suspended")
    left = grant.outstanding if grant is not None and live else 0
    whole = int(grant.terms.quantity) if grant is not None else 0
    share = left * 1_000_000 // whole if whole else 0
    return {"id": grant_id, "until": grant.until if grant is not None else 0, "unspent_u": left, "unspent_ppm": share}


def still_expires(state: State, grant_id: str, at: int) -> bool:
    """Whether a grant still expires when it did as the deadline was set; an amendment sets another."""
    grant = state.grants.get(grant_id)
    return grant is not None and grant.until == at + state.duties.periods["expiring_us"]


def _vests(state: State, known: Grant, at: int) -> bool:
    """Whether units of a grant can vest at a moment: not after employment ended, nor after the grant expired by its date."""
    return state.ended_at < 0 and at < known.until


def _change(state: State, data: Any, at: int, known: Grant) -> list[Posting]:
    if isinstance(data, g.GrantVested):
        return lifecycle.vest(known, data.quantity) if _vests(state, known, at) else []
    if isinstance(data, g.GrantAccelerated):
        quantity = known.unvested if data.quantity is None else int(data.quantity)
        return lifecycle.vest(known, quantity) if at < known.until else []
    if isinstance(data, g.GrantForfeited):
        return lifecycle.forfeit(known, None if data.quantity is None else int(data.quantity))
    if isinstance(data, g.GrantSuspended):
        known.state = "suspended"
    elif isinstance(data, g.GrantResumed):
        known.state = "live" if known.state == "suspended" else known.state
    elif isinstance(data, g.GrantAmended):
        lifecycle.amend(known, data)
    elif isinstance(data, g.GrantRevoked):
        known.state = "revoked"
        vested = [] if known.terms.legal_character == "pay" else lifecycle.take(known, known.outstanding, "forfeited")
        return vested + lifecycle.forfeit(known)
    elif isinstance(data, (g.GrantExpired, g.GrantVoided)):
        known.state = "expired" if isinstance(data, g.GrantExpired) else "voided"
        return lifecycle.lose(known, known.state)
    return []


def _early(state: State, data: g.GrantVested, at: int) -> None:
    """Keep a tranche that stands before its grant: events of one instant stand in order of their ids."""
    before, quantity = state.early.get(data.grant_id, (at, 0))
    state.early[data.grant_id] = (at, int(data.quantity) + (quantity if before == at else 0))


def _issue(state: State, event: Event, data: g.GrantIssued, at: int) -> Effects:
    known = state.grants.get(data.grant_id)
    if known is not None and known.state != "transferred":
        text = f"data.grant_id is known: {data.grant_id} was issued before; what differs is said by compute.grant.amended.v1."
        told = [_assigned(state, event, data.grant_id, state.id, "issued")]  # whom it is of must not depend on what is left of it
        return Effects(refused=Problem("issued-twice", text), derived=told)
    grant, postings = lifecycle.issue(data, at)
    state.grants[grant.id] = grant
    effects = Effects(postings=postings, derived=[_assigned(state, event, grant.id, state.id, "issued")])
    vested_at, quantity = state.early.pop(grant.id, (-1, 0))
    if vested_at == at and data.vesting == "by_event":
        effects.postings += lifecycle.vest(grant, quantity)
    effects.derived += duties.expiring(state.duties, event, grant.id, grant.until, at, state.id)
    effects.derived += commitments.tell(state, event, grant, at, int(data.quantity))
    if data.schedule is not None and not data.schedule.on_event:
        _schedule(state, event, at, grant, effects, int(data.schedule.starts_at or grant.since))
    return _take_effect(state, event, at, grant, effects)


def _take_effect(state: State, event: Event, at: int, grant: Grant, effects: Effects) -> Effects:
    """Let what vests at once wait for the day on which the grant takes effect."""
    if grant.terms.vesting == "immediate" and grant.unvested:
        grant.installed_by = cause_id(event)
        effects.derived.append(_tranche(state, event, grant, 0, Tranche(grant.since, grant.unvested, at)))
    return effects


def _start(state: State, event: Event, data: g.GrantVestingStarted, at: int, known: Grant) -> Effects:
    schedule = known.terms.schedule
    if schedule is None or not schedule.on_event or known.vesting_since >= 0 or state.ended_at >= 0:
        return NOTHING
    effects = Effects(postings=[], derived=[])
    _schedule(state, event, at, known, effects, at if data.starts_at is None else int(data.starts_at))
    return effects


def _schedule(state: State, event: Event, at: int, grant: Grant, effects: Effects, start: int) -> None:
    """Vest what is due already and set deadlines for the rest."""
    schedule = grant.terms.schedule
    if schedule is None:
        return
    grant.vesting_since, grant.installed_by = start, cause_id(event)
    for number, tranche in enumerate(tranches(int(grant.terms.quantity), schedule, start)):
        if tranche.due <= at:
            effects.postings += lifecycle.vest(grant, tranche.quantity)
        else:
            effects.derived.append(_tranche(state, event, grant, number, tranche))


def _tranche(state: State, event: Event, grant: Grant, number: int, tranche: Tranche) -> Derived:
    reached = DeadlineReached(
        TRANCHE, grant.id, "person", state.id, Instant(tranche.since), Quantity(tranche.quantity)
    )  # fmt: skip
    return deadline(event, reached, tranche.due, str(number))


def _assigned(
    state: State, event: Event, grant_id: str, holder: str, how: Literal["issued", "transferred", "rolled_over"]
) -> Derived:
    """Tell a grant's alias who holds it.

    Whoever says so is part of the fact's name: where an event is rerouted to another person, what the one takes back isn't
    what the other says.
    """
    alias = Alias("grant", grant_id)
    fact = GrantAssigned(alias, Target("person", holder), how)
    return Derived(
        f"{event.organisation}/alias/{alias.id}", make(event, fact, f"assigned {grant_id} {cause_id(event)} {state.id}")
    )


def _receive(state: State, event: Event, data: GrantReceived, at: int) -> Effects:
    grant, _ = lifecycle.issue(data.terms, at)
    grant.outstanding, grant.unvested, grant.since = int(data.vested), int(data.unvested), max(at, grant.since)
    grant.state = "suspended" if data.suspended else "live"
    state.grants[grant.id] = grant
    effects = Effects(postings=[grant.post("transferred_in", data.vested + data.unvested)], derived=[])
    effects.postings += [
        grant.post(kind, amount) for kind, amount in (("outstanding", data.vested), ("unvested", data.unvested)) if amount
    ]
    if data.vesting_since is not None and grant.terms.schedule is not None:
        grant.vesting_since, grant.installed_by = int(data.vesting_since), cause_id(event)
        for number, tranche in enumerate(tranches(int(grant.terms.quantity), grant.terms.schedule, grant.vesting_since)):
            if tranche.due > at:
                effects.derived.append(_tranche(state, event, grant, number, tranche))
    effects.derived += duties.expiring(state.duties, event, grant.id, grant.until, at, state.id)
    effects.derived += commitments.tell(state, event, grant, at, 0)
    return _take_effect(state, event, at, grant, effects)


def _transfer(
    state: State, event: Event, data: g.GrantTransferred, at: int, known: Grant | None, reference: Reference
) -> Effects:
    if data.to == state.id:
        return Effects(refused=Problem("transfer-to-oneself", "data.to is the holder: a transfer needs another person."))
    effects = Effects(derived=[_assigned(state, event, data.grant_id, data.to, "transferred")], postings=[])
    effects.question = _transfer_question(state, event, data, at, known, reference)
    if known is not None and known.state not in _OVER:
        since = None if known.vesting_since < 0 else Instant(known.vesting_since)
        received = GrantReceived(
            data.to, known.now(), Quantity(known.outstanding), Quantity(known.unvested), since, known.state == "suspended"
        )
        target = f"{event.organisation}/person/{data.to}"
        effects.derived.append(Derived(target, make(event, received, f"received {cause_id(event)} {state.id}")))
        effects.postings = lifecycle.lose(known, "transferred_out")
        known.state = "transferred"
        effects.derived += commitments.tell(state, event, known, at, 0)
    return effects


def _transfer_question(
    state: State, event: Event, data: g.GrantTransferred, at: int, known: Grant | None, reference: Reference
) -> Question:
    standing = (a for a in state.approvals.standing(at) if a.kind == "transfer")
    fits = [a for a in standing if a.about == data.grant_id or a.scope in ("", data.grant_id)]
    when = "none" if not fits else "before" if min(a.decided for a in fits) <= event.time else "late"
    fields = header(event, at) | {"grant": data.grant_id, "to": data.to}
    facts: dict[str, Any] = {"holder": state.id, "transfer": {"approval": when}}
    unknown: dict[str, str] = {}
    tell(facts, unknown, state.approvals.standing(at))
    if when == "none" and (why := reference.incomplete(event.organisation, "approvals", at + 1)):
        del facts["transfer"]
        unknown["facts.transfer"] = why
    return Question(fields, facts, unknown, known.agreement if known else "default")


def _roll_over(state: State, event: Event, data: g.GrantRolledOver, at: int, known: Grant) -> Effects:
    """Carry min(max, max(balance, min)) on to the next grant; what isn't carried expires, what hasn't vested is forfeited."""
    terms, following = known.terms, state.grants.get(data.to_grant)
    if following is not None and (following.state in _OVER or following.unit != known.unit):
        text = f"data.to_grant is over or of another unit: {data.to_grant} can't take what is left of {known.id}."
        return Effects(refused=Problem("rollover-to-ended", text))
    carried = min(int(terms.rollover_max), max(known.outstanding, int(terms.rollover_min)))
    taken = min(carried, known.outstanding)
    postings = lifecycle.take(known, taken, "rolled_out") + lifecycle.lose(known, "expired")
    known.state = "rolled_over"
    gone = taken + commitments.lost(postings, known)
    effects = Effects(postings=postings, derived=commitments.tell(state, event, known, at, -gone))
    if not carried:
        return effects
    if following is None:
        following = state.grants[data.to_grant] = lifecycle.carry(known, data, carried, at)
        effects.derived.append(_assigned(state, event, following.id, state.id, "rolled_over"))
        effects.derived += duties.expiring(state.duties, event, following.id, following.until, at, state.id)
    else:
        following.outstanding += carried
    effects.postings += [following.post("rolled_in", carried), following.post("outstanding", carried)]
    effects.derived += commitments.tell(state, event, following, at, carried)
    return effects
