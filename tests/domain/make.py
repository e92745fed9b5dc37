"""Short ways to make events in tests."""

from __future__ import annotations

import itertools
from typing import Any

from engine.domain.codec import read_event
from engine.domain.events import Event

_IDS = itertools.count()


def event(name: str, time: str, /, *, ident: str = "", organisation: str = "acme", **data: Any) -> Event:
    """Make an inbound event `compute.<name>.v1` at a time (a date is 00:00Z)."""
    return read_event(
        {
            "id": ident or f"t-{next(_IDS)}",
            "source": "test",
            "type": f"compute.{name}.v1",
            "time": time,
            "organisation": organisation,
            "data": data,
        },
        internal=True,
    )
