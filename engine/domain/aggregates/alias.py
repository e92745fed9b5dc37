"""The alias aggregate: whom a name stands for, and everything that named it, released to that target.

Links are placed by the start of their validity, so a link recorded late releases what was parked since; a login that
changes hands follows validity, and of two words about one instant the one said later holds. What no verified link covers
stays parked here, charged to nobody; what a name did outside the organisation's repositories is dropped after 30 days if
nothing has ever been said about the name.
"""

from __future__ import annotations

from typing import Final

import msgspec

from engine.domain.effects import NOTHING, Derived, Effects, cause_id, make
from engine.domain.events import Event
from engine.domain.events.aliases import AliasLinked, AliasUnlinked, CredentialCreated, CredentialRevoked
from engine.domain.events.base import CASELESS, NAMED, Alias, Problem, Rank
from engine.domain.events.derived import (
    AliasHeld,
    GrantAssigned,
    IdentityAsked,
    IdentityResolved,
    RepositoryExposed,
    RepositoryNamed,
)
from engine.domain.events.grants import GrantTransferred
from engine.domain.events.repositories import Repository
from engine.domain.values import DAY_US, FOREVER, Instant

LINKING: Final = tuple(
    kind.TYPE for kind in (AliasLinked, AliasUnlinked, CredentialCreated, CredentialRevoked, GrantAssigned, RepositoryNamed)
)
"""Events that say whom an alias stands for; all others wait there for such a word."""
KEPT_US: Final = 30 * DAY_US
"""How long what an unknown name did outside the organisation's repositories waits for a link (µs)."""


_SAID: Final = (AliasLinked, AliasUnlinked, CredentialCreated)


class State(msgspec.Struct):
    """The link in force: a target's kind and id, whether verified, until when."""

    kind: str = ""
    id: str = ""
    verified: bool = False
    until: int = FOREVER
    said: tuple[int, int, str] = (-1, -1, "")
    """Instant of the last word about the name, when it was said, and its id: a correction is said later."""
    givers: dict[str, str] = {}
    """Cause → to whom it assigned the grant at one instant; under no cause, who held it until then, or got it by its issue."""
    gave_at: int = -1
    giver: str = ""
    """Who held a grant before it was assigned anew."""
    given_at: int = -1
    """When that was: an approval of the very instant of a transfer is about the giver's."""


def fold(state: State, event: Event, at: int) -> Effects:
    """Fold one event: a word about the name changes whom it stands for; anything else is released, or parked."""
    return _word(state, event, at) if event.type in LINKING else _release(state, event, at)


def _word(state: State, event: Event, at: int) -> Effects:
    data = event.data
    if isinstance(data, _SAID) and not _latest(state, event, at):
        return NOTHING
    if isinstance(data, AliasLinked):
        before = _owner(state)
        state.kind, state.id, state.verified = data.target.kind, data.target.id, data.verified
        state.until = FOREVER if data.valid_until is None else data.valid_until
        return _held(state, event, data.alias, at, before)
    if isinstance(data, GrantAssigned):
        return _assign(state, event, data, at)
    if isinstance(data, CredentialCreated):
        state.kind, state.id, state.verified, state.until = "person", data.owner, True, FOREVER
        return NOTHING
    if isinstance(data, RepositoryNamed):
        state.kind, state.id, state.verified, state.until = "repository", data.repository, True, FOREVER
        return NOTHING
    if isinstance(data, AliasUnlinked):
        before, state.verified = _owner(state), False
        return _held(state, event, data.alias, at, before)
    return NOTHING  # what still uses a key that was withdrawn is its last owner's


def _release(state: State, event: Event, at: int) -> Effects:
    data = event.data
    known = state.verified and at < state.until
    if key := _name(event):
        return _repository(event, key, state.id if known and state.kind == "repository" else key)
    if not known:
        return NOTHING
    if isinstance(data, IdentityAsked):
        if state.kind != "person":
            return NOTHING
        answer = IdentityResolved(data.asker_kind, data.asker_id, data.cause, state.id)
        target = f"{event.organisation}/{data.asker_kind}/{data.asker_id}"
        return Effects(derived=[Derived(target, make(event, answer, f"resolved {data.cause}"))])
    giver = ""
    if at == state.gave_at and isinstance(data, GrantTransferred):
        giver = _giver(state, cause_id(event))
    if giver:  # a transfer is its giver's, though the grant is the receiver's from that very instant on
        return Effects(derived=[Derived(f"{event.organisation}/{state.kind}/{giver}", event)])
    target = state.giver if state.giver and at == state.given_at and event.data.RANK == Rank.APPROVAL else state.id
    return Effects(derived=[Derived(f"{event.organisation}/{state.kind}/{target}", event)])


