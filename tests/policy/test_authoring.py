"""`covenant policy new`, `diff`, `show` and `test --watch`: from nothing to a rule that passes, and what changed."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import main
from engine.domain.codec import write_event
from engine.policy.bundle import load_bundle
from engine.policy.checking import problems
from engine.policy.mutants import living
from engine.policy.proving import unproved
from engine.service.authoring import next_code
from engine.service.policies import changes, run_tests
from engine.service.policy_diff import compare
from tests.policy.servers import POLICIES
from tests.policy.test_workbench import LEAVER

pytestmark = pytest.mark.needs_opa
BEGUN: list[list[str]] = [
    ["FU-901"],
    ["FU-902", "--fact", "event.tokens", "--threshold", "tokens=50000", "--excuse", "cap_uplift", "--severity", "high"],
    ["FU-903", "--event", "compute.usage.gpu.v1", "--threshold", "most=0"],
    ["FU-904", "--event", "compute.pool.committed.v1", "--respondent", "nobody", "--clause", "G7"],
    [
        "ip_901",
        "--event",
        "compute.contribution.attributed.v1",
        "--fact",
        "event.commits",
        "--excuse",
        "launch",
        "--clause",
        "P2",
    ],
    ["IP-902", "--event", "compute.repository.released.v1", "--respondent", "company"],
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped policies."""
    return Path(shutil.copytree(POLICIES, tmp_path / "policies"))


@pytest.fixture(autouse=True)
def at_home(opa_binary: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Covenant keeps nothing of a test's in the folder it is run from."""
    monkeypatch.setenv("COVENANT_OPA", opa_binary)
    monkeypatch.setenv("COVENANT_HOME", str(tmp_path / "home"))


def covenant(*arguments: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["policy", *map(str, arguments)], prog_name="covenant")


def test_new_rules_pass_check_and_test_as_they_are(opa_binary: str, folder: Path) -> None:
    """Of every kind: format, page, threshold, code, every line run, no mutant alive."""
    opa, files = Path(opa_binary), []
    for code, *options in BEGUN:
        made = covenant("new", code, folder, "--title", f"Begun: as {code} says", *options, "--format", "json")
        assert made.exit_code == 0, made.stderr
        files.append(json.loads(made.stdout)["files"][0])
    assert [str(problem) for problem in problems(opa, folder, shipped=True)] == []
    assert run_tests(opa, folder, "_90[1-4]").good
    assert unproved(opa, folder, mutants=False) == []
    tried, alive = living(opa, folder, files)
    assert tried >= 4 * len(files)
    assert [str(mutant) for mutant in alive] == []
    rule = load_bundle(folder, opa).catalogue.rule("FU-902")
    assert rule is not None
    assert (rule.severity, list(rule.guards), rule.events) == ("high", ["cap_uplift"], ("compute.usage.inference.v1",))


def test_a_new_rule_changes_nothing_else(folder: Path) -> None:
    """Of the data every other line stays as it was laid out."""
    before = (folder / "params.json").read_text().splitlines()
    assert covenant("new", "FU-901", folder, "--title", "A title").exit_code == 0
    after = (folder / "params.json").read_text().splitlines()
    assert [line for line in after if line not in before] == ['      "FU-901": {"most": 100},'] * 2
    assert [line for line in before if line not in after] == []
    assert json.loads((folder / "codes.json").read_text())["codes"]["FU-901"] == "A title"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["FU-004"], 'The code FU-004 was used for "Several people on a personal grant". A code is never reused.'),
        (["XX-1"], "'XX-1' isn't a rule's code."),
        (["FU-901", "--clause", "Z9"], "There is no clause Z9."),
        (["FU-901", "--event", "compute.usage.cpu.v1"], "No input is made for compute.usage.cpu.v1."),
        (["FU-901", "--fact", "facts.use.tokens"], "facts.use.tokens isn't a whole number of the fixture usage."),
        (["FU-901", "--threshold", "most"], "'most' isn't a threshold."),
        (["FU-901", "--excuse", "mercy"], "No approval is of the kind mercy."),
    ],
)
def test_what_cannot_be_begun_is_one_sentence_and_writes_nothing(folder: Path, arguments: list[str], said: str) -> None:
    """Exit 2, with what may be said instead."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = covenant("new", arguments[0], folder, "--title", "A title", *arguments[1:])
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_retired_code_is_not_the_next_one(folder: Path) -> None:
    """The register remembers it when its files are gone; nor is a rule written into the policies that ship."""
    codes = json.loads((folder / "codes.json").read_text())["codes"]
    codes["FU-500"] = "What once was"
    (folder / "codes.json").write_text(json.dumps({"codes": codes}))
    assert next_code(folder, "FU") == "FU-501"
    assert "policies that ship" in covenant("new", "FU-901", "--title", "A title").stderr


def test_diff_says_what_changed_in_rules_and_data(opa_binary: str, folder: Path) -> None:
    """A rule, what its METADATA says, a threshold, a window, a clause's words; nothing else."""
    path = folder / "fair_use" / "fu_004.rego"
    path.write_text(path.read_text().replace("severity: high", "severity: low").replace("\tinput.facts.grant.personal\n", ""))
    data = json.loads((folder / "params.json").read_text())
    data["params"]["default"]["FU-001"]["cap_u"] = 2_000_000_000
    data["facts"]["session_gap_us"] = 1
    (folder / "params.json").write_text(json.dumps(data))
    (folder / "fair_use" / "fu_006.rego").unlink()
    done = covenant("diff", POLICIES, folder)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    title = load_bundle(POLICIES, Path(opa_binary)).catalogue.rule("FU-006")
    assert title is not None
    assert lines[2:] == [
        "Rules:",
        "  FU-004 Several people on a personal grant: changed",
        "    severity: high became low",
        "    - input.facts.grant.personal",
        f"  FU-006 {title.title}: removed",
        "",
        "Data:",
        "  default: FU-001.cap_u: 1,000,000,000 became 2,000,000,000",
        "  windows: session_gap_us: 600,000,000 became 1",
    ]
    assert covenant("diff", folder, folder).stdout.startswith("No difference: both are revision ")


