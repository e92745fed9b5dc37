"""What people are told of a correction: which late event it is owed to, in `violations show` and `explain`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, write
from tests.domain.make import event

pytestmark = pytest.mark.needs_opa
NAMED = {"source": "test", "id": "late-yes", "type": "compute.approval.granted.v1"}


def test_a_retraction_names_the_event_that_came_late(folder: Path, covenant: Run) -> None:
    """Its source, id, type and time, to people and to programs; the decision made anew says the same."""
    grant = event("grant.issued", "2026-05-01", ident="g", grant_id="G1", holder="p-1", quantity="5")
    moved = event("grant.transferred", "2026-05-10", ident="m", grant_id="G1", holder="p-1", to="p-2")
    about = {"kind": "grant", "id": "G1"}
    approved = event(
        "approval.granted", "2026-05-09", ident="late-yes", approval_id="a", kind="transfer", approver="p-9", about=about
    )
    complete = event("feed.completed_through", "2026-05-11", feed="approvals", through="2026-05-11")
    covenant("ingest", write(folder / "first.jsonl", [complete, grant, moved]))
    covenant("ingest", write(folder / "second.jsonl", [approved]))
    (listed,) = map(json.loads, covenant("violations", "list", "rule:FU-006", "--format", "json").stdout.splitlines())
    shown = json.loads(covenant("violations", "show", listed["id"], "--format", "json").stdout)
    step = shown["timeline"][-1]
    assert (shown["status"], step["change"]) == ("retracted", "retracted")
    assert step["cause"].items() >= (NAMED | {"at": "2026-05-09T00:00:00Z"}).items()
    told = " ".join(covenant("violations", "show", listed["id"]).stdout.split())
    assert "(compute.approval.granted.v1 late-yes from test, 2026-05-09T00:00:00Z)" in told
    export = [json.loads(line) for line in covenant("export", "--standing").stdout.splitlines()]
    assert not [line for line in export if line["kind"] == "violation"]
    made = covenant("explain", shown["timeline"][0]["decision"])
    assert "superseded or withdrawn since" in made.stdout
    assert "Because of a late fact" not in made.stdout
