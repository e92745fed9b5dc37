"""A store's effort: the number of questions to the database never grows with the size of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from engine.domain.records import Batch, SeenRow
from engine.store.dialects import Plan, Postgres, Sqlite
from engine.store.sql_store import SqlStore
from tests.store.make import batch, decision, derived, entry, message, missing, posting, violation


def large(version: int, size: int) -> Batch:
    """A batch with a number of rows of every kind, each about an aggregate of its own."""
    names = [f"acme/person/{version}-{number}" for number in range(size)]
    return batch(
        version,
        journal=tuple(entry(name, aggregate=name) for name in names),
        seen=tuple(SeenRow(name, "c") for name in names),
        decisions=tuple(decision(name, aggregate=name, supersedes="none") for name in names),
        postings=tuple(posting(1, aggregate=name) for name in names),
        violations=tuple(violation(f"v {name}", aggregate=name) for name in names),
        indeterminates=tuple(missing("f", aggregate=name) for name in names),
        derived=tuple(derived("k", aggregate=name) for name in names),
        outbox=tuple(message(version * 10_000 + number) for number in range(size)),
        positions=dict.fromkeys(names, 1),
    )


def statements(store: SqlStore, work: Callable[[], Any]) -> int:
    """Count the statements that a piece of work takes."""
    seen: list[str] = []

    def note(*arguments: Any) -> None:
        seen.append(arguments[2])

    event.listen(store.engine, "before_cursor_execute", note)
    work()
    event.remove(store.engine, "before_cursor_execute", note)
    return len(seen)


def test_reading_takes_the_same_number_of_statements_however_much_is_asked(sql_store: SqlStore) -> None:
    """Duplicates and aggregates of a batch of 2,000 cost as many round trips as those of a batch of 2."""
    sql_store.record(large(1, 2000))
    keys = [f"acme/person/1-{number}" for number in range(2000)]
    for ask in (sql_store.seen, sql_store.load):
        few, many = (statements(sql_store, lambda part=part, ask=ask: ask(part)) for part in (keys[:2], keys))  # type: ignore[misc]
        assert few == many <= 9
        assert len(ask(keys)) == 2000
    assert statements(sql_store, sql_store.lanes) <= 3


def test_aggregates_that_are_unknown_cost_one_statement(sql_store: SqlStore) -> None:
    """A first batch brings thousands of new ones."""
    assert statements(sql_store, lambda: sql_store.load([f"acme/person/{number}" for number in range(2000)])) <= 2


def test_writing_takes_the_same_number_of_bulk_writes_however_large_the_batch(
    sql_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One a table."""
    written: list[str] = []
    for kind in (Sqlite, Postgres):
        for name in ("insert", "upsert"):
            whole = getattr(kind, name)

            def noted(self: Any, cursor: Any, plan: Plan, rows: Any, whole: Any = whole) -> None:
                written.append(plan.table.name)
                whole(self, cursor, plan, rows)

            monkeypatch.setattr(kind, name, noted)
    sql_store.record(large(1, 2))
    few = list(written)
    written.clear()
    sql_store.record(large(2, 1000))
    assert written == few
    assert len(few) == len(set(few))
