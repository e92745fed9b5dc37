"""What the store holds that somebody should look after: refusals, rules in error, messages left, feeds waited for.

Reads only, a constant number of queries; which of it is a problem, and what to do, is `service.health`'s to say.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from engine.domain import codec
from engine.domain.records import Row
from engine.domain.reference import WAITS_FOR
from engine.store import tables as t
from engine.store.sql_store import SqlStore


def _table(kind: Any) -> Any:
    return kind.__table__


D, J, LANE = _table(t.DecisionTable), _table(t.JournalTable), _table(t.LaneTable)
MISSING, REFUSED = _table(t.IndeterminateTable), _table(t.RefusedTable)
OUTBOX = _table(t.OutboxTable)
COMPLETED = "compute.feed.completed_through.v1"


class Waiting(Row, frozen=True):
    """A rule that can't judge of whom or what it should before a feed goes on."""

    organisation: str
    feed: str
    rule: str
    count: int
    """Events that wait."""
    since: int
    """When the first of them happened (µs)."""
    aggregate: str = ""
    """Where they are about one alone: `organisation/kind/id`."""


class Health(msgspec.Struct, frozen=True):
    """What somebody should look after."""

    refused: list[tuple[str, int, int]]
    """Code, how many, when the first was refused (µs); commonest first."""
    errors: list[tuple[int, int]]
    """Standing decisions that are an error, and the time of the first; empty where there is none."""
    unsent: int
    """Messages that no relay has published."""
    completed: dict[tuple[str, str], int]
    """Organisation and feed → how far it says it is complete (µs)."""
    waiting: list[Waiting]
    watermark: int
    """Newest event time that any lane has seen (µs)."""
    behind: list[int]
    """Lanes that had more to read than a batch holds when they last wrote."""


def health(store: SqlStore) -> Health:
    """Look at everything, at one moment."""
    with store.reading() as c:
        first = func.min(REFUSED.c.recorded_at)
        many = func.count()
        codes = select(REFUSED.c.code, many, first).group_by(REFUSED.c.code).order_by(many.desc(), REFUSED.c.code)
        errors = select(func.count(), func.min(D.c.time)).where(D.c.stands, D.c.verdict == "error")
        return Health(
            refused=[(str(code), int(n), int(at)) for code, n, at in c.execute(codes)],
            errors=[(int(n), int(at)) for n, at in c.execute(errors) if n],
            unsent=int(c.execute(select(func.count()).select_from(OUTBOX)).scalar_one()),
            completed=_completed(c),
            waiting=_waiting(c),
            watermark=int(c.execute(select(func.max(LANE.c.watermark))).scalar() or 0),
            behind=[int(lane) for (lane,) in c.execute(select(LANE.c.lane).where(LANE.c.behind).order_by(LANE.c.lane))],
        )


def feeds(store: SqlStore, aggregate: str = "") -> tuple[list[Waiting], dict[tuple[str, str], int]]:
    """Give which rules wait for which feeds, everywhere or in one aggregate, and how far the feeds are complete."""
    with store.reading() as c:
        waiting = _waiting(c, aggregate)
        return waiting, _completed(c) if waiting else {}


def _completed(c: Connection) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for organisation, event in c.execute(select(J.c.organisation, J.c.event).where(J.c.lane == -1, J.c.type == COMPLETED)):
        data = codec.parse_event(event).data
        key = (str(organisation), str(data.feed))
        found[key] = max(found.get(key, -1), int(data.through))
    return found


def _waiting(c: Connection, aggregate: str = "") -> list[Waiting]:
    by = (MISSING.c.organisation, MISSING.c.reason, MISSING.c.rule)
    query = select(*by, func.sum(MISSING.c["count"]), func.min(MISSING.c.first_at))
    query = query.where(MISSING.c["count"] > 0, MISSING.c.reason.startswith(WAITS_FOR, autoescape=True))
    query = query.where(MISSING.c.aggregate == aggregate) if aggregate else query
    found: dict[tuple[str, str, str], Waiting] = {}
    for organisation, reason, rule, count, since in c.execute(query.group_by(*by).order_by(*by)):
        feed = str(reason)[len(WAITS_FOR) :].split(" ", 1)[0]
        key = (str(organisation), feed, str(rule))
        known = found.get(key, Waiting(*key, 0, int(since), aggregate))
        found[key] = Waiting(*key, known.count + int(count), min(known.since, int(since)), aggregate)
    return [found[key] for key in sorted(found)]
