"""The person aggregate: grants, usage and contributions of one holder, folded in order of event time.

`fold` changes the state and says what the event does: postings, derived facts, and the question for the rules with
facts ready to compare. What is folded here is about the person alone; it never looks anything up elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

import msgspec

from engine.domain import grants as lifecycle
from engine.domain.aggregates import (
    authorship,
    commitments,
    contributions,
    corrections,
    draws,
    duties,
    habits,
    holdings,
    outside,
    reading,
)
from engine.domain.aggregates import coverage as coverage_
from engine.domain.aggregates.links import Links
from engine.domain.approvals import MOST, Approvals, tell
from engine.domain.consumption import consumed
from engine.domain.effects import NOTHING, Derived, Effects, Posting, Question, Wait, cause_id, header, make
from engine.domain.enablement import WHY_OFF, Permission, folds
from engine.domain.events import Event, agreements
from engine.domain.events import derived as derivations
from engine.domain.events import people as p
from engine.domain.events import usage as u
from engine.domain.grants import Grant
from engine.domain.lowering import ALWAYS, NEVER, Lowering
from engine.domain.reference import Reference
from engine.domain.values import DAY_US, FOREVER, week
from engine.domain.windows import Recent, RunningSum

_SUMS_OF_USE: Final = ("FU-001", "FU-004", "FU-012")
_UNLOWERED: Final = dict.fromkeys(_SUMS_OF_USE, ALWAYS)
_COUNTRY: Final = re.compile(r"[A-Z]{2}(-|$)")
"""How an ISO 3166 code begins; the region of a provider's data centre is no country."""
CAP_UNIT: Final = "CCU"
"""The unit caps are counted in: what is metered in another is no part of them, for the numbers mean something else."""


class State(msgspec.Struct):
    """All that is folded of one person."""

    id: str
    cap: RunningSum
    consumers: Recent
    links: Links
    duties: duties.Duties
    outside: outside.Outside
    habits: habits.Habits
    reading: reading.Reading
    authorship: authorship.Authorship = msgspec.field(default_factory=authorship.Authorship)
    handovers: list[tuple[str, int, int]] = []
    """Agreed handovers: repository (empty: any), from when, until when."""
    grants: dict[str, Grant] = {}
    approvals: Approvals = msgspec.field(default_factory=Approvals)
    notice_at: int = 0
    ended_at: int = -1
    ended_reason: str = "other"
    jurisdiction: str = ""
    """Where they are employed; empty where nobody has said."""
    jobs: dict[str, int] = {}
    """Job id → when it started."""
    inventions: dict[str, str] = {}
    """Disclosure id → repository (empty: it names none), for prior inventions not rejected."""
    determinations: dict[str, str] = {}
    """Question (ownership, relatedness) and repository → latest answer."""
    resolved: dict[str, str] = {}
    """Cause → verified consumer, until the cause is folded."""
    corrected: dict[str, corrections.Correction] = {}
    """Usage → what it really was, until the usage is folded: corrections stand before what they correct."""
    corrected_at: int = -1
    early: dict[str, tuple[int, int]] = {}
    """Grant → (instant, units) that vested at the very instant of the grant's issue, and stand before it."""
    governed: list[tuple[int, str]] = []
    """From when on which agreement version applied, by the newest grant."""
    unpriced_until: int = -1
    """Until when the cap's window holds usage whose units nobody knows."""
    unpriced_why: str = ""

    def access_until(self) -> int:
        """When access ends: the end of employment plus the longest termination window; FOREVER while employed."""
        if self.ended_at < 0:
            return FOREVER
        return self.ended_at + max((grant.window(self.ended_reason) for grant in self.grants.values()), default=0)

    def agreement(self) -> str:
        """The agreement version of the newest grant, whose thresholds hold where no grant is concerned."""
        newest = _newest(self.grants.values())
        return newest.agreement if newest else "default"


def _newest(grants: Collection[Grant]) -> Grant | None:
    if len(grants) < 2:
        return next(iter(grants), None)
    return max(grants, key=lambda x: (x.since, x.id))


def start(ident: str, windows: dict[str, int]) -> State:
    """Give the state before the first event; `windows` are the bundle's `data.facts` (µs)."""
    return State(
        id=ident,
        cap=RunningSum(windows["consumption_window_us"]),
        consumers=Recent(windows["consumers_window_us"]),
        links=Links(windows["link_window_us"]),
        duties=duties.Duties({name: windows[name] for name in duties.PERIODS}),
        outside=outside.Outside(windows[outside.PERIOD]),
        habits=habits.start(windows),
        reading=reading.Reading(windows[reading.PERIOD]),
    )


