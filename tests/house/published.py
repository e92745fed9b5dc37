"""Whole documents that are made from the program and pinned: schemas of events, and what travels on which topic.

A change of an event's class shows here as a change of its schema. Written by `python -m tests.house`.
"""

from __future__ import annotations

import json

from engine.domain.events import TYPES
from engine.domain.events.schemas import schema
from tests.services.parts import ROOT

SCHEMAS = "docs/schemas"


def published() -> dict[str, str]:
    """Give every published document's name and text."""
    return {f"{SCHEMAS}/{name}.json": _text(schema(name)) for name in sorted(TYPES)}


def _text(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def there() -> dict[str, str]:
    """Give those that are there."""
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in (ROOT / SCHEMAS).glob("*.json")}


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
