"""Faults for real: processes killed inside a transaction, servers stopped, disks full, files that aren't ours to write.

After each: nothing half-written, one sentence for a person, and the next batch goes in once the fault is over.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url

from engine.domain.errors import CovenantError, IntegrityError, LaneConflict, StoreUnavailable, UsageError
from engine.domain.records import Batch, SeenRow
from engine.store.opening import open_store
from engine.store.sql_store import SqlStore
from engine.store.writing import Writer
from tests.services.parts import ROOT
from tests.services.postgres import PostgresServer
from tests.store.make import batch, decision, entry, everything, posting, violation

EVENTS = 300

KILLED = """
import sys
from engine.store.opening import open_store
from engine.store.writing import Writer
from tests.store.test_faults import large

STEP = sys.argv[2]
whole = getattr(Writer, STEP)

def stop(self, *arguments):
    whole(self, *arguments)
    print("inside", flush=True)
    sys.stdin.read()

store = open_store(sys.argv[1])
setattr(Writer, STEP, stop)
store.record(large(2))
"""


def large(version: int, lane: int = 0) -> Batch:
    """A batch of some hundred events, with something in most tables."""
    names = [f"{lane}.{version}.{number}" for number in range(EVENTS)]
    return batch(
        version,
        lane,
        journal=tuple(entry(name, event="x" * 500) for name in names),
        seen=tuple(SeenRow(name, "c") for name in names),
        decisions=tuple(decision(name) for name in names),
        postings=tuple(posting(1, identity=name) for name in names),
        violations=(violation(f"v{version}"),),
    )


def native(url: str) -> str:
    """A store's URL as PostgreSQL's own client takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.mark.parametrize("step", ["_advance", "_supersede", "projections", "batch"])
def test_a_process_killed_inside_its_transaction_leaves_nothing(database_url: str, step: str) -> None:
    """Kill -9 after the lane's version, after the journal, after the projections, just before the commit."""
    store = open_store(database_url)
    store.record(large(1))
    before = everything(store)
    command = [sys.executable, "-c", KILLED, database_url, step]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        process.kill()
    store.close()
    store = open_store(database_url)
    assert everything(store) == before
    store.record(large(2))
    assert store.lane(0).version == 2
    assert len(store.decisions(0, 2)) == EVENTS
    store.close()


