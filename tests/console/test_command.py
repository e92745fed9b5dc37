"""`covenant violations` and `covenant serve` as people type them."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import main
from engine.cli.shell import visible
from engine.service.findings import Findings, as_document
from tests.console.story import HOSTILE, LEAVER

PROMISED = "id rule severity clause holder repository status respondent opened_at last_seen_at count"


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in, with no setting."""
    for name in list(os.environ):
        if name.startswith("COVENANT_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, list(arguments), prog_name="covenant")


def test_the_list_as_json_is_one_finding_a_line(outside: Path, told: str, findings: Findings) -> None:
    """The promised fields come first; nothing else is on standard output."""
    result = run("--store", told, "--format", "json", "violations", "list", "status:open", "severity:critical")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert lines == [as_document(one) for one in findings.all("status:open severity:critical")]
    assert all(list(line)[:11] == PROMISED.split() for line in lines)


def test_the_list_as_csv_has_the_same_rows(outside: Path, told: str, findings: Findings) -> None:
    """A heading and a row a finding, hostile names quoted."""
    result = run("--store", told, "violations", "list", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["id"] for row in rows] == [one.id for one in findings.all("")]
    assert HOSTILE in {row["holder"] for row in rows}


def test_the_list_as_text_shows_ids_that_can_be_given_back(outside: Path, told: str, findings: Findings) -> None:
    """The beginning of an id shows the finding."""
    text = run("--store", told, "violations", "list", f"holder:{LEAVER}").stdout
    ident = next(findings.all("rule:FU-007")).id
    assert ident[:12] in text
    assert "2 found." in text
    shown = run("--store", told, "violations", "show", ident[:12])
    assert shown.exit_code == 0
    for said in ("Usage after access ended (FU-007, critical, alleged)", "Clause G6: End of the engagement", "access until:",
                 "What would excuse it", "Settled", "covenant explain"):  # fmt: skip
        assert said in shown.stdout


def test_a_finding_as_json_is_one_document(outside: Path, told: str, findings: Findings) -> None:
    """Rule in plain words, clause, evidence, timeline."""
    ident = next(findings.all("status:retracted")).id
    document = json.loads(run("--store", told, "--format", "json", "violations", "show", ident).stdout)
    assert document["status"] == "retracted"
    assert document["rule_text"]["description"]
    assert document["clause_text"]["text"]
    assert document["evidence"] == {"approval": "none", "grant": "G2", "to": "p-9"}
    assert document["timeline"][-1]["cause"]["words"] == "approval ap-8 (transfer) given by legal-1"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("violations", "list", "colour:red"), 2, "There is no qualifier 'colour'."),
        (("violations", "show", "00000000"), 1, "There is no finding 00000000."),
        (("serve", "--host", "192.0.2.1"), 2, "the console has no sign-in yet"),
    ],
)
def test_what_cant_be_done_is_one_sentence(outside: Path, told: str, arguments: tuple[str, ...], code: int, says: str) -> None:
    """On standard error, with its exit code; standard output stays empty."""
    result = run("--store", told, *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert says in result.stderr


def test_nothing_found_is_no_error(outside: Path, empty: str) -> None:
    """Exit 0; a sentence for people, no line for programs."""
    assert run("--store", empty, "violations", "list").stdout == "No violation matches.\n"
    result = run("--store", empty, "--format", "json", "violations", "list")
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_name_cant_steer_the_terminal() -> None:
    """Control characters are shown as what they are: nothing to read."""
    assert visible("p\x1b[2J\x9b7\r!\n") == "p?[2J?7?!\n".replace("?", "\N{REPLACEMENT CHARACTER}")


def test_serving_ends_quietly_when_interrupted(outside: Path, told: str) -> None:
    """The address is told, and an interrupt ends it without a stack of calls."""
    command = [sys.executable, "-m", "engine.cli.main", "--store", told, "serve", "--port", "0"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    assert "http://127.0.0.1:" in process.stderr.readline()
    process.terminate()
    assert "Traceback" not in process.communicate(timeout=120)[1]