def fold(state: State, event: Event, at: int, reference: Reference, lowering: Lowering = NEVER) -> Effects:
    """Fold one event of the person."""
    data = event.data
    permission = reference.enablement.permission(event.organisation, state.jurisdiction, at)
    if isinstance(data, u.Usage):
        return _usage(state, event, data, at, reference, permission, lowering)
    effects = _fold(state, event, data, at, reference, permission, lowering)
    if effects.question is not None:
        effects.question.permission = permission
    due = duties.fold(state.duties, event, data, at, state.id)
    return msgspec.structs.replace(effects, derived=[*effects.derived, *due]) if due else effects


def _fold(
    state: State, event: Event, data: Any, at: int, reference: Reference, permission: Permission | None, lowering: Lowering
) -> Effects:
    if isinstance(data, contributions.FOLDED):
        since = _since(lowering, event, state, state.agreement(), "IP-007", at, reference)
        return Effects(question=contributions.question(state, event, data, at, reference, permission, since))
    if isinstance(data, derivations.IdentityResolved):
        state.resolved[data.cause] = data.person
    elif isinstance(data, derivations.DeadlineReached):
        return _reached(state, event, data, at, reference)
    elif isinstance(data, u.JobStarted):
        state.jobs[data.job_id] = at
    elif isinstance(data, u.UsageCorrected):
        corrections.note(state, event, data, at)
    elif isinstance(data, holdings.FOLDED):
        effects = holdings.fold(state, event, data, at, reference)
        if state.grants and (not state.governed or state.governed[-1][1] != state.agreement()):
            state.governed.append((at, state.agreement()))
        return effects
    elif isinstance(data, agreements.AgreementSigned):
        return Effects(question=_signing(state, event, data, at))
    elif isinstance(data, p.PersonMembershipRecorded):
        return Effects(question=contributions.membership(state, event, data, at, reference))
    elif isinstance(data, p.PersonNoticeGiven):
        state.notice_at = at
        return Effects(derived=contributions.review(state, event, at))
    elif isinstance(data, (p.PersonHired, p.PersonTerminated)):
        return _employment(state, event, data, at)
    else:
        _people(state, event, data, at)
    return NOTHING


def _employment(state: State, event: Event, data: p.PersonHired | p.PersonTerminated, at: int) -> Effects:
    effects = holdings.lapse(state, at)
    _people(state, event, data, at)
    if isinstance(data, p.PersonTerminated):
        effects.postings += holdings.forfeit(state)
    return commitments.tell_all(state, event, at, effects)


def _reached(state: State, event: Event, data: derivations.DeadlineReached, at: int, reference: Reference) -> Effects:
    if data.kind == holdings.TRANCHE:
        return holdings.vest(state, event, data, at)
    if data.kind == commitments.RUN_OUT:
        return commitments.run_out(state, event, data.about_, at)
    if data.kind in duties.OF_THE_EMPLOYED and state.ended_at >= 0:
        return NOTHING
    found = duties.facts(state.duties, event, data, at, reference)
    if found is None:
        return NOTHING
    fields, facts, unknown = found
    facts["holder"] = state.id
    tell(facts, unknown, state.approvals.standing(at))
    if data.kind == duties.EXPIRING and not holdings.still_expires(state, data.about_, at):
        return NOTHING
    if data.kind == duties.EXPIRING:
        facts["grant"] = holdings.unspent(state, data.about_)
    return Effects(question=Question(fields, facts, unknown, state.agreement()))


def _people(state: State, event: Event, data: Any, at: int) -> None:
    if isinstance(data, p.ApprovalGranted):
        state.approvals.grant(data, event.time)
    elif isinstance(data, p.ApprovalRevoked):
        state.approvals.revoke(data.approval_id, at)
    elif isinstance(data, p.PersonHired):
        state.notice_at, state.ended_at = 0, -1
        state.jurisdiction = data.jurisdiction
        reading.heard(state.reading, at)
    elif isinstance(data, p.PersonJurisdictionChanged):
        state.jurisdiction = data.jurisdiction
    elif isinstance(data, p.PersonHandoverRecorded):
        state.handovers.append((data.repository or "", at, FOREVER if data.until is None else int(data.until)))
    elif isinstance(data, derivations.AliasHeld):
        authorship.learn(state.authorship, data)
    elif isinstance(data, p.PersonTerminated):
        state.ended_at, state.ended_reason = at, data.reason
    elif isinstance(data, (agreements.DisclosureSubmitted, agreements.DisclosureDecided)):
        _disclosed(state, data)
    elif isinstance(data, p.DeterminationRecorded) and data.repository is not None:
        outside.determined(state.outside, data)
        if data.question in ("ownership", "relatedness"):
            state.determinations[f"{data.question} {data.repository}"] = data.answer
    else:
        habits.learn(state.habits, data, at)