@pytest.mark.parametrize("step", ["_advance", "_supersede", "projections", "batch"])
def test_an_error_inside_the_transaction_leaves_nothing(sql_store: SqlStore, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong in our own code between the first write and the commit."""
    sql_store.record(large(1))
    before = everything(sql_store)

    def fail(self: Writer, *arguments: object) -> None:
        whole(self, *arguments)
        msg = "our own mistake"
        raise ZeroDivisionError(msg)

    whole = getattr(Writer, step)
    monkeypatch.setattr(Writer, step, fail)
    with pytest.raises(ZeroDivisionError):
        sql_store.record(large(2))
    monkeypatch.undo()
    assert everything(sql_store) == before
    sql_store.record(large(2))


def test_of_two_workers_that_write_at_the_same_time_one_wins(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are inside their transactions at once; the second waits for the first, finds the lane moved on and stops."""
    first, second = open_store(database_url), open_store(database_url)
    first.record(batch(1))
    inside, both = threading.Event(), threading.Event()
    whole = Writer.projections

    def slowly(self: Writer, made: Batch) -> None:
        inside.set()
        both.wait(0.3)
        whole(self, made)

    monkeypatch.setattr(Writer, "projections", slowly)
    outcome: list[CovenantError | None] = []

    def write(store: SqlStore) -> None:
        try:
            store.record(large(2))
            outcome.append(None)
        except CovenantError as error:
            outcome.append(error)

    workers = [threading.Thread(target=write, args=(store,)) for store in (first, second)]
    workers[0].start()
    inside.wait(10)
    workers[1].start()
    for worker in workers:
        worker.join(30)
    (lost,) = [one for one in outcome if one is not None]  # whichever of the two tells of it first
    assert len(outcome) == 2
    assert isinstance(lost, LaneConflict)
    assert (first.lane(0).version, len(first.decisions(0, 2))) == (2, EVENTS)
    first.close()
    second.close()


def test_a_reader_never_waits_for_a_writer(database_url: str) -> None:
    """While a batch is being written, people read what was committed before."""
    writer, reader = open_store(database_url), open_store(database_url)
    writer.record(batch(1))
    with writer.engine.begin() as connection:
        Writer(connection, writer._dialect).batch(large(2))
        assert reader.lane(0).version == 1
        assert reader.decisions(0, 2) == []
    assert reader.lane(0).version == 2
    writer.close()
    reader.close()


@pytest.fixture
def small_disk(migrated_url: Callable[[str], str]) -> Iterator[SqlStore]:
    """A store on SQLite whose disk is full after its first batch; `pages` lifts the limit."""
    url = migrated_url("sqlite")
    store = open_store(url)
    store.record(large(1))

    @event.listens_for(store.engine, "begin")
    def on_begin(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 4}")

    yield store
    store.close()


def test_a_full_disk_is_said_and_nothing_is_half_written(small_disk: SqlStore) -> None:
    """Once there is room again the same batch goes in."""
    before = everything(small_disk)
    with pytest.raises(StoreUnavailable, match="disk that holds the store is full") as said:
        small_disk.record(large(2))
    assert "Make room" in said.value.do
    assert everything(small_disk) == before
    roomy = open_store(str(small_disk.engine.url))
    roomy.record(large(2))
    assert roomy.lane(0).version == 2
    roomy.close()


def test_a_store_locked_by_someone_else_is_said_after_a_while(
    migrated_url: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer waits for another one, but not for ever."""
    monkeypatch.setattr("engine.store.opening._PRAGMAS", ("busy_timeout=50", "journal_mode=WAL"))
    url = migrated_url("sqlite")
    store = open_store(url)
    other = sqlite3.connect(str(make_url(url).database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="Another process has kept the store locked"):
        store.record(batch(1))
    other.execute("ROLLBACK")
    store.record(batch(1))
    assert store.lane(0).version == 1
    other.close()
    store.close()


def test_a_store_that_may_only_be_read_is_read_and_not_written(migrated_url: Callable[[str], str]) -> None:
    """It opens, answers, and says in a sentence why it takes nothing."""
    url = migrated_url("sqlite")
    store = open_store(url)
    store.record(batch(1))
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")

    @event.listens_for(store.engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only=ON")

    with pytest.raises(StoreUnavailable, match="may not be written"):
        store.record(batch(2))
    assert store.lane(0).version == 1
    store.close()


def test_a_new_store_is_for_its_owner_alone(tmp_path: Path) -> None:
    """It holds people's data: nobody else on the machine may read the file, its log, or the folder made for it."""
    store = open_store(f"sqlite:///{tmp_path / 'new' / 'covenant.db'}")
    store.record(batch(1))
    rights = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
    assert rights == {"covenant.db": 0o600, "covenant.db-wal": 0o600, "covenant.db-shm": 0o600}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    store.close()


@pytest.mark.parametrize("place", ["a file/covenant.db", "a folder", "a file"])
def test_a_place_that_cannot_be_a_store_is_one_clear_error(tmp_path: Path, place: str) -> None:
    """A folder that can't be made, a folder in the file's place, a file that is something else."""
    (tmp_path / "a file").write_text("dear diary " * 100)
    (tmp_path / "a folder").mkdir()
    with pytest.raises(StoreUnavailable) as said:
        open_store(f"sqlite:///{tmp_path / place}")
    assert said.value.message.startswith(f"The store sqlite:///{tmp_path / place} can't be opened.")
    assert said.value.do
    assert (tmp_path / "a file").read_text() == "dear diary " * 100


@pytest.mark.parametrize(
    "url", ["", "covenant.db", "mysql://host/db", "sqlite://", "sqlite:///:memory:", "postgresql+asyncpg://h/d"]
)
def test_a_url_that_names_no_store_is_a_wrong_usage(url: str) -> None:
    """The forms that are understood are given."""
    with pytest.raises(UsageError, match="sqlite:///FILE"):
        open_store(url)


def test_a_value_the_database_refuses_is_said_and_nothing_is_written(sql_store: SqlStore) -> None:
    """Text that isn't Unicode never comes from our intake; if it does, the batch fails whole."""
    with pytest.raises(IntegrityError, match="doesn't accept what was to be written"):
        sql_store.record(batch(1, journal=(entry("a"), entry("\ud800"))))
    assert sql_store.lanes() == []


@pytest.mark.needs_postgres
def test_a_zero_character_fails_on_postgres_with_a_sentence(migrated_url: Callable[[str], str]) -> None:
    """Intake refuses it; PostgreSQL would too, and what is asked for with one is a wrong question."""
    store = open_store(migrated_url("postgres"))
    with pytest.raises(IntegrityError, match="NUL"):
        store.record(batch(1, journal=(entry("a"), entry("b\0"))))
    assert store.lanes() == []
    with pytest.raises(UsageError, match="can't be looked up"):
        store.decision("d\0")
    store.close()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that this test may stop."""
    with PostgresServer() as server:
        yield server


@pytest.mark.needs_postgres
def test_a_server_that_restarts_between_batches_is_found_again(own_server: PostgresServer) -> None:
    """Down, it is said in a sentence; up again, or killed and recovered, the next batch goes in without reopening."""
    with own_server.database() as url:
        store = open_store(url)
        store.record(large(1))
        own_server.restart()
        store.record(large(2))
        own_server.kill()
        with pytest.raises(StoreUnavailable, match="can't be reached") as said:
            store.record(large(3))
        assert "PostgreSQL" in said.value.do
        with pytest.raises(StoreUnavailable, match="can't be reached"):
            store.lane(0)
        with pytest.raises(StoreUnavailable, match="can't be opened"):
            open_store(url)
        own_server.start()
        assert store.lane(0).version == 2
        store.record(large(3))
        assert [len(store.decisions(0, version)) for version in (1, 2, 3)] == [EVENTS] * 3
        store.close()


@pytest.mark.needs_postgres
@pytest.mark.parametrize("step", ["_advance", "_supersede", "projections", "batch"])
def test_a_connection_cut_inside_the_transaction_leaves_nothing(
    migrated_url: Callable[[str], str], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An administrator or a failover ends it; the batch is gone whole and goes in at the next try."""
    url = migrated_url("postgres")
    store = open_store(url)
    store.record(large(1))
    before = everything(store)
    whole = getattr(Writer, step)

    def cut(self: Writer, *arguments: object) -> None:
        whole(self, *arguments)
        pid = self.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        with psycopg.connect(native(url)) as admin:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    monkeypatch.setattr(Writer, step, cut)
    with pytest.raises(StoreUnavailable):
        store.record(large(2))
    monkeypatch.undo()
    assert everything(store) == before
    store.record(large(2))
    store.close()


@pytest.mark.needs_postgres
def test_lanes_that_meet_on_the_same_rows_never_wait_for_each_other_for_ever(
    migrated_url: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two lanes take the same events in, in opposite orders, at once: one has them, the other reads its lane again."""
    url = migrated_url("postgres")
    stores = [open_store(url), open_store(url)]
    together = threading.Barrier(2)
    whole = Writer._advance

    def advance(self: Writer, made: Batch) -> None:
        whole(self, made)
        together.wait(10)

    monkeypatch.setattr(Writer, "_advance", advance)
    names = [f"{number:032x}" for number in range(2000)]
    outcome: dict[int, str] = {}

    def write(lane: int) -> None:
        ordered = names if lane else names[::-1]
        try:
            stores[lane].record(batch(1, lane, journal=(), seen=tuple(SeenRow(name, "c") for name in ordered)))
            outcome[lane] = "recorded"
        except LaneConflict:
            outcome[lane] = "conflict"

    workers = [threading.Thread(target=write, args=(lane,)) for lane in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert sorted(outcome.values()) == ["conflict", "recorded"]
    for store in stores:
        store.close()
