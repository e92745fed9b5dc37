"""What every source promises and is told: the protocol `Source`, its `Options`, and the checks all sources share. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, Protocol

import msgspec

from engine.domain.errors import Refusal
from engine.domain.events import Event
from engine.domain.values import SECOND_US, instant_text
from engine.intake.arrivals import Arrival

SKEW_US: Final = 300 * SECOND_US
"""How far an event's time may lie past its recording: producers' clocks differ by this much, not by more."""


class Options(msgspec.Struct, frozen=True):
    """What a source is told about this run."""

    organisation: str = ""
    """Of events that name none; an event's own organisation is kept."""
    trust_recorded: bool = False
    """Honour a producer's `recordedat`."""
    now_us: int = 0
    """The present, for refusing events from the future; 0 = no check."""


class Source(Protocol):
    """One source format: bytes in, one arrival out for each event or refusal, in the file's order.

    `arrivals` never raises on what the bytes say, holds no more than one line (and, where rows have no ids, 16 bytes
    for each row seen), and gives equal identities for equal bytes. `where` names the stream for people.
    """

    name: str

    def arrivals(self, stream: BinaryIO, where: str, options: Options) -> Iterator[Arrival]:
        """Read a whole stream, gzip or not."""
        ...


def refused(refusal: Refusal, raw: bytes, where: str) -> Arrival:
    """Make the arrival of a refusal; `raw` is kept so that it can be redriven."""
    return Arrival(None, refusal, raw, where)


def early(event: Event, options: Options) -> Refusal | None:
    """Give a refusal of an event from the future, else None."""
    if not options.now_us or event.time <= options.now_us + SKEW_US:
        return None
    msg = f"time: {instant_text(event.time)} is more than 5 minutes after now ({instant_text(options.now_us)})."
    return Refusal(msg, "Correct the producer's clock or the event's time.", code="in-the-future", field="time")
