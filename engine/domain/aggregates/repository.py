"""The repository aggregate: whose it is, how visible, and what was done to it. Its acts reach the person who acted.

Visibility and owner stated by an event win over what was folded before; `was_private` and `in_org` are of the moment
before the act. A login nobody is verified for leaves the holder unknown: nobody is accused.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from engine.domain.approvals import Approvals, tell
from engine.domain.effects import NOTHING, Derived, Effects, Question, cause_id, deadline, header, make
from engine.domain.events import Event
from engine.domain.events.base import Alias, repository_key
from engine.domain.events.derived import (
    ContributionAttributed,
    DeadlineReached,
    IdentityAsked,
    IdentityResolved,
    RepositoryExposed,
    RepositoryNamed,
)
from engine.domain.events.people import ApprovalGranted, ApprovalRevoked, DeterminationRecorded
from engine.domain.events.repositories import (
    Repository,
    RepositoryForked,
    RepositoryLicenceChanged,
    RepositoryPushed,
    RepositoryReleased,
    RepositoryTransferred,
    RepositoryVisibilityChanged,
)
from engine.domain.reference import Reference
from engine.domain.values import Instant

RELEASE = "release_approval"
_OWNERS_UNSAID = "the organisation has not said which owners are its own"
MOST_HOLDERS = 16
"""How many people an input names at most whose compute a repository was made with: by id."""
_MOVED = (RepositoryForked, RepositoryTransferred)
_JUDGED = (*_MOVED, RepositoryVisibilityChanged, RepositoryReleased, RepositoryLicenceChanged)
"""Acts that are judged at the repository, of whoever is verified behind the login that acted."""
_APPROVED = {RepositoryForked: "fork", RepositoryTransferred: "divestiture", RepositoryLicenceChanged: "licence"}
"""Acts that an approval of a kind excuses: that there is none isn't known before the feed of approvals has said so."""
_ACTIONS = {
    "compute.repository.pushed.v1": "pushed",
    "compute.repository.forked.v1": "forked",
    "compute.repository.transferred.v1": "transferred",
    "compute.repository.visibility_changed.v1": "visibility_changed",
    "compute.repository.downloaded.v1": "downloaded",
}


class State(msgspec.Struct):
    """What is known of the repository so far."""

    name: str = ""
    named: str = ""
    """The name, with its host, that facts which name it so are told to come here by."""
    owner: str = ""
    private: bool | None = None
    approvals: Approvals = msgspec.field(default_factory=Approvals)
    resolved: dict[str, str] = {}
    """Cause → verified person, for acts that asked."""
    exposure: dict[str, int] = {}
    """Holder → company-terms units used for the repository (micro-units)."""
    ownership: str = "undetermined"
    """What a determination says: company | holder | shared | undetermined."""
    release_us: int = 0
    """How long after a repository became public its release may still be approved (µs)."""
    published: dict[str, Question] = {}
    """Publication → what is asked about it when that time is over."""


class Act(NamedTuple):
    """One act on a repository, with what was so at that moment."""

    event: Event
    data: Repository
    at: int
    private: bool | None
    ours: bool | None
    reference: Reference


def fold(state: State, event: Event, at: int, reference: Reference) -> Effects:
    """Fold one event of the repository."""
    data = event.data
    if isinstance(data, Repository):
        return _act(state, event, data, at, reference)
    if isinstance(data, IdentityResolved):
        state.resolved[data.cause] = data.person
    elif isinstance(data, RepositoryExposed):
        if data.ip_terms == "company":
            state.exposure[data.holder] = state.exposure.get(data.holder, 0) + int(data.units)
    elif isinstance(data, DeterminationRecorded):
        if data.question == "ownership" and data.answer in ("company", "holder", "shared"):
            state.ownership = data.answer
    elif isinstance(data, DeadlineReached):
        return _released(state, event, data, at, reference)
    elif isinstance(data, ApprovalGranted):
        state.approvals.grant(data, event.time)
    elif isinstance(data, ApprovalRevoked):
        state.approvals.revoke(data.approval_id, at)
    return NOTHING


