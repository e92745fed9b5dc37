"""What differs between SQLite and PostgreSQL: writing many rows at once, and asking for many keys at once.

Owns statements made from the tables; decides nothing. Each operation is one statement or one COPY, however many rows.
Rows are tuples in the order of a `Plan`'s columns, straight from the structs, and go to the driver as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, Final, Protocol

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    any_,
    bindparam,
    func,
    select,
)

from engine.domain.records import Row

_SQLITE_PARAMETERS: Final = 32_766
"""Parameters of one statement at most, as SQLite is built by default."""
_FEW: Final = 50
"""Rows below which a table aside costs more than it saves."""


class Plan:
    """How rows of one kind are written into one table: `fixed` columns the same for the whole batch, then the row's."""

    def __init__(self, table: Any, kind: type[Row], *fixed: str, keep: bool = False) -> None:
        """Plan for a model and a kind of row; with `keep` the first row of a key stays, else the last replaces it."""
        self.table: Table = table.__table__
        self.fixed = len(fixed)
        self.columns = (*fixed, *kind.__struct_fields__)
        keys = [column.name for column in self.table.primary_key]
        self._keys = [self.columns.index(name) for name in keys]
        quoted = [f'"{name}"' for name in self.columns]
        into = f'"{self.table.name}" ({", ".join(quoted)})'
        values = [f'"{name}" = excluded."{name}"' for name in self.columns if name not in keys]
        on_conflict = f"({', '.join(keys)}) DO UPDATE SET {', '.join(values)}" if values and not keep else "DO NOTHING"
        arrays = ", ".join(f"%s::{_postgres_type(self.table.c[name])}[]" for name in self.columns)
        marks = ", ".join("?" * len(quoted))
        self._sqlite_row = f"({marks})"
        self._sqlite_into = f"INSERT INTO {into} VALUES "  # noqa: S608 - names of our own tables
        self._sqlite_conflict = f" ON CONFLICT {on_conflict}"
        self.sqlite_most = 1 << (_SQLITE_PARAMETERS // len(quoted)).bit_length() - 1
        self.postgres_copy = f"COPY {into} FROM STDIN"
        self.postgres_upsert = f"INSERT INTO {into} SELECT * FROM unnest({arrays}) ON CONFLICT {on_conflict}"  # noqa: S608
        aside, listed = f'"new_{self.table.name}"', ", ".join(quoted)
        self.postgres_aside = (
            f'CREATE TEMP TABLE IF NOT EXISTS {aside} AS SELECT {listed} FROM "{self.table.name}" WITH NO DATA',  # noqa: S608
            f"TRUNCATE {aside}",
        )
        self.postgres_copy_aside = f"COPY {aside} FROM STDIN"
        self.postgres_merge = f"INSERT INTO {into} SELECT * FROM {aside} ON CONFLICT {on_conflict}"  # noqa: S608
        self.keep = keep

    @cache  # noqa: B019 - plans are constants
    def sqlite(self, rows: int, *, upsert: bool) -> str:
        """Give SQLite's statement for so many rows."""
        return self._sqlite_into + ",".join([self._sqlite_row] * rows) + self._sqlite_conflict * upsert

    def tuples(self, rows: Iterable[Row], *fixed: Any) -> list[tuple[Any, ...]]:
        """Give the rows' values in the order of the columns."""
        astuple = msgspec.structs.astuple
        return [fixed + astuple(row) for row in rows]

    def distinct(self, rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Leave one row of each key, in order of the keys: every transaction takes its locks in the same order."""
        one: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        for row in rows:
            key = tuple(row[index] for index in self._keys)
            if not (self.keep and key in one):
                one[key] = row
        return [one[key] for key in sorted(one)]


class Dialect(Protocol):
    """The few things that a database does in its own way."""

    def insert(self, cursor: Any, plan: Plan, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write new rows."""
        ...

    def upsert(self, cursor: Any, plan: Plan, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows of which some may be there already."""
        ...

    def supersede(self, cursor: Any, lane: int, version: int, decisions: Sequence[str]) -> None:
        """Let decisions recorded by earlier batches of a lane no longer stand."""
        ...

    def outdate(self, cursor: Any, rows: Sequence[tuple[str, int]]) -> None:
        """Delete the checkpoints of aggregates that reach a moment: (aggregate, moment)."""
        ...

    def among(self, column: ColumnElement[Any], keys: Sequence[str]) -> ColumnElement[bool]:
        """Give the condition that a column is one of any number of keys, as one parameter."""
        ...

    def after(self, query: Select[Any], key: ColumnElement[Any], at: ColumnElement[Any], since: Mapping[str, int]) -> Select[Any]:
        """Restrict a query to rows of any number of keys, each from a moment of its own on, as one parameter or two."""
        ...


class Sqlite:
    """SQLite: few statements of many rows each, keys as one JSON array.

    The driver lets other threads run during each statement, and must wait for the one that runs after each: with a
    statement a row, a batch that is written while the next one is folded would wait thousands of times.
    """

    def insert(self, cursor: Any, plan: Plan, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write new rows."""
        self._write(cursor, plan, rows, upsert=False)

    def upsert(self, cursor: Any, plan: Plan, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows of which some may be there already."""
        self._write(cursor, plan, plan.distinct(rows), upsert=True)

    def _write(self, cursor: Any, plan: Plan, rows: Sequence[tuple[Any, ...]], *, upsert: bool) -> None:
        """Write rows in powers of two, so that few statements are prepared, and those again and again."""
        start, size = 0, plan.sqlite_most
        while start < len(rows):
            while size > len(rows) - start:
                size //= 2
            values = list(chain.from_iterable(rows[start : start + size]))
            cursor.execute(plan.sqlite(size, upsert=upsert), values)
            start += size

    def supersede(self, cursor: Any, lane: int, version: int, decisions: Sequence[str]) -> None:
        """Let decisions no longer stand."""
        cursor.executemany(
            "UPDATE decision SET stands = 0 WHERE id = ? AND lane = ? AND version < ? AND stands",
            [(ident, lane, version) for ident in decisions],
        )

    def among(self, column: ColumnElement[Any], keys: Sequence[str]) -> ColumnElement[bool]:
        """Give the condition that a column is one of the keys."""
        array = msgspec.json.encode(list(keys)).decode()
        listed = func.json_each(bindparam(None, array, unique=True)).table_valued("value")
        return column.in_(select(listed.c.value))

    def after(self, query: Select[Any], key: ColumnElement[Any], at: ColumnElement[Any], since: Mapping[str, int]) -> Select[Any]:
        """Restrict a query to rows of keys, each from a moment of its own on."""
        array = msgspec.json.encode(list(since.items())).decode()
        listed = func.json_each(bindparam(None, array, unique=True)).table_valued("value")
        wanted = key == func.json_extract(listed.c.value, "$[0]")
        return query.select_from(listed).where(wanted, at >= func.json_extract(listed.c.value, "$[1]"))

    def outdate(self, cursor: Any, rows: Sequence[tuple[str, int]]) -> None:
        """Delete checkpoints that reach a moment."""
        cursor.executemany("DELETE FROM checkpoint WHERE aggregate = ? AND since >= ?", rows)


class Postgres:
    """PostgreSQL: COPY for new rows; upserts are one INSERT, of few rows from arrays, of many from a table copied aside.

    The driver writes an array element by element in Python, which costs four times as much as COPY.
    """

    def insert(self, cursor: Any, plan: Plan, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write new rows."""
        self._copy(cursor, plan.postgres_copy, rows)

    def upsert(self, cursor: Any, plan: Plan, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows of which some may be there already."""
        rows = plan.distinct(rows)
        if len(rows) < _FEW:
            cursor.execute(plan.postgres_upsert, [list(column) for column in zip(*rows, strict=True)])
            return
        for statement in plan.postgres_aside:
            cursor.execute(statement)
        self._copy(cursor, plan.postgres_copy_aside, rows)
        cursor.execute(plan.postgres_merge)

    def _copy(self, cursor: Any, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def supersede(self, cursor: Any, lane: int, version: int, decisions: Sequence[str]) -> None:
        """Let decisions no longer stand."""
        cursor.execute(
            "UPDATE decision SET stands = false WHERE id = ANY(%s) AND lane = %s AND version < %s AND stands",
            (list(decisions), lane, version),
        )

    def among(self, column: ColumnElement[Any], keys: Sequence[str]) -> ColumnElement[bool]:
        """Give the condition that a column is one of the keys."""
        return column == any_(bindparam(None, list(keys), type_=ARRAY(Text), unique=True))

    def after(self, query: Select[Any], key: ColumnElement[Any], at: ColumnElement[Any], since: Mapping[str, int]) -> Select[Any]:
        """Restrict a query to rows of keys, each from a moment of its own on."""
        keys = bindparam(None, list(since), type_=ARRAY(Text), unique=True)
        moments = bindparam(None, list(since.values()), type_=ARRAY(BigInteger), unique=True)
        listed = func.unnest(keys, moments).table_valued("key", "moment").render_derived()
        return query.select_from(listed).where(key == listed.c.key, at >= listed.c.moment)

    def outdate(self, cursor: Any, rows: Sequence[tuple[str, int]]) -> None:
        """Delete checkpoints that reach a moment."""
        cursor.execute(
            "DELETE FROM checkpoint USING unnest(%s::text[], %s::bigint[]) AS gone (aggregate, since) "
            "WHERE checkpoint.aggregate = gone.aggregate AND checkpoint.since >= gone.since",
            [list(column) for column in zip(*rows, strict=True)],
        )


def dialect(name: str) -> Dialect:
    """Give the dialect of a database by SQLAlchemy's name of it."""
    return Postgres() if name == "postgresql" else Sqlite()


def _postgres_type(column: Any) -> str:
    for kind, name in ((BigInteger, "bigint"), (Integer, "integer"), (Boolean, "boolean"), (LargeBinary, "bytea")):
        if isinstance(column.type, kind):
            return name
    return "text"
