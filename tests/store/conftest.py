"""Stores of every kind, fresh and quickly made: a copy of one migrated file, one migrated database emptied again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from engine.store.memory_store import MemoryStore
from engine.store.opening import open_store
from engine.store.protocol import Store
from engine.store.sql_store import SqlStore
from engine.store.tables import Stored
from tests.services.postgres import PostgresServer

DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty file."""
    path = tmp_path_factory.mktemp("template") / "covenant.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def postgres_database(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a migrated database that each test leaves empty."""
    with postgres_server.database() as url:
        open_store(url).close()
        yield url


def emptied(url: str) -> None:
    """Take all rows out of a database: far quicker than to make another."""
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        for name in Stored.metadata.tables:
            connection.execute(sql.SQL("delete from {}").format(sql.Identifier(name)))


@pytest.fixture
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Gives the URL of a migrated and empty store of a kind."""
    used: list[str] = []

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_template'), tmp_path / 'covenant.db')}"
        used.append(request.getfixturevalue("postgres_database"))
        return used[-1]

    yield make
    for url in used:
        emptied(url)


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, migrated_url: Callable[[str], str]) -> str:
    """The URL of a migrated and empty store on every database."""
    return migrated_url(request.param)


@pytest.fixture(params=["memory", *DATABASES])
def store(request: pytest.FixtureRequest, migrated_url: Callable[[str], str]) -> Iterator[Store]:
    """A fresh store of every kind."""
    opened: Store = MemoryStore() if request.param == "memory" else open_store(migrated_url(request.param))
    yield opened
    opened.close()


@pytest.fixture
def sql_store(database_url: str) -> Iterator[SqlStore]:
    """A fresh store on every database."""
    opened = open_store(database_url)
    yield opened
    opened.close()
