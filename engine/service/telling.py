"""Words for people: what a status means, what a step in a finding's life was, what an event says, what evidence shows.

Owns the texts; decides nothing and reads nothing. Where a person might be accused it says so carefully: a finding
against a holder is alleged until a named human has decided otherwise, and a provisional one is nobody's business yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from engine.domain.events import Event
from engine.domain.events.derived import DeadlineReached
from engine.domain.values import DAY_US, HOUR_US, SECOND_US, instant_text, quantity_text
from engine.policy.sentences import PLACEHOLDER

STANDING: Final[Mapping[str, str]] = {
    "provisional": (
        "Provisional and internal. Late facts may still change or remove it, so nobody is told of it yet "
        "and nothing may be done on it."
    ),
    "alleged": (
        "An allegation. Nobody has decided about it, the holder has not been heard, and no consequence may follow from it alone."
    ),
    "notified": "An allegation of which the holder has been notified. Their answer is awaited; nobody has decided about it.",
    "answered": "An allegation that the holder has answered. Nobody has decided about it yet.",
    "substantiated": "Substantiated by a named reviewer, after notice and time for an answer.",
    "dismissed": "Dismissed by a reviewer. Nothing stands against anybody.",
    "withdrawn": "Withdrawn. Nothing stands against anybody.",
    "retracted": "Retracted: facts that arrived later removed what it rested on. Nothing stands against anybody.",
}
NOT_PERSONAL: Final[Mapping[str, str]] = {
    "company": "Observed of the company itself, not of a person.",
    "nobody": "A matter of data quality. It is nobody's breach.",
}
CHANGES: Final[Mapping[str, str]] = {
    "opened": "Opened: first found.",
    "recurred": "Seen again.",
    "superseded": "Corrected: what is found here changed.",
    "retracted": "Retracted: nothing of it stands any more.",
    "reopened": "Opened again after it had been retracted.",
    "settled": "Settled: the time for late facts has passed, so it may be spoken of.",
}
_EVENTS: Final[Mapping[str, str]] = {
    "compute.grant.issued.v1": "grant {grant_id} of {quantity} {unit} issued to {holder}",
    "compute.grant.received.v1": "grant received by transfer: {vested} vested, {unvested} not yet",
    "compute.grant.vested.v1": "{quantity} units of grant {grant_id} vested",
    "compute.grant.suspended.v1": "grant {grant_id} suspended",
    "compute.grant.resumed.v1": "grant {grant_id} resumed",
    "compute.grant.expired.v1": "grant {grant_id} expired",
    "compute.grant.voided.v1": "grant {grant_id} voided",
    "compute.grant.transferred.v1": "grant {grant_id} transferred to {to}",
    "compute.person.hired.v1": "engagement began",
    "compute.person.notice_given.v1": "notice given",
    "compute.person.terminated.v1": "engagement ended",
    "compute.approval.granted.v1": "approval {approval_id} ({kind}) given by {approver}",
    "compute.approval.revoked.v1": "approval {approval_id} revoked",
    "compute.determination.recorded.v1": "determination {determination_id} of {question} by {decided_by}: {answer}",
    "compute.disclosure.submitted.v1": "disclosure {disclosure_id} submitted ({kind})",
    "compute.disclosure.decided.v1": "disclosure {disclosure_id} {decision} by {decided_by}",
    "compute.alias.linked.v1": "{alias.kind} {alias.value} linked to {target.kind} {target.id}",
    "compute.credential.created.v1": "credential {credential} issued to {owner}",
    "compute.usage.inference.v1": "usage of {model} of {provider}",
    "compute.usage.gpu.v1": "GPU usage",
    "compute.identity.resolved.v1": "the name behind {cause} turned out to be {person}",
    "compute.contribution.attributed.v1": "{action} in {name}",
    "compute.job.started.v1": "job {job_id} started",
    "compute.grant.accelerated.v1": "vesting of grant {grant_id} accelerated",
    "compute.grant.amended.v1": "terms of grant {grant_id} amended",
    "compute.grant.revoked.v1": "grant {grant_id} revoked",
    "compute.grant.forfeited.v1": "units of grant {grant_id} forfeited",
    "compute.grant.rolled_over.v1": "grant {grant_id} rolled over to {to_grant}",
    "compute.usage.corrected.v1": "usage {usage.id} corrected",
    "compute.agreement.sent.v1": "{kind} {version} put to the person",
    "compute.agreement.reminded.v1": "reminded of {kind} {version}",
    "compute.agreement.signed.v1": "{kind} {version} signed",
    "compute.agreement.superseded.v1": "{kind} {version} superseded by {by}",
    "compute.person.on_leave.v1": "leave began",
}
_DUE: Final[Mapping[str, str]] = {
    "tranche": "an installment of grant {about_} fell due",
    "grant_run_out": "what was left of grant {about_} ran out",
    "grant_expiring": "the holder was to have been told that grant {about_} expires",
    "ip_assignment": "the assignment of inventions was to have been signed",
    "reacceptance": "{about_} was to have been signed",
    "attestation": "the yearly attestation was due",
    "disclosure_decision": "disclosure {about_} was to have been decided",
    "job_heartbeat": "job {about_} was to have ended, or said that it still runs",
    "usage_uncovered": "usage {about_} was to have been covered by a grant",
    "release_approval": "the release was to have been approved",
}
"""What was due at a deadline, by its kind."""


def standing(status: str, respondent: str) -> str:
    """Say what a finding's status means for those concerned."""
    if respondent != "holder" and status in ("alleged", "notified", "answered"):
        return NOT_PERSONAL.get(respondent, "")
    return STANDING.get(status, "")