def _act(state: State, event: Event, data: Repository, at: int, reference: Reference) -> Effects:
    effects = Effects(derived=[], postings=[])
    private = state.private if data.private is None else data.private
    ours = reference.ours(event.organisation, data.owner, at)
    if data.actor is not None:
        login = f"{event.organisation}/alias/{data.actor.id}"
        said = (
            cause_id(event) if data.known_as is None else f"{cause_id(event)} {data.repository}"
        )  # it may go to another one yet
        if event.type in _ACTIONS:
            contribution = _contribution(data, event.type, private, ours)
            effects.derived.append(Derived(login, make(event, contribution, f"contribution {said}")))
        if isinstance(data, _JUDGED):
            asked = IdentityAsked(data.actor, "repository", data.repository, cause_id(event), ours)
            effects.derived.append(Derived(login, make(event, asked, f"asked {said}")))
    if isinstance(data, _JUDGED):
        effects.question = _question(state, Act(event, data, at, private, ours, reference))
        if isinstance(data, RepositoryVisibilityChanged) and data.to == "public":
            state.published[cause_id(event)] = effects.question
            due = DeadlineReached(RELEASE, cause_id(event), "repository", data.repository, Instant(at))
            effects.derived.append(deadline(event, due, at + state.release_us))
    state.name, state.owner, state.private = data.name, data.owner, private
    if isinstance(data, RepositoryTransferred):
        state.owner = data.to_owner
        effects.derived += _named(state, event, data, f"{data.to_owner}/{data.name.rpartition('/')[2]}")
    else:
        host = data.repository.partition("#")[0]
        effects.derived += _named(state, event, data, data.name if data.name.startswith(f"{host}/") else f"{host}/{data.name}")
    if isinstance(data, RepositoryVisibilityChanged):
        state.private = data.to != "public"
    return effects


def _named(state: State, event: Event, data: Repository, name: str) -> list[Derived]:
    """Tell a name which repository has it, where the host numbers it and an act says the name anew."""
    name = name.lower()
    if data.known_as is not None or "#" not in data.repository or name == state.named or repository_key(name)[0] != "alias":
        return []
    state.named = name
    said = RepositoryNamed(Alias("repository", name), data.repository)
    key = f"{event.organisation}/alias/{said.alias.id}"
    return [Derived(key, make(event, said, f"named {cause_id(event)}"))]


def _released(state: State, event: Event, data: DeadlineReached, at: int, reference: Reference) -> Effects:
    """Ask about a publication when the time to approve it is over, unless the repository was closed again meanwhile."""
    asked = state.published.pop(data.about_, None)
    if asked is None or state.private:
        return NOTHING
    fields = asked.event | header(event, at) | {"kind": data.kind, "about": data.about_}
    unknown = {path: why for path, why in asked.unknown.items() if not path.startswith("facts.approvals")}
    since = int(data.since)
    facts = {path: value for path, value in asked.facts.items() if path != "approvals"} | {"published_at": since}
    silent = reference.incomplete(event.organisation, "approvals", at)
    tell(facts, unknown, state.approvals.within(since, at), kind="release", silent=silent)
    return Effects(question=Question(fields, facts, unknown))


def _contribution(data: Repository, kind: str, private: bool | None, ours: bool | None) -> ContributionAttributed:  # noqa: FBT001
    assert data.actor is not None  # noqa: S101 - the caller looked
    push = data if isinstance(data, RepositoryPushed) else None
    return ContributionAttributed(
        actor=data.actor,
        action=_ACTIONS[kind],
        repository=data.repository,
        name=data.name,
        in_org=ours,
        private=private,
        commits=push.commits if push else 0,
        authors=push.authors if push else (),
        committers=push.committers if push else (),
        coauthors=push.coauthors if push else (),
        branch=push.branch if push else "",
        session=push.session if push else None,
        job_id=push.job_id if push else None,
        artifacts=push.artifacts if push else (),
    )


