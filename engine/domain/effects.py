"""What folding one event yields: derived facts for other aggregates, postings to grants, and a question to the rules.

Owns the shapes shared by all aggregates; decides nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from msgspec import structs

from engine.domain.enablement import Permission
from engine.domain.events import Data, Event
from engine.domain.events.base import Problem
from engine.domain.events.derived import DeadlineReached
from engine.domain.values import Quantity, month


class Derived(NamedTuple):
    """A fact for another aggregate. `forwarded` keeps the original event's identity and type."""

    target: str
    event: Event


class Share(NamedTuple):
    """One event's part of a fact for another aggregate that many events make up together: the fact is their sum.

    There are hundreds of one long job, worked out again whenever it is folded again: the fact itself is made once for all.
    """

    target: str
    ident: str
    """The fact's id, which says all that it is but for its amounts."""
    time: int
    """Where it stands (µs)."""
    kind: type[Data]
    said: tuple[Any, ...]
    """Its fields up to the amounts, which come last."""
    amounts: tuple[int, ...]
    """In micro-units, in the order of `kind.SUMMED`."""

    def fact(self) -> Event:
        """Give the fact as it would be of this part alone."""
        data = self.kind(*self.said, *map(Quantity, self.amounts))
        return Event(self.target.partition("/")[0], "covenant", self.ident, self.kind.TYPE, self.time, data)


class Posting(NamedTuple):
    """A change to one grant's balance, in micro-units."""

    grant: str
    unit: str
    kind: str
    amount: int


class Wait(NamedTuple):
    """A fact that isn't given yet, because its feed hasn't said that it is complete up to a moment."""

    path: str
    """Where it belongs, from `facts.` on."""
    feed: str
    at: int
    value: Any
    """What it is once the feed is complete."""


class Question(msgspec.Struct, gc=False):
    """What the rules are asked about one event: its fields, the facts, and which facts are unknown and why."""

    event: dict[str, Any]
    facts: dict[str, Any]
    unknown: dict[str, str]
    agreement: str = "default"
    """Agreement version whose parameters apply."""
    permission: Permission | None = None
    """Which rules are enabled then and there; None where the organisation isn't held to records."""
    waits: list[Wait] = []
    """Which of the unknown facts a feed's word alone would make known."""


class Effects(msgspec.Struct, gc=False):
    """All that one event does beyond its aggregate's state."""

    derived: list[Derived] = []
    postings: list[Posting] = []
    shares: list[Share] = []
    question: Question | None = None
    refused: Problem | None = None
    """Why it has no effect, where only the fold can tell: it stays in the journal, and people are told."""
    again: bool = False
    """Whether the question alone is given once more, and all else stands as it was."""

    def posted(self) -> dict[tuple[str, str, str], int]:
        """Give what is posted in all: (grant, unit, kind) → amount other than 0."""
        total: dict[tuple[str, str, str], int] = {}
        for grant, unit, kind, amount in self.postings:
            total[grant, unit, kind] = total.get((grant, unit, kind), 0) + amount
        return {key: amount for key, amount in total.items() if amount}


NOTHING = Effects()


def make(event: Event, data: Data, ident: str) -> Event:
    """Give a derived event caused by `event`, at the same moment, identified within its cause."""
    return Event(
        organisation=event.organisation,
        source="covenant",
        id=ident,
        type=data.TYPE,
        time=event.time,
        data=data,
        correlation_id=event.correlation_id,
        causation_id=f"{event.source} {event.id}",
    )


def deadline(event: Event, reached: DeadlineReached, due: int, number: str = "") -> Derived:
    """Give the moment an aggregate waits for because of `event`, addressed to itself; `number` tells several apart."""
    ident = " ".join(part for part in ("deadline", reached.kind, reached.about_, number, cause_id(event)) if part)
    moment = structs.replace(make(event, reached, ident), time=due)
    return Derived(f"{event.organisation}/{reached.of_kind}/{reached.of_id}", moment)


def cause_id(event: Event) -> str:
    """Name an event within its organisation: what a derived fact's id is made of."""
    return f"{event.source} {event.id}"


def header(event: Event, at: int) -> dict[str, Any]:
    """Give the fields of an event that every input carries."""
    return {"id": cause_id(event), "type": event.type, "at": int(at), "month": month(at)}
