"""Opening a store by its URL: SQLite in a file, or PostgreSQL. Its tables are up to date afterwards, or one clear error.

Owns what a connection is told when it is made: how durable it is, how long it waits for others, and that on SQLite
only a writer takes the write lock.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from engine.domain.errors import StoreUnavailable, UsageError
from engine.store.faults import of_a_driver, told
from engine.store.migrating import migrate
from engine.store.sql_store import SqlStore

WAIT_S: Final = 10
"""How long a writer waits for another one, and a connection for the server."""
_AGAIN_S: Final = 0.02
_PRAGMAS: Final = (
    f"busy_timeout={WAIT_S * 1000}",
    "page_size=16384",  # counts for a new file only: rows of half a kilobyte and several trees fill larger pages better
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-65536",
    "wal_autocheckpoint=2000",
    "journal_size_limit=67108864",
)
_POSTGRES: Final = {
    "connect_timeout": WAIT_S,
    "keepalives_idle": 30,
    # A worker that was stopped in the middle of a batch must not hold its lane for ever.
    "options": f"-c idle_in_transaction_session_timeout=60s -c lock_timeout={3 * WAIT_S}s -c timezone=UTC",
}
_FORMS: Final = "Give sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE."


def open_store(url: str) -> SqlStore:
    """Open a store: `sqlite:///FILE` or `postgresql+psycopg://…`; `UsageError` or `StoreUnavailable` where it can't be."""
    parsed = _parse(url)
    shown = parsed.render_as_string(hide_password=True)
    engine: Engine | None = None
    try:
        engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgres(parsed)
        migrate(engine, shown)
    except BaseException as error:
        if engine is not None:
            engine.dispose()
        if not isinstance(error, Exception) or not (isinstance(error, OSError) or of_a_driver(error)):
            raise
        cause = told(error, f"Opening {shown}")
        msg = f"The store {shown} can't be opened. {cause.message}"
        raise StoreUnavailable(msg, cause.do) from error
    return SqlStore(engine)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        msg = f"{url!r} isn't the URL of a store."
        raise UsageError(msg, _FORMS) from error
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        msg = f"Covenant keeps no store in {parsed.drivername}."
        raise UsageError(msg, _FORMS)
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        msg = "A store needs a file that outlives the command."
        raise UsageError(msg, _FORMS)
    return parsed


def _sqlite(url: URL) -> Engine:
    file = Path(str(url.database))
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists() and not str(url.database).startswith("file:"):
        file.touch(mode=0o600)  # it holds people's data; SQLite gives its other files the same rights
    # A statement for each table and power of two of rows; the driver keeps 128 of them otherwise, and parses anew.
    engine = create_engine(url, connect_args={"cached_statements": 512})

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            _tell(connection, f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _tell(connection: sqlite3.Connection, statement: str) -> None:
    """Run a statement of a new connection, waiting for others as a writer does.

    Two processes that turn one new file to WAL at once would wait for each other, so SQLite tells one of them "busy" at once
    and doesn't go by `busy_timeout`; it is to try again: https://www.sqlite.org/c3ref/busy_handler.html.
    """
    last = time.monotonic() + WAIT_S
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > last:
                raise
            time.sleep(_AGAIN_S)
        else:
            return


def _postgres(url: URL) -> Engine:
    ours = {name: value for name, value in _POSTGRES.items() if name not in url.query}
    return create_engine(url, pool_pre_ping=True, connect_args=ours)
