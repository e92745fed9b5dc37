"""What only the history tells to be wrong: it has no effect, people are told once, and nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec import structs

from engine.domain.aggregates import alias
from engine.domain.values import MICRO
from tests.cli.conftest import Run, document, write
from tests.domain.make import event
from tests.domain.test_person import run

GRANT: dict[str, Any] = {"grant_id": "G1", "holder": "p-1", "quantity": "10", "vesting": "immediate"}


def told(covenant: Run) -> list[tuple[str, str]]:
    """Codes and places of what was refused."""
    return [(row["code"], row["where"]) for row in document_of(covenant("--format", "json", "dead-letters", "list"))]


def document_of(result: Any) -> list[dict[str, Any]]:
    """The rows of a list."""
    return [json.loads(line) for line in result.stdout.splitlines() if line.strip()]


def balances(covenant: Run) -> dict[str, tuple[str, str]]:
    """Holder → outstanding and transferred out."""
    found = document(covenant("--format", "json", "ledger", "--as-of", "2026-03-01"))
    return {line["holder"]: (line["outstanding"], line["transferred_out"]) for line in found["lines"]}


def test_transfers_in_a_circle_at_one_instant_move_a_grant_once_and_people_are_told(covenant: Run, folder: Path) -> None:
    """A to B and back: B holds it, whichever order the ids give; the way back is refused by its rule."""
    circle = [
        event("grant.issued", "2026-01-01", **GRANT),
        event("grant.transferred", "2026-01-05", ident="z", grant_id="G1", holder="p-1", to="p-2"),
        event("grant.transferred", "2026-01-05", ident="a", grant_id="G1", holder="p-2", to="p-1"),
    ]
    assert covenant("ingest", write(folder / "circle.jsonl", circle)).exit_code == 0
    assert told(covenant) == [("circle-of-transfer", "journal: acme/alias/grant:G1")]
    assert balances(covenant) == {"p-1": ("0", "10"), "p-2": ("10", "0")}
    redriven = covenant("dead-letters", "redrive", "--all")
    assert "was taken in already" in redriven.stderr
    assert covenant("replay", "--check").exit_code == 0


def test_two_prices_of_one_moment_are_told_apart_before_they_are_taken_in(covenant: Run, folder: Path) -> None:
    """The second one waits among the dead letters; told later, it is a correction and stands."""
    moment: dict[str, Any] = {"effective_from": "2026-01-01", "currency": "USD"}
    prices = [
        event("grant.issued", "2026-01-01", **GRANT),
        event("price.published", "2026-01-01", price="1", **moment),
        event("price.published", "2026-01-01", price="2", **moment),
        event("price.published", "2026-01-01", price="1", **moment),
        event("rate.published", "2026-01-01", meter="gpu_seconds", units="1"),
        event("rate.published", "2026-01-01", meter="gpu_seconds", units="3"),
    ]
    assert document(covenant("--format", "json", "ingest", write(folder / "prices.jsonl", prices)))["refused"] == 2
    assert [code for code, _ in told(covenant)] == ["overlapping-price"] * 2

    def liability() -> str:
        found = document(covenant("--format", "json", "ledger", "--as-of", "2026-03-01"))
        return str(found["totals"][0]["liability"]) if "totals" in found else str(found)

    before = liability()
    later = [event("price.published", "2026-01-02", ident="0", price="2", **moment)]
    assert covenant("ingest", "--strict", write(folder / "later.jsonl", later)).exit_code == 0
    assert liability() != before


def test_a_second_issue_of_a_grant_is_told(covenant: Run, folder: Path) -> None:
    """The first one's terms stand."""
    twice = [event("grant.issued", "2026-01-01", **GRANT), event("grant.issued", "2026-01-02", **GRANT | {"quantity": "99"})]
    assert covenant("ingest", write(folder / "twice.jsonl", twice)).exit_code == 0
    assert told(covenant) == [("issued-twice", "journal: acme/person/p-1")]
    assert balances(covenant) == {"p-1": ("10", "0")}
    assert covenant("dead-letters", "redrive", "--all").exit_code == 0
    assert told(covenant) == []


def test_a_circle_of_any_length_is_seen() -> None:
    """A to B to C to A, each a transfer of its own."""
    state = alias.State()
    issued = event("grant.assigned", "2026-01-01", alias={"kind": "grant", "value": "G1"}, target={"kind": "person", "id": "A"})
    alias.fold(state, issued, issued.time)
    refused = []
    for number, to in enumerate("BCA"):
        said = event(
            "grant.assigned", "2026-01-05", ident=f"assigned {number}", alias={"kind": "grant", "value": "G1"},
            target={"kind": "person", "id": to}, how="transferred",
        )  # fmt: skip
        effects = alias.fold(state, structs.replace(said, causation_id=f"test {number}"), said.time)
        refused.append(effects.refused.code if effects.refused is not None else "")
    assert refused == ["", "", "circle-of-transfer"]


def test_a_transfer_to_oneself_moves_nothing() -> None:
    """Where the event doesn't name its holder, only the fold tells."""
    state, (_, effects) = run(
        [event("grant.issued", "2026-01-01", **GRANT), event("grant.transferred", "2026-01-02", grant_id="G1", to="p-1")]
    )
    assert effects.refused is not None
    assert (effects.refused.code, effects.postings, effects.derived) == ("transfer-to-oneself", [], [])
    assert state.grants["G1"].outstanding == 10 * MICRO


def test_what_a_late_fact_gives_an_effect_leaves_the_list(covenant: Run, folder: Path) -> None:
    """A rollover into a grant that was over is told of; that the grant ended later than was thought undoes it."""
    there = {**GRANT, "rollover_max": "10"}
    events = [
        event("grant.issued", "2026-01-01", **there),
        event("grant.issued", "2026-01-01", **{**there, "grant_id": "G2"}),
        event("grant.rolled_over", "2026-01-05", ident="a", grant_id="G1", holder="p-1", to_grant="G2"),
        event("grant.rolled_over", "2026-01-05", ident="b", grant_id="G2", holder="p-1", to_grant="G1"),
    ]
    assert covenant("ingest", write(folder / "over.jsonl", events)).exit_code == 0
    assert told(covenant) == [("rollover-to-ended", "journal: acme/person/p-1")]
    before = [event("grant.transferred", "2026-01-03", grant_id="G2", holder="p-1", to="p-2")]
    assert covenant("ingest", write(folder / "before.jsonl", before)).exit_code == 0
    assert told(covenant) == [("rollover-to-ended", "journal: acme/person/p-1")]
    voided = [event("grant.voided", "2026-01-02", grant_id="G1", holder="p-1")]
    assert covenant("ingest", write(folder / "voided.jsonl", voided)).exit_code == 0
    assert told(covenant) == []
    assert covenant("replay", "--check").exit_code == 0
