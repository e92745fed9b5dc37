"""Derived facts on their way: an upsert or withdrawal addressed to an aggregate, as it travels on `covenant.derived`.

A delivery is identified by its target and the event it carries (source, id); a higher revision replaces a lower, a
withdrawal leaves only the revision. Values are CloudEvents with the extensions `covenanttarget`,
`covenantrevision` and `covenantwithdrawn`.
"""

from __future__ import annotations

import msgspec

from engine.domain import codec
from engine.domain.errors import Refusal
from engine.domain.events import Event


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One derived or forwarded fact, addressed."""

    target: str
    identity: str
    revision: int
    withdrawn: bool
    event: Event


def write_delivery(delivery: Delivery) -> bytes:
    """Encode a delivery for the topic."""
    return codec.encode(
        codec.as_cloudevent(delivery.event)
        | {
            "covenanttarget": delivery.target,
            "covenantidentity": delivery.identity,
            "covenantrevision": delivery.revision,
            "covenantwithdrawn": delivery.withdrawn,
        }
    )


def read_delivery(value: bytes) -> Delivery:
    """Decode what `write_delivery` wrote; anything else is refused."""
    try:
        raw = msgspec.json.decode(value)
        target, revision = str(raw.pop("covenanttarget")), int(raw.pop("covenantrevision"))
        ident, withdrawn = str(raw.pop("covenantidentity")), bool(raw.pop("covenantwithdrawn"))
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        msg = f"Not a derived fact of Covenant's: {error}."
        raise Refusal(msg, "Only Covenant itself may write to covenant.derived; check the topic's ACL.") from error
    return Delivery(target, ident, revision, withdrawn, codec.read_event(raw, internal=True))
