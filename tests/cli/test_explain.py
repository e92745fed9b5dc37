"""`covenant explain`, `replay`, `export` and `ledger` on a store: decisions made again, compared, and laid open."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.cli.wording import said
from engine.domain.values import FOREVER
from engine.policy.conditions import Condition
from tests.cli.conftest import Run, document, write
from tests.domain.make import event


@pytest.fixture
def store(covenant: Run, events: Path, folder: Path) -> Path:
    """The small story, taken in."""
    assert covenant("ingest", events, "--quiet").exit_code == 0
    return folder / ".covenant" / "covenant.db"


def decisions(store: Path, verdict: str) -> list[str]:
    """Ids of decisions, the newest last."""
    with closing(sqlite3.connect(store)) as connection:
        query = "SELECT id FROM decision WHERE verdict = ? ORDER BY version, ordinal"
        return [ident for (ident,) in connection.execute(query, (verdict,))]


def change(store: Path, statement: str, *values: object) -> None:
    """Tamper with the store."""
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute(statement, values).rowcount > 0
        connection.commit()


def explained(covenant: Run, ident: str, code: int = 0) -> dict[str, Any]:
    """The explanation of a decision as a document."""
    result = covenant("--format", "json", "explain", ident)
    assert result.exit_code == code, result.stderr
    return document(result)


def rule(found: dict[str, Any], code: str) -> dict[str, Any]:
    """One rule of an explanation."""
    (one,) = [one for one in found["rules"] if one["code"] == code]
    assert isinstance(one, dict)
    return one


def test_a_violation_is_explained_by_the_conditions_that_held(covenant: Run, store: Path) -> None:
    """With the values behind them, from the input that was kept."""
    found = explained(covenant, decisions(store, "violation")[-1][:10])
    assert (found["same"], found["input_from"], found["verdict"], found["stands"]) == (True, "kept", "violation", True)
    broken = rule(found, "FU-007")
    assert (broken["outcome"], broken["recorded"], broken["clause"]) == ("violation", "violation", "G6")
    assert broken["facts"]["facts.coverage"] == "access_ended"
    assert "had ended" in broken["sentence"]
    breach, excuse = broken["conditions"]
    assert breach["applies"]
    assert all(line["holds"] for line in breach["conditions"])
    assert (excuse["guard"], excuse["applies"]) == ("job_started_before", False)
    assert [line["holds"] for line in excuse["conditions"]] == [False, True]


def test_a_pass_is_folded_again_from_the_journal(covenant: Run, store: Path) -> None:
    """Its input wasn't kept; it comes out with the same digest."""
    found = explained(covenant, decisions(store, "pass")[0])
    assert (found["same"], found["input_from"]) == (True, "refolded")
    cap = rule(found, "FU-001")
    assert cap["thresholds"] == {"cap_u": 1_000_000_000}
    lines = {line["text"]: line for line in cap["conditions"][0]["conditions"]}
    assert lines["sum_u := input.facts.use.ccu_30d_u"]["values"] == {"sum_u": 5_000_000}
    assert not lines["sum_u > cap_u"]["holds"]


def test_a_pass_is_folded_as_far_as_was_known_then(covenant: Run, store: Path, folder: Path) -> None:
    """A late usage and a late rate change what stands, not what was decided before."""
    first = decisions(store, "pass")[0]
    late = event("usage.inference", "2026-01-01T12:00:00Z", credential="c", quantity="7")
    assert covenant("ingest", write(folder / "late.jsonl", [late]), "--quiet").exit_code == 0
    found = explained(covenant, first)
    assert found["same"]
    assert found["input"]["facts"]["use"]["ccu_30d_u"] == 5_000_000
    newest = explained(covenant, decisions(store, "pass")[-1])
    assert newest["same"]


def test_a_violations_id_finds_the_decision_it_rests_on(covenant: Run, store: Path) -> None:
    """So that a person needs to know one id only."""
    with closing(sqlite3.connect(store)) as connection:
        ((ident, decision),) = connection.execute("SELECT id, last_decision FROM violation").fetchall()
    assert explained(covenant, ident[:12])["decision"] == decision


