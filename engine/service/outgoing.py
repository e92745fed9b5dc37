"""What Covenant says on its topics, described for those who read it: a schema of each message, and an example. Pure.

Schemas are closed: a field that `publishing` adds without a word here fails the tests. Examples are the publisher's own
messages about one made-up violation, so they can't differ from what is sent. Nothing here is used to make messages.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import msgspec

from engine.domain import cause, codec
from engine.domain.events.schemas import DIALECT, INSTANT
from engine.domain.records import DecisionRow, IndeterminateRow, RefusedRow, ViolationChange, ViolationRow
from engine.domain.values import HOUR_US, instant
from engine.service.publishing import AUDIT, CURRENT, DEAD_LETTERS, FINDINGS, VIOLATIONS, Message, Publisher, Recorded

Words = dict[str, tuple[str, dict[str, Any]]]
"""Field → what it says, and its shape."""

_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_OBJECT: Final = {"type": "object"}
_CAUSE: Final = {
    "type": ["object", "null"],
    "properties": {"source": _TEXT, "id": _TEXT, "type": _TEXT, "time": INSTANT},
    "required": ["source", "id", "type", "time"],
    "additionalProperties": False,
}
"""An event by its name."""

_VERBS: Final = {
    "opened": "A settled violation stands, as an allegation.",
    "recurred": "It was seen again; at most hourly, with the count so far.",
    "superseded": "What is known of it changed: its evidence, its count or its status.",
    "retracted": "It was never so, as is known now; `cause` names the fact that says so. Honour it.",
}

_VIOLATION: Final[Words] = {
    "class_uid": ("OCSF's class: Compliance Finding.", {"const": 2003}),
    "category_uid": ("OCSF's category: Findings.", {"const": 2}),
    "activity_id": ("OCSF's activity: 1 create, 2 update, 3 close.", {"enum": [1, 2, 3]}),
    "type_uid": ("OCSF's type: class and activity.", {"enum": [200_301, 200_302, 200_303]}),
    "severity_id": ("OCSF's severity: 2 low to 5 critical, 0 unknown.", {"enum": [0, 2, 3, 4, 5]}),
    "compliance": ("OCSF's words for rule, clause and result.", {
        "type": "object",
        "properties": {"control": _TEXT, "requirements": _TEXTS, "status": {"enum": ["Pass", "Fail"]}},
        "required": ["control", "requirements", "status"],
        "additionalProperties": False,
    }),
    "id": ("The violation's own id: the same for every message about it.", _TEXT),
    "version": ("Rises with each change of it; a higher one replaces a lower.", _COUNT),
    "change": ("What happened to it.", {"enum": list(_VERBS)}),
    "rule": ("The rule's code, such as FU-001.", _TEXT),
    "severity": ("How grave it is.", {"enum": ["low", "medium", "high", "critical"]}),
    "clause": ("The clause of the agreement.", _TEXT),
    "status": ("Where it stands; alleged until a person has decided otherwise.", {
        "enum": ["alleged", "notified", "answered", "substantiated", "dismissed", "withdrawn", "retracted"],
    }),
    "actionable": ("False until a named human has substantiated it: act on nobody before.", {"type": "boolean"}),
    "respondent": ("Whose breach it is.", {"enum": ["holder", "company", "nobody"]}),
    "holder": ("The person: a pseudonym, on covenant.findings their id; empty where it is nobody's.", _TEXT),
    "repository": ("The repository, where it is about one; else empty.", _TEXT),
    "opened_at": ("Event time of its first breach.", INSTANT),
    "last_seen_at": ("Event time of its last breach.", INSTANT),
    "count": ("How many events breach.", _COUNT),
    "cause": ("The late fact that changed it; null where none did.", _CAUSE),
}  # fmt: skip
_FINDING: Final[Words] = {
    "aggregate": ("Whom or what it is about: organisation/kind/id.", _TEXT),
    "discriminator": ("What tells it from others of its rule and aggregate: a month, a credential.", _TEXTS),
    "sentence": ("What happened, in plain words.", _TEXT),
    "evidence": ("The values behind the last breach.", _OBJECT),
    "first_decision": ("The decision that opened it.", _TEXT),
    "last_decision": ("The decision that last changed it.", _TEXT),
}
_REFUSED: Final[Words] = {
    "id": ("The refusal's id, as `covenant dead-letters show` takes it.", _TEXT),
    "source": ("The source of what was refused; empty where it can't be read.", _TEXT),
    "code": ("Why, for programs: a code that doesn't change.", _TEXT),
    "field": ("The field at fault, if one is.", _TEXT),
    "reason": ("Why, in plain words.", _TEXT),
    "do": ("What to do about it.", _TEXT),
    "where": ("File and line, or topic, partition and offset.", _TEXT),
}
_RAW: Final[Words] = {"raw_base64": ("What arrived, as it arrived, in base64.", {"type": "string", "contentEncoding": "base64"})}
_DECISION: Final[Words] = {
    "id": ("The decision's id, as `covenant explain` takes it.", _TEXT),
    "aggregate": ("Whom or what it is about: organisation/kind/id, people by pseudonym.", _TEXT),
    "event": ("The event that was judged.", {
        "type": "object",
        "properties": {"source": _TEXT, "id": _TEXT, "type": _TEXT, "time": INSTANT},
        "required": ["source", "id", "type", "time"],
        "additionalProperties": False,
    }),
    "bundle": ("SHA-256 of the policies, hex.", _TEXT),
    "input": ("Digest of the event and the facts that were judged.", _TEXT),
    "fold_version": ("Version of the code that made the facts.", _COUNT),
    "opa_version": ("Version of Open Policy Agent.", _TEXT),
    "verdict": ("The weightiest outcome.", {"enum": ["violation", "excused", "error"]}),
    "outcomes": ("Rule → its outcome, of all rules that didn't pass.", {"type": "object", "additionalProperties": _TEXT}),
    "passed": ("Rules that passed.", _TEXTS),
    "supersedes": ("The decision of the same event that this one replaces, else empty.", _TEXT),
    "cause": ("The late fact that made it be judged anew; null where none did.", _CAUSE),
}  # fmt: skip
_INDETERMINATE: Final[Words] = {
    "rule": ("The rule's code.", _TEXT),
    "aggregate": ("Whom or what it is about: organisation/kind/id, people by pseudonym.", _TEXT),
    "fact": ("The fact that is missing.", _TEXT),
    "reason": ("Why it is missing.", _TEXT),
    "count": ("How many events can't be judged for it; 0: it no longer stands.", _COUNT),
    "first_at": ("Event time of the first.", INSTANT),
    "last_at": ("Event time of the last.", INSTANT),
    "last_decision": ("The last decision that missed it.", _TEXT),
}
_SUMMARY: Final[Words] = {
    "lane": ("The lane whose batch it was.", _COUNT),
    "version": ("The batch: the lane's version after it.", _COUNT),
    "decisions": ("Verdict → how many decisions of the batch had it, passes among them.", {
        "type": "object", "additionalProperties": _COUNT,
    }),
}  # fmt: skip


class Outgoing(msgspec.Struct, frozen=True):
    """One kind of message as it is on one topic."""

    topic: str
    type: str
    """Without `compute.` and `.v1`."""
    says: str
    fields: Words

    @property
    def name(self) -> str:
        """Its event type."""
        return f"compute.{self.type}.v1"

    @property
    def schema(self) -> dict[str, Any]:
        """The schema of its `data`, closed: all fields are always there."""
        properties = {field: {"description": text} | shape for field, (text, shape) in self.fields.items()}
        body = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
        return {"$schema": DIALECT, "title": self.type.replace(".", " ").capitalize(), "description": self.says} | body


OUTGOING: Final = (
    *(
        Outgoing(topic, f"violation.{verb}", says, fields)
        for topic, fields in ((VIOLATIONS, _VIOLATION), (CURRENT, _VIOLATION), (FINDINGS, _VIOLATION | _FINDING))
        for verb, says in _VERBS.items()
    ),
    Outgoing(AUDIT, "decision.recorded", "A decision that isn't a pass.", _DECISION),
    Outgoing(AUDIT, "decision.summarised", "How a batch's decisions came out.", _SUMMARY),
    Outgoing(AUDIT, "indeterminate.folded", "What couldn't be judged, a rule and a missing fact at a time.", _INDETERMINATE),
    Outgoing(AUDIT, "event.refused", "An event wasn't taken in.", _REFUSED),
    Outgoing(DEAD_LETTERS, "event.refused", "An event wasn't taken in, with all that arrived.", _REFUSED | _RAW),
)
"""Every kind of message on every topic that goes out."""


@cache
def samples() -> dict[tuple[str, str], dict[str, Any]]:
    """Give an example of each, by topic and event type, as the publisher makes it under a key of no organisation's."""
    publisher = Publisher(b"an example's key")
    said: list[Message] = [message for recorded in _recorded() for message in publisher.messages(recorded)]
    return {(m.topic, (event := msgspec.json.decode(m.value))["type"]): event for m in said}


