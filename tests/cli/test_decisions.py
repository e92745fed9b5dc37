"""`covenant decisions list`: every outcome is recorded, listed and explained, not violations alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, write
from tests.domain.make import event

LOGIN = {"kind": "login", "value": "github.com/a"}
REPOSITORY: dict[str, Any] = {"repository": "r1", "name": "n", "owner": "github.com/acme", "private": True, "actor": LOGIN}


@pytest.fixture
def listed(covenant: Run, folder: Path) -> Any:
    """A store in which each outcome but error happened; lists what is asked for."""
    events = [
        event("organisation.configured", "2026-01-01", owners=["github.com/acme"]),
        event("credential.created", "2026-01-01", credential="c", owner="p-1"),
        event("grant.issued", "2026-01-01", grant_id="G1", holder="p-1", quantity="100", vesting="immediate"),
        event("alias.linked", "2026-01-01", alias=LOGIN, target={"kind": "person", "id": "p-1"}, verified=True),
        event(
            "approval.granted", "2026-01-02", about={"kind": "repository", "id": "r1"}, approval_id="ap-1", kind="fork",
            approver="p-9",
        ),
        event("repository.forked", "2026-01-03", to_owner="github.com/a", to_owner_kind="user", **REPOSITORY),
        event("repository.forked", "2026-01-04", to_owner="github.com/b", to_owner_kind="user", **REPOSITORY | {
            "repository": "r2", "actor": {"kind": "login", "value": "github.com/ghost"},
        }),
        event("person.membership_recorded", "2026-01-05", person="p-1", member_of="rival", basis="declared"),
        event("person.terminated", "2026-02-01", person="p-1"),
        event("usage.inference", "2026-02-02", credential="c", quantity="5"),
    ]  # fmt: skip
    assert covenant("ingest", write(folder / "all.jsonl", events), "--quiet").exit_code == 0

    def ask(*arguments: str) -> list[dict[str, Any]]:
        result = covenant("--format", "json", "decisions", "list", *arguments)
        assert result.exit_code == 0, result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]

    return ask


def test_each_outcome_is_listed_with_what_is_behind_it(covenant: Run, listed: Any) -> None:
    """A violation in words, an excuse with its guard and approval, a question with the facts that are missing."""
    (violation,) = listed("--outcome", "violation")
    assert (violation["rule"], violation["aggregate"]) == ("FU-007", "acme/person/p-1")
    assert "had ended" in violation["why"]
    (excused,) = listed("--outcome", "excused")
    assert (excused["rule"], excused["why"]) == ("IP-004", "fork by ap-1")
    open_ = {(one["rule"], one["aggregate"].partition("/")[2]): one["why"] for one in listed("--outcome", "indeterminate")}
    assert "github.com/ghost is not linked to a verified person" in open_["IP-004", "repository/r2"]
    (off,) = listed("--outcome", "not-applicable", "--rule", "IP-010")
    told = covenant("explain", off["decision"])
    assert "It doesn't apply: no record enables it then, where the person is employed." in told.stdout
    assert "FU-001" in {one["rule"] for one in listed("--outcome", "pass")}
    assert listed("--outcome", "error") == []


def test_the_list_narrows_and_ends(covenant: Run, listed: Any) -> None:
    """By rule and aggregate, named in full or without the organisation; a limit holds; a person gets a table."""
    every = listed()
    assert {one["outcome"] for one in every} == {"violation", "excused", "indeterminate"}
    assert listed("--aggregate", "repository/r1") == listed("--aggregate", "acme/repository/r1") != []
    assert {one["rule"] for one in listed("--rule", "IP-004")} == {"IP-004"}
    assert listed("--aggregate", "pository/r1") == []
    assert listed("--limit", "1") == every[:1]
    assert covenant("decisions", "list", "--rule", "FU-001").stdout == "Nothing.\n"
    assert "FU-007  violation" in covenant("decisions", "list").stdout


def test_a_decision_that_was_superseded_is_listed_on_request(covenant: Run, folder: Path) -> None:
    """What was said before stays on record."""
    leaver = [
        event("credential.created", "2026-01-01", credential="c", owner="p-1"),
        event("grant.issued", "2026-01-01", grant_id="G1", holder="p-1", quantity="100", vesting="immediate"),
        event("usage.inference", "2026-02-02", credential="c", quantity="5"),
    ]
    late = [event("person.terminated", "2026-02-01", person="p-1")]
    for name, events in (("first", leaver), ("late", late)):
        assert covenant("ingest", write(folder / f"{name}.jsonl", events), "--quiet").exit_code == 0
    ask = ("--format", "json", "decisions", "list", "--rule", "FU-007", "--outcome", "pass")
    assert covenant(*ask).stdout == ""
    assert len(covenant(*ask, "--all").stdout.splitlines()) == 1
