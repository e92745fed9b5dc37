"""What a person, or the company towards them, must have done by a date: signatures, attestations, decisions, notices.

Part of the person aggregate. Each duty is a deadline the aggregate sets itself; when it comes, what was folded until
then says whether the duty was met. A late fact is folded before the deadline and un-fires it. No absence is judged
beyond what its feed has said to be complete.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from engine.domain.effects import Derived, deadline, header
from engine.domain.events import Event
from engine.domain.events import agreements as a
from engine.domain.events import people as p
from engine.domain.events import usage as u
from engine.domain.events.derived import DeadlineReached
from engine.domain.reference import Reference
from engine.domain.values import DAY_US, FOREVER, Instant, instant_text

ASSIGNMENT: Final = "ip_assignment"
REACCEPTANCE: Final = "reacceptance"
ATTESTATION: Final = "attestation"
DISCLOSURE: Final = "disclosure_decision"
HEARTBEAT: Final = "job_heartbeat"
EXPIRING: Final = "grant_expiring"
UNCOVERED: Final = "usage_uncovered"
FEEDS: Final = {
    ASSIGNMENT: ("agreements", "people"), REACCEPTANCE: ("agreements", "people"), ATTESTATION: ("agreements", "people"),
    DISCLOSURE: ("disclosures",), HEARTBEAT: ("usage",), EXPIRING: ("agreements", "grants"), UNCOVERED: ("grants",),
}  # fmt: skip
"""Which feeds must be complete for the duty's absence to be judged: a notice of expiry is an agreement's, and the grant may
have been amended; who owes what only the employed owe may have left."""
OF_THE_EMPLOYED: Final = frozenset({ASSIGNMENT, REACCEPTANCE, ATTESTATION})
"""What nobody owes any more who left before it was due."""
PERIODS: Final = (
    "assignment_us", "reacceptance_us", "attestation_us", "disclosure_us", "heartbeat_us", "expiring_us", "uncovered_us",
)  # fmt: skip
"""The bundle's `data.facts`: how long each clock runs (µs)."""


class Document(msgspec.Struct):
    """One version of one document, as far as the person is concerned; −1 for never."""

    sent_at: int = -1
    reminded_at: int = -1
    signed_at: int = -1
    superseded: bool = False
    """Whether a newer version took its place: then nobody owes this one."""


class Disclosure(msgspec.Struct):
    """A disclosure the company owes a decision on; the clock stands still while a question is open."""

    submitted: int
    asked_at: int = -1
    tolled: int = 0
    decided: bool = False

    def due(self, period: int) -> int:
        """By when it is to be decided."""
        return self.submitted + period + self.tolled


class Job(msgspec.Struct):
    """A running job."""

    started: int
    heartbeat: int = -1
    ended: bool = False


class Duties(msgspec.Struct):
    """All that duties need to know."""

    periods: dict[str, int] = {}
    hired_at: int = -1
    consumed_at: int = -1
    """When granted compute was first used."""
    leave_at: int = -1
    leave_until: int = -1
    documents: dict[str, Document] = {}
    """By "kind version"."""
    disclosures: dict[str, Disclosure] = {}
    jobs: dict[str, Job] = {}
    uncovered: dict[str, int] = {}
    """Credential → the last day (UTC, since the epoch) of which a usage that nothing covers waits for a grant."""

    def document(self, kind: str, version: str) -> Document:
        """Give what is known of a document."""
        return self.documents.setdefault(f"{kind} {version}", Document())

    def on_leave(self, at: int) -> bool:
        """Whether a leave covers a moment."""
        return 0 <= self.leave_at <= at < self.leave_until

    def signed(self, kind: str) -> bool:
        """Whether any version of a document is signed."""
        return any(d.signed_at >= 0 for key, d in self.documents.items() if key.split(" ", 1)[0] == kind)


