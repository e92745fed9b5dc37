"""The kinds of columns that tables are made of: widths, keys, and text that compares bytewise on every database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text, text
from sqlmodel import Field

BYTEWISE = Text().with_variant(Text(collation="C"), "postgresql")
CLUSTERED = {"sqlite_with_rowid": False}
"""SQLite: keep rows in the primary key's own tree; without it each row is written twice."""


def some(which: str) -> dict[str, Any]:
    """Give the options of an index of some rows alone."""
    return {"sqlite_where": text(which), "postgresql_where": text(which)}


def big(**more: Any) -> Any:
    """A 64-bit integer."""
    return Field(sa_column=Column(BigInteger, nullable=False, **more))


def number_key(kind: type[Integer] = BigInteger) -> Any:
    """An integer that is part of the primary key, and given by us."""
    return Field(sa_column=Column(kind, primary_key=True, autoincrement=False))


def word() -> Any:
    """A text that is looked up."""
    return Field(sa_column=Column(BYTEWISE, nullable=False))


def word_key() -> Any:
    """A text that is part of the primary key."""
    return Field(sa_column=Column(BYTEWISE, primary_key=True))


def blob() -> Any:
    """Bytes."""
    return Field(sa_column=Column(LargeBinary, nullable=False))
