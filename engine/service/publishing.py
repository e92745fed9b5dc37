"""What a batch says to the outside: rows of the batch turned into messages for topics. Pure.

Owns the shape of what subscribers read. Only settled violations are spoken of, never as more than an allegation
(`actionable` is false until a person substantiated it), and of people only by pseudonym, except on the findings topic,
which stands under a stricter ACL. Values are CloudEvents 1.0 whose ids are functions of what is recorded, so that a
second sending is known as such; data of violations follows OCSF's Compliance Finding (class 2003) where it has a word.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from engine.domain import cause, codec, verdicts
from engine.domain.records import DecisionRow, IndeterminateRow, RefusedRow, ViolationChange, ViolationRow
from engine.domain.values import Instant

VIOLATIONS: Final = "covenant.violations"
CURRENT: Final = "covenant.violations.current"
FINDINGS: Final = "covenant.findings"
AUDIT: Final = "covenant.audit"
DEAD_LETTERS: Final = "covenant.dead-letters"

HOUR_US: Final = 3_600_000_000
_SEVERITY: Final = {"low": 2, "medium": 3, "high": 4, "critical": 5}
"""OCSF's severity_id."""
_ACTIVITY: Final = {"opened": 1, "recurred": 2, "superseded": 2, "retracted": 3}
"""OCSF's activity_id: create, update, close."""
_PEOPLE: Final = ("person", "alias")
"""Kinds of aggregates whose id tells who somebody is."""
_EACH: Final = ("violation", "excused", "error")
"""Verdicts whose decisions are told one by one; indeterminate ones are told folded, passes as a number."""


class Message(NamedTuple):
    """One message for a topic."""

    topic: str
    key: str
    value: bytes


class Recorded(msgspec.Struct):
    """What of a batch is spoken of."""

    lane: int
    version: int
    recorded_at: int
    decisions: Sequence[DecisionRow] = ()
    violations: Iterable[ViolationRow] = ()
    before: Mapping[str, ViolationRow] = {}
    """Violation → how it stood before the batch."""
    changes: Sequence[ViolationChange] = ()
    indeterminates: Sequence[IndeterminateRow] = ()
    refused: Sequence[RefusedRow] = ()


class Publisher:
    """Makes messages; holds the key of the pseudonyms and nothing else."""

    def __init__(self, key: bytes) -> None:
        """Take the organisation's key."""
        self._key = key

    def pseudonym(self, person: str) -> str:
        """Give a person's pseudonym: HMAC-SHA256(organisation's key, person id) as hex; empty for nobody."""
        return hmac.new(self._key, person.encode(), hashlib.sha256).hexdigest() if person else ""

    def masked(self, aggregate: str) -> str:
        """Give an aggregate's key with a pseudonym where its id tells who somebody is."""
        organisation, kind, ident = aggregate.split("/", 2)
        return f"{organisation}/{kind}/{self.pseudonym(ident)}" if kind in _PEOPLE else aggregate

    def messages(self, recorded: Recorded) -> list[Message]:
        """Give a batch's messages, in the order in which they are to be sent."""
        return [*self._violations(recorded), *self._audit(recorded), *_dead_letters(recorded.refused)]

    def _violations(self, recorded: Recorded) -> Iterator[Message]:
        causes = {change.violation: change.cause for change in recorded.changes if change.cause}
        grew = Counter(change.violation for change in recorded.changes if change.change != "recurred")
        for row in recorded.violations:
            if not row.settled:
                continue
            before = recorded.before.get(row.id)
            verb = _verb(row, before, only_recurred=not grew[row.id])
            if not verb:
                continue
            data = self._violation(row, verb, _cause(causes.get(row.id, "")))
            value = _event(row, verb, row.last_seen_at, data)
            yield Message(CURRENT, row.id, value)
            if verb != "recurred" or _new_hour(row, before):
                yield Message(VIOLATIONS, self.masked(row.aggregate), value)
                yield Message(FINDINGS, row.aggregate, _event(row, verb, row.last_seen_at, data | _finding(row)))

    def _violation(self, row: ViolationRow, verb: str, because: dict[str, Any] | None) -> dict[str, Any]:
        activity = _ACTIVITY[verb]
        return {
            "class_uid": 2003,
            "category_uid": 2,
            "activity_id": activity,
            "type_uid": 200_300 + activity,
            "severity_id": _SEVERITY.get(row.severity, 0),
            "compliance": {
                "control": row.rule,
                "requirements": [row.clause],
                "status": "Pass" if verb == "retracted" else "Fail",
            },
            "id": row.id,
            "version": row.version,
            "change": verb,
            "rule": row.rule,
            "severity": row.severity,
            "clause": row.clause,
            "status": row.status,
            "actionable": row.status == "substantiated",
            "respondent": row.respondent,
            "holder": self.pseudonym(row.holder),
            "repository": row.repository,
            "opened_at": Instant(row.opened_at),
            "last_seen_at": Instant(row.last_seen_at),
            "count": row.count,
            "cause": because,
        }

    def _audit(self, recorded: Recorded) -> Iterator[Message]:
        for decision in recorded.decisions:
            if decision.verdict in _EACH:
                data = self._decision(decision)
                ident = f"decision {recorded.lane} {recorded.version} {decision.ordinal}"
                yield _audit(decision.organisation, "decision.recorded", ident, decision.time, decision.id, data)
        for row in recorded.indeterminates:
            data = {
                "rule": row.rule, "aggregate": self.masked(row.aggregate), "fact": row.fact, "reason": row.reason,
                "count": row.count, "first_at": Instant(row.first_at), "last_at": Instant(row.last_at),
                "last_decision": row.last_decision,
            }  # fmt: skip
            ident = f"indeterminate {recorded.lane} {recorded.version} {row.rule} {row.aggregate} {row.fact}"
            yield _audit(row.organisation, "indeterminate.folded", ident, recorded.recorded_at, row.rule, data)
        for refused in recorded.refused:
            ident = f"refused {refused.id}"
            yield _audit(refused.organisation, "event.refused", ident, refused.recorded_at, refused.id, _refusal(refused))
        yield from _summaries(recorded)

    def _decision(self, row: DecisionRow) -> dict[str, Any]:
        outcomes, passed, _ = verdicts.read(row.outcomes)
        return {
            "id": row.id,
            "aggregate": self.masked(row.aggregate),
            "event": {"source": row.source, "id": row.event_id, "type": row.type, "time": Instant(row.time)},
            "bundle": row.bundle,
            "input": row.input_digest,
            "fold_version": row.fold_version,
            "opa_version": row.opa_version,
            "verdict": row.verdict,
            "outcomes": {rule: outcome["outcome"] for rule, outcome in sorted(outcomes.items())},
            "passed": passed,
            "supersedes": row.supersedes,
            "cause": _cause(row.cause),
        }