def _recorded() -> list[Recorded]:
    """Make what a batch would have recorded of each kind: one violation's whole life, and what went unjudged or refused."""
    at = int(instant("2026-09-22T10:00:00Z"))
    first = ViolationRow(
        id="863853a806c3658554c7a7d8b77c5ea7", organisation="acme", rule="FU-007", aggregate="acme/person/p-17",
        discriminator='["sha256:9f86d081","2026-09"]', severity="critical", clause="G6", respondent="holder", holder="p-17",
        repository="", status="alleged", settled=True, opened_at=at, last_seen_at=at, count=1, first_decision="5f0c7d9e",
        last_decision="5f0c7d9e", evidence='{"quantity":"5","ended_at":"2026-09-20T00:00:00Z"}',
        sentence="p-17 used 5 CCU after access ended on 2026-09-20.", version=1, settle_us=0,
    )  # fmt: skip
    second = msgspec.structs.replace(first, last_seen_at=at + HOUR_US, count=2, version=2)
    other = msgspec.structs.replace(second, evidence='{"quantity":"4","ended_at":"2026-09-20T00:00:00Z"}', version=3)
    gone = msgspec.structs.replace(other, status="retracted", count=0, version=4)
    decision = DecisionRow(
        id="5f0c7d9e", ordinal=0, organisation="acme", aggregate=first.aggregate, identity="a1", time=at, fold_version=1,
        source="https://gateway.acme.example", event_id="u-2", type="compute.usage.inference.v1", bundle="3fd1b9c4",
        input_digest="77ab01", opa_version="1.9.0", outcomes='{"FU-007":{"outcome":"violation"},"pass":["FU-001"]}',
        verdict="violation", supersedes="", cause="",
    )  # fmt: skip
    missing = IndeterminateRow("acme", "FU-011", first.aggregate, "event.region", "source-without-regions", 3, at, at, "5f0c7d9e")
    refused = RefusedRow(
        id="b5bb9d80", organisation="acme", source="https://gateway.acme.example", code="missing", field="data.person",
        reason="data.person: missing.", do="Give data.person.", where="covenant.usage/3@88", raw=b'{"id":"u-3"}', recorded_at=at,
    )  # fmt: skip

    late = cause.write(cause.Cause("", "", "https://approvals.acme.example", "ap-1", "compute.approval.granted.v1", at))

    def changed(row: ViolationRow, before: ViolationRow, kind: str, because: str = "") -> Recorded:
        step = ViolationChange(row.id, row.version, kind, row.last_decision, because, at, at, row.count)
        return Recorded(0, row.version, at, violations=[row], before={row.id: before}, changes=[step])

    return [
        Recorded(0, 1, at, [decision], [first], indeterminates=[missing], refused=[refused]),
        changed(second, first, "recurred"),
        changed(other, second, "superseded", late),
        changed(gone, other, "retracted", late),
    ]


def published_schema(name: str) -> dict[str, Any]:
    """Give the schema that messages of a type name: what some topics add to it isn't required."""
    every = [one for one in OUTGOING if one.name == name]
    least, most = min(every, key=lambda one: len(one.fields)), max(every, key=lambda one: len(one.fields))
    head = {"$schema": DIALECT, "$id": codec.SCHEMA_BASE + name}
    shown = [samples()[one.topic, name]["data"] for one in every if one.topic != CURRENT]
    return head | most.schema | {"description": least.says, "required": list(least.fields), "examples": shown}
