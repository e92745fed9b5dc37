"""An event as the engine writes it: who it is, what it says, and its canonical wire form, each worked out once. Pure.

The journal, the identities seen and the derived facts all need parts of the same encoding. The wire form is
`codec.write_event`'s, byte for byte, and a test says so; here the data is encoded once and set into the envelope.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

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


class _Envelope(msgspec.Struct, omit_defaults=True, gc=False, kw_only=True):
    """Attributes in the order of their names, which is the canonical one; empty ones are left out."""

    causationid: str = ""
    correlationid: str = ""
    data: msgspec.Raw
    datacontenttype: str
    dataschema: str
    id: str
    organisation: str
    recordedat: str = ""
    source: str
    specversion: str
    subject: str = ""
    time: str
    type: str


_ENCODER: Final = msgspec.json.Encoder()


def write(event: Event) -> Written:
    """Encode an event once, and identify it."""
    data = codec.encode(event.data)
    envelope = _Envelope(
        causationid=event.causation_id,
        correlationid=event.correlation_id,
        data=msgspec.Raw(data),
        datacontenttype="application/json",
        dataschema=codec.SCHEMA_BASE + event.type,
        id=event.id,
        organisation=event.organisation,
        recordedat=instant_text(event.recorded_at) if event.recorded_at else "",
        source=event.source,
        specversion="1.0",
        subject=event.subject,
        time=instant_text(event.time),
        type=event.type,
    )
    content = codec.digest(event.type.encode(), event.subject.encode(), event.time.to_bytes(8, "big"), data)
    return Written(codec.identity(event).hex(), content.hex(), _ENCODER.encode(envelope).decode())
