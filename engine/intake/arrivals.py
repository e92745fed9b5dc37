"""What intake hands on: an event, or a refusal with its reason; never both, never neither."""

from __future__ import annotations

import msgspec

from engine.domain.errors import Refusal
from engine.domain.events import Event


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One line or message as it was understood. `raw` is kept for a refusal, cut to a limit.

    With an event `raw` is the record that the event was made from; empty where the event is what came.
    """

    event: Event | None
    refusal: Refusal | None = None
    raw: bytes = b""
    where: str = ""
    """File and line, or topic, partition and offset: for people only, never part of an identity."""
