"""An event as the engine writes it: who it is, what it says, and its canonical wire form, each worked out once. Pure.

The journal, the identities seen and the derived facts all need parts of the same encoding. The wire form is
`codec.write_event`'s, byte for byte, and a test says so; here the data is encoded once and set into the envelope.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET

from engine.domain import codec
from engine.domain.events import Event
from engine.domain.values import instant_text


class Written(NamedTuple):
    """What is written of one event."""

    identity: str
    """Hex of organisation, source and id."""
    content: str
    """Hex of what two deliveries of one event share."""
    wire: str
    """Canonical CloudEvents JSON."""


class _Envelope(msgspec.Struct, gc=False):
    """Attributes in the order of their names, which is the canonical one; an unset one is left out."""

    causationid: str | msgspec.UnsetType
    correlationid: str | msgspec.UnsetType
    data: msgspec.Raw
    datacontenttype: str
    dataschema: str
    id: str
    organisation: str
    recordedat: str | msgspec.UnsetType
    source: str
    specversion: str
    subject: str | msgspec.UnsetType
    time: str
    type: str


_ENCODER: Final = msgspec.json.Encoder()


def write(event: Event) -> Written:
    """Encode an event once, and identify it."""
    data = codec.encode(event.data)
    content = codec.digest(event.type.encode(), event.subject.encode(), event.time.to_bytes(8, "big"), data)
    return Written(codec.identity(event).hex(), content.hex(), _wire(event, data))


def wire(event: Event) -> str:
    """Give an event's canonical CloudEvents JSON alone, where its identity is known."""
    return _wire(event, codec.encode(event.data))


def _wire(event: Event, data: bytes) -> str:
    envelope = _Envelope(
        event.causation_id or UNSET,
        event.correlation_id or UNSET,
        msgspec.Raw(data),
        "application/json",
        codec.SCHEMA_BASE + event.type,
        event.id,
        event.organisation,
        instant_text(event.recorded_at) if event.recorded_at else UNSET,
        event.source,
        "1.0",
        event.subject or UNSET,
        instant_text(event.time),
        event.type,
    )
    return _ENCODER.encode(envelope).decode()