def _verb(row: ViolationRow, before: ViolationRow | None, *, only_recurred: bool) -> str:
    if row.status == "retracted":
        return "" if before is None or not before.settled or before.status == "retracted" else "retracted"
    if before is None or not before.settled or before.status == "retracted":
        return "opened"
    return "recurred" if only_recurred else "superseded"


def _cause(written: str) -> dict[str, Any] | None:
    """Name the late fact behind a correction; where it stands in the journal isn't for outside, as it may name a person."""
    behind = cause.read(written)
    if behind is None:
        return None
    return {"source": behind.source, "id": behind.id, "type": behind.type, "time": Instant(behind.time)}


def _new_hour(row: ViolationRow, before: ViolationRow | None) -> bool:
    return before is None or before.last_seen_at // HOUR_US != row.last_seen_at // HOUR_US


def _finding(row: ViolationRow) -> dict[str, Any]:
    """Give what only those may read who handle findings."""
    return {
        "holder": row.holder,
        "aggregate": row.aggregate,
        "discriminator": msgspec.json.decode(row.discriminator),
        "sentence": row.sentence,
        "evidence": msgspec.json.decode(row.evidence),
        "first_decision": row.first_decision,
        "last_decision": row.last_decision,
    }


def _event(row: ViolationRow, verb: str, time: int, data: Mapping[str, Any]) -> bytes:
    return _cloudevent(row.organisation, f"violation.{verb}", f"{row.id} {row.version}", time, row.id, data)


def _audit(organisation: str, kind: str, ident: str, time: int, subject: str, data: Mapping[str, Any]) -> Message:
    return Message(AUDIT, organisation or "unknown", _cloudevent(organisation, kind, ident, time, subject, data))


def _summaries(recorded: Recorded) -> Iterator[Message]:
    """Say of each organisation how a batch's decisions came out, passes among them."""
    verdicts: dict[str, Counter[str]] = {}
    for decision in recorded.decisions:
        verdicts.setdefault(decision.organisation, Counter())[decision.verdict] += 1
    for organisation, counts in sorted(verdicts.items()):
        data = {"lane": recorded.lane, "version": recorded.version, "decisions": dict(sorted(counts.items()))}
        ident = f"batch {recorded.lane} {recorded.version} {organisation}"
        yield _audit(organisation, "decision.summarised", ident, recorded.recorded_at, "", data)


def _refusal(row: RefusedRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "source": row.source,
        "code": row.code,
        "field": row.field,
        "reason": row.reason,
        "do": row.do,
        "where": row.where,
    }


def _dead_letters(refused: Iterable[RefusedRow]) -> Iterator[Message]:
    for row in refused:
        data = _refusal(row) | {"raw_base64": base64.b64encode(row.raw).decode()}
        value = _cloudevent(row.organisation, "event.refused", f"refused {row.id}", row.recorded_at, row.id, data)
        yield Message(DEAD_LETTERS, row.source or "unknown", value)


def _cloudevent(organisation: str, kind: str, ident: str, time: int, subject: str, data: Mapping[str, Any]) -> bytes:
    name = f"compute.{kind}.v1"
    event = {
        "specversion": "1.0",
        "id": codec.digest(organisation.encode(), name.encode(), ident.encode()).hex(),
        "source": "covenant",
        "type": name,
        "time": Instant(time),
        "organisation": organisation,
        "datacontenttype": "application/json",
        "dataschema": codec.SCHEMA_BASE + name,
        "data": data,
    }
    return codec.encode(event | {"subject": subject} if subject else event)
