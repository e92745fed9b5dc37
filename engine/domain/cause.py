"""What a correction is owed to: the event, taken in late, that made what was decided before be decided anew. Pure.

A cause is always an event that somebody sent, however many derived facts lie between it and what it changed: a link of
an alias, not the usage that the link released. Rows hold it as canonical JSON, empty where there is none.
"""

from __future__ import annotations

from typing import Final

import msgspec

from engine.domain.events import Event
from engine.domain.events.base import TYPES, Rank


class Cause(msgspec.Struct, frozen=True, gc=False):
    """An event by its name, where it was taken in, and when it happened (µs UTC)."""

    aggregate: str
    """Where it stands in the journal: `organisation/kind/id`."""
    identity: str
    source: str
    id: str
    type: str
    time: int

    @property
    def telling(self) -> bool:
        """Whether it bears on what other events mean: an approval, a link, a rate; usage and acts come by the thousand."""
        kind = TYPES.get(self.type)
        return kind is None or kind.RANK in _TELLING


_TELLING: Final = frozenset({Rank.REFERENCE, Rank.PEOPLE, Rank.APPROVAL, Rank.GRANT, Rank.ALIAS})
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Cause)


def of_event(event: Event, identity: str, aggregate: str = "") -> Cause:
    """Name an event as a cause; `aggregate` is where it stands, by default what it is about."""
    where = aggregate or f"{event.organisation}/{'/'.join(event.data.about())}"
    return Cause(where, identity, event.source, event.id, event.type, int(event.time))


def write(cause: Cause | None) -> str:
    """Give what a row holds of a cause."""
    return "" if cause is None else _ENCODER.encode(cause).decode()


def read(text: str) -> Cause | None:
    """Read what `write` wrote."""
    return _DECODER.decode(text) if text else None
