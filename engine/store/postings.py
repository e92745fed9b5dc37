"""What the books are read from: sums of postings on two clocks, the events that make grants' terms, and entries one by one.

Sums start from the newest balance snapshot that the question allows and add what was posted since, so that their cost
doesn't grow with history. Reads only; what a sum means is the ledger's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, and_, func, select, text, union_all

from engine.domain.events.reference import RatePublished
from engine.domain.records import JournalRow, PostingRow
from engine.store import tables as t
from engine.store.protocol import REFERENCE_LANE
from engine.store.sql_store import SqlStore

P: Any = t.PostingTable.__table__  # type: ignore[attr-defined]
J: Any = t.JournalTable.__table__  # type: ignore[attr-defined]
S: Any = t.BalanceSnapshotTable.__table__  # type: ignore[attr-defined]
B: Any = t.BatchTable.__table__  # type: ignore[attr-defined]
BY = ("organisation", "holder", "grant", "unit", "kind")
CAME_IN = ("inbound", "forwarded")
"""Origins of entries that were taken in, and not derived."""
ENTRIES_AT_ONCE = 2000


class Posted(msgspec.Struct, frozen=True):
    """A sum of postings to one grant in one holder's hands, micro-units."""

    organisation: str
    holder: str
    grant: str
    unit: str
    kind: str
    amount: int


class Clocks(NamedTuple):
    """What counts: postings that happened before `as_of` and were learnt by `known_at` (µs; None for all)."""

    as_of: int | None
    known_at: int | None


class Mark(NamedTuple):
    """Which snapshot: of what happened before a moment, as known at another."""

    before: int
    known_at: int


class Postings:
    """Looks up in a `SqlStore`."""

    def __init__(self, store: SqlStore) -> None:
        """Use an open store."""
        self.store = store
        self.relearnt: Postings | None = None
        """What answers instead where these aren't `in_order`, once somebody made it."""

    def sums(self, clocks: Clocks, holder: str = "", grant: str = "") -> list[Posted]:
        """Sum postings by organisation, holder, grant, unit and kind; sums of 0 are left out."""
        with self.store.reading() as c:
            mark = newest_mark(c, clocks)
            query = _filtered(balances_from(mark, clocks), holder, grant)
            return [Posted(o, h, g, u, k, int(amount)) for o, h, g, u, k, amount in c.execute(query)]

    def in_order(self, known_at: int | None) -> bool:
        """Whether what was learnt by a moment was booked before what was learnt later, and without: then sums say what was known.

        Of reference data it is rates that postings depend on.
        """
        if known_at is None:
            return True
        earlier, later = (
            select(B.c.lane, version.label("version"), func.max(B.c.reference).label("reference"))
            .where(B.c.lane >= 0, which)
            .group_by(B.c.lane)
            .subquery()
            for version, which in (
                (func.max(B.c.version), B.c.learnt_from <= known_at),
                (func.min(B.c.version), B.c.learnt_until > known_at),
            )
        )
        query = select(earlier.c.lane).where(earlier.c.lane == later.c.lane, earlier.c.version > later.c.version)
        with self.store.reading() as c:
            if c.execute(query.limit(1)).first() is not None:
                return False
            folded_with = {int(count) for count in c.execute(select(earlier.c.reference)).scalars()}
            rates = [(int(number), int(learnt) <= known_at) for number, learnt in c.execute(_rates())]
        return all((number <= count) == known for count in folded_with for number, known in rates)

    def came_in(self) -> Iterator[tuple[str, int]]:
        """Give all that was taken in, reference data too, and when it was learnt, in the order of learning."""
        query = select(J.c.event, J.c.recorded_at).where(J.c.origin.in_(CAME_IN))
        query = query.order_by(J.c.recorded_at, J.c.lane, J.c.version, J.c.ordinal)
        with self.store.reading() as c:
            yield from ((event, learnt) for event, learnt in c.execution_options(yield_per=ENTRIES_AT_ONCE).execute(query))

    def vested(self, clocks: Clocks, holder: str = "") -> dict[str, int]:
        """Sum the units that vested by the identity of the entry that let them vest."""
        query = select(P.c.identity, func.sum(P.c.amount)).where(text(t.VESTED), *_within(clocks)).group_by(P.c.identity)
        query = query.where(P.c.holder == holder) if holder else query
        with self.store.reading() as c:
            return {identity: int(amount) for identity, amount in c.execute(query)}

    def terms(self, known_at: int | None, holder: str = "") -> list[JournalRow]:
        """Give persons' entries that make grants' terms: of each the latest revision known, withdrawn ones left out."""
        key = J.c.aggregate.endswith(f"/person/{holder}", autoescape=True) if holder else J.c.aggregate.like("%/person/%")
        query = select(J).where(text(t.TERMS), J.c.origin != "forwarded", key).order_by(J.c.version, J.c.ordinal)
        query = query if known_at is None else query.where(J.c.recorded_at <= known_at)
        latest: dict[tuple[str, str], JournalRow] = {}
        with self.store.reading() as c:
            for found in c.execute(query).mappings():
                row = JournalRow(**{name: found[name] for name in JournalRow.__struct_fields__})
                known = latest.get((row.aggregate, row.identity))
                if known is None or row.revision >= known.revision:
                    latest[row.aggregate, row.identity] = row
        return [row for row in latest.values() if not row.withdrawn]

    def entries(
        self, clocks: Clocks, holder: str = "", grant: str = "", since: int | None = None
    ) -> Iterator[tuple[PostingRow, str]]:
        """Give postings in the order in which they happened, each with its event as canonical JSON."""
        event = select(J.c.event).where(J.c.aggregate == P.c.aggregate, J.c.identity == P.c.identity, J.c.origin != "forwarded")
        columns = [P.c[name] for name in PostingRow.__struct_fields__]
        query = select(*columns, event.limit(1).scalar_subquery()).where(*_within(clocks))
        query = query if since is None else query.where(P.c.time >= since)
        query = _filtered(query, holder, grant).order_by(P.c.time, P.c.recorded_at, P.c.lane, P.c.version, P.c.ordinal)
        with self.store.reading() as c:
            for row in c.execution_options(yield_per=ENTRIES_AT_ONCE).execute(query):
                values: list[Any] = list(row)
                yield PostingRow(*values[:-1]), values[-1] or ""