def _question(state: State, act: Act) -> Question:
    event, data = act.event, act.data
    fields = header(event, act.at) | {"repo": data.repository, "repo_name": data.name}
    fields["actor"] = data.actor.value if data.actor else "none"
    facts: dict[str, Any] = {"repo": data.repository, "repo_name": data.name}
    unknown: dict[str, str] = {}
    kind = _APPROVED.get(type(data), "")
    silent = act.reference.incomplete(event.organisation, "approvals", act.at + 1) if kind and act.ours else ""
    tell(facts, unknown, state.approvals.standing(act.at), kind=kind, silent=silent)
    _set(facts, unknown, "in_org", act.ours, _OWNERS_UNSAID)
    if isinstance(data, RepositoryReleased):
        fields["release"] = data.tag
        _work(state, act, facts, unknown)
    elif isinstance(data, RepositoryLicenceChanged):
        _licence(data, fields, unknown)
    else:
        fields |= _moved(state, act, facts, unknown)
    holder = state.resolved.get(cause_id(event))
    who = data.actor.value if data.actor else "an unnamed actor"
    _set(facts, unknown, "holder", holder, f"{who} is not linked to a verified person")
    return Question(fields, facts, unknown)


def _moved(state: State, act: Act, facts: dict[str, Any], unknown: dict[str, str]) -> dict[str, Any]:
    """Give to whom or into whose sight a repository went."""
    data, private = act.data, act.private
    fields: dict[str, Any] = {"to": data.owner, "to_owner": data.owner, "to_owner_kind": data.owner_kind}
    if isinstance(data, RepositoryVisibilityChanged):
        fields["to"] = data.to
        private = state.private if state.private is not None else (None if data.to != "public" else private)
    elif isinstance(data, _MOVED):
        fields = {"to": data.to_owner, "to_owner": data.to_owner, "to_owner_kind": data.to_owner_kind}
    _set(facts, unknown, "was_private", private, "no source has said whether the repository was private")
    theirs = act.reference.ours(act.event.organisation, fields["to_owner"], act.at)
    if theirs is None:
        unknown["event.to_in_org"] = _OWNERS_UNSAID
    else:
        fields["to_in_org"] = theirs
    if isinstance(data, RepositoryForked) and data.to_owner_kind == "unknown":
        del fields["to_owner_kind"]
        unknown["event.to_owner_kind"] = "the host has not said whether the owner of the copy is a person"
    return fields


def _work(state: State, act: Act, facts: dict[str, Any], unknown: dict[str, str]) -> None:
    """Say what company-terms compute went into a repository, and whose its work is: the company's in one of its own."""
    exposed = {holder: units for holder, units in state.exposure.items() if units > 0}
    facts["exposure"] = {"ccu_u": sum(exposed.values()), "holders": sorted(exposed)[:MOST_HOLDERS]}
    owned: str | None = state.ownership
    why = _OWNERS_UNSAID
    if owned == "undetermined" and act.ours is not False:
        owned = "company" if act.ours else None
    elif (
        owned == "undetermined"
        and exposed
        and (silent := act.reference.incomplete(act.event.organisation, "approvals", act.at + 1))
    ):
        owned, why = None, silent  # it may have been determined, and isn't told yet: that comes with the approvals
    _set(facts, unknown, "ownership", owned, why)


def _licence(data: RepositoryLicenceChanged, fields: dict[str, Any], unknown: dict[str, str]) -> None:
    """Say which licence there was and is; SPDX identifiers are the same in any case of letters."""
    fields["licence_before"] = data.before.lower()
    if data.after == "unknown":
        unknown["event.licence"] = "the source could not tell the new licence"
    else:
        fields["licence"] = data.after.lower()


def _set(facts: dict[str, Any], unknown: dict[str, str], key: str, value: Any, why: str) -> None:
    if value is None:
        unknown[f"facts.{key}"] = why
    else:
        facts[key] = value
