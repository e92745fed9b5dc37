"""What a store holds of the example company, in the words in which its stories state what they expect."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from engine.domain import cause
from engine.store.sql_store import SqlStore
from examples.company.expecting import Correction, Excuse, Finding, OpenQuestion, Refused, Story


def expected_of(stories: Iterable[Story]) -> dict[str, set[Any]]:
    """All that the stories state, by kind."""
    stories = list(stories)
    return {
        "findings": {one for story in stories for one in story.findings},
        "excuses": {one for story in stories for one in story.excuses},
        "questions": {one for story in stories for one in story.questions},
        "refused": _summed(one for story in stories for one in story.refused),
    }


def found_in(store: SqlStore, standing: Iterable[bytes]) -> dict[str, set[Any]]:
    """All that stands in the store, by kind."""
    rows = [json.loads(line) for line in standing]
    return {
        "findings": {_finding(row) for row in rows if row["kind"] == "violation"},
        "excuses": _excuses(row for row in rows if row["kind"] == "decision"),
        "questions": {
            OpenQuestion(row["rule"], _about(row), row["fact"], row["count"]) for row in rows if row["kind"] == "missing"
        },
        "refused": _refused(store),
    }


def corrections_in(store: SqlStore) -> list[Correction]:
    """Every step in a violation's life that a late fact brought about, and every one that takes something back or changes it."""
    query = (
        "SELECT v.rule, v.aggregate, v.discriminator, c.change, c.cause FROM violation_change c "
        "JOIN violation v ON v.id = c.violation WHERE c.cause <> '' OR c.change IN ('superseded', 'retracted', 'reopened')"
    )
    with store.reading() as connection:
        rows = connection.exec_driver_sql(query).all()
    found = []
    for rule, aggregate, parts, change, written in rows:
        behind = cause.read(written)
        named = f"{behind.source} {behind.id}" if behind is not None else ""
        found.append(Correction(rule, aggregate.partition("/")[2], tuple(json.loads(parts)), change, named))
    return found


def _about(row: dict[str, Any]) -> str:
    return str(row["aggregate"]).partition("/")[2]


def _finding(row: dict[str, Any]) -> Finding:
    assert row["status"] == "alleged"
    return Finding(row["rule"], row["holder"], _about(row), tuple(row["discriminator"]), row["count"])


def _excuses(rows: Iterable[dict[str, Any]]) -> set[Excuse]:
    counts: Counter[Excuse] = Counter()
    for row in rows:
        for rule, outcome in row["outcomes"].items():
            if outcome["outcome"] == "excused":
                counts[Excuse(rule, _about(row), outcome["guard"], tuple(outcome["by"]), outcome["back_dated"])] += 1
            else:
                assert outcome["outcome"] in ("violation", "indeterminate"), row
    return {replace(excuse, count=count) for excuse, count in counts.items()}


def _refused(store: SqlStore) -> set[Refused]:
    query = 'SELECT code, field, count(*), min(reason), min("do") FROM refused GROUP BY code, field'
    with store.reading() as connection:
        rows = connection.exec_driver_sql(query).all()
    assert all(reason and do for _, _, _, reason, do in rows), "a refusal says what is wrong and what to do"
    return {Refused(code, field, count) for code, field, count, _, _ in rows}


def _summed(refused: Iterable[Refused]) -> set[Refused]:
    counts: Counter[tuple[str, str]] = Counter()
    for one in refused:
        counts[one.code, one.field] += one.count
    return {Refused(code, field, count) for (code, field), count in counts.items()}
