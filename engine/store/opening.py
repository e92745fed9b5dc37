"""Opening a store by its URL: SQLite under a path, or PostgreSQL; tables are there afterwards, or one clear error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlmodel import SQLModel

from engine.domain.errors import StoreUnavailable, UsageError
from engine.store import tables
from engine.store.sql_store import SqlStore


def open_store(url: str) -> SqlStore:
    """Open a store: `sqlite:///FILE` or `postgresql+psycopg://…`."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        msg = f"{url!r} isn't the URL of a store."
        raise UsageError(msg, "Give sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE.") from error
    shown = parsed.render_as_string(hide_password=True)
    try:
        if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
            Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
        if parsed.get_backend_name() == "sqlite":
            _tune_sqlite(engine)
        SQLModel.metadata.create_all(engine, tables=[table.__table__ for table in _all()])
    except (OSError, DatabaseError, OperationalError) as error:
        said = str(getattr(error, "orig", error)).strip().splitlines()[0]
        msg = f"The store {shown} can't be opened: {said}."
        raise StoreUnavailable(msg, "See that it exists, that the URL is right and that it may be written.") from error
    return SqlStore(engine)


def _all() -> list[Any]:
    return [kind for kind in vars(tables).values() if isinstance(kind, type) and issubclass(kind, SQLModel) and kind is not SQLModel]


def _tune_sqlite(engine: Engine) -> None:
    """WAL, full synchronisation, and transactions that take the write lock when they begin, unless they only read."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