def test_what_comes_out_otherwise_is_said_with_exit_code_1(covenant: Run, store: Path) -> None:
    """A tampered outcome and a tampered journal are both seen, in words too."""
    violation, passed = decisions(store, "violation")[-1], decisions(store, "pass")[0]
    change(store, 'UPDATE decision SET outcomes = \'{"pass":["FU-007"]}\' WHERE id = ?', violation)
    found = explained(covenant, violation, code=1)
    assert "FU-007 was pass and comes out violation." in found["differences"]
    change(store, 'UPDATE journal SET event = replace(event, \'"quantity":"5"\', \'"quantity":"6"\') WHERE type LIKE \'%usage%\'')
    assert explained(covenant, passed, code=1)["differences"] == [
        "The input comes out otherwise than it was when it was decided."
    ]
    text = covenant("explain", violation)
    assert text.exit_code == 1
    assert "COMES OUT OTHERWISE" in text.stdout


def test_text_names_what_stopped_a_rule_and_all_of_it_with_all(covenant: Run, store: Path) -> None:
    """In words, with the values behind it and the line it stands in; decimals and times, no micro-units."""
    ident = decisions(store, "pass")[0]
    short = covenant("explain", ident).stdout
    assert "Stopped: sum_u = 5 isn't more than cap_u = 1000 (fair_use/fu_001.rego:23)." in short
    assert "Stopped: coverage = covered isn't access_ended (fair_use/fu_007.rego:" in short
    full = covenant("explain", ident, "--all").stdout
    assert "  yes  sum_u = 5 (use.ccu_30d_u)  (fair_use/fu_001.rego:21)" in full
    assert "Clause G7, Caps: Consumption stays within the cap" in full
    assert short.count("Clause G7, Caps: Consumption stays within the cap") == 1
    assert short.index("Clause G7, Caps") > short.index("FU-014")
    assert "facts.access_until = for ever" in full


def test_a_violation_is_told_with_its_clause_and_why_nothing_excused_it(covenant: Run, store: Path) -> None:
    """What was so, and which condition stopped the excuse."""
    text = covenant("explain", decisions(store, "violation")[-1]).stdout
    told = text.split("FU-007  violation")[1].split("FU-008")[0]
    assert text.index("FU-007") < text.index("FU-001"), "what was found comes first"
    assert "  Clause G6, End of the engagement: " in told
    assert "  A breach when all of this is so, and it was:" in told
    assert "    yes  coverage = access_ended is access_ended  (fair_use/fu_007.rego:" in told
    assert "  Excused (job_started_before) when all of this is so:" in told
    assert "    no   " in told


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition("sum_u > cap_u", 1, holds=False, behind={"sum_u": 5_000_000, "cap_u": 10**9}),
         "sum_u = 5 isn't more than cap_u = 1000"),
        (Condition("input.event.in_org == false", 1, holds=True, behind={"in_org": False}), "in_org = false is false"),
        (Condition('input.event.type in {"a", "b"}', 1, holds=False, behind={"type": "c"}), "type = c is none of a, b"),
        (Condition("input.facts.prior_invention", 1, holds=False, behind={"prior_invention": False}),
         "not: prior_invention (prior_invention = false)"),
        (Condition('count(by) >= data.params[input.ps]["X"].links', 1, holds=False, behind={"by": ["job"], "threshold links": 2}),
         "count(by) is less than threshold links = 2 (by = job)"),
        (Condition("some link in input.facts.links", 1, holds=True, behind={"links": []}),
         "some link in links (links = nothing)"),
        (Condition("ended_at := input.facts.exit.ended_at", 1, holds=True, values={"ended_at": 1_700_000_000_000_000}),
         "ended_at = 2023-11-14T22:13:20Z (exit.ended_at)"),
        (Condition("x := input.facts.use.hours", 1, holds=False), "x isn't there (use.hours)"),
        (Condition('by := {a.id | some a in approvals.in_force(input.facts.approvals, "fork", input.event.at)}', 1, holds=True,
                   values={"by": ["ap-1", "ap-2"]}),
         "by = ap-1, ap-2 (approvals of kind fork in force then)"),
        (Condition('held := approvals.in_force_within(input.facts.approvals, "release", input.facts.since, input.event.at)', 1,
                   holds=True, values={"held": [{"decided": 1_784_541_600_000_000, "until": FOREVER}]}),
         "held = (decided 2026-07-20T10:00:00Z, until for ever) (approvals of kind release in force at some time from since to at)"),  # noqa: E501
    ],
)  # fmt: skip
def test_a_condition_is_said_in_words(condition: Condition, words: str) -> None:
    """A comparison as a sentence, what it reads with its values, anything else as it is written."""
    assert said(condition) == words


@pytest.mark.parametrize(("ident", "code"), [("abc", 2), ("not-hex!", 2), ("0123456789abcdef0123456789abcdef", 1)])
def test_an_id_that_leads_nowhere_is_one_sentence(covenant: Run, store: Path, ident: str, code: int) -> None:
    """With what to do."""
    result = covenant("explain", ident)
    assert result.exit_code == code
    assert len(result.stderr.splitlines()) == 1
    assert "covenant violations list" in result.stderr


