"""`covenant policy release`, and how a rule that is held is told: by ingest, doctor, violations and the console."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from engine import bootstrap
from engine.domain.events import Event
from engine.service.findings import Findings
from engine.settings import read_settings
from tests.cli.conftest import Run, write
from tests.console.test_answers import ask
from tests.domain.make import event

pytestmark = pytest.mark.needs_opa
SAID = "FU-006 is held: it opened 2 findings in an hour, and 1 are its limit. 2 wait"


def transfers(first: int, count: int) -> list[Event]:
    """Grants handed on without an approval, each a finding of FU-006."""
    made = [event("feed.completed_through", "2026-05-11", ident=f"c{first}", feed="approvals", through="2026-05-11")]
    for number in range(first, first + count):
        who, grant = f"p-{number}", f"G-{number}"
        made += [
            event("grant.issued", "2026-05-01", ident=f"i{number}", grant_id=grant, holder=who, quantity="5"),
            event("grant.transferred", "2026-05-10", ident=f"m{number}", grant_id=grant, holder=who, to=f"p-t{number}"),
        ]
    return made


def test_a_rule_that_is_held_is_told_everywhere_until_it_is_released(
    folder: Path, covenant: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it found is spoken of with the next ingest, once a named person has looked into it."""
    monkeypatch.setenv("COVENANT_BREAKER", "1")
    taken = covenant("ingest", write(folder / "first.jsonl", transfers(0, 2)), "--format", "json")
    assert json.loads(taken.stdout)["held"] == ["FU-006"]
    assert SAID in covenant("doctor").stdout
    listed = covenant("violations", "list", "status:provisional")
    assert SAID in listed.stderr
    assert "2 found" in listed.stdout
    with closing(bootstrap.read_store(read_settings())) as store:
        _, _, page = ask(Findings(store), "/findings")
    assert SAID in page
    assert covenant("policy", "release", "FU-006", "--by", "counsel-2", "--why", "The directory was down.").exit_code == 0
    assert "held" not in covenant("doctor").stdout
    again = covenant("ingest", write(folder / "more.jsonl", transfers(9, 1)), "--format", "json")
    assert json.loads(again.stdout)["held"] == []
    assert "3 found" in covenant("violations", "list", "rule:FU-006", "status:alleged").stdout
    assert covenant("replay", "--check").exit_code == 0
    assert (refused := covenant("policy", "release", "FU-006", "--by", "c", "--why", "w")).exit_code == 2
    assert "isn't held" in refused.stderr
