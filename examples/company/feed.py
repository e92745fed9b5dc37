"""Where the example's events are collected: each with its identity, its time, and when it arrives.

Owns ids, sources and arrival; knows nothing of stories. An event arrives some seconds after its time unless it is said
to be late. Ids count within a scope, so that adding a story leaves the others' events as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from engine.domain.codec import write_event
from engine.domain.events import Data, Event
from engine.domain.events.reference import FeedCompletedThrough
from engine.domain.order import aggregate
from engine.domain.values import SECOND_US

ORGANISATION: Final = "acme"
_SOURCES: Final = {
    "approval": "/acme/legal",
    "determination": "/acme/legal",
    "disclosure": "/acme/legal",
    "alias": "/acme/directory",
    "credential": "/acme/directory",
    "person": "/acme/hris",
    "grant": "/acme/equity",
    "usage.inference": "/acme/gateway",
    "usage.gpu": "/acme/cluster-a",
    "job": "/acme/cluster-a",
    "repository": "https://github.com/acme",
    "organisation": "/acme/settings",
    "rate": "/acme/settings",
    "rule": "/acme/legal",
    "agreement": "/acme/legal",
    "pool": "/acme/equity",
}
FEEDS: Final = {
    "people": "/acme/hris",
    "approvals": "/acme/legal",
    "agreements": "/acme/legal",
    "disclosures": "/acme/legal",
    "usage": "/acme/gateway",
    "repositories": "https://github.com/acme",
    "grants": "/acme/equity",
}
"""Which system says how far a feed is complete."""


class Line(NamedTuple):
    """One line of the file, or one message of a topic."""

    arrives: int
    """When it is written (µs): the file's order."""
    event: Event | None
    """The event it holds; None when it is broken."""
    value: bytes
    topic: str
    key: str
    """The aggregate it concerns, or would concern if it weren't broken."""


class Feed:
    """Collects lines in any order; `lines` gives them as they arrive."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lines: list[Line] = []
        self._counts: dict[str, int] = {}
        self._scope = "set-up"

    def __len__(self) -> int:
        """How many lines there are so far."""
        return len(self._lines)

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Number the events said within as `name-001`, `name-002` and so on."""
        before, self._scope = self._scope, name
        yield
        self._scope = before

    def say(self, time: int, data: Data, *, late: int = 0, ident: str = "") -> Event:
        """Take an event that happened at `time`; it arrives `late` microseconds later than it would have."""
        count = self._counts[self._scope] = self._counts.get(self._scope, 0) + 1
        event = Event(
            organisation=ORGANISATION,
            source=source_of(data),
            id=ident or f"{self._scope}-{count:03d}",
            type=data.TYPE,
            time=time,
            data=data,
        )
        self.deliver(event, time + late + (count * 37 % 61 + 1) * SECOND_US)
        return event

    def deliver(self, event: Event, arrives: int) -> None:
        """Take an event that arrives at a moment, once more if it was there before."""
        self._lines.append(Line(arrives, event, write_event(event), f"covenant.{event.data.TOPIC}", aggregate(event)))

    def break_line(self, like: Event, value: bytes, arrives: int) -> None:
        """Take a line that can't be read, sent to where an event like this one would have gone."""
        self._lines.append(Line(arrives, None, value, f"covenant.{like.data.TOPIC}", aggregate(like)))

    def delay(self, delays: dict[tuple[str, str], int]) -> None:
        """Let events of these identities (source, id) arrive later by so many microseconds."""
        self._lines = [
            line._replace(arrives=line.arrives + delays.get((line.event.source, line.event.id), 0)) if line.event else line
            for line in self._lines
        ]

    def lines(self) -> list[Line]:
        """Give all lines in the order of their arrival; those of one instant in the order in which they were said."""
        return sorted(self._lines, key=lambda line: line.arrives)


def source_of(data: Data) -> str:
    """Give the system that says such an event."""
    if isinstance(data, FeedCompletedThrough):
        return FEEDS[data.feed]
    _, entity, verb, _ = data.TYPE.split(".")
    return _SOURCES.get(f"{entity}.{verb}") or _SOURCES[entity]


def cause_of(event: Event) -> str:
    """Name an event as decisions and discriminators do: its source and its id."""
    return f"{event.source} {event.id}"
