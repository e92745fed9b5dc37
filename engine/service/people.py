"""One person's account: grants and balances, usage by month, contributions, findings, approvals, what can't be judged.

Owns the shapes that leave the engine; reads through `store.queries`. Never decides, never writes. It is as much for
clearing a person as for anything else: what was judged and passed, what excuses, and what isn't known stand beside findings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec

from engine.domain import codec
from engine.domain.errors import NotFound, UsageError
from engine.domain.events import Event
from engine.domain.events import grants as g
from engine.domain.events import people as p
from engine.domain.events.derived import GrantReceived
from engine.domain.values import DAY_US, Instant, Quantity, month
from engine.service import telling
from engine.service.findings import Finding, Findings, finding
from engine.store.queries import DayOf, PersonRows, Posted

_STATES = {
    g.GrantSuspended.TYPE: "suspended",
    g.GrantResumed.TYPE: "live",
    g.GrantExpired.TYPE: "expired",
    g.GrantVoided.TYPE: "voided",
    g.GrantTransferred.TYPE: "transferred",
}


class GrantLine(msgspec.Struct, frozen=True):
    """One grant and its balance now; what it granted or took in is always the sum of the rest."""

    grant: str
    unit: str
    state: str
    """live | suspended | voided | expired | transferred; empty where its terms aren't known."""
    since: Instant | None
    expires_at: Instant | None
    ip_terms: str
    agreement_version: str
    models: list[str]
    providers: list[str]
    granted: Quantity
    transferred_in: Quantity
    consumed: Quantity
    expired: Quantity
    forfeited: Quantity
    voided: Quantity
    transferred_out: Quantity
    outstanding: Quantity
    unvested: Quantity
    overage: Quantity
    """Consumed beyond what was vested; not part of the balance."""


class Month(msgspec.Struct, frozen=True):
    """Usage in one calendar month (UTC) and unit."""

    month: str
    unit: str
    consumed: Quantity
    overage: Quantity
    events: int
    """Usage events of the month in any unit."""


class RepositoryLine(msgspec.Struct, frozen=True):
    """What the person did in one repository; `private` acts and others alike."""

    repository: str
    name: str
    in_organisation: bool | None
    """None where the organisation has not said which owners are its own."""
    commits: int
    actions: dict[str, int]
    first_at: Instant
    last_at: Instant


class Unjudged(msgspec.Struct, frozen=True):
    """What could not be judged of the person, and which fact is missing."""

    rule: str
    title: str
    fact: str
    reason: str
    count: int
    first_at: Instant
    last_at: Instant


class Happened(msgspec.Struct, frozen=True):
    """A dated fact about the person."""

    at: Instant
    recorded_at: Instant
    type: str
    words: str
    event: str


class Approval(msgspec.Struct, frozen=True):
    """An approval or a determination about the person."""

    id: str
    kind: str
    decided_by: str
    decided_at: Instant
    since: Instant
    until: Instant | None
    amount: Quantity
    scope: str
    back_dated: bool
    """Decided after it began to hold."""


class Account(msgspec.Struct, frozen=True):
    """All that is held of one person, for people."""

    id: str
    organisation: str
    engagement: str
    """employed | notice | ended, or unknown where no source has said."""
    findings: list[Finding]
    grants: list[GrantLine]
    usage: list[Month]
    contributions: list[RepositoryLine]
    approvals: list[Approval]
    unjudged: list[Unjudged]
    judged: dict[str, int]
    """Verdict → events of the person whose decision stands so."""
    history: list[Happened]


class Choice(UsageError):
    """The person's id is used by several organisations."""

    def __init__(self, person: str, organisations: list[str]) -> None:
        """Name them."""
        msg = f"{len(organisations)} organisations have a person {person}: {', '.join(organisations)}."
        super().__init__(msg, "Say which: ?organisation=ID.")
        self.person = person
        self.organisations = organisations


class People:
    """People of one store."""

    def __init__(self, findings: Findings) -> None:
        """Share the findings' store and bundles."""
        self.queries = findings.queries
        self.titles = findings.rule_titles

    def account(self, person: str, organisation: str = "", *, now_us: int) -> Account:
        """Give a person's account as at `now_us`; `NotFound` for nobody, `Choice` where an organisation must be named."""
        if not organisation:
            known = self.queries.organisations_of(person)
            if len(known) > 1:
                raise Choice(person, known)
            organisation = known[0] if known else ""
        rows = self.queries.person(organisation, person)
        if not (rows.events or rows.balances or rows.days or rows.contributions or rows.violations or rows.verdicts):
            msg = f"Nothing is held of a person {person[:60]}."
            raise NotFound(msg, "See that the id is right; people are named by the organisation's own ids.")
        return _account(person, organisation, rows, self.titles(), now_us)


def _account(person: str, organisation: str, rows: PersonRows, titles: dict[str, str], now_us: int) -> Account:
    events = [(codec.parse_event(row.event), row.recorded_at) for row in rows.events]
    return Account(
        id=person,
        organisation=organisation,
        engagement=_engagement(event for event, _ in events),
        findings=[finding(row, titles) for row in rows.violations],
        grants=_grants(rows.balances, [event for event, _ in events], now_us),
        usage=_months(rows.days),
        contributions=_repositories(rows),
        approvals=_approvals([event for event, _ in events]),
        unjudged=[
            Unjudged(
                row.rule, titles.get(row.rule, ""), row.fact, row.reason, row.count, Instant(row.first_at), Instant(row.last_at)
            )
            for row in rows.indeterminates
        ],
        judged=rows.verdicts,
        history=[
            Happened(Instant(event.time), Instant(at), event.type, telling.event_in_words(event), f"{event.source} {event.id}")
            for event, at in events
        ],
    )


