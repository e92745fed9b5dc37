"""What a person does in repositories, as rules are asked of it: pushes, forks and readings, and what notice makes of them.

Part of the person aggregate. A reading is judged when it happens, and once more when notice is given: then by one derived
fact for each repository read in the last window. Memberships of other organisations are asked of here as well.

Unlike a deadline, which stands before all else of its instant, an act stands after what was disclosed, linked or approved
at its very instant: no absence is judged unless the feed is complete beyond that instant (hence `at + 1`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.domain.aggregates import authorship, outside, reading
from engine.domain.approvals import tell
from engine.domain.effects import Derived, Question, Wait, cause_id, header, make
from engine.domain.enablement import WHY_OFF, Permission, folds
from engine.domain.events import Event
from engine.domain.events.derived import ContributionAttributed, ContributionReviewed
from engine.domain.events.people import PersonMembershipRecorded
from engine.domain.reference import Reference

if TYPE_CHECKING:
    from engine.domain.aggregates.person import State

FOLDED: Final = (ContributionAttributed, ContributionReviewed)


def question(
    state: State, event: Event, data: ContributionAttributed | ContributionReviewed, at: int, reference: Reference,
    permission: Permission | None, since: int = -1,
) -> Question:  # fmt: skip
    """Fold a contribution, and ask about it; pushes before `since` don't count, as what is asked of them was lowered then."""
    fields = header(event, at) | {"repo": data.repository, "repo_name": data.name}
    facts: dict[str, Any] = {"holder": state.id, "exit": _exit(state)}
    unknown: dict[str, str] = {}
    tell(facts, unknown, state.approvals.standing(at))
    if data.in_org is None:
        unknown["event.in_org"] = "the organisation has not said which owners are its own"
    else:
        fields["in_org"] = data.in_org
    if data.private is None:
        unknown["event.private"] = "no source has said whether the repository was private"
    else:
        fields["private"] = data.private
    if isinstance(data, ContributionReviewed):
        fields["action"] = "downloaded"
        if folds(permission, "IP-011"):
            _read(state, event, data.repository, at, reference, facts, unknown)
        else:
            _unread(unknown)
        return Question(fields, facts, unknown, state.agreement())
    fields |= {"action": data.action, "commits": data.commits, "authors": "given" if data.authors else "none"}
    reading.heard(state.reading, at)
    facts |= {
        "links": state.links.of(at, data) if data.action == "pushed" else [],
        "prior_invention": data.repository in state.inventions.values(),
        "determination": _answer(state, data.repository),
    }
    waits: list[Wait] = []
    if data.in_org is False and not facts["prior_invention"] and any(link["ip_terms"] == "company" for link in facts["links"]):
        waits += _declared(state, event, at, reference, facts, unknown)
    if data.action == "pushed":
        waits += _pushed(state, event, data, at, reference, facts, unknown, (permission, since))
    elif data.action == "downloaded" and not folds(permission, "IP-011"):
        _unread(unknown)
    elif data.action == "downloaded":
        reading.read(state.reading, data, at)
        _read(state, event, data.repository, at, reference, facts, unknown)
    return Question(fields, facts, unknown, state.agreement(), waits=waits)


def review(state: State, event: Event, at: int) -> list[Derived]:
    """Have the repositories looked at again that somebody read before notice was given."""
    target = f"{event.organisation}/person/{state.id}"
    found = []
    for repository, one in reading.recent(state.reading, at):
        data = ContributionReviewed(state.id, repository, one.name, one.in_org, one.private)
        found.append(Derived(target, make(event, data, f"reviewed {repository} {cause_id(event)}")))
    return found


def membership(state: State, event: Event, data: PersonMembershipRecorded, at: int, reference: Reference) -> Question:
    """Ask about a membership in another organisation, as it was told."""
    fields = header(event, at) | {"member_of": data.member_of.lower(), "basis": data.basis}
    facts: dict[str, Any] = {
        "holder": state.id,
        "exit": _exit(state),
        "membership": "ended" if data.until is not None and data.until <= at else "current",
        "grant_holder": any(grant.live(at) for grant in state.grants.values()),
    }
    unknown: dict[str, str] = {}
    tell(facts, unknown, state.approvals.standing(at))
    if facts["exit"]["state"] != "ended" and (why := reference.incomplete(event.organisation, "people", at + 1)):
        del facts["exit"]  # they may have left, and it isn't told yet
        unknown["facts.exit"] = why
    return Question(fields, facts, unknown, state.agreement())


