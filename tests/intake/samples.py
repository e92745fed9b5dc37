"""Valid lines of every source, and short ways to read bytes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from engine.domain.errors import Refusal
from engine.domain.events import Event
from engine.domain.values import instant
from engine.intake.arrivals import Arrival
from engine.intake.contract import Options, Source
from engine.intake.mapping import Mapped
from engine.intake.sources import open_source

MAPPINGS = Path(__file__).parents[2] / "examples" / "mappings"
ACME = Options(organisation="acme")
NOW = instant("2026-06-01")


def usage(**changed: Any) -> dict[str, Any]:
    """Make a valid usage event; a change of None takes the attribute away."""
    whole = {
        "specversion": "1.0",
        "id": "u-1",
        "source": "gateway",
        "type": "compute.usage.inference.v1",
        "time": "2026-03-04T05:06:07Z",
        "organisation": "acme",
        "data": {"credential": "k-1", "quantity": "1.25", "model": "m"},
    }
    return {key: value for key, value in (whole | changed).items() if value is not None}


def delivery(event: str, /, action: str | None = None, *, top: dict[str, Any] | None = None, **payload: Any) -> dict[str, Any]:
    """Make a GitHub delivery about a private repository of octo-org by the login mona."""
    whole: dict[str, Any] = {
        "action": action,
        "repository": repository(),
        "sender": {"login": "mona", "type": "User"},
        **payload,
    }
    body = {key: value for key, value in whole.items() if value is not None}
    return {"event": event, "payload": body, **({"received": "2026-03-04T05:06:07Z"} if top is None else top)}


def repository(**changed: Any) -> dict[str, Any]:
    """Make the repository of a payload."""
    return {
        "id": 17,
        "full_name": "octo-org/engine",
        "private": True,
        "owner": {"login": "octo-org", "type": "Organization"},
        "pushed_at": 1_772_600_767,
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2026-03-04T05:06:08Z",
        **changed,
    }


def encoded(*values: Any) -> bytes:
    """Write values as JSON lines."""
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def arrivals(source: Source | str, content: bytes, options: Options = ACME) -> list[Arrival]:
    """Read a whole file's bytes."""
    opened = open_source(source) if isinstance(source, str) else source
    return list(opened.arrivals(io.BytesIO(content), "file", options))


def mapped(declaration: str, content: str, options: Options = ACME) -> list[Arrival]:
    """Read a file by a mapping."""
    return arrivals(Mapped(declaration, "test.yaml"), content.encode(), options)


def events(found: list[Arrival]) -> list[Event]:
    """Give the events; fail if anything was refused."""
    refused = [str(arrival.refusal) for arrival in found if arrival.refusal is not None]
    assert refused == []
    return [arrival.event for arrival in found if arrival.event is not None]


def refusal(found: list[Arrival]) -> Refusal:
    """Give the one refusal there is; fail if there are more or none, or one isn't for people."""
    refusals = [arrival.refusal for arrival in found if arrival.refusal is not None]
    assert len(refusals) == 1
    assert refusals[0].message.endswith((".", "?"))
    assert refusals[0].do.endswith((".", "?", "}."))
    return refusals[0]