def _rates() -> Select[Any]:
    """Select the place in the reference log of each rate, of which it depends what is posted, and when it was learnt."""
    number = func.row_number().over(order_by=(J.c.version, J.c.ordinal)).label("number")
    log = select(number, J.c.type, J.c.recorded_at).where(J.c.lane == REFERENCE_LANE).subquery()
    return select(log.c.number, log.c.recorded_at).where(log.c.type == RatePublished.TYPE)


def newest_mark(connection: Connection, clocks: Clocks) -> Mark | None:
    """Give the newest snapshot that holds nothing the question leaves out."""
    query = select(S.c.before, S.c.known_at).order_by(S.c.before.desc(), S.c.known_at.desc()).limit(1)
    for column, limit in ((S.c.before, clocks.as_of), (S.c.known_at, clocks.known_at)):
        query = query if limit is None else query.where(column <= limit)
    found = connection.execute(query).first()
    return None if found is None else Mark(*found)


def balances_from(mark: Mark | None, clocks: Clocks) -> Select[Any]:
    """Select sums: a snapshot's, and what happened, or was learnt, after it."""
    by = [P.c[name] for name in BY]
    if mark is None:
        posted = select(*by, func.sum(P.c.amount).label("amount")).where(*_within(clocks)).group_by(*by).subquery()
        return select(*posted.c).where(posted.c.amount != 0).order_by(*(posted.c[name] for name in BY))
    later = and_(P.c.time >= mark.before, *_within(clocks))
    late = and_(P.c.time < mark.before, P.c.recorded_at > mark.known_at, *_within(Clocks(None, clocks.known_at)))
    held = select(*(S.c[name] for name in BY), S.c.amount).where(S.c.before == mark.before, S.c.known_at == mark.known_at)
    parts = [held, *(select(*by, func.sum(P.c.amount)).where(part).group_by(*by) for part in (later, late))]
    every = union_all(*parts).subquery()
    names = [every.c[name] for name in BY]
    summed = func.sum(every.c.amount)
    return select(*names, summed).group_by(*names).having(summed != 0).order_by(*names)


def _within(clocks: Clocks) -> list[Any]:
    as_of = [] if clocks.as_of is None else [P.c.time < clocks.as_of]
    return as_of if clocks.known_at is None else [*as_of, P.c.recorded_at <= clocks.known_at]


def _filtered(query: Select[Any], holder: str, grant: str) -> Select[Any]:
    found = query.selected_columns
    for name, value in (("holder", holder), ("grant", grant)):
        query = query.where(found[name] == value) if value else query
    return query
