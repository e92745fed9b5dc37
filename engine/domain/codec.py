"""Events to and from CloudEvents 1.0 JSON, and the digests that identify them. Pure; sees no file and no clock.

`read_event` turns one decoded JSON object into a typed `Event` or raises `Refusal` that names the field.
`write_event` gives the canonical wire form. `identity` hashes (organisation, source, id);
`content` hashes what must be equal for two deliveries to be the same event: type, subject, time and data.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Any, Final, Literal

import msgspec

from engine.domain import wording
from engine.domain.errors import Refusal
from engine.domain.events import TYPES, Data, Event
from engine.domain.events.base import Name
from engine.domain.prepared import convert_learnt, converter
from engine.domain.values import Instant, Quantity, instant, instant_text, quantity, quantity_text

SCHEMA_BASE: Final = "urn:covenant:schema:"
_NAME_MAX: Final = 256
_VERSION: Final = re.compile(r"\.v[0-9]+$")
_TIME_DO: Final = "Give RFC 3339 with a zone, such as 2026-01-31T08:00:00Z."


class _Envelope(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The CloudEvents attributes Covenant knows, as they arrive; `data` is read once the type is known."""

    id: Name
    source: Name
    type: Name
    time: Instant
    organisation: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[^/]*$")]
    data: Any = None
    specversion: Literal["1.0"] = "1.0"
    subject: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    correlationid: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    causationid: Annotated[str, msgspec.Meta(max_length=1024)] | None = None
    recordedat: Any = None
    dataschema: Any = None
    datacontenttype: Any = None
    partitionkey: Any = None
    dataclassification: Any = None
    traceparent: Any = None
    tracestate: Any = None


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
_ENVELOPE: Final = converter(_Envelope, _in)
_DATA: Final = {kind: converter(kind, _in) for kind in TYPES.values()}


def encode(value: Any) -> bytes:
    """Encode any value of ours as canonical JSON: mappings sorted, fields in their order, decimal strings, RFC 3339."""
    return _ENCODER.encode(value)


def read_data(kind: type[Data], raw: Any) -> Data:
    """Turn an event's `data` into its class; `Refusal` names the field, what was expected and what came."""
    try:
        return _DATA[kind](raw)
    except msgspec.ValidationError as error:
        do = f"Correct it at the source; the schema is {SCHEMA_BASE}{kind.TYPE}."
        raise wording.refusal(error, kind, raw, "data", do) from error


def check_value(kind: Any, raw: Any, at: str) -> None:
    """Refuse a value that one field of an event, of the annotated type `kind`, wouldn't take; `at` is its path."""
    try:
        convert_learnt(raw, kind, dec_hook=_in)  # the type of an event's field, learnt with the event
    except msgspec.ValidationError as error:
        raise wording.refusal(error, kind, raw, at) from error


def read_event(raw: Any, *, internal: bool = False, trust_recorded: bool = False) -> Event:
    """Turn one CloudEvents object (structured mode, already parsed) into a typed event.

    `internal` admits the types that only the engine makes; `trust_recorded` honours a producer's `recordedat`.
    """
    try:
        envelope = _ENVELOPE(raw)
    except msgspec.ValidationError as error:
        raise _envelope_refusal(error, raw, internal=internal) from error
    kind = TYPES.get(envelope.type)
    if kind is None or (not internal and not kind.TOPIC):
        raise _unknown_type(envelope.type)
    data = read_data(kind, {} if envelope.data is None else envelope.data)
    problem = data.problem(envelope.time)
    if problem is not None:
        field = problem.text.split(" ", 1)[0].rstrip(":")
        raise Refusal(problem.text, "Correct it at the source and send it again.", code=problem.code, field=field)
    return Event(
        organisation=envelope.organisation,
        source=envelope.source,
        id=envelope.id,
        type=envelope.type,
        time=int(envelope.time),
        data=data,
        subject=envelope.subject or "",
        recorded_at=_recorded(envelope.recordedat) if envelope.recordedat and (internal or trust_recorded) else 0,
        correlation_id=envelope.correlationid or "",
        causation_id=envelope.causationid or "",
    )


def _recorded(value: Any) -> int:
    try:
        return int(instant(value))
    except Refusal as error:
        msg = f"recordedat: {error.message}."
        raise Refusal(msg, _TIME_DO, code=error.code, field="recordedat") from error


def _envelope_refusal(error: msgspec.ValidationError, raw: Any, *, internal: bool) -> Refusal:
    """Say what is wrong with the envelope; an unknown type is said first, since nothing else matters then."""
    if not isinstance(raw, dict):
        msg = f"Expected one CloudEvents object, got {wording.shown(raw)}."
        return Refusal(msg, "Send an object in braces with id, source, type, time, organisation and data.", code="not-an-object")
    name = raw.get("type")
    kind = TYPES.get(name) if isinstance(name, str) else None
    if isinstance(name, str) and 0 < len(name) <= _NAME_MAX and (kind is None or not (internal or kind.TOPIC)):
        return _unknown_type(name)
    refusal = wording.refusal(error, _Envelope, raw, do="Correct this CloudEvents attribute at the source.")
    if refusal.code == "unknown-field":
        refusal.code = "unknown-attribute"
        inner = refusal.field in getattr(kind, "__struct_fields__", ())
        refusal.message = f"{wording.cut(refusal.field)}: not an attribute Covenant knows."
        if inner:
            refusal.do = f"Put it under data, as data.{refusal.field}."
        elif not refusal.do.startswith("Did you mean"):
            refusal.do = "Leave it out, or put what it says under data."
    return refusal


def _unknown_type(name: str) -> Refusal:
    accepted = {_core(known): known for known, kind in TYPES.items() if kind.TOPIC}
    like = [accepted[core] for core in wording.nearest(_core(name), accepted)]
    hint = f"Did you mean {like[0]}?" if like else "Types are named as compute.usage.inference.v1 is."
    return Refusal(f"type: {wording.cut(name)!r} is not an event type Covenant accepts.", hint, code="unknown-type", field="type")


def _core(name: str) -> str:
    return _VERSION.sub("", name.removeprefix("compute."))


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
    joined = b""
    for part in parts:
        joined += len(part).to_bytes(4, "big") + part
    return hashlib.sha256(joined).digest()[:16]


def identity(event: Event) -> bytes:
    """Give the 16 bytes that identify the event: organisation, source and id."""
    return digest(event.organisation.encode(), event.source.encode(), event.id.encode())


def decision(aggregate: str, entry: str, bundle: str, asked: str) -> str:
    """Name a decision: of which entry of which aggregate, under which bundle, on which input (digests and identities in hex)."""
    return digest(aggregate.encode(), bytes.fromhex(entry), bundle.encode(), bytes.fromhex(asked)).hex()


def content(event: Event) -> bytes:
    """Give the 16 bytes that two deliveries of one event share: type, subject, time and data."""
    return digest(event.type.encode(), event.subject.encode(), event.time.to_bytes(8, "big"), _ENCODER.encode(event.data))
