"""The ledger over a million usage entries on PostgreSQL: an as-of question without snapshots and with them.

History grows by months, each of the same size; with snapshots a question adds up one month, however long the history
is. Grants come in as events; usage is written as the rows that a body makes of it, since a million decisions are another
figure's matter. What the answer is doesn't change, and that is checked.
"""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import text

from engine.domain import codec
from engine.domain.ledger import total
from engine.domain.values import HOUR_US, instant
from engine.service.ledger import books_at
from engine.store.opening import open_store
from engine.store.postings import Clocks, Postings
from engine.store.snapshots import sum_up
from engine.store.sql_store import SqlStore
from engine.store.tables import BalanceSnapshotTable
from tests.domain.make import event
from tests.service.books import NO_RULES, Opened
from tests.store.make import batch

ENTRIES: Final = 1_000_000
MONTHS: Final = 12
HOLDERS: Final = 200
ASKED: Final = 3
"""Times a question is asked; the median counts."""
_JOURNAL: Final = """
INSERT INTO journal SELECT 0, :version, n, 'acme', 'acme/person/p-' || n % :holders, md5(:version || ' ' || n),
  'compute.usage.inference.v1', :since + n * :step, :since + n * :step, :since + n * :step, 'inbound', 0, false, :event, ''
FROM generate_series(CAST(1 AS bigint), :count) AS n"""
_POSTINGS: Final = """
INSERT INTO posting SELECT 0, :version, n * 2 + side, 'acme', 'acme/person/p-' || n % :holders, md5(:version || ' ' || n),
  'G-' || n % :holders, 'p-' || n % :holders, 'CCU', CASE side WHEN 0 THEN 'consumed' ELSE 'outstanding' END,
  CASE side WHEN 0 THEN 1000 ELSE -1000 END, :since + n * :step, :since + n * :step
FROM generate_series(CAST(1 AS bigint), :count) AS n, generate_series(0, 1) AS side"""


def measure(url: str, entries: int = ENTRIES) -> dict[str, float]:
    """Give seconds of a question at the end of a quarter of the history and of the whole, without snapshots and with."""
    opened = Opened(url)
    opened.take([_grant(number) for number in range(HOLDERS)], batch=HOLDERS)
    opened.store.close()
    store, found = open_store(url), dict[str, float]()
    for month in range(1, MONTHS + 1):
        _fill(store, month, entries // MONTHS)
        sum_up(store, _first(month + 1) - 1)
        if month in (MONTHS // 4, MONTHS):
            _tidy(store)
            clocks = Clocks(_first(month + 1) - HOUR_US, None)
            name, used = f"{month} months", entries // MONTHS * month
            found[f"ledger, {name}, snapshots"] = _ask(store, clocks, used)
            found[f"ledger, {name}, snapshots, known at"] = _ask(store, clocks._replace(known_at=clocks.as_of), used)
            with store.engine.begin() as connection:
                connection.execute(BalanceSnapshotTable.__table__.delete())  # type: ignore[attr-defined]
            found[f"ledger, {name}, no snapshots"] = _ask(store, clocks, used)
    store.close()
    return {name: round(seconds, 3) for name, seconds in found.items()}


def _grant(number: int) -> Any:
    return event(
        "grant.issued", "2025-01-01", grant_id=f"G-{number}", holder=f"p-{number}", quantity="1000000", vesting="immediate"
    )


def _first(month: int) -> int:
    return int(instant(f"{2025 + (month - 1) // 12}-{(month - 1) % 12 + 1:02}-01"))


def _fill(store: SqlStore, month: int, count: int) -> None:
    """Write a month's usage as one batch."""
    version = store.lane(0).version + 1
    usage = event("usage.inference", "2025-01-15", person="p-0", credential="c", provider="openai", model="gpt", quantity="0.001")
    values = {
        "version": version, "holders": HOLDERS, "count": count, "since": _first(month),
        "step": (_first(month + 1) - _first(month)) // (count + 1), "event": codec.write_event(usage).decode(),
    }  # fmt: skip
    store.record(batch(version, recorded_at=_first(month + 1)))
    with store.engine.begin() as connection:
        connection.execute(text(_JOURNAL), values)
        connection.execute(text(_POSTINGS), values)


def _tidy(store: SqlStore) -> None:
    """Do at once what the database's own housekeeping does in time."""
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE) posting, journal"))


def _ask(store: SqlStore, clocks: Clocks, used: int) -> float:
    """Ask for everybody's balances; all but the last few usages of the month are in them."""
    took = []
    for _ in range(ASKED):
        started = time.perf_counter()
        books = books_at(Postings(store), clocks, NO_RULES.windows)
        took.append(time.perf_counter() - started)
        consumed = total(books.lines).consumed // 1000
        if not 0.99 * used < consumed <= used:
            msg = f"{consumed} of {used} usages are in the balances."
            raise RuntimeError(msg)
    return sorted(took)[len(took) // 2]
