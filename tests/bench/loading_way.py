"""Loading one long aggregate, whole and from its checkpoint: `python -m tests.bench.loading_way [ENTRIES] [URL]`.

Usage of one person, an event a minute, taken in without rules: what OPA answers doesn't bear on how long loading takes.
What is in memory afterwards is compared where both have it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from engine.domain.events import Event
from engine.domain.values import SECOND_US, instant, instant_text
from engine.service.process import Body
from engine.service.relearning import Nobody
from engine.store.tables import CheckpointTable
from tests.domain.make import event
from tests.service.books import NO_RULES, Opened

KEY: Final = "acme/person/p-1"
ENTRIES: Final = 100_000


def measure(url: str, entries: int = ENTRIES) -> dict[str, float]:
    """Give seconds of loading from a checkpoint and whole, of making the checkpoint, and its bytes."""
    opened = Opened(url)
    opened.take(_usage(entries), batch=2000)
    found = dict[str, float]()
    with opened.store.engine.begin() as connection:
        connection.execute(CheckpointTable.__table__.delete())  # type: ignore[attr-defined]
    found["whole, s"], whole = _load(opened)
    started = time.monotonic()
    assert whole.keep_checkpoints(0) == 1
    found["making a checkpoint, s"] = time.monotonic() - started
    found["from a checkpoint, s"], part = _load(opened)
    full, tail = (body._memory[0].aggregates[KEY].timeline for body in (whole, part))
    assert full.state == tail.state
    assert full.places[-len(tail.places) :] == tail.places
    found["entries read"] = len(tail.places)
    kept = opened.store.load([KEY], part.fold)[KEY].checkpoint
    found["its bytes"] = len(kept.body) if kept is not None else 0
    opened.store.close()
    return found


def _load(opened: Opened) -> tuple[float, Body]:
    body = Body(opened.store, Nobody(NO_RULES), NO_RULES)
    body.open(0)
    started = time.monotonic()
    body._load(body._memory[0], [KEY])
    return time.monotonic() - started, body


def _usage(entries: int) -> list[Event]:
    since = instant("2026-01-01T00:00:00Z")
    return [
        event(
            "usage.inference", instant_text(since + n * 60 * SECOND_US), ident=f"u-{n}", person="p-1", credential="k",
            grant_id="G1", quantity="1", session=f"s-{n // 100}", model="m", provider="x",
        )
        for n in range(entries)
    ]  # fmt: skip


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    with TemporaryDirectory() as folder:
        where = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{Path(folder) / 'covenant.db'}"
        for name, figure in measure(where, count).items():
            sys.stdout.write(f"{name:>24} {figure:,.3f}\n")
