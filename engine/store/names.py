"""What the store knows of names that nobody has linked: which they are, what waits under them, what was dropped of it.

Owns the one deletion from the journal there is: of what a name did outside the organisation's repositories, of which
nothing ever came. What was once released is evidence and stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, case, delete, exists, func, select, text, update

from engine.domain.aggregates.alias import LINKING
from engine.domain.records import DroppedRow, Row
from engine.store import tables as t
from engine.store.dialects import Dialect


def _table(kind: Any) -> Any:
    return kind.__table__


J, SENT, AGGREGATE, DROPPED = _table(t.JournalTable), _table(t.DerivedTable), _table(t.AggregateTable), _table(t.DroppedTable)
LATER = J.alias("later")
NAMES: Final = ("compute.contribution.attributed.v1", "compute.identity.asked.v1")
OUTSIDE: Final = '"in_org":false'
"""As canonical JSON has it; within a text its quotes are escaped, so that nothing else reads so."""
_KNOWN: Final = case((J.c.effective > J.c.recorded_at, J.c.effective), else_=J.c.recorded_at)
"""When it happened or was learnt, whichever is later."""


def linked(connection: Connection, dialect: Dialect, aliases: Sequence[str]) -> set[str]:
    """Give those of which anything was ever said."""
    query = select(J.c.aggregate).distinct().where(dialect.among(J.c.aggregate, aliases), text(t.LINKS))
    return set(connection.execute(query).scalars())


def outside(alias: str) -> list[ColumnElement[bool]]:
    """What a name did outside the organisation's repositories, as last said, and was never released."""
    newer = exists().where(LATER.c.aggregate == alias, LATER.c.identity == J.c.identity, LATER.c.revision > J.c.revision)
    released = exists().where(SENT.c.aggregate == alias, SENT.c.identity == J.c.identity)
    return [J.c.aggregate == alias, J.c.type.in_(NAMES), J.c.event.contains(OUTSIDE, autoescape=True), ~released, ~newer]


def waiting_since(connection: Connection, alias: str, after: int) -> int:
    """Give the earliest moment beyond `after` of what waits; −1 for none."""
    found = connection.execute(select(func.min(_KNOWN)).where(*outside(alias), after < _KNOWN)).scalar()
    return -1 if found is None else int(found)


class Waits(Row, frozen=True):
    """A name and what waits under it."""

    organisation: str
    kind: str
    value: str
    since: int
    """When the earliest of it happened (µs)."""
    count: int
    linked: bool
    """Whether the name was ever linked: then a link doesn't cover the time of what waits, or isn't verified."""
    drops_at: int
    """When the first of it is dropped unless a link comes; −1 where all of it stays."""


class Dropped(Row, frozen=True):
    """How much was dropped of names of one kind."""

    organisation: str
    kind: str
    count: int
    last_at: int


def waits(connection: Connection, kind: str = "", limit: int = 0) -> list[Waits]:
    """Give the names that something waits under, most first; at most `limit` of them if it isn't 0."""
    newest = (J.c.revision.desc(), J.c.version.desc(), J.c.ordinal.desc())
    nth = func.row_number().over(partition_by=(J.c.aggregate, J.c.identity), order_by=newest).label("nth")
    like = f"%/alias/{kind}:%" if kind else "%/alias/%"
    every = select(J.c.organisation, J.c.aggregate, J.c.identity, J.c.effective, J.c.withdrawn, nth)
    named = every.where(J.c.aggregate.like(like), J.c.origin != "forwarded", J.c.type.not_in(LINKING)).subquery()
    sent = exists().where(SENT.c.aggregate == named.c.aggregate, SENT.c.identity == named.c.identity, SENT.c.content != "")
    count = func.count().label("count")
    query = (
        select(named.c.organisation, named.c.aggregate, func.min(named.c.effective), count, func.max(AGGREGATE.c.due))
        .outerjoin(AGGREGATE, AGGREGATE.c.aggregate == named.c.aggregate)
        .where(named.c.nth == 1, ~named.c.withdrawn, ~sent)
        .group_by(named.c.organisation, named.c.aggregate)
        .order_by(count.desc(), named.c.aggregate)
    )
    rows = connection.execute(query.limit(limit) if limit else query).all()
    known = set(connection.execute(select(J.c.aggregate).distinct().where(text(t.LINKS))).scalars())
    found = []
    for organisation, aggregate, since, number, due in rows:
        name_kind, _, value = aggregate.split("/", 2)[2].partition(":")
        drops_at = -1 if due is None else int(due)
        found.append(Waits(organisation, name_kind, value, int(since), int(number), aggregate in known, drops_at))
    return found


def all_dropped(connection: Connection) -> list[Dropped]:
    """Give how much was dropped, by organisation and kind of name."""
    by = (DROPPED.c.organisation, DROPPED.c.kind)
    query = select(*by, func.sum(DROPPED.c["count"]), func.max(DROPPED.c.last_at)).group_by(*by).order_by(*by)
    return [Dropped(organisation, kind, int(count), int(at)) for organisation, kind, count, at in connection.execute(query)]


def drop(connection: Connection, lane: int, recorded_at: int, row: DroppedRow) -> None:
    """Delete what is dropped of one name, and count it; a name of which nothing is left goes as well."""
    organisation, _, name = row.aggregate.split("/", 2)
    kind = name.partition(":")[0]
    gone = [*outside(row.aggregate), row.before >= _KNOWN]
    count = connection.execute(select(func.count(J.c.identity.distinct())).where(*gone)).scalar_one()
    if not count:
        return
    connection.execute(delete(J).where(J.c.aggregate == row.aggregate, J.c.identity.in_(select(J.c.identity).where(*gone))))
    left = exists().where(J.c.aggregate == row.aggregate)
    connection.execute(delete(AGGREGATE).where(AGGREGATE.c.aggregate == row.aggregate, ~left))
    connection.execute(update(AGGREGATE).where(AGGREGATE.c.aggregate == row.aggregate).values(due=row.due))
    connection.exec_driver_sql(
        _COUNT[connection.dialect.name],
        {"organisation": organisation, "kind": kind, "lane": lane, "count": count, "at": recorded_at},
    )


_SQL: Final = (
    'INSERT INTO dropped (organisation, kind, lane, "count", last_at) VALUES ({}) ON CONFLICT (organisation, kind, lane) '
    'DO UPDATE SET "count" = dropped."count" + excluded."count", last_at = excluded.last_at'
)
_COUNT: Final = {
    "sqlite": _SQL.format(":organisation, :kind, :lane, :count, :at"),
    "postgresql": _SQL.format("%(organisation)s, %(kind)s, %(lane)s, %(count)s, %(at)s"),
}
