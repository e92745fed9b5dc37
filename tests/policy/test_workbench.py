"""`covenant policy`: what an author sees, in text and for programs, and the exit codes."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import main
from engine.domain.codec import write_event
from engine.policy.bundle import load_bundle
from engine.policy.opa_server import connect
from tests.domain.make import event
from tests.policy.servers import POLICIES, OpaServer, usage

pytestmark = pytest.mark.needs_opa
LEAVER = (
    event("credential.created", "2026-01-01", credential="c", owner="p-1"),
    event("grant.issued", "2026-01-01", grant_id="G1", holder="p-1", quantity="100", vesting="immediate"),
    event("person.terminated", "2026-02-01", person="p-1"),
    event("usage.inference", "2026-02-02", credential="c", quantity="5"),
)
BROKEN_CASE = ('"as many": [3, {}, fu_004_shared(3)]', '"as many": [3, {}, set()]')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped policies."""
    return Path(shutil.copytree(POLICIES, tmp_path / "policies"))


@pytest.fixture
def broken(folder: Path) -> Path:
    """A copy in which one case expects the wrong thing."""
    path = folder / "fair_use" / "fu_004_test.rego"
    path.write_text(path.read_text().replace(*BROKEN_CASE))
    return folder


@pytest.fixture(autouse=True)
def at_home(opa_binary: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Covenant keeps nothing of a test's in the folder it is run from."""
    monkeypatch.setenv("COVENANT_OPA", opa_binary)
    monkeypatch.setenv("COVENANT_HOME", str(tmp_path / "home"))


def covenant(*arguments: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["policy", *map(str, arguments)], prog_name="covenant")


def test_the_shipped_rules_pass_with_one_line_that_sums_up() -> None:
    """Exit 0; the summary is the last line."""
    done = covenant("test")
    assert done.exit_code == 0
    last = done.stdout.splitlines()[-1]
    assert last.split(" in ")[0].endswith(" passed, 0 failed")
    assert re.search(r"^pass  fair_use/fu_001_test\.rego:[0-9]+ test_fu_001: at the cap$", done.stdout, re.MULTILINE)


def test_failures_come_last_with_the_values_behind_them(broken: Path) -> None:
    """Exit 1; what was expected and what came can be read off."""
    done = covenant("test", broken)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("fail"))
    assert re.fullmatch(r"fail  fair_use/fu_004_test\.rego:[0-9]+ test_fu_004: as many", lines[first])
    assert all(line.startswith("pass") for line in lines[:first])
    assert '"consumers": 3' in "".join(lines[first:])
    assert lines[-1].split(" in ")[0].endswith(", 1 failed")


def test_programs_read_tests_as_json(broken: Path) -> None:
    """One document: counts and each case."""
    for done in (
        covenant("test", broken, "--format", "json"),
        CliRunner().invoke(main, ["--format", "json", "policy", "test", str(broken)]),
    ):
        document = json.loads(done.stdout)
        (failed,) = [case for case in document["tests"] if case["outcome"] != "pass"]
        assert (failed["case"], failed["outcome"], document["failed"]) == ("as many", "fail", 1)
        assert document["passed"] == len(document["tests"]) - 1


def test_ci_servers_read_tests_as_junit(broken: Path) -> None:
    """A suite for each file, a failure with its detail."""
    root = ET.fromstring(covenant("test", broken, "--format", "junit").stdout)  # noqa: S314 - we wrote it
    suites = {suite.get("name"): suite for suite in root}
    suite = suites["fair_use/fu_004_test.rego"]
    assert suite.get("failures") == "1"
    (failure,) = suite.findall("testcase/failure")
    assert "fair_use.breach) == breach" in str(failure.text)
    assert sum(int(s.get("tests", "")) for s in root) == int(root.get("tests", ""))


def test_some_tests_can_be_picked_and_none_is_no_success(folder: Path) -> None:
    """A pattern that matches nothing has proved nothing."""
    picked = covenant("test", folder, "--run", "fu_006")
    assert picked.exit_code == 0
    assert all("fu_006" in line for line in picked.stdout.splitlines()[:-1])
    none = covenant("test", folder, "--run", "nothing_at_all")
    assert (none.exit_code, "No test was run" in none.stdout) == (1, True)


def test_tests_that_do_not_compile_say_where(folder: Path) -> None:
    """Exit 1, and the file."""
    (folder / "fair_use" / "fu_004_test.rego").write_text("package covenant.fair_use_test\n\ntest_x if {\n")
    done = covenant("test", folder)
    assert done.exit_code == 1
    assert "The tests can't be run" in done.stderr
    assert "fair_use/fu_004_test.rego" in done.stderr


@pytest.mark.parametrize("command", ["list", "test", "check"])
def test_a_folder_that_is_not_there_is_one_sentence(command: str, tmp_path: Path) -> None:
    """With what to do; nothing else on standard output."""
    done = covenant(command, tmp_path / "none")
    assert done.exit_code in (1, 2)
    assert "There is no policy folder" in done.stderr
    assert done.stdout == ""


