"""Runs that end too early: killed, told to end, left by their OPA, or on one store together; run again they end the same."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Run, document, ingested, write
from tests.domain.make import event


def many(folder: Path) -> Path:
    """Enough events for many batches: 40 holders, a leaver among each four."""
    events = []
    for n in range(40):
        person = f"p-{n}"
        events += [
            event("credential.created", "2026-01-01", credential=f"c-{n}", owner=person),
            event("grant.issued", "2026-01-01", grant_id=f"G-{n}", holder=person, quantity="100", vesting="immediate"),
        ]
    for day, n in itertools.product(range(1, 28), range(40)):
        events.append(event("usage.inference", f"2026-02-{day:02}T{n % 24:02}:00:00Z", credential=f"c-{n}", quantity="1"))
    events += [event("person.terminated", "2026-02-10", person=f"p-{n}") for n in range(0, 40, 4)]
    return write(folder / "many.jsonl", events)


def test_killed_in_the_middle_and_run_again_it_ends_the_same(
    covenant: Run, folder: Path, program: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """Kill -9 at a few moments; after the last run the export is that of a run nobody disturbed."""
    path = many(folder)
    ingested(covenant, "--store", "sqlite:///whole.db", path)
    whole = covenant("--store", "sqlite:///whole.db", "export", "--standing").stdout_bytes
    killed = 0
    for grown in (1, 4, 12):
        process = program("--store", "sqlite:///killed.db", "ingest", path, env={"COVENANT_BATCH": "20"})
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline and batches(folder / "killed.db") < grown:
            time.sleep(0.005)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()
    assert killed
    summary = ingested(covenant, "--store", "sqlite:///killed.db", path)
    assert summary["duplicates"] > 0
    assert covenant("--store", "sqlite:///killed.db", "export", "--standing").stdout_bytes == whole
    checked = covenant("--store", "sqlite:///killed.db", "--format", "json", "replay", "--check")
    assert checked.exit_code == 0
    assert document(checked)["differences"] == 0


def batches(file: Path) -> int:
    """How many batches a store has; none where there is no store yet."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM batch").fetchone()[0])
    except sqlite3.Error:
        return 0


def _heed_ctrl_c() -> None:
    """A runner that was started in the background ignores Ctrl-C, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_told_to_end_it_is_quiet_and_leaves_nothing_running(
    folder: Path, program: Callable[..., subprocess.Popen[bytes]], how: signal.Signals, code: int
) -> None:
    """No trace, no sentence; the exit code that shells know, and its OPA ends with it."""
    process = program("ingest", "-", stdin=subprocess.PIPE, preexec_fn=_heed_ctrl_c)
    opa = child_of(process)
    process.send_signal(how)
    assert process.wait(60) == code
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.communicate()
    assert not Path(f"/proc/{opa}").exists()


def test_an_opa_that_dies_in_the_middle_is_started_again(
    covenant: Run, folder: Path, program: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """The run goes on and ends as one that nobody disturbed; a person need not know."""
    path = many(folder)
    lines = path.read_bytes().splitlines(keepends=True)
    process = program("ingest", "-", "--quiet", stdin=subprocess.PIPE, env={"COVENANT_BATCH": "20"})
    opa = child_of(process)
    assert process.stdin is not None
    process.stdin.write(b"".join(lines[:600]))
    process.stdin.flush()
    os.kill(opa, signal.SIGKILL)
    _, err = process.communicate(b"".join(lines[600:]), timeout=120)
    assert (process.returncode, err) == (0, b"")
    ingested(covenant, "--store", "sqlite:///whole.db", path)
    whole = covenant("--store", "sqlite:///whole.db", "export", "--standing").stdout_bytes
    assert covenant("export", "--standing").stdout_bytes == whole


def test_two_runs_on_one_store_do_not_mix(covenant: Run, folder: Path, program: Callable[..., subprocess.Popen[bytes]]) -> None:
    """One of them may have to give way, with one sentence; a third run ends where one alone would have."""
    path = many(folder)
    both = [program("ingest", path, "--quiet", env={"COVENANT_BATCH": "20"}) for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=120)
        assert process.returncode in (0, 1)
        assert process.returncode == 0 or b"Another run is writing this store" in err
        assert len(err.splitlines()) == process.returncode
    ingested(covenant, path)
    ingested(covenant, "--store", "sqlite:///whole.db", path)
    whole = covenant("--store", "sqlite:///whole.db", "export", "--standing").stdout_bytes
    assert covenant("export", "--standing").stdout_bytes == whole


def child_of(process: subprocess.Popen[bytes]) -> int:
    """The OPA that a run started, once it is there and the store too."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
        for child in [child for task in tasks for child in task.read_text().split()]:
            if b"run\0--server" in Path(f"/proc/{child}/cmdline").read_bytes() and list(Path().glob(".covenant/*.db")):
                time.sleep(0.5)
                return int(child)
        time.sleep(0.02)
    message = f"no OPA was started: {process.communicate()}"
    raise AssertionError(message)
