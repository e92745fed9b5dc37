"""Derived facts on their way: an upsert or withdrawal addressed to an aggregate, as it travels on `covenant.derived`.

A delivery is identified by its target and the event it carries (source, id); a higher revision replaces a lower, a
withdrawal leaves only the revision. Values are CloudEvents with the extensions `covenanttarget`, `covenantidentity`,
`covenantrevision` and `covenantwithdrawn`, `covenantcause` where another event is behind it (`covenantlate`: one that came
late), and `covenantknown` where a source's word on when it was learnt is believed; one message holds many of them
(CloudEvents' batch mode), since a message costs far more than a fact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET

from engine.domain import codec
from engine.domain.cause import Cause
from engine.domain.errors import Refusal
from engine.domain.events import Event
from engine.domain.prepared import converter

PACKED: Final = 256
"""Facts in one message at most."""
PACKED_BYTES: Final = 512 * 1024
"""Bytes of one message beyond which no further fact is packed into it; one fact alone may have more."""


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One derived or forwarded fact, addressed."""

    target: str
    identity: str
    revision: int
    withdrawn: bool
    event: Event
    cause: Cause | None = None
    """The event it comes from, where that isn't the one it carries."""
    late: bool = False
    """Whether that was late where it was taken in, or anywhere on the way."""
    known_at: int = 0
    """When what brought it was learnt (µs), where that is another moment than when it was taken in; 0: it isn't."""


class _Extensions(msgspec.Struct, gc=False):
    """What a delivery adds to its event."""

    covenantcause: Cause | msgspec.UnsetType
    covenantidentity: str
    covenantknown: int | msgspec.UnsetType
    covenantlate: bool | msgspec.UnsetType
    covenantrevision: int
    covenanttarget: str
    covenantwithdrawn: bool


_ENCODER: Final = msgspec.json.Encoder()
_CAUSE: Final = converter(Cause)


def write_delivery(delivery: Delivery, wire: str) -> bytes:
    """Encode a delivery; `wire` is its event as the journal has it."""
    more = _Extensions(
        UNSET if delivery.cause is None else delivery.cause, delivery.identity, delivery.known_at or UNSET,
        delivery.late or UNSET, delivery.revision, delivery.target, delivery.withdrawn,
    )  # fmt: skip
    return wire[:-1].encode() + b"," + _ENCODER.encode(more)[1:]


def pack(deliveries: Sequence[tuple[Delivery, str]]) -> Iterator[tuple[str, bytes]]:
    """Give (key, value) of the messages that carry deliveries to one lane, each with its event's wire form, by event time.

    The key is the first one's target, which the default partitioner brings to the lane that all of them are for.
    """
    waiting: list[bytes] = []
    size, key = 0, ""
    for delivery, wire in sorted(deliveries, key=lambda pair: pair[0].event.time):
        one = write_delivery(delivery, wire)
        if waiting and (len(waiting) >= PACKED or size + len(one) > PACKED_BYTES):
            yield key, b"[" + b",".join(waiting) + b"]"
            waiting, size = [], 0
        if not waiting:
            key = delivery.target
        waiting.append(one)
        size += len(one)
    if waiting:
        yield key, b"[" + b",".join(waiting) + b"]"


def read_deliveries(value: bytes) -> list[Delivery]:
    """Decode a message of one delivery or of many; anything else is refused, whole."""
    try:
        raw = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _not_ours(error) from error
    return [_delivery(one) for one in (raw if isinstance(raw, list) else [raw])]


def _delivery(raw: Any) -> Delivery:
    try:
        target, revision = str(raw.pop("covenanttarget")), int(raw.pop("covenantrevision"))
        ident, withdrawn = str(raw.pop("covenantidentity")), bool(raw.pop("covenantwithdrawn"))
        cause, late = raw.pop("covenantcause", None), bool(raw.pop("covenantlate", False))
        known_at = int(raw.pop("covenantknown", 0))
        behind = None if cause is None else _CAUSE(cause)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _not_ours(error) from error
    return Delivery(target, ident, revision, withdrawn, codec.read_event(raw, internal=True), behind, late, known_at)


def _not_ours(error: Exception) -> Refusal:
    msg = f"Not a derived fact of Covenant's: {error}."
    return Refusal(msg, "Only Covenant itself may write to covenant.derived; check the topic's ACL.")
