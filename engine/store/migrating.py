"""Bringing a store's tables to where this code expects them, once, whoever comes first.

Owns the check on opening and the lock under which it is made: `BEGIN IMMEDIATE` on SQLite, an advisory lock on
PostgreSQL. A store that is up to date costs one query, and Alembic isn't even imported. A store newer than the code
is refused: what it holds can't be judged by rules that don't know it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from engine.domain.errors import StoreUnavailable

HEAD: Final = "0001"
"""The newest migration; a test compares it with the files."""
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_VERSIONS: Final = "alembic_version"
_LOCK: Final = 0x636F76656E616E74
"""PostgreSQL's advisory lock: the bytes of `covenant`."""


def migrate(engine: Engine, shown: str) -> None:
    """Bring the tables to `HEAD`, or `StoreUnavailable`; `shown` is the store's URL for people."""
    with engine.connect() as connection:
        if version_of(connection.execution_options(reads=True), shown) == HEAD:
            return
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        version = version_of(connection, shown)
        if version != HEAD:
            _upgrade(connection, version, shown)


def version_of(connection: Connection, shown: str) -> str:
    """Give the store's migration; empty for a store without tables."""
    found = inspect(connection)
    if found.has_table(_VERSIONS):
        return str(connection.execute(text(f"SELECT version_num FROM {_VERSIONS}")).scalar() or "")  # noqa: S608 - ours
    if found.has_table("lane"):
        msg = f"The store {shown} has tables that no released Covenant made."
        raise StoreUnavailable(msg, "Name another store and ingest again; what this one was made from is unknown.")
    return ""


def _upgrade(connection: Connection, version: str, shown: str) -> None:
    from alembic import command  # noqa: PLC0415 - a tenth of a second that only a new or old store pays
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config(str(MIGRATIONS / "alembic.ini"), attributes={"connection": connection})
    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if version and version not in known:
        msg = f"The store {shown} was written by a newer Covenant: its tables are at {version}, this one knows {HEAD}."
        raise StoreUnavailable(msg, "Install that version, or name another store.")
    command.upgrade(config, "head")