def test_a_change_of_data_is_another_revision(opa_binary: str, folder: Path) -> None:
    """Like a change of a rule; a change of a page or a test is none."""
    opa = Path(opa_binary)
    first = load_bundle(folder, opa)
    (folder / "fair_use" / "fu_001.md").write_text("# FU-001\n")
    (folder / "codes.json").unlink()
    assert load_bundle(folder, opa).digest == first.digest
    data = json.loads((folder / "params.json").read_text())
    data["params"]["acme/grant-2026.1"]["FU-001"]["cap_u"] = 5
    (folder / "params.json").write_text(json.dumps(data))
    second = load_bundle(folder, opa)
    assert second.digest != first.digest
    (change,) = compare(first, second).data
    assert (change.what, change.before, change.after) == ("acme/grant-2026.1: FU-001.cap_u", 1_000_000_000, 5)


def test_show_tells_examples_and_what_was_found_and_diff_knows_what_the_store_keeps(tmp_path: Path) -> None:
    """Cases of the rule's own tests; findings by where they stand; a revision by the beginning of its digest."""

    def shown() -> dict[str, Any]:
        document: dict[str, Any] = json.loads(covenant("show", "FU-007", "--format", "json").stdout)
        return document

    assert shown()["found"] is None
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join(write_event(one) + b"\n" for one in LEAVER))
    assert CliRunner().invoke(main, ["ingest", str(file)]).exit_code == 0
    assert sum(shown()["found"].values()) == 1
    assert len(shown()["examples"]) > 3
    assert "Found in this store: 1 " in covenant("show", "FU-007").stdout
    assert covenant("diff", "0" * 12).exit_code == 1
    digest = covenant("diff", POLICIES, POLICIES).stdout.split()[-1].rstrip(".")
    assert covenant("diff", digest, POLICIES).stdout == f"No difference: both are revision {digest}.\n"


def test_watching_runs_again_when_a_file_changes(folder: Path) -> None:
    """Once to begin with, then for each change and no more."""
    pauses = 0

    def pause() -> None:
        nonlocal pauses
        pauses += 1
        if pauses in (2, 3):
            (folder / f"new_{pauses}.rego").write_text("package x\n")

    assert len(list(itertools.islice(changes(folder, pause), 3))) == 3
    assert pauses == 3