def fold(duties: Duties, event: Event, data: Any, at: int, person: str) -> list[Derived]:
    """Fold one event and give the deadlines it sets."""
    if isinstance(data, a.Agreement):
        return _agreement(duties, event, data, at, person)
    if isinstance(data, (a.DisclosureSubmitted, a.DisclosureQuestioned, a.DisclosureAnswered, a.DisclosureDecided)):
        return _disclosure(duties, event, data, at, person)
    if isinstance(data, p.PersonHired):
        duties.hired_at = at
        return [_due(duties, event, ASSIGNMENT, "first", at, person)]
    if isinstance(data, p.PersonOnLeave):
        duties.leave_at, duties.leave_until = at, FOREVER if data.until is None else int(data.until)
    elif isinstance(data, u.JobStarted):
        duties.jobs.pop(data.job_id, None)
        if not data.limit_seconds:
            return []
        duties.jobs[data.job_id] = Job(at)
        limit = data.limit_seconds * 1_000_000
        return [_due(duties, event, HEARTBEAT, data.job_id, at, person, after=limit + duties.periods["heartbeat_us"])]
    elif isinstance(data, u.JobHeartbeat) and data.job_id in duties.jobs:
        duties.jobs[data.job_id].heartbeat = at
    elif isinstance(data, u.JobEnded) and data.job_id in duties.jobs:
        duties.jobs[data.job_id].ended = True
    return []


def consume(duties: Duties, event: Event, at: int, person: str) -> list[Derived]:
    """Note that granted compute is used; who begins to use it after the assignment was due owes it from then on."""
    if duties.consumed_at >= 0:
        return []
    duties.consumed_at = at
    late = duties.hired_at >= 0 and at >= duties.hired_at + duties.periods["assignment_us"]
    return [_due(duties, event, ASSIGNMENT, "first", at, person, after=1)] if late else []


def _agreement(duties: Duties, event: Event, data: a.Agreement, at: int, person: str) -> list[Derived]:
    document = duties.document(data.kind, data.version)
    if isinstance(data, a.AgreementSent):
        document.sent_at = at
    elif isinstance(data, a.AgreementReminded):
        document.reminded_at = at
    elif isinstance(data, (a.AgreementSigned, a.AgreementAttested)):
        document.signed_at = at
        if data.kind == ATTESTATION or isinstance(data, a.AgreementAttested):
            return [_due(duties, event, ATTESTATION, f"{data.kind} {data.version}", at, person)]
    elif isinstance(data, a.AgreementInvalidated):
        document.signed_at = -1
        if data.kind == ASSIGNMENT:
            return [_due(duties, event, ASSIGNMENT, data.version, at, person)]
    elif isinstance(data, a.AgreementSuperseded):
        document.superseded = True
        return [_due(duties, event, REACCEPTANCE, f"{data.kind} {data.by}", at, person)]
    return []


def _disclosure(duties: Duties, event: Event, data: Any, at: int, person: str) -> list[Derived]:
    known = duties.disclosures.get(data.disclosure_id)
    if isinstance(data, a.DisclosureSubmitted):
        duties.disclosures[data.disclosure_id] = Disclosure(at)
        return [_due(duties, event, DISCLOSURE, data.disclosure_id, at, person)]
    if known is None:
        return []
    if isinstance(data, a.DisclosureDecided):
        known.decided = True
    elif isinstance(data, a.DisclosureQuestioned):
        known.asked_at = at if known.asked_at < 0 else known.asked_at
    elif known.asked_at >= 0:
        known.tolled, known.asked_at = known.tolled + at - known.asked_at, -1
        left = known.due(duties.periods["disclosure_us"]) - at
        return [_due(duties, event, DISCLOSURE, data.disclosure_id, at, person, after=left)] if left > 0 else []
    return []


def _due(
    duties: Duties, event: Event, kind: str, about: str, since: int, person: str, *, after: int | None = None, detail: str = ""
) -> Derived:
    period = {ASSIGNMENT: "assignment_us", DISCLOSURE: "disclosure_us"}.get(kind, f"{kind}_us")
    length = duties.periods[period] if after is None else after
    return deadline(event, DeadlineReached(kind, about, "person", person, Instant(since), detail=detail), since + length)


