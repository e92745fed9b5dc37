"""The standing export: what stands now, in a canonical form by which two stores can be compared byte for byte.

JSON lines, each `{"kind": …}`: `decision` (the outcomes of each rule for one event), `violation`, `missing` (facts
that could not be judged) and `balance` (a grant's units in its holder's hands). Left out is all that depends on the
way there: decision ids, digests, positions, recorded times, superseded rows and retracted violations. Reads a few
hundred aggregates at a time; never writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from engine.domain import codec, verdicts
from engine.domain.records import DecisionRow, IndeterminateRow, Loaded, ViolationRow
from engine.domain.values import instant_text, quantity_text
from engine.store.protocol import Store

AT_ONCE: Final = 200
"""Aggregates read from the store at once."""


def export_standing(store: Store) -> Iterator[bytes]:
    """Give the lines, without their newlines, in order of aggregate (bytewise), kind and event."""
    keys = sorted(store.aggregates(), key=str.encode)
    for start in range(0, len(keys), AT_ONCE):
        part = keys[start : start + AT_ONCE]
        loaded = store.load(part)
        for key in part:
            yield from map(codec.encode, _lines(loaded[key]))


def _lines(loaded: Loaded) -> Iterator[dict[str, Any]]:
    for decision in sorted(loaded.decisions, key=_by_event):
        yield _decision(decision)
    for violation in sorted(loaded.violations, key=lambda v: (v.rule, v.discriminator)):
        if violation.status != "retracted":
            yield _violation(violation)
    for missing in sorted(loaded.indeterminates, key=lambda m: (m.rule, m.fact)):
        if missing.count:
            yield _missing(missing)
    yield from _balances(loaded)


def _by_event(decision: DecisionRow) -> tuple[int, bytes, bytes]:
    return decision.time, decision.source.encode(), decision.event_id.encode()


def _decision(row: DecisionRow) -> dict[str, Any]:
    outcomes = verdicts.read(row.outcomes)
    return {
        "kind": "decision",
        "aggregate": row.aggregate,
        "source": row.source,
        "event": row.event_id,
        "type": row.type,
        "time": instant_text(row.time),
        "outcomes": dict(sorted(outcomes.said.items())),
        "pass": sorted(outcomes.passed),
    }


def _violation(row: ViolationRow) -> dict[str, Any]:
    return {
        "kind": "violation",
        "aggregate": row.aggregate,
        "id": row.id,
        "rule": row.rule,
        "discriminator": msgspec.json.decode(row.discriminator),
        "severity": row.severity,
        "clause": row.clause,
        "respondent": row.respondent,
        "holder": row.holder,
        "repository": row.repository,
        "status": row.status,
        "opened_at": instant_text(row.opened_at),
        "last_seen_at": instant_text(row.last_seen_at),
        "count": row.count,
        "evidence": msgspec.json.decode(row.evidence),
        "sentence": row.sentence,
    }


def _missing(row: IndeterminateRow) -> dict[str, Any]:
    return {
        "kind": "missing",
        "aggregate": row.aggregate,
        "rule": row.rule,
        "fact": row.fact,
        "reason": row.reason,
        "count": row.count,
        "first_at": instant_text(row.first_at),
        "last_at": instant_text(row.last_at),
    }


def _balances(loaded: Loaded) -> Iterator[dict[str, Any]]:
    totals: dict[tuple[str, str, str, str], int] = {}
    for row in loaded.postings:
        key = (row.grant, row.holder, row.unit, row.kind)
        totals[key] = totals.get(key, 0) + row.amount
    for (grant, holder, unit, kind), amount in sorted(totals.items()):
        if amount:
            yield {
                "kind": "balance",
                "aggregate": loaded.aggregate,
                "grant": grant,
                "holder": holder,
                "unit": unit,
                "balance": kind,
                "amount": quantity_text(amount),
            }
