"""No mutant of a rule or a library lives: its tests notice each dropped condition and each turned comparison."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.domain.errors import PolicyError
from engine.policy.mutants import living, mutants
from engine.policy.proving import files_with_tests, unproved
from tests.policy.servers import POLICIES

pytestmark = pytest.mark.needs_opa
FILE = "fair_use/fu_001.rego"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped policies."""
    return Path(shutil.copytree(POLICIES, tmp_path / "policies"))


def weaken(folder: Path, case: str) -> None:
    """Take a case out of the tests of FU-001."""
    path = folder / "fair_use" / "fu_001_test.rego"
    lines = path.read_text().splitlines()
    kept = [line for line in lines if f'"{case}"' not in line]
    assert len(kept) == len(lines) - 1
    path.write_text("\n".join(kept) + "\n")


def test_no_mutant_of_the_shipped_rules_lives_and_every_line_is_run(opa_binary: str) -> None:
    """All are killed by the tests beside the file, which pass without a change."""
    assert unproved(Path(opa_binary), POLICIES, mutants=False) == []
    files = files_with_tests(POLICIES)
    assert len(files) == sum(1 for one in POLICIES.rglob("*_test.rego") if one.name != "main_test.rego")
    tried, alive = living(Path(opa_binary), POLICIES, files)
    assert tried > 6 * len(files)
    assert [str(mutant) for mutant in alive] == []


def test_a_mutant_lives_where_its_case_is_missing(opa_binary: str, folder: Path) -> None:
    """Without the case at the cap, nobody notices that "more than" became "as much as"."""
    weaken(folder, "at the cap")
    _, alive = living(Path(opa_binary), folder, [FILE])
    assert [mutant.what for mutant in alive] == ["> became >="]


def test_tests_that_fail_as_it_stands_prove_nothing(opa_binary: str, folder: Path) -> None:
    """Every mutant would seem to be noticed."""
    path = folder / "fair_use" / "fu_001_test.rego"
    path.write_text(path.read_text().replace('"at the cap": [1000000000,', '"at the cap": [1000000001,'))
    with pytest.raises(PolicyError, match="fail as it stands"):
        living(Path(opa_binary), folder, [FILE])


def test_a_line_that_no_test_runs_is_named(opa_binary: str, folder: Path) -> None:
    """With its file and its number."""
    path = folder / FILE
    text = path.read_text()
    path.write_text(text + '\nexcuse contains 1 if {\n\tinput.event.id == "x"\n\tinput.event.month == "x"\n}\n')
    row = len(text.splitlines()) + 2
    found = [(one.where, one.what) for one in unproved(Path(opa_binary), folder)]
    assert found[0] == (f"{FILE}:{row}", "no test runs this line.")
    assert {int(where.split(":")[1]) for where, _ in found} <= set(range(row, row + 4))


def test_each_kind_of_change_is_made() -> None:
    """A dropped condition, a turned comparison, another value in a list."""
    text = 'breach contains {} if {\n\tinput.event.type in {"a", "b"}\n\tinput.facts.yes\n\tx := 1\n\tx > 0\n}\n'
    made = [(m.line, m.what) for m in mutants("x.rego", text)]
    assert made == [
        (2, "dropped"), (2, '"a" became another'), (2, '"b" became another'), (3, "dropped"), (5, "dropped"), (5, "> became >="),
    ]  # fmt: skip
