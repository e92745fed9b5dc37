"""A backtest's diff the long way: take everything in again under the candidate, and compare what stands in both stores."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from engine.policy.bundle import Bundle, load_bundle
from engine.policy.evaluator import Evaluator
from engine.service.backtest import Options, backtest, decision_of
from engine.service.backtest_inputs import keep_inputs, read_inputs
from engine.service.backtest_report import document
from engine.store.memory_store import MemoryStore
from engine.store.sql_store import SqlStore

SAID = (
    "rule", "severity", "clause", "respondent", "holder", "repository", "aggregate", "discriminator", "opened_at",
    "last_seen_at", "count", "sentence", "evidence",
)  # fmt: skip
"""What a finding says; how far it had settled follows from where a run ended."""


def violations(lines: Iterable[bytes]) -> dict[str, dict[str, Any]]:
    """Findings of a standing export by id."""
    rows = [json.loads(line) for line in lines]
    return {row["id"]: {name: row[name] for name in SAID} for row in rows if row["kind"] == "violation"}


def differences(before: Iterable[bytes], after: Iterable[bytes]) -> dict[str, tuple[str, dict[str, Any]]]:
    """What two standing exports differ in: id of a finding → how, and as it is in the end."""
    ours, theirs = violations(before), violations(after)
    found = {ident: ("opened", theirs[ident]) for ident in theirs.keys() - ours.keys()}
    found |= {ident: ("closed", ours[ident]) for ident in ours.keys() - theirs.keys()}
    both = ours.keys() & theirs.keys()
    return found | {ident: ("changed", theirs[ident]) for ident in both if ours[ident] != theirs[ident]}


def told(report: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The same of a report."""
    return {row["id"]: (row["change"], {name: row[name] for name in SAID}) for row in report["rows"]}


def report_of(store: SqlStore, candidate: Bundle, evaluator: Evaluator, work: Path) -> dict[str, Any]:
    """A backtest's report, as a program reads it."""
    result = backtest(store, candidate, evaluator, keep_inputs(store, candidate, work), Options())
    report: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document(result)))
    return report


def candidates(store: SqlStore, candidate: Bundle, work: Path) -> dict[str, tuple[str, str]]:
    """The decisions that a backtest asks for: id → aggregate and identity of the entry."""
    kept = [one for block in read_inputs(keep_inputs(store, candidate, work)) for one in block]
    return {decision_of(one, candidate): (one.aggregate, one.identity) for one in kept}


def decided(store: MemoryStore) -> set[tuple[str, str]]:
    """Aggregate and identity of the entries of which a decision stands."""
    rows = [row for batch in store.batches(0) for row in store.decisions(0, batch.version)]
    return {(row.aggregate, row.identity) for row in rows if store.decision(row.id).stands}


def put_otherwise(
    policies: Path, folder: Path, opa: Path, thresholds: dict[str, dict[str, Any]], facts: dict[str, int] | None = None
) -> Bundle:
    """A bundle of the same policies with other thresholds, given by rule, in each of their sets; and other windows (µs)."""
    shutil.copytree(policies, folder)
    data = json.loads((folder / "params.json").read_text())
    for held in data["params"].values():
        for rule, values in thresholds.items():
            held[rule] |= values
    data["facts"] |= facts or {}
    (folder / "params.json").write_text(json.dumps(data))
    return load_bundle(folder, opa)
