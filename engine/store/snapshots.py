"""Balance snapshots: sums of postings at the ends of months, so that a question adds up one month and not a history.

A snapshot (before, known at) holds what happened before one moment as known at the other. What is learnt later is added
to it by whoever asks; a batch that posts something learnt at or before it drops it, in the batch's own transaction.
While one is made no lane writes, so that it misses nothing. May be lost: it is never part of the truth.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, func, insert, literal, select

from engine.domain.values import DAY_US, from_datetime
from engine.store import tables as t
from engine.store.faults import translated
from engine.store.postings import BY, Clocks, P, S, balances_from, newest_mark
from engine.store.sql_store import SqlStore

LANE: Any = t.LaneTable.__table__  # type: ignore[attr-defined]
BATCH: Any = t.BatchTable.__table__  # type: ignore[attr-defined]
MONTHS_MAX: Final = 24
"""Ends of months that one run makes up for."""


def sum_up(store: SqlStore, until: int) -> int:
    """Make the snapshots that are missing up to a moment (µs), the ends of months before it; gives how many."""
    with translated("Balance snapshots"), store.engine.begin() as c:
        c.execute(select(LANE.c.lane).order_by(LANE.c.lane).with_for_update())
        known_at = c.execute(select(func.max(BATCH.c.recorded_at)).where(BATCH.c.lane >= 0)).scalar()
        if known_at is None:
            return 0
        return sum(_make(c, before, int(known_at)) for before in _missing(c, until))


def sum_up_at(store: SqlStore, before: int) -> int:
    """Make a snapshot of what happened before one moment, as known now, beside those made of it earlier."""
    with translated("Balance snapshots"), store.engine.begin() as c:
        c.execute(select(LANE.c.lane).order_by(LANE.c.lane).with_for_update())
        known_at = c.execute(select(func.max(BATCH.c.recorded_at)).where(BATCH.c.lane >= 0)).scalar()
        return 0 if known_at is None else _make(c, before, int(known_at))


def _make(connection: Connection, before: int, known_at: int) -> int:
    clocks = Clocks(before, known_at)
    mark = newest_mark(connection, clocks)
    if mark == (before, known_at):
        return 0
    sums = balances_from(mark, clocks).subquery()
    query = select(literal(before), literal(known_at), *sums.c)
    connection.execute(insert(S).from_select(["before", "known_at", *BY, "amount"], query))
    return 1


def _missing(connection: Connection, until: int) -> list[int]:
    """Give the ends of months after the last one made, or after the first posting."""
    last = connection.execute(select(func.max(S.c.before)).where(S.c.before <= until)).scalar()
    since = connection.execute(select(func.min(P.c.time))).scalar() if last is None else last
    if since is None or since >= until:
        return []
    return list(_month_ends(int(since), until))[-MONTHS_MAX:]


def _month_ends(since: int, until: int) -> Iterator[int]:
    """Give the firsts of months, at midnight UTC, after one moment and no later than another."""
    day = dt.date(1970, 1, 1) + dt.timedelta(days=since // DAY_US)
    while True:
        day = (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
        end = int(from_datetime(dt.datetime(day.year, day.month, 1, tzinfo=dt.UTC)))
        if end > until:
            return
        yield end
