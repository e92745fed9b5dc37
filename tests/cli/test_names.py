"""`covenant names`: who waits for a link, and what was dropped, as text, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from tests.cli.conftest import Run, ingested, write
from tests.domain.make import event

LOGIN = {"kind": "login", "value": "github.com/Stranger"}
SAID = (
    event("organisation.configured", "2025-01-01", owners=["github.com/acme"]),
    event("usage.inference", "2026-01-03", credential="k1", quantity="5"),
    event("usage.inference", "2026-01-02", credential="k1", quantity="5"),
    *(
        event("repository.pushed", "2026-01-04", repository=owner, name="n", owner=f"github.com/{owner}", actor=LOGIN)
        for owner in ("acme", "else")
    ),
)


def test_names_that_wait_are_listed_and_what_was_dropped_is_counted(covenant: Run, folder: Path) -> None:
    """Most first; what happened in the organisation's repositories and to its compute stays, what happened elsewhere goes."""
    ingested(covenant, write(folder / "events.jsonl", SAID))
    found = [json.loads(line) for line in covenant("--format", "json", "names").stdout.splitlines()]
    assert [(row["kind"], row["value"], row["count"], row["since"], row["linked"]) for row in found] == [
        ("credential", "k1", 2, "2026-01-02T00:00:00Z", False),
        ("login", "github.com/stranger", 2, "2026-01-04T00:00:00Z", False),
    ]  # fmt: skip
    assert (found[0]["drops_at"] == "", found[1]["drops_at"] > "2026-02-03") == (True, True)
    assert "Nothing was dropped" in covenant("names", "--dropped").stdout
    ingested(covenant, "--until", "2099-01-01", write(folder / "none.jsonl", ()))
    rows = list(csv.DictReader(io.StringIO(covenant("--format", "csv", "names", "--kind", "login").stdout)))
    assert [(row["value"], row["count"], row["drops_at"]) for row in rows] == [("github.com/stranger", "1", "")]
    dropped = json.loads(covenant("--format", "json", "names", "--dropped").stdout)
    assert (dropped["organisation"], dropped["kind"], dropped["count"]) == ("acme", "login", 1)
    assert "1 facts of unknown names were dropped" in covenant("names").stderr


def test_a_refold_that_finds_what_was_dropped_says_so(covenant: Run, folder: Path) -> None:
    """The name was linked after its time was over: in the store nothing came of what it did, in a refold in order it does."""
    said = [*SAID, event("grant.issued", "2026-01-01", grant_id="G", holder="p-1", quantity="5", vesting="immediate")]
    ingested(covenant, write(folder / "events.jsonl", said))
    ingested(covenant, "--until", "2099-01-01", write(folder / "none.jsonl", ()))
    target = {"kind": "person", "id": "p-1"}
    late = [event("alias.linked", "2026-01-03", alias=LOGIN, target=target, verified=True)]
    ingested(covenant, write(folder / "late.jsonl", late))
    assert covenant("replay", "--check").exit_code == 0
    refold = covenant("replay", "--canonical")
    assert (refold.exit_code, "1 facts were dropped after 30 days" in refold.stderr) == (1, True)