def uncovered(duties: Duties, event: Event, at: int, person: str, credential: str) -> list[Derived]:
    """Set the moment by which a usage that nothing covers should have been covered: once a credential and day."""
    day = at // DAY_US
    if duties.uncovered.get(credential) == day:
        return []
    duties.uncovered[credential] = day
    return [_due(duties, event, UNCOVERED, event.id, at, person, after=duties.periods["uncovered_us"], detail=credential)]


def expiring(duties: Duties, event: Event, grant: str, until: int, at: int, person: str) -> list[Derived]:
    """Set the moment from which a holder should have been told that a grant expires; none where that is past."""
    due = until - duties.periods["expiring_us"]
    return [_due(duties, event, EXPIRING, grant, at, person, after=due - at)] if at < due and until < FOREVER else []


def facts(
    duties: Duties, event: Event, data: DeadlineReached, at: int, reference: Reference
) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]] | None:
    """Give the event's fields, the facts of what was due, and what is unknown; None where the clock still runs."""
    known = duties.disclosures.get(data.about_) if data.kind == DISCLOSURE else None
    if known is not None and (known.asked_at >= 0 or at < known.due(duties.periods["disclosure_us"])):
        return None  # a question is open, or stood open: the answer sets the deadline anew
    sent, asked, met = _met(duties, data, at)
    fields = header(event, at) | {"kind": data.kind, "about": data.about_}
    fields |= {"credential": data.detail or "none", "day": instant_text(data.since)[:10]}
    since = int(data.since)
    due = {"kind": data.kind, "about": data.about_, "at": at, "since": since, "sent_at": sent, "asked": asked}
    unknown: dict[str, str] = {}
    silent = [] if met else [reference.incomplete(event.organisation, feed, at) for feed in FEEDS[data.kind]]
    if why := next(filter(None, silent), ""):
        unknown["facts.due.met"] = why
    else:
        due["met"] = met
    facts = {"due": due, "consuming": duties.consumed_at >= 0, "on_leave": duties.on_leave(at)}
    excusable = data.kind in (REACCEPTANCE, EXPIRING) and not (met or facts["on_leave"])
    if excusable and (why := reference.incomplete(event.organisation, "people", at)):
        del facts["on_leave"]  # a leave excuses, and may not have been told yet
        unknown["facts.on_leave"] = why
    return fields, facts, unknown


def _met(duties: Duties, data: DeadlineReached, at: int) -> tuple[int, int, bool]:
    """Give when it was sent and asked for (0 for never), and whether it was done."""
    if data.kind == ASSIGNMENT:
        sent = [d.sent_at for key, d in duties.documents.items() if key.startswith(f"{ASSIGNMENT} ")]
        return max([0, *sent]), 0, duties.signed(ASSIGNMENT)
    if data.kind == REACCEPTANCE:
        document = duties.documents.get(data.about_, Document())
        return max(document.sent_at, 0), max(document.reminded_at, 0), document.signed_at >= 0 or document.superseded
    if data.kind == ATTESTATION:
        kind = data.about_.split(" ", 1)[0]
        again = [d for key, d in duties.documents.items() if key.startswith(f"{kind} ")]
        reminded = [d.reminded_at for d in again if d.reminded_at >= data.since]
        return max([0, *(d.sent_at for d in again)]), max([0, *reminded]), any(d.signed_at > data.since for d in again)
    if data.kind == DISCLOSURE:
        known = duties.disclosures.get(data.about_)
        return 0 if known is None else known.submitted, 0, known is None or known.decided
    if data.kind == HEARTBEAT:
        job = duties.jobs.get(data.about_)
        if job is None or job.started != data.since:  # it was started anew since, and has its limit from then on
            return 0, 0, True
        del duties.jobs[data.about_]
        late = at - 2 * duties.periods["heartbeat_us"]
        return 0, 0, job.ended or job.heartbeat >= late
    if data.kind == EXPIRING:
        notice = duties.documents.get(f"grant_agreement {data.about_}", Document())
        return max(notice.sent_at, 0), max(notice.reminded_at, 0), max(notice.sent_at, notice.reminded_at) >= 0
    return 0, 0, False