def _assign(state: State, event: Event, data: GrantAssigned, at: int) -> Effects:
    """Let a grant be its receiver's from now on, but for one that goes round: its holder stays who got it first."""
    state.givers, state.gave_at = (state.givers if at == state.gave_at else {"": state.id}), at
    if data.how == "rolled_over" and state.givers[""] not in ("", data.target.id):
        return NOTHING  # two rollovers into each other's grants would each make the other so, or not, by who came first
    if data.how != "transferred":  # its beginning, which precedes all transfers
        state.givers[""] = data.target.id
        if len(state.givers) > 1:
            return NOTHING
    elif data.target.id == state.givers[""]:
        return Effects(refused=_circle(event, data))
    else:
        state.givers[event.causation_id] = data.target.id
    state.giver, state.given_at = state.id, at
    state.kind, state.id, state.verified, state.until = data.target.kind, data.target.id, True, FOREVER
    return NOTHING


def _giver(state: State, cause: str) -> str:
    """Give whose a transfer is: who got the grant by the transfer before it at this instant, else who held it until then.

    Transfers of one instant follow each other by their ids, so that none depends on one that depends on it.
    """
    return state.givers[max(one for one in state.givers if one < cause)]


def _circle(event: Event, data: GrantAssigned) -> Problem:
    """Say that a transfer gives a grant back to whom it left at the same instant: who holds it can't be told from it."""
    text = (
        f"data.to gives {data.alias.value} back to {data.target.id}, who held it until this very instant; "
        f"the transfer is {event.causation_id}."
    )
    return Problem("circle-of-transfer", text)


def _owner(state: State) -> str:
    """Give the person the name is verified to be of; empty where it is nobody's."""
    return state.id if state.verified and state.kind == "person" else ""


def _held(state: State, event: Event, alias: Alias, at: int, before: str) -> Effects:
    """Tell people which logins and addresses are theirs: what commits say of their authors is held against them."""
    if alias.kind not in CASELESS:
        return NOTHING
    owner, derived = _owner(state), []
    for person, held in ((before, False), (owner, True)):
        if person and (held or person != owner):
            said = AliasHeld(alias, person, held, Instant(state.until) if held and state.until < FOREVER else None)
            when = msgspec.structs.replace(make(event, said, f"held {cause_id(event)}"), time=at)  # from when it is valid
            derived.append(Derived(f"{event.organisation}/person/{person}", when))
    return Effects(derived=derived) if derived else NOTHING


def _name(event: Event) -> str:
    """Give the repository's name that a fact goes by; empty where it goes by another kind of name."""
    kind, ident = event.data.about()
    return ident.removeprefix(NAMED) if kind == "alias" and ident.startswith(NAMED) else ""


def _repository(event: Event, name: str, ident: str) -> Effects:
    """Release a fact to the repository that had the name then; one that no host numbers goes by its name for ever."""
    data = event.data
    if isinstance(data, Repository):
        data = msgspec.structs.replace(data, repository=ident, known_as=None if ident == name else name)
    elif isinstance(data, RepositoryExposed):
        data = msgspec.structs.replace(data, repository=ident)
    return Effects(derived=[Derived(f"{event.organisation}/repository/{ident}", msgspec.structs.replace(event, data=data))])


def _latest(state: State, event: Event, at: int) -> bool:
    """Whether a word about the name is the last one said of its instant; notes it if so."""
    said = (at, event.time, cause_id(event))
    if said < state.said:
        return False
    state.said = said
    return True


def gone_at(event: Event, effective: int, known_at: int) -> int:
    """Give when a fact is dropped whose name nobody has linked by then (µs); −1 for never.

    It waits for 30 days since it happened and since we learnt of it, whichever is later, so that a history that is
    loaded years afterwards waits as long as what comes in today.
    """
    if getattr(event.data, "in_org", None) is not False:
        return -1
    return max(effective, known_at) + KEPT_US
