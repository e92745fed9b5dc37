"""Events to and from CloudEvents 1.0 JSON, and the digests that identify them. Pure; sees no file and no clock.

`read_event` turns one decoded JSON object into a typed `Event` or raises `Refusal` that names the field.
`write_event` gives the canonical wire form. `identity` hashes (organisation, source, id);
`content` hashes what must be equal for two deliveries to be the same event: type, subject, time and data.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from engine.domain.errors import Refusal
from engine.domain.events import TYPES, Data, Event
from engine.domain.values import Instant, Quantity, instant, instant_text, quantity, quantity_text

SCHEMA_BASE: Final = "urn:covenant:schema:"
_SKEW_DO: Final = "Correct the producer's clock or the event's time."
_KNOWN: Final = {
    "specversion", "id", "source", "type", "subject", "time", "dataschema", "datacontenttype", "data",
    "organisation", "correlationid", "causationid", "partitionkey", "dataclassification", "recordedat", "traceparent",
    "tracestate",
}  # fmt: skip


def _in(kind: type, value: Any) -> Any:
    try:
        return instant(value) if kind is Instant else quantity(value)
    except Refusal as refusal:
        raise ValueError(refusal.message) from refusal  # msgspec adds the path to a ValueError alone


def _out(value: Any) -> Any:
    if isinstance(value, Instant):
        return instant_text(value)
    if isinstance(value, Quantity):
        return quantity_text(value)
    raise NotImplementedError(type(value))


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_out, order="deterministic")


def encode(value: Any) -> bytes:
    """Encode any value of ours as canonical JSON: mappings sorted, fields in their order, decimal strings, RFC 3339."""
    return _ENCODER.encode(value)


def read_data(kind: type[Data], raw: Any) -> Data:
    """Turn an event's `data` into its class; `Refusal` names the field and what was expected."""
    try:
        return msgspec.convert(raw, kind, dec_hook=_in)
    except msgspec.ValidationError as error:
        sentence, _, path = str(error).partition(" - at ")
        field = "data" + path.strip("`").removeprefix("$")
        cause = error.__cause__.__cause__ if error.__cause__ is not None else None
        code = cause.code if isinstance(cause, Refusal) else "invalid"
        msg = f"{field}: {sentence}."
        do = f"Correct the field; the schema is {SCHEMA_BASE}{kind.TYPE}."
        raise Refusal(msg, do, code=code, field=field) from error


def _text(raw: dict[str, Any], key: str, *, needed: bool, longest: int = 256) -> str:
    value = raw.get(key, "")
    if value is None:
        value = ""
    if not isinstance(value, str) or (needed and not value):
        shown = "nothing" if value == "" else str(value)[:40]
        msg = f"{key}: expected a text, got {shown}."
        raise Refusal(msg, f"Give the CloudEvents attribute {key!r}.", field=key, code="missing" if not value else "invalid")
    if len(value) > longest:
        msg = f"{key}: {len(value)} characters are more than the {longest} permitted."
        raise Refusal(msg, "Shorten it at the source.", field=key, code="too-long")
    return value


def read_event(raw: Any, *, internal: bool = False, trust_recorded: bool = False) -> Event:
    """Turn one CloudEvents object (structured mode, already parsed) into a typed event.

    `internal` admits the types that only the engine makes; `trust_recorded` honours a producer's `recordedat`.
    """
    if not isinstance(raw, dict):
        msg = f"Expected one CloudEvents object, got {type(raw).__name__}."
        raise Refusal(msg, "Send an object in braces with specversion, id, source, type, time and data.", code="not-an-object")
    unknown = [key for key in raw if key not in _KNOWN]
    if unknown:
        msg = f"{unknown[0]}: not an attribute Covenant knows."
        raise Refusal(msg, "Put payload fields under data; see the README for the extensions.", field=unknown[0], code="unknown-attribute")
    if raw.get("specversion", "1.0") != "1.0":
        msg = f"specversion: expected 1.0, got {str(raw['specversion'])[:20]}."
        raise Refusal(msg, "Send CloudEvents 1.0.", field="specversion")
    name = _text(raw, "type", needed=True)
    kind = TYPES.get(name)
    if kind is None or (not internal and kind.TOPIC == ""):
        msg = f"type: {name!r} is not an event type Covenant accepts."
        raise Refusal(msg, "Use one of the types listed by `covenant convert --help`.", field="type", code="unknown-type")
    if raw.get("time") is None:
        msg = "time: missing; every event needs the time at which it happened."
        raise Refusal(msg, "Give RFC 3339 with a zone.", field="time", code="missing")
    time = _instant(raw, "time")
    data = read_data(kind, raw.get("data", {}))
    problem = data.problem(time)
    if problem:
        raise Refusal(problem, "Correct it at the source and send it again.", code="inconsistent", field=problem.split(" ", 1)[0])
    return Event(
        organisation=_organisation(raw),
        source=_text(raw, "source", needed=True),
        id=_text(raw, "id", needed=True),
        type=name,
        time=time,
        data=data,
        subject=_text(raw, "subject", needed=False),
        recorded_at=_instant(raw, "recordedat") if (internal or trust_recorded) and raw.get("recordedat") else 0,
        correlation_id=_text(raw, "correlationid", needed=False),
        causation_id=_text(raw, "causationid", needed=False, longest=1024),
    )


def _organisation(raw: dict[str, Any]) -> str:
    value = _text(raw, "organisation", needed=True, longest=64)
    if "/" in value:
        msg = "organisation: a slash is not permitted."
        raise Refusal(msg, "Use the organisation's short id, such as acme.", field="organisation")
    return value


def _instant(raw: dict[str, Any], key: str) -> int:
    try:
        return instant(raw.get(key))
    except Refusal as error:
        msg = f"{key}: {error.message}."
        raise Refusal(msg, "Give RFC 3339 with a zone.", code=error.code, field=key) from error


def as_cloudevent(event: Event) -> dict[str, Any]:
    """Give the event as a CloudEvents object; values of ours are still typed (encode with `encode`)."""
    out: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": Instant(event.time),
        "organisation": event.organisation,
        "datacontenttype": "application/json",
        "dataschema": SCHEMA_BASE + event.type,
        "data": event.data,
    }
    if event.subject:
        out["subject"] = event.subject
    if event.recorded_at:
        out["recordedat"] = Instant(event.recorded_at)
    if event.correlation_id:
        out["correlationid"] = event.correlation_id
    if event.causation_id:
        out["causationid"] = event.causation_id
    return out


def write_event(event: Event) -> bytes:
    """Encode the event as canonical CloudEvents JSON."""
    return _ENCODER.encode(as_cloudevent(event))


def parse_event(wire: bytes | str) -> Event:
    """Read back what `write_event` wrote (our own store and topics: internal types and recorded times are trusted)."""
    return read_event(msgspec.json.decode(wire), internal=True)


def digest(*parts: bytes) -> bytes:
    """Hash length-prefixed parts with SHA-256, cut to 16 bytes: the engine's deterministic identifiers."""
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(len(part).to_bytes(4, "big"))
        hasher.update(part)
    return hasher.digest()[:16]


def identity(event: Event) -> bytes:
    """Give the 16 bytes that identify the event: organisation, source and id."""
    return digest(event.organisation.encode(), event.source.encode(), event.id.encode())


def content(event: Event) -> bytes:
    """Give the 16 bytes that two deliveries of one event share: type, subject, time and data."""
    return digest(event.type.encode(), event.subject.encode(), event.time.to_bytes(8, "big"), _ENCODER.encode(event.data))