def _exit(state: State) -> dict[str, Any]:
    ended = state.ended_at >= 0
    word = "ended" if ended else "notice" if state.notice_at else "none"
    return {"state": word, "notice_at": state.notice_at, "ended_at": max(state.ended_at, 0)}


def _pushed(
    state: State, event: Event, data: ContributionAttributed, at: int, reference: Reference,
    facts: dict[str, Any], unknown: dict[str, str], asked: tuple[Permission | None, int],
) -> list[Wait]:  # fmt: skip
    (permission, since), waits = asked, []
    if not folds(permission, "IP-007"):
        unknown["facts.outside"] = WHY_OFF
    else:
        facts["outside"] = found = outside.pushed(state.outside, at, data, facts["links"], since)
        if found["disclosure"] == "none" and (why := reference.incomplete(event.organisation, "disclosures", at + 1)):
            waits.append(Wait("facts.outside.disclosure", "disclosures", at + 1, found.pop("disclosure")))
            unknown["facts.outside.disclosure"] = why
    if not folds(permission, "IP-013"):
        unknown["facts.authorship"] = WHY_OFF
        return waits
    said = authorship.facts(state.authorship, data, at)
    why = reference.incomplete(event.organisation, "people", at + 1) if said["foreign"] else ""
    if why:  # a name may be verified to be theirs, and the directory hasn't said so yet
        waits.append(Wait("facts.authorship", "people", at + 1, said))
        unknown["facts.authorship"] = why
    else:
        facts["authorship"] = said
    return waits


def _unread(unknown: dict[str, str]) -> None:
    unknown["facts.downloads"] = unknown["facts.handover"] = WHY_OFF


def _read(
    state: State, event: Event, repository: str, at: int, reference: Reference, facts: dict[str, Any], unknown: dict[str, str]
) -> None:
    found = reading.facts(state.reading, repository, at)
    noticed = _exit(state)["state"] == "notice"  # only then does the rule look at what is usual
    why = reference.incomplete(event.organisation, "repositories", at - state.reading.length + 1) if noticed else ""
    if why:  # what is usual would look like less than it was
        del found["usual"]
        unknown["facts.downloads.usual"] = why
    facts["downloads"] = found
    agreed = any(about in ("", repository) and since <= at < until for about, since, until in state.handovers)
    facts["handover"] = "agreed" if agreed else "none"
    if not noticed or agreed:
        return
    if why := reference.incomplete(event.organisation, "people", at + 1):
        del facts["handover"]
        unknown["facts.handover"] = why
    if why := reference.incomplete(event.organisation, "approvals", at + 1):
        facts.pop("approvals", None)
        tell(facts, unknown, state.approvals.standing(at), kind="handover", silent=why)


def _declared(
    state: State, event: Event, at: int, reference: Reference, facts: dict[str, Any], unknown: dict[str, str]
) -> list[Wait]:
    """Leave open whether a push tied to company-terms compute is of a prior invention that may have been declared."""
    why = reference.incomplete(event.organisation, "disclosures", at + 1)
    unnamed = "" in state.inventions.values()
    if unnamed:
        why = "a prior invention was declared that names no repository, and may be this one"
    if not why:
        return []
    unknown["facts.prior_invention"] = why
    wait = Wait("facts.prior_invention", "disclosures", at + 1, facts.pop("prior_invention"))
    return [] if unnamed else [wait]


def _answer(state: State, repository: str) -> str:
    """Give what was determined of a repository, in the person's favour where two determinations differ."""
    owner = state.determinations.get(f"ownership {repository}", "none")
    if owner in ("holder", "shared", "unrelated"):
        return owner
    if state.determinations.get(f"relatedness {repository}") == "unrelated":
        return "unrelated"
    return "company" if owner == "company" else "none"
