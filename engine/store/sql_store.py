"""The store on SQLite and PostgreSQL: one transaction a batch, bulk writes, constant numbers of queries.

Owns SQL and nothing else: no decision is made here. A lane's version is compared and set within the transaction, so
a worker that lost its lane writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlmodel import SQLModel

from engine.domain.errors import LaneConflict, NotFound, StoreUnavailable
from engine.domain.records import (
    AggregateRow,
    Batch,
    DecisionRow,
    DerivedRow,
    IndeterminateRow,
    JournalRow,
    Lane,
    Loaded,
    OutboxRow,
    PostingRow,
    Row,
    ViolationRow,
)
from engine.store import bulk
from engine.store import tables as t

R = TypeVar("R", bound=Row)
CHUNK = 900
"""Values in one IN list; SQLite permits 999 in old builds."""


class SqlStore:
    """A `Store` over SQLAlchemy."""

    def __init__(self, engine: Engine) -> None:
        """Use a migrated database."""
        self.engine = engine
        self.postgres = engine.dialect.name == "postgresql"

    def close(self) -> None:
        """Let go of connections."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for reading."""
        try:
            with self.engine.connect() as connection:
                yield connection.execution_options(reads=True)
        except OperationalError as error:
            raise _unavailable(error) from error

    def lane(self, lane: int) -> Lane:
        """Where a lane stands."""
        with self.reading() as c:
            row = c.execute(select(t.LaneTable).where(_c(t.LaneTable).lane == lane)).first()
            inputs = c.execute(select(t.PositionTable).where(_c(t.PositionTable).lane == lane)).all()
        positions = {r.input: r.next for r in inputs}
        if row is None:
            return Lane(lane, positions=positions)
        return Lane(lane, row.version, row.reference, row.watermark, row.outbox_sequence, positions)

    def lanes(self) -> list[Lane]:
        """All lanes that ever wrote."""
        with self.reading() as c:
            known = c.execute(select(_c(t.LaneTable).lane).order_by(_c(t.LaneTable).lane)).scalars().all()
        return [self.lane(lane) for lane in known]

    def seen(self, identities: Sequence[str]) -> dict[str, str]:
        """Identity → content, of those taken in before."""
        found: dict[str, str] = {}
        column = _c(t.SeenTable)
        with self.reading() as c:
            for part in _chunks(identities):
                found.update(c.execute(select(column.identity, column.content).where(column.identity.in_(part))).all())
        return found

    def aggregates(self) -> list[str]:
        """Keys of all aggregates that ever had an entry."""
        with self.reading() as c:
            return list(c.execute(select(_c(t.AggregateTable).aggregate)).scalars())

    def load(self, aggregates: Sequence[str]) -> dict[str, Loaded]:
        """All that is held of each aggregate."""
        loaded = {key: Loaded(key) for key in aggregates}
        latest: dict[tuple[str, str], JournalRow] = {}
        with self.reading() as c:
            for part in _chunks(aggregates):
                journal = _c(t.JournalTable)
                query = select(t.JournalTable).where(journal.aggregate.in_(part), journal.origin != "forwarded")
                for row in _rows(c.execute(query), JournalRow):
                    known = latest.get((row.aggregate, row.identity))
                    if known is None or row.revision > known.revision:
                        latest[row.aggregate, row.identity] = row
                decisions = _c(t.DecisionTable)
                query = select(t.DecisionTable).where(decisions.aggregate.in_(part), decisions.stands)
                for decision in _rows(c.execute(query), DecisionRow):
                    loaded[decision.aggregate].decisions.append(decision)
                for posting in self._postings(c, part):
                    loaded[posting.aggregate].postings.append(posting)
                for kind, table, field in (
                    (DerivedRow, t.DerivedTable, "derived"),
                    (ViolationRow, t.ViolationTable, "violations"),
                    (IndeterminateRow, t.IndeterminateTable, "indeterminates"),
                ):
                    for other in _rows(c.execute(select(table).where(_c(table).aggregate.in_(part))), kind):
                        getattr(loaded[other.aggregate], field).append(other)  # type: ignore[attr-defined]
                marks = _c(t.AggregateTable)
                for mark in c.execute(select(marks.aggregate, marks.dirty_from).where(marks.aggregate.in_(part))):
                    loaded[mark.aggregate].dirty_from = mark.dirty_from
        for (key, _), row in latest.items():
            loaded[key].journal.append(row)
        return loaded

    def _postings(self, c: Connection, aggregates: Sequence[str]) -> Iterator[PostingRow]:
        p = _c(t.PostingTable)
        total = func.sum(p.amount)
        query = (
            select(p.organisation, p.aggregate, p.identity, p.grant, p.holder, p.unit, p.kind, total)
            .where(p.aggregate.in_(aggregates))
            .group_by(p.organisation, p.aggregate, p.identity, p.grant, p.holder, p.unit, p.kind)
        )
        for organisation, aggregate, identity, grant, holder, unit, kind, amount in c.execute(query):
            if amount:
                yield PostingRow(0, organisation, aggregate, identity, grant, holder, unit, kind, int(amount), 0)

    def record(self, batch: Batch) -> None:
        """Write a batch in one transaction."""
        try:
            with self.engine.begin() as c:
                self._advance(c, batch)
                self._write(c, batch)
        except IntegrityError as error:
            msg = f"Lane {batch.lane}, version {batch.version}: another worker has written this meanwhile."
            raise LaneConflict(msg, "The lane is read again from the store's position.") from error
        except OperationalError as error:
            raise _unavailable(error) from error

    def _advance(self, c: Connection, batch: Batch) -> None:
        lane = _c(t.LaneTable)
        values = {
            "version": batch.version,
            "reference": batch.reference,
            "watermark": batch.watermark,
            "outbox_sequence": batch.outbox_sequence,
        }
        if batch.version == 1:
            c.execute(insert(t.LaneTable), [{"lane": batch.lane, "published": 0, **values}])
            return
        done = c.execute(
            update(t.LaneTable).where(lane.lane == batch.lane, lane.version == batch.version - 1).values(**values)
        )
        if done.rowcount != 1:
            msg = f"Lane {batch.lane} doesn't stand at version {batch.version - 1}: another worker has it."
            raise LaneConflict(msg, "The lane is read again from the store's position.")

    def _write(self, c: Connection, batch: Batch) -> None:
        at = {"lane": batch.lane, "version": batch.version}
        names = _names(t.BatchTable)
        bulk.insert_values(c, t.BatchTable, names, [tuple(getattr(batch, name) for name in names)])
        bulk.insert(c, t.JournalTable, batch.journal, **at)
        bulk.insert(c, t.SeenTable, batch.seen)
        gone = [{"b_id": d.supersedes} for d in batch.decisions if d.supersedes]
        gone += [{"b_id": w.id} for w in batch.withdrawn]
        if gone:
            c.execute(text("UPDATE decision SET stands = false WHERE id = :b_id AND stands"), gone)
        bulk.insert(c, t.DecisionTable, batch.decisions, **at, stands=True)
        bulk.insert(c, t.PostingTable, batch.postings, **at)
        bulk.insert(c, t.ChangeTable, batch.changes)
        bulk.insert(c, t.OutboxTable, batch.outbox, lane=batch.lane)
        bulk.upsert(c, t.InputTable, batch.inputs)
        bulk.upsert(c, t.RefusedTable, list({r.id: r for r in batch.refused}.values()))
        bulk.upsert(c, t.ViolationTable, batch.violations, lane=batch.lane)
        bulk.upsert(c, t.IndeterminateTable, batch.indeterminates)
        bulk.insert(c, t.DerivedTable, [row for row in batch.derived if row.revision == 1])
        bulk.upsert(c, t.DerivedTable, [row for row in batch.derived if row.revision > 1])
        bulk.upsert(c, t.AggregateTable, batch.aggregates)
        positions = [(batch.lane, name, after) for name, after in batch.positions.items()]
        if positions:
            bulk.upsert_values(c, t.PositionTable, ("lane", "input", "next"), positions)

    def dirty(self, lane: int) -> list[AggregateRow]:
        """Aggregates that still have to be re-decided."""
        a = _c(t.AggregateTable)
        with self.reading() as c:
            return list(_rows(c.execute(select(t.AggregateTable).where(a.lane == lane, a.dirty_from >= 0)), AggregateRow))

    def aggregates_since(self, lane: int, time: int) -> list[AggregateRow]:
        """Aggregates with an entry placed at or after a moment."""
        a = _c(t.AggregateTable)
        with self.reading() as c:
            return list(_rows(c.execute(select(t.AggregateTable).where(a.lane == lane, a.newest >= time)), AggregateRow))

    def reference(self, after: int) -> list[JournalRow]:
        """Entries of the reference log beyond the first `after`."""
        j = _c(t.JournalTable)
        query = select(t.JournalTable).where(j.lane == -1).order_by(j.version, j.ordinal).offset(after)
        with self.reading() as c:
            return list(_rows(c.execute(query), JournalRow))

    def unsettled(self, lane: int) -> list[ViolationRow]:
        """Violations of a lane that nobody may be told of yet."""
        v = _c(t.ViolationTable)
        query = select(t.ViolationTable).where(v.lane == lane, ~v.settled, v.status != "retracted")
        with self.reading() as c:
            return list(_rows(c.execute(query), ViolationRow))

    def outbox(self, lane: int, after: int, limit: int) -> list[OutboxRow]:
        """Messages of a lane beyond a sequence, in order."""
        o = _c(t.OutboxTable)
        query = select(t.OutboxTable).where(o.lane == lane, o.sequence > after).order_by(o.sequence).limit(limit)
        with self.reading() as c:
            return list(_rows(c.execute(query), OutboxRow))

    def outbox_size(self) -> int:
        """How many messages wait."""
        with self.reading() as c:
            return int(c.execute(select(func.count()).select_from(t.OutboxTable)).scalar_one())

    def published(self, lane: int) -> int:
        """The sequence published last."""
        column = _c(t.LaneTable)
        with self.reading() as c:
            return int(c.execute(select(column.published).where(column.lane == lane)).scalar() or 0)

    def mark_published(self, lane: int, sequence: int) -> None:
        """Note what was published, and forget those messages."""
        o, column = _c(t.OutboxTable), _c(t.LaneTable)
        with self.engine.begin() as c:
            c.execute(update(t.LaneTable).where(column.lane == lane).values(published=sequence))
            c.execute(delete(t.OutboxTable).where(o.lane == lane, o.sequence <= sequence))

    def save_bundle(self, digest: str, body: bytes, recorded_at: int) -> None:
        """Keep a bundle."""
        with self.engine.begin() as c:
            bulk.upsert_values(c, t.BundleTable, ("digest", "body", "recorded_at"), [(digest, body, recorded_at)])

    def bundle(self, digest: str) -> bytes:
        """Give a bundle."""
        column = _c(t.BundleTable)
        with self.reading() as c:
            body = c.execute(select(column.body).where(column.digest == digest)).scalar()
        if body is None:
            msg = f"The store has no bundle {digest[:12]}."
            raise NotFound(msg, "It holds every bundle that ever decided; was it restored from an older backup?")
        return bytes(body)

    def batches(self, lane: int) -> Iterator[Batch]:
        """Batches of a lane in order, with their journal rows."""
        b, j = _c(t.BatchTable), _c(t.JournalTable)
        with self.reading() as c:
            heads = c.execute(select(t.BatchTable).where(b.lane == lane).order_by(b.version)).mappings().all()
        for head in heads:
            query = select(t.JournalTable).where(j.lane == lane, j.version == head["version"]).order_by(j.ordinal)
            with self.reading() as c:
                rows = tuple(_rows(c.execute(query), JournalRow))
            yield Batch(**head, outbox_sequence=0, journal=rows)


def _c(table: type[SQLModel]) -> Any:
    return table.__table__.c  # type: ignore[attr-defined]


@cache
def _names(table: type[SQLModel]) -> tuple[str, ...]:
    return tuple(column.name for column in _c(table))


def _rows(result: Any, kind: type[R]) -> Iterator[R]:
    fields = kind.__struct_fields__
    for mapping in result.mappings():
        yield kind(**{name: mapping[name] for name in fields})


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def _unavailable(error: DBAPIError) -> StoreUnavailable:
    said = str(error.orig).strip().splitlines()[0]
    msg = f"The store can't be used: {said}."
    return StoreUnavailable(msg, "See that the database runs, that its URL is right and that it may be written.")