def test_list_names_every_rule(opa_binary: str) -> None:
    """As a table, and as JSON lines with all of it."""
    rules = load_bundle(POLICIES, Path(opa_binary)).catalogue.rules
    table = covenant("list").stdout.splitlines()
    assert [line.split()[0] for line in table[1:]] == [rule.code for rule in rules]
    lines = [json.loads(line) for line in covenant("list", "--format", "json").stdout.splitlines()]
    assert [(line["code"], line["title"], line["events"]) for line in lines] == [(r.code, r.title, list(r.events)) for r in rules]


def test_show_says_a_rule_in_plain_words() -> None:
    """Clause, facts with their meaning, guards, thresholds, page; the code may be written as the file is."""
    text = covenant("show", "fu_001").stdout
    for part in (
        "FU-001 Consumption over the cap",
        "Clause G7, Caps: Consumption stays within the cap",
        "facts.use.ccu_30d_u: Micro-units consumed in the consumption window",
        "cap_uplift: An uplift in force when the usage occurred covers the excess",
        "Thresholds of default: cap_u = 1000000000",
        "## Rationale",
    ):
        assert part in text
    document = json.loads(covenant("show", "FU-001", "--format", "json").stdout)
    assert document["clause"]["title"] == "Caps"
    assert document["thresholds"]["default"] == {"cap_u": 1_000_000_000}
    assert all(document["facts"]["breach"].values())
    assert all(document["facts"]["excuse"].values())


def test_every_fact_a_rule_reads_has_a_meaning() -> None:
    """Nobody is charged on something that can't be explained."""
    for line in covenant("list", "--format", "json").stdout.splitlines():
        document = json.loads(covenant("show", json.loads(line)["code"], "--format", "json").stdout)
        meanings = {**document["facts"]["breach"], **document["facts"]["excuse"]}
        assert [path for path, meaning in meanings.items() if not meaning] == []


def test_show_of_no_rule_names_those_there_are() -> None:
    """Exit 1."""
    done = covenant("show", "FU-999")
    assert done.exit_code == 1
    assert "There is no rule FU-999. The rules are FU-001, " in done.stderr


def test_check_lists_every_mistake(folder: Path) -> None:
    """One line each, in text and JSON; exit 1."""
    assert covenant("check", folder, "--no-mutants").exit_code == 0
    (folder / "fair_use" / "fu_004.md").unlink()
    path = folder / "ip_ownership" / "ip_012.rego"
    path.write_text(path.read_text().replace("\tinput.event.in_org\n", "\tnot input.event.in_org\n"))
    done = covenant("check", folder)
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 2
    assert "2 mistakes" in done.stderr
    document = json.loads(covenant("check", folder, "--format", "json").stdout)
    assert [problem["where"].split(":")[0] for problem in document["problems"]] == [
        "ip_ownership/ip_012.rego",
        "fair_use/fu_004.rego",
    ]


def test_a_built_bundle_serves_from_an_opa_of_ones_own(opa_binary: str, folder: Path, tmp_path: Path) -> None:
    """What `build` writes is what a server must be started on; a folder in use is left alone."""
    output = tmp_path / "out"
    document = json.loads(covenant("build", folder, "--output", output, "--format", "json").stdout)
    bundle = load_bundle(folder, Path(opa_binary))
    assert document == {"output": str(output), "revision": bundle.digest, "rules": len(bundle.catalogue.rules)}
    server = OpaServer(Path(opa_binary), output)
    client = connect(server.url, document["revision"])
    assert [answer.id for answer in client.evaluate([usage(1)])] == ["test 1"]
    client.close()
    server.close()
    again = covenant("build", folder, "--output", output)
    assert (again.exit_code, "isn't an empty folder" in again.stderr) == (2, True)


def test_judging_by_a_server_ends_where_judging_by_a_child_does(
    opa_binary: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same file, once with an OPA of our own and once with COVENANT_OPA_URL: what stands is the same to the byte."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join(write_event(one) + b"\n" for one in LEAVER))
    standing = []
    server = OpaServer(Path(opa_binary), load_bundle(POLICIES, Path(opa_binary)))
    for url in ("", server.url):
        monkeypatch.setenv("COVENANT_OPA_URL", url)
        store = f"sqlite:///{tmp_path / ('server' if url else 'child')}.db"
        run = CliRunner().invoke(main, ["--store", store, "--format", "json", "ingest", str(file)])
        assert (run.exit_code, json.loads(run.stdout)["violations"]) == (0, {"FU-007": 1}), run.stderr
        standing.append(CliRunner().invoke(main, ["--store", store, "export", "--standing"]).stdout)
    server.close()
    assert standing[0] == standing[1] != ""


def test_a_server_that_is_not_there_is_one_sentence_and_exit_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is written."""
    monkeypatch.setenv("COVENANT_OPA_URL", "http://127.0.0.1:9")
    file = tmp_path / "events.jsonl"
    file.write_bytes(write_event(LEAVER[0]) + b"\n")
    store = tmp_path / "none.db"
    run = CliRunner().invoke(main, ["--store", f"sqlite:///{store}", "ingest", str(file)])
    assert (run.exit_code, "There is no policy engine at http://127.0.0.1:9" in run.stderr) == (3, True)
    assert not store.exists()
