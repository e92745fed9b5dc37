"""Migrations: they make what the models say, once, whoever comes first; a store from elsewhere is refused untouched."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from engine.domain.errors import StoreUnavailable
from engine.store.migrating import HEAD, MIGRATIONS
from engine.store.opening import open_store
from engine.store.tables import Stored
from tests.services.parts import ROOT
from tests.services.postgres import PostgresServer
from tests.store.conftest import DATABASES
from tests.store.make import batch

OPENER = """
import sys
from engine.store.opening import open_store
print("ready", flush=True)
sys.stdin.readline()
store = open_store(sys.argv[1])
print(store.lanes(), flush=True)
store.close()
"""


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a store that nobody has opened yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'covenant.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        yield url


def execute(url: str, *statements: str) -> None:
    """Run statements on a database, behind the store's back."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def tables_of(url: str) -> set[str]:
    """The names of a database's tables."""
    engine = create_engine(url)
    names = set(inspect(engine).get_table_names())
    engine.dispose()
    return names


def test_migrations_make_exactly_what_the_models_say(empty_url: str) -> None:
    """No table, column, type or index of the models is missing in a migrated store, and none is there beyond them."""
    store = open_store(empty_url)
    with store.reading() as connection:
        dialect = connection.dialect.name

        def ours(item: Any, name: Any, kind: str, reflected: bool, other: Any) -> bool:
            """Leave out an index that the models make on another database alone."""
            made_if = getattr(item, "_ddl_if", None)
            return made_if is None or made_if.dialect == dialect

        opts = {"compare_type": True, "compare_server_default": True, "include_object": ours}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Stored.metadata) == []
        assert context.get_current_revision() == HEAD
    store.close()
    assert tables_of(empty_url) == {*Stored.metadata.tables, "alembic_version"}


def test_the_newest_migration_is_the_one_the_code_expects() -> None:
    """One line of steps, and its end is `HEAD`."""
    script = ScriptDirectory.from_config(Config(str(MIGRATIONS / "alembic.ini")))
    assert script.get_heads() == [HEAD]


def test_migrations_can_be_taken_back_and_made_again(empty_url: str) -> None:
    """An author can go down and up; nothing is left over."""
    open_store(empty_url).close()
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        command.downgrade(Config(str(MIGRATIONS / "alembic.ini"), attributes={"connection": connection}), "base")
    engine.dispose()
    assert tables_of(empty_url) == {"alembic_version"}
    open_store(empty_url).close()
    assert tables_of(empty_url) == {*Stored.metadata.tables, "alembic_version"}


def test_opening_again_changes_nothing_and_needs_no_alembic(empty_url: str) -> None:
    """What was recorded is there; a store that is up to date opens without Alembic's tenth of a second."""
    store = open_store(empty_url)
    store.record(batch(1))
    store.close()
    script = "import sys; from engine.store.opening import open_store; s = open_store(sys.argv[1])\n"
    script += "print(s.lane(0).version, 'alembic' in sys.modules); s.close()"
    done = subprocess.run([sys.executable, "-c", script, empty_url], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False"]


def test_a_fresh_file_is_ready_at_once(tmp_path: Path) -> None:
    """A command on a new laptop doesn't wait for its tables: under a third of a second, with Alembic imported before."""
    open_store(f"sqlite:///{tmp_path / 'first.db'}").close()
    began = time.process_time()
    open_store(f"sqlite:///{tmp_path / 'second.db'}").close()
    assert time.process_time() - began < 0.3


def test_a_store_that_another_process_is_just_making_is_waited_for(tmp_path: Path) -> None:
    """SQLite refuses to turn a file to WAL while another writes it, at once and whatever its timeout: we try again."""
    file = tmp_path / "covenant.db"
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, other.execute, ["ROLLBACK"])
    release.start()
    store = open_store(f"sqlite:///{file}")
    release.join()
    assert store.lanes() == []
    store.close()
    other.close()


def test_processes_that_open_a_new_store_at_once_all_succeed(empty_url: str) -> None:
    """Worker, relay and console start together: one makes the tables, the others wait for it."""
    command_line = [sys.executable, "-c", OPENER, empty_url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    started = [subprocess.Popen(command_line, cwd=ROOT, text=True, **pipes) for _ in range(3)]  # type: ignore[call-overload]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60) for process in started] == [("[]\n", "")] * 3


def test_a_store_newer_than_the_code_is_refused_with_a_sentence(empty_url: str) -> None:
    """Both versions are named, and the store stays as it is."""
    open_store(empty_url).close()
    execute(empty_url, "UPDATE alembic_version SET version_num = '9999'", "CREATE TABLE tomorrow (n INTEGER)")
    with pytest.raises(StoreUnavailable, match=f"newer Covenant: its tables are at 9999, this one knows {HEAD}") as refused:
        open_store(empty_url)
    assert refused.value.exit_code == 3
    assert "tomorrow" in tables_of(empty_url)


def test_a_store_with_tables_that_no_migration_made_is_refused(empty_url: str, tmp_path: Path) -> None:
    """It isn't written to."""
    (tmp_path / "new").mkdir()
    execute(empty_url, "CREATE TABLE lane (lane INTEGER)")
    with pytest.raises(StoreUnavailable, match="no released Covenant made"):
        open_store(empty_url)
    assert tables_of(empty_url) == {"lane"}


def test_other_peoples_tables_beside_ours_are_left_alone(empty_url: str, tmp_path: Path) -> None:
    """A database may be shared."""
    (tmp_path / "new").mkdir()
    execute(empty_url, "CREATE TABLE invoices (n INTEGER)")
    open_store(empty_url).close()
    assert "invoices" in tables_of(empty_url)


def test_a_migration_that_fails_leaves_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are made in one transaction, on SQLite too."""
    monkeypatch.setattr("alembic.operations.Operations.create_index", _fail)
    with pytest.raises(ZeroDivisionError):
        open_store(empty_url)
    monkeypatch.undo()
    assert tables_of(empty_url) == set()
    open_store(empty_url).close()


def _fail(*_: object, **__: object) -> None:
    msg = "half-way"
    raise ZeroDivisionError(msg)
