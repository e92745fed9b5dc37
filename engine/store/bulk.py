"""Writing many rows at once: COPY on PostgreSQL, one prepared statement on SQLite. Owns no transaction.

A record's row becomes a table's row by name: the columns given as constants, then the record's fields in their order.
Speed is the point: rows go to the driver as tuples, never through an object or a mapping a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import psycopg
from msgspec.structs import astuple
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import SQLModel

from engine.domain.records import Row

Names = tuple[str, ...]

FEW = 20
"""Rows up to which PostgreSQL is asked row by row; more go through COPY into a temporary table."""


def insert(c: Connection, table: type[SQLModel], rows: Sequence[Row], **constants: Any) -> None:
    """Insert rows that aren't there yet; one that is raises SQLAlchemy's IntegrityError."""
    if rows:
        insert_values(c, table, *_values(rows, constants))


def upsert(c: Connection, table: type[SQLModel], rows: Sequence[Row], **constants: Any) -> None:
    """Insert rows, replacing those of the same key; no two of them may have one key."""
    if rows:
        upsert_values(c, table, *_values(rows, constants))


def insert_values(c: Connection, table: type[SQLModel], names: Names, values: list[tuple[Any, ...]]) -> None:
    """Do as `insert`, of values in the order of the columns named."""
    if c.dialect.name == "postgresql":
        _copy(c, str(table.__tablename__), names, values)
    else:
        c.exec_driver_sql(_insert(table, names, "?"), values)


def upsert_values(c: Connection, table: type[SQLModel], names: Names, values: list[tuple[Any, ...]]) -> None:
    """Do as `upsert`, of values in the order of the columns named."""
    if c.dialect.name != "postgresql":
        c.exec_driver_sql(_insert(table, names, "?").replace("INSERT", "INSERT OR REPLACE", 1), values)
    elif len(values) <= FEW:
        c.exec_driver_sql(_insert(table, names, "%s") + _on_conflict(table, names), values)
    else:
        name, temporary, columns = str(table.__tablename__), f"bulk_{table.__tablename__}", _columns(names)
        c.exec_driver_sql(f'CREATE TEMPORARY TABLE IF NOT EXISTS "{temporary}" (LIKE "{name}") ON COMMIT DELETE ROWS')
        _copy(c, temporary, names, values)
        copied = f'INSERT INTO "{name}" ({columns}) SELECT {columns} FROM "{temporary}"'  # noqa: S608 - names of ours
        c.exec_driver_sql(copied + _on_conflict(table, names))


def _values(rows: Sequence[Row], constants: dict[str, Any]) -> tuple[Names, list[tuple[Any, ...]]]:
    names = (*constants, *rows[0].__struct_fields__)
    if not constants:
        return names, [astuple(row) for row in rows]
    fixed = tuple(constants.values())
    return names, [fixed + astuple(row) for row in rows]


def _copy(c: Connection, name: str, names: Names, values: list[tuple[Any, ...]]) -> None:
    statement = f'COPY "{name}" ({_columns(names)}) FROM STDIN'
    try:
        with c.connection.cursor().copy(statement) as copy:
            for value in values:
                copy.write_row(value)
    except psycopg.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error
    except psycopg.OperationalError as error:
        raise OperationalError(statement, None, error) from error


@cache
def _columns(names: Names) -> str:
    return ", ".join(f'"{name}"' for name in names)


@cache
def _insert(table: type[SQLModel], names: Names, mark: str) -> str:
    return f'INSERT INTO "{table.__tablename__}" ({_columns(names)}) VALUES ({", ".join([mark] * len(names))})'  # noqa: S608


@cache
def _on_conflict(table: type[SQLModel], names: Names) -> str:
    keys = [column.name for column in table.__table__.primary_key]  # type: ignore[attr-defined]
    rest = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in keys)
    return f" ON CONFLICT ({_columns(tuple(keys))}) DO " + (f"UPDATE SET {rest}" if rest else "NOTHING")