def event_in_words(event: Event) -> str:
    """Say an event as a clause: `approval ap-1 (cap uplift) given by cfo`."""
    due = isinstance(event.data, DeadlineReached)
    template = _DUE.get(event.data.kind) if due else _EVENTS.get(event.type)
    if template is None:
        _, entity, verb, *_ = f"{event.type}...".split(".")
        return f"{entity} {verb}".replace("_", " ").strip()

    def fill(found: Any) -> str:
        value: Any = event.data
        for part in found[1].split("."):
            value = getattr(value, part, "")
        return quantity_text(value) if found[1] in ("quantity", "vested", "unvested") else str(value).replace("_", " ")

    return PLACEHOLDER.sub(fill, template)


class Item(msgspec.Struct, frozen=True):
    """One piece of evidence: its name, and its value as people and programs outside read it."""

    name: str
    value: Any
    kind: str
    """ccu | time | duration | list | text."""


def evidence(recorded: Mapping[str, Any], sentence: str) -> list[Item]:
    """Turn recorded evidence into what is shown: scaled integers become decimals, µs become RFC 3339 or durations.

    The rule's sentence says of which kind a value is; what it doesn't mention is known by its name's ending.
    """
    kinds = {found[1]: found[2] or "" for found in PLACEHOLDER.finditer(sentence)}
    items = []
    for name, value in sorted(recorded.items()):
        kind = "list" if isinstance(value, list) else kinds.get(name) or _kind(name, value)
        shown = name.removesuffix("_us").removesuffix("_u") if isinstance(value, int) else name
        items.append(Item(shown, _edge(value, kind), kind))
    return items


def _kind(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return "text"
    endings = {"_us": "duration", "_u": "ccu", "_at": "time", "_until": "time"}
    return next((kind for ending, kind in endings.items() if name.endswith(ending)), "text")


def _edge(value: Any, kind: str) -> Any:
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    if kind == "ccu":
        return quantity_text(value)
    if kind == "time":
        return instant_text(value)
    return duration_text(value) if kind == "duration" else value


def duration_text(micros: int) -> str:
    """Write a length of time as ISO 8601: 86400000000 → "P1D", 5400000000 → "PT1H30M"."""
    days, rest = divmod(micros, DAY_US)
    hours, rest = divmod(rest, HOUR_US)
    minutes, rest = divmod(rest, 60 * SECOND_US)
    parts = [(hours, "H"), (minutes, "M"), (rest // SECOND_US, "S")]
    time = "".join(f"{n}{unit}" for n, unit in parts if n)
    return f"P{days}D{'T' + time if time else ''}" if days else f"PT{time or '0S'}"