def _disclosed(state: State, data: agreements.DisclosureSubmitted | agreements.DisclosureDecided) -> None:
    if isinstance(data, agreements.DisclosureDecided):
        if data.decision == "rejected":
            state.inventions.pop(data.disclosure_id, None)
        return
    outside.disclosed(state.outside, data)
    if data.kind == "prior_invention":
        state.inventions[data.disclosure_id] = data.repository or ""


def _usage(
    state: State, event: Event, data: u.Usage, at: int, reference: Reference, permission: Permission | None, lowering: Lowering
) -> Effects:
    correction = state.corrected.pop(cause_id(event), None)
    stands = data.state if correction is None else correction.state
    if stands == "failed" or (isinstance(data, u.UsageCharged) and data.category != "usage"):
        return NOTHING
    effects = Effects(postings=[], derived=[])
    if data.consumer is not None and data.consumer.kind != "person" and folds(permission, "FU-004"):
        asked = derivations.IdentityAsked(data.consumer, "person", state.id, cause_id(event))
        target = f"{event.organisation}/alias/{data.consumer.id}"
        effects.derived.append(Derived(target, make(event, asked, f"asked {cause_id(event)}")))
    amount, why = consumed(event.organisation, data, at, reference)
    if correction is not None and correction.quantity is not None:
        amount, why = correction.quantity, ""
    settled = amount if stands == "settled" else 0
    drawn: Grant | None = None
    over = settled
    if at < state.access_until():
        drawn, effects.postings, over = lifecycle.burn_down(state.grants, at, data, settled, (state.ended_at, state.ended_reason))
    coverage, grant = coverage_.standing(state, data, at, drawn)
    if data.repository is not None or drawn is not None or isinstance(data, u.UsageGpu):
        effects.shares = draws.shares(event, data, at, state.id, state.grants, drawn, effects.postings)
    if drawn is not None and settled:
        if folds(permission, "IP-007"):
            outside.used(state.outside, at, data.repository, drawn.ip_terms)
        effects.derived += duties.consume(state.duties, event, at, state.id)
    if coverage == "uncovered":
        effects.derived += duties.uncovered(state.duties, event, at, state.id, data.authenticated)
    if over:
        effects.postings.append(Posting(grant.id if grant else "none", data.unit, "overage", over))
    agreement = grant.agreement if grant else state.agreement()
    lowered = _lowered(lowering, event, state, agreement, at, reference)
    total = state.cap.add(at, amount if data.unit == CAP_UNIT else 0, lowered["FU-001"])
    if why and data.unit == CAP_UNIT:
        state.unpriced_until, state.unpriced_why = at + state.cap.length, why
    if folds(permission, "IP-001", "IP-007"):
        state.links.note(at, event.id, data, grant if coverage == "covered" else None)
    effects.question = _usage_question(
        state, event, data, at, (amount, total, why), (coverage, grant), (permission, lowered), reference
    )  # fmt: skip
    return effects


def _lowered(lowering: Lowering, event: Event, state: State, agreement: str, at: int, reference: Reference) -> dict[str, int]:
    """From when each sum of use counts."""
    if len(state.governed) < 2 and not reference.policies:
        return _UNLOWERED  # there was nothing before that could have been higher
    return {code: _since(lowering, event, state, agreement, code, at, reference) for code in _SUMS_OF_USE}


def _since(lowering: Lowering, event: Event, state: State, agreement: str, code: str, at: int, reference: Reference) -> int:
    """From when a rule's sum counts: since its threshold was lowered last, by another agreement or another revision."""
    since = lowering.since(event.organisation, state.governed, agreement, code)
    if not reference.policies:
        return since
    return max(since, lowering.since_revised(event.organisation, agreement, code, at, reference.activations(event.organisation)))


def _consumer(state: State, event: Event, data: u.Usage) -> str:
    """Give the verified person who used it, where the client says and an alias or the source verifies it."""
    resolved = state.resolved.pop(cause_id(event), "")
    if data.consumer is not None and data.consumer.kind == "person":
        return data.consumer.value
    return resolved


