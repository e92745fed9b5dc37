"""What every source promises and is told: the protocol `Source`, its `Options`, and the checks all sources share. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Final, Protocol

import msgspec

from engine.domain.codec import read_event
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


def admitted(raw: Any, options: Options) -> Event:
    """Turn a CloudEvents object into its event; `Refusal` where it is wrong, or from the future."""
    event = read_event(raw, trust_recorded=options.trust_recorded)
    if options.now_us and event.time > options.now_us + SKEW_US:
        msg = f"time: {instant_text(event.time)} is more than 5 minutes after now ({instant_text(options.now_us)})."
        raise Refusal(msg, "Correct the producer's clock or the event's time.", code="in-the-future", field="time")
    return event


def of_organisation(options: Options, what: str) -> str:
    """Give the run's organisation; `Refusal` where a source that names none is read without one."""
    if options.organisation:
        return options.organisation
    msg = f"organisation: missing; {what} names none."
    raise Refusal(msg, "Give it with --organisation, such as --organisation acme.", code="missing", field="organisation")
