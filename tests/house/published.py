"""Whole documents that are made from the program and pinned: schemas of events, and what travels on which topic.

A change of an event's class shows here as a change of its schema. Written by `python -m tests.house`.
"""

from __future__ import annotations

import json

from engine.domain.events import TYPES
from engine.domain.events.schemas import schema
from engine.service.outgoing import OUTGOING, published_schema
from streams.asyncapi import document
from tests.services.parts import ROOT

SCHEMAS = "docs/schemas"
ASYNCAPI = "docs/asyncapi.json"


def published() -> dict[str, str]:
    """Give every published document's name and text."""
    schemas = {name: schema(name) for name in TYPES} | {one.name: published_schema(one.name) for one in OUTGOING}
    return {f"{SCHEMAS}/{name}.json": _text(shape) for name, shape in schemas.items()} | {ASYNCAPI: _text(document())}


def _text(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def there() -> dict[str, str]:
    """Give those that are there."""
    paths = [path for path in (ROOT / ASYNCAPI, *(ROOT / SCHEMAS).glob("*.json")) if path.is_file()]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def write_published() -> list[str]:
    """Write those that aren't as the program says, take away those that it doesn't know; gives their names."""
    wanted, found = published(), there()
    (ROOT / SCHEMAS).mkdir(parents=True, exist_ok=True)
    changed = [name for name in sorted(wanted.keys() | found.keys()) if wanted.get(name) != found.get(name)]
    for name in changed:
        if name in wanted:
            (ROOT / name).write_text(wanted[name], encoding="utf-8")
        else:
            (ROOT / name).unlink()
    return changed