def _standing(state: State, data: u.Usage, consumer: str) -> str:
    """Say how the consumer stands to the holder."""
    if data.consumer is None:
        return "none"
    if not consumer:
        return "unverified"
    return "holder" if consumer == state.id else "other"


def _usage_question(
    state: State, event: Event, data: u.Usage, at: int, amounts: tuple[int, int, str], covered: tuple[str, Grant | None],
    held: tuple[Permission | None, dict[str, int]], reference: Reference,
) -> Question:  # fmt: skip
    (amount, total, why), (coverage, grant), (permission, lowered) = amounts, covered, held
    counts = folds(permission, "FU-004")
    consumer = _consumer(state, event, data)
    of_grant = f"{grant.id}\0" if grant is not None else "\0"  # no name has a zero in it
    if counts and consumer not in ("", state.id) and grant is not None and grant.personal:
        state.consumers.add(at, of_grant + consumer)
    credential = data.authenticated
    units = (amount, why) if data.unit == CAP_UNIT else (0, "")
    fields, use, unknown = habits.note(state.habits, data, at, credential, units, state.approvals, permission, lowered["FU-012"])
    fields.update(
        header(event, at), week=week(at // DAY_US), state=data.state, provider=data.provider, model=data.model,
        credential=credential, consumer=_standing(state, data, consumer),
    )  # fmt: skip
    if why:
        unknown["event.ccu_u"] = why
    else:
        fields["ccu_u"] = amount
    if counts:
        use["consumers_24h"] = state.consumers.count(at, lowered["FU-004"], of_grant)
    else:
        unknown["facts.use.consumers_24h"] = WHY_OFF
    if at < state.unpriced_until:
        unknown["facts.use.ccu_30d_u"] = state.unpriced_why
    else:
        use["ccu_30d_u"] = total
    facts = {
        "holder": state.id,
        "coverage": coverage,
        "access_until": state.access_until(),
        "grant": {
            "id": grant.id if grant else "none",
            "personal": bool(grant and grant.personal),
            "until": grant.until if grant else 0,
            "models": list(grant.models) if grant else [],
            "providers": list(grant.providers) if grant else [],
        },
        "use": use,
        "travel": state.habits.travel(at),
        "workload": state.habits.workload(data.workload),
    }
    waits = _explained(state, event, str(fields["region"]), at, reference, facts, unknown)
    coverage_.tell(state, data, at, coverage, facts, unknown)
    return Question(fields, facts, unknown, grant.agreement if grant else state.agreement(), permission, waits)


def _explained(
    state: State, event: Event, region: str, at: int, reference: Reference, facts: dict[str, Any], unknown: dict[str, str]
) -> list[Wait]:
    """Add approvals and launches, and leave open what may explain a usage and not have been told yet.

    That is a launch in an hour beyond what is usual, and a journey where the country isn't that of the person's employment.
    """
    use = facts["use"]
    burst = use.get("ccu_1h_u", 0) > use.get("p95_1h_28d_u", 0) > 0
    silent = reference.incomplete(event.organisation, "approvals", at + 1) if burst else ""
    standing = state.approvals.standing(at)
    tell(facts, unknown, standing)
    launches = [one.id for one in standing if one.kind == "launch"]
    waits = []
    if silent and not launches:
        unknown["facts.launches"] = silent
        waits.append(Wait("facts.launches", "approvals", at + 1, []))
    else:
        facts["launches"] = launches[:MOST]
    home = _COUNTRY.match(region) is None or region[:2] == state.jurisdiction[:2]
    if not home and region not in facts["travel"] and (why := reference.incomplete(event.organisation, "people", at + 1)):
        unknown["facts.travel"] = why
        waits.append(Wait("facts.travel", "people", at + 1, facts.pop("travel")))
    return waits


def _signing(state: State, event: Event, data: agreements.AgreementSigned, at: int) -> Question:
    fields = header(event, at) | {"document": data.kind, "version": data.version}
    facts: dict[str, Any] = {"holder": state.id}
    unknown: dict[str, str] = {}
    tell(facts, unknown, state.approvals.standing(at))
    if data.notice_given is None:
        unknown["event.notice_given"] = "the source has not said whether the notice was given"
    else:
        fields["notice_given"] = data.notice_given
    if state.jurisdiction:
        facts["jurisdiction"] = state.jurisdiction
    else:
        unknown["facts.jurisdiction"] = "no source has said where the person is employed"
    return Question(fields, facts, unknown, state.agreement())
