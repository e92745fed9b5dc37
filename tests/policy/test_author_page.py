"""The page for authors is true: its commands, run in their order as they stand, take an author from nothing to a rule."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli.main import main
from engine.domain.codec import write_event
from engine.policy.modules import INPUT
from tests.domain.make import event
from tests.services.parts import ROOT

pytestmark = pytest.mark.needs_opa
PAGE = ROOT / "docs" / "policy-author.md"
HISTORY = (
    event("credential.created", "2026-01-01", credential="c", owner="p-1"),
    event("grant.issued", "2026-01-01", grant_id="G1", holder="p-1", quantity="1000", vesting="immediate"),
    event("usage.inference", "2026-01-02", credential="c", quantity="5", input_tokens=250_000, output_tokens=1),
    event("usage.inference", "2026-01-03", credential="c", quantity="5", input_tokens=200_000, output_tokens=0),
)
"""One request over the page's threshold, one at it."""


def commands(section: str) -> list[str]:
    """Give the commands that a section of the page shows, in their order."""
    text = PAGE.read_text(encoding="utf-8").split(f"## {section}\n")[1].split("\n## ")[0]
    return [found[1] for found in re.finditer(r"^    (\S.*)$", text, re.MULTILINE)]


@pytest.fixture
def place(tmp_path: Path, opa_binary: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like the repository's, with OPA on the path."""
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    (tmp_path / "engine").symlink_to(ROOT / "engine")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "opa").symlink_to(opa_binary)
    (tmp_path / "events.jsonl").write_bytes(b"".join(write_event(one) + b"\n" for one in HISTORY))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str) -> str:
    """Run one command as it stands, ours without a new process; it must succeed."""
    command, _, output = command.partition(" > ")
    words = shlex.split(command)
    if words[0] == "covenant":
        done = CliRunner().invoke(main, words[1:], prog_name="covenant")
        assert done.exit_code == 0, (command, done.stderr)
        if output:
            Path(output).write_text(done.stdout, encoding="utf-8")
        return done.stdout
    other = subprocess.run(words, capture_output=True, text=True, check=False)
    assert other.returncode == 0, (command, other.stdout, other.stderr)
    return other.stdout


def test_the_pages_commands_take_an_author_to_a_rule(place: Path) -> None:
    """In their order; the rule is written, tested, checked, shown and compared, and finds what it should in history."""
    said = {command: run(command) for command in commands("From nothing to a rule in ten minutes")}
    assert len(said) >= 8
    by = {" ".join(shlex.split(command)[1:3]): text for command, text in said.items()}
    assert by["policy test"].splitlines()[-1].startswith("4 passed, 0 failed")
    assert "FU-020 Too many tokens in one request: added" in by["policy diff"]
    assert "Thresholds of default: tokens = 200000" in by["policy show"]
    assert "FU-020" in said["covenant backtest mine --html backtest.html"]
    assert "FU-020" in (place / "backtest.html").read_text()
    assert "is in force for acme from" in by["policy activate"]


def test_opas_own_tools_work_on_the_folder(place: Path) -> None:
    """Check, test, inspect and format; the schema given as a file finds a planted typo, which no annotation asks for."""
    shutil.copytree(place / "policies", place / "mine")
    listed = commands("Your editor, and OPA's own tools")
    said = [run(command) for command in listed]
    assert [command.split()[1] for command in listed] == ["check", "test", "inspect", "fmt"]
    assert "title: Consumption over the cap" in said[2] or "Consumption over the cap" in said[2]
    rule = place / "mine" / "fair_use" / "fu_004.rego"
    rule.write_text(rule.read_text().replace("input.facts.grant.personal", "input.facts.grant.personel"))
    broken = subprocess.run(shlex.split(listed[0]), capture_output=True, text=True, check=False)
    assert (broken.returncode, "fu_004.rego:21" in broken.stderr, "personel" in broken.stderr) == (1, True, True)


def test_the_schema_is_one_that_editors_read() -> None:
    """Draft 7, every field described."""
    schema = json.loads(INPUT.read_text())
    assert schema["$schema"].startswith("http://json-schema.org/draft-07")
    assert all(part.get("description") for part in schema["properties"]["event"]["properties"].values())