def _engagement(events: Iterable[Event]) -> str:
    state = "unknown"
    for event in events:
        if isinstance(event.data, p.PersonHired):
            state = "employed"
        elif isinstance(event.data, p.PersonNoticeGiven):
            state = "notice"
        elif isinstance(event.data, p.PersonTerminated):
            state = "ended"
    return state


def _grants(posted: list[Posted], events: list[Event], now_us: int) -> list[GrantLine]:
    terms: dict[str, tuple[g.GrantIssued, int]] = {}
    states: dict[str, str] = {}
    for event in events:
        data = event.data
        if isinstance(data, g.GrantIssued):
            terms[data.grant_id], states[data.grant_id] = (data, data.effective(event.time)), "live"
        elif isinstance(data, GrantReceived):
            terms[data.terms.grant_id], states[data.terms.grant_id] = (data.terms, event.time), "live"
        elif event.type in _STATES:
            states[data.grant_id] = _STATES[event.type]
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in posted:
        sums[row.grant, row.unit][row.kind] += row.amount
    lines = [_grant(key, kinds, terms.get(key[0]), states.get(key[0], ""), now_us) for key, kinds in sums.items()]
    return sorted(lines, key=lambda line: (line.since or 0, line.grant))


def _grant(
    key: tuple[str, str], kinds: dict[str, int], known: tuple[g.GrantIssued, int] | None, state: str, now_us: int
) -> GrantLine:
    terms, since = known or (None, None)
    lost = kinds["consumed"] + kinds["expired"] + kinds["forfeited"] + kinds["voided"] + kinds["transferred_out"]
    unvested = kinds["granted"] + kinds["transferred_in"] - lost - kinds["outstanding"]
    outstanding, expired, forfeited = kinds["outstanding"], kinds["expired"], kinds["forfeited"]
    over = terms is not None and terms.expires_at is not None and terms.expires_at <= now_us
    if over and state in ("live", "suspended"):  # a natural expiry is a date, not a posting
        state, expired, forfeited, outstanding, unvested = "expired", expired + outstanding, forfeited + unvested, 0, 0
    return GrantLine(
        grant=key[0],
        unit=key[1],
        state=state,
        since=Instant(since) if since is not None else None,
        expires_at=terms.expires_at if terms else None,
        ip_terms=terms.ip_terms if terms else "",
        agreement_version=terms.agreement_version if terms else "",
        models=list(terms.filters.models) if terms else [],
        providers=list(terms.filters.providers) if terms else [],
        granted=Quantity(kinds["granted"]),
        transferred_in=Quantity(kinds["transferred_in"]),
        consumed=Quantity(kinds["consumed"]),
        expired=Quantity(expired),
        forfeited=Quantity(forfeited),
        voided=Quantity(kinds["voided"]),
        transferred_out=Quantity(kinds["transferred_out"]),
        outstanding=Quantity(outstanding),
        unvested=Quantity(unvested),
        overage=Quantity(kinds["overage"]),
    )


def _months(days: list[DayOf]) -> list[Month]:
    units: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    events: dict[str, int] = defaultdict(int)
    for row in days:
        name = month(row.day * DAY_US)
        if row.kind == "events":
            events[name] += row.amount
        else:
            units[name, row.unit][row.kind] += row.amount
    for name in events.keys() - {name for name, _ in units}:
        units[name, ""]["consumed"] += 0
    return [
        Month(name, unit, Quantity(kinds["consumed"]), Quantity(kinds["overage"]), events[name])
        for (name, unit), kinds in sorted(units.items())
    ]


def _repositories(rows: PersonRows) -> list[RepositoryLine]:
    found: dict[str, dict[str, Any]] = {}
    for row in rows.contributions:
        line = found.setdefault(row.repository, {"commits": 0, "actions": {}, "first_at": row.first_at, "last_at": -1})
        if row.last_at > line["last_at"]:  # the newest act knows what the repository is called and whose it is
            line |= {"last_at": row.last_at, "name": row.name, "in_organisation": row.in_org}
        line["first_at"] = min(line["first_at"], row.first_at)
        line["commits"] += row.commits
        line["actions"][row.action] = line["actions"].get(row.action, 0) + row.events
    lines = [
        RepositoryLine(
            repository, line["name"], line["in_organisation"], line["commits"], line["actions"],
            Instant(line["first_at"]), Instant(line["last_at"]),
        )
        for repository, line in found.items()
    ]  # fmt: skip
    return sorted(lines, key=lambda line: (-line.last_at, line.repository))


def _approvals(events: list[Event]) -> list[Approval]:
    found: dict[str, Approval] = {}
    for event in events:
        data = event.data
        if isinstance(data, p.ApprovalGranted):
            since = event.time if data.from_ is None else data.from_
            found[data.approval_id] = Approval(
                data.approval_id, data.kind, data.approver, Instant(event.time), Instant(since), data.until,
                data.amount, data.scope or "", since < event.time,
            )  # fmt: skip
        elif isinstance(data, p.ApprovalRevoked) and data.approval_id in found:
            known = found[data.approval_id]
            until = event.time if known.until is None else min(known.until, event.time)
            found[data.approval_id] = msgspec.structs.replace(known, until=Instant(until))
        elif isinstance(data, p.DeterminationRecorded):
            since = event.time if data.from_ is None else data.from_
            found[data.determination_id] = Approval(
                data.determination_id, f"{data.question}: {data.answer}", data.decided_by, Instant(event.time), Instant(since),
                None, Quantity(0), data.repository or "", since < event.time,
            )  # fmt: skip
    return sorted(found.values(), key=lambda approval: (approval.since, approval.id))