def test_replay_makes_every_decision_again(covenant: Run, store: Path) -> None:
    """`--check` is what it does unless told otherwise; a changed journal is a difference and exit 1."""
    for arguments in (["replay"], ["replay", "--check"]):
        found = covenant("--format", "json", *arguments)
        assert (found.exit_code, document(found)) == (0, {"decisions": 3, "differences": 0})
    change(store, 'UPDATE journal SET event = replace(event, \'"quantity":"5"\', \'"quantity":"6"\') WHERE type LIKE \'%usage%\'')
    drifted = covenant("--format", "json", "replay", "--check")
    assert drifted.exit_code == 1
    assert document(drifted)["differences"] > 0
    assert "batch 1" in drifted.stderr


def test_the_canonical_refold_agrees_and_projections_can_be_rebuilt(covenant: Run, store: Path) -> None:
    """A damaged projection is written anew from the journal."""
    before = covenant("export", "--standing").stdout_bytes
    assert covenant("replay", "--canonical").exit_code == 0
    change(store, "UPDATE violation SET count = 99")
    assert covenant("replay", "--canonical").exit_code == 1
    assert covenant("replay", "--rebuild").exit_code == 0
    assert covenant("export", "--standing").stdout_bytes == before
    assert covenant("replay", "--check", "--rebuild").exit_code == 2


def test_the_export_is_canonical_json_lines(covenant: Run, store: Path) -> None:
    """Keys in order, whatever the format asked for."""
    lines = covenant("export", "--standing").stdout.splitlines()
    for line in lines:
        assert line == json.dumps(json.loads(line), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert {json.loads(line)["kind"] for line in lines} == {"decision", "violation", "balance"}
    assert covenant("export").exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "--standing"],
        ["replay"],
        ["ledger"],
        ["explain", "abcd"],
        ["dead-letters", "list"],
        ["dead-letters", "redrive", "--all"],
    ],
)
def test_reading_a_store_that_is_not_there_makes_none(covenant: Run, folder: Path, arguments: list[str]) -> None:
    """One sentence says how to make one."""
    result = covenant(*arguments)
    assert result.exit_code == 3
    assert "There is no store" in result.stderr
    assert result.stdout == ""
    assert not list(folder.rglob("*.db"))


def test_the_ledger_has_the_promised_fields(covenant: Run, store: Path) -> None:
    """Decimal strings; without prices there is no liability, and it is null."""
    found = document(covenant("--format", "json", "ledger", "--as-of", "2026-02-01"))
    amounts = {
        "granted": "100", "transferred_in": "0", "rolled_in": "0", "consumed": "5", "expired": "0", "forfeited": "0",
        "voided": "0", "transferred_out": "0", "rolled_out": "0", "outstanding": "95", "unvested": "0", "overage": "0",
        "liability": None,
    }  # fmt: skip
    assert amounts.items() <= found["total"].items()
    (line,) = found["lines"]
    assert ({"organisation": "acme", "holder": "p-1", "grant": "G1", "unit": "CCU"} | amounts).items() <= line.items()
    ended = document(covenant("--format", "json", "ledger", "--as-of", "2026-02-04", "--holder", "p-1", "--grant", "G1"))
    assert (ended["total"]["outstanding"], ended["total"]["expired"], ended["total"]["overage"]) == ("0", "95", "10")
    nobody = document(covenant("--format", "json", "ledger", "--holder", "p-9"))
    assert (nobody["lines"], nobody["total"]["granted"]) == ([], "0")


def test_a_total_over_several_units_is_none(covenant: Run, store: Path, folder: Path) -> None:
    """Credits and GPU-hours can't be added; each unit has a total of its own."""
    other = event("grant.issued", "2026-01-01", grant_id="G2", holder="p-2", quantity="3", unit="GPU-h", vesting="immediate")
    assert covenant("ingest", write(folder / "hours.jsonl", [other]), "--quiet").exit_code == 0
    found = document(covenant("--format", "json", "ledger", "--as-of", "2026-01-02"))
    assert found["total"]["granted"] is None
    assert {unit: amounts["granted"] for unit, amounts in found["by_unit"].items()} == {"CCU": "100", "GPU-h": "3"}
    text = covenant("ledger", "--as-of", "2026-01-02").stdout
    assert text.count("total") == 2
    assert covenant("ledger", "--format", "csv").stdout.startswith("organisation,holder,grant,unit,granted")
