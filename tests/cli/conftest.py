"""The command in tests: in this process through click's runner, or as a program of its own; always in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import main
from engine.domain import codec
from engine.domain.events import Event
from tests.domain.make import event

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the shipped policies, read once, are kept for all tests."""
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture
def folder(tmp_path: Path, opa_binary: str, bundles: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh folder to work in, with no setting but where OPA is."""
    for name in list(os.environ):
        if name.startswith("COVENANT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COVENANT_OPA", opa_binary)
    (tmp_path / ".covenant").mkdir()
    (tmp_path / ".covenant" / "cache").symlink_to(bundles)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def covenant(folder: Path) -> Run:
    """Runs the command in this process."""

    def run(*arguments: object, given: bytes | str | None = None) -> Result:
        return CliRunner().invoke(main, [str(a) for a in arguments], input=given, prog_name="covenant")

    return run


@pytest.fixture
def program(folder: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Starts the command as a program of its own."""

    def start(*arguments: object, **more: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "engine.cli.main", *(str(a) for a in arguments)]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])} | more.pop("env", {})
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
        process: subprocess.Popen[bytes] = subprocess.Popen(command, env=environment, **pipes)
        return process

    return start


def write(path: Path, events: Iterable[Event]) -> Path:
    """Write events as CloudEvents lines."""
    path.write_bytes(b"".join(codec.write_event(one) + b"\n" for one in events))
    return path


def story() -> list[Event]:
    """A leaver who keeps using, an unlinked key, and usage of a model without a price."""
    return [
        event("credential.created", "2026-01-01", credential="c", owner="p-1"),
        event("grant.issued", "2026-01-01", grant_id="G1", holder="p-1", quantity="100", vesting="immediate"),
        event("usage.inference", "2026-01-02", credential="c", quantity="5"),
        event("person.terminated", "2026-02-01", person="p-1"),
        event("usage.inference", "2026-02-02", credential="c", quantity="5"),
        event("usage.inference", "2026-02-03", credential="c", quantity="5"),
        event("usage.inference", "2026-02-03", credential="unlinked", quantity="5"),
    ]


@pytest.fixture
def events(folder: Path) -> Path:
    """A file of events, with one violation in them: FU-007, seen twice."""
    return write(folder / "events.jsonl", story())


def document(result: Result) -> dict[str, Any]:
    """The one JSON document that standard output must be."""
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def ingested(covenant: Run, *arguments: object, given: bytes | None = None) -> dict[str, Any]:
    """The summary of an ingest that must succeed, its sum checked."""
    result = covenant("--format", "json", "ingest", *arguments, given=given)
    assert result.exit_code == 0, result.stderr
    summary = document(result)
    assert summary["read"] == summary["accepted"] + summary["duplicates"] + summary["refused"]
    return summary
