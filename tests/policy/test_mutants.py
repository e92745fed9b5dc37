"""No mutant of a rule or a library lives: its tests notice each dropped condition and each turned comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.mutants import Mutant, lives, living, mutants
from tests.policy.servers import POLICIES

pytestmark = pytest.mark.needs_opa
FILES = sorted(
    path.relative_to(POLICIES).as_posix()
    for folder in ("fair_use", "ip_ownership", "lib")
    for path in (POLICIES / folder).glob("*.rego")
    if not path.name.endswith(("_test.rego", "testing.rego"))
)


@pytest.mark.parametrize("file", FILES)
def test_no_mutant_lives(opa_binary: str, file: str) -> None:
    """All are killed by the tests beside the file, which pass without a change."""
    assert lives(Path(opa_binary), POLICIES, file, Mutant(0, "unchanged", (POLICIES / file).read_text()))
    tried, alive = living(Path(opa_binary), POLICIES, file)
    assert tried > 0
    assert alive == []


def test_a_mutant_lives_where_its_case_is_missing(opa_binary: str) -> None:
    """Without the case at the cap, nobody notices that "more than" became "as much as"."""
    file = "fair_use/fu_001.rego"
    tests = (POLICIES / "fair_use/fu_001_test.rego").read_text().split("\n")
    weakened = "\n".join(line for line in tests if '"at the cap"' not in line)
    _, alive = living(Path(opa_binary), POLICIES, file, weakened)
    assert [one.split(" ", 1)[1] for one in alive] == ["> became >="]


def test_each_kind_of_change_is_made() -> None:
    """A dropped condition, a turned comparison, another value in a list."""
    text = 'breach contains {} if {\n\tinput.event.type in {"a", "b"}\n\tinput.facts.yes\n\tx := 1\n\tx > 0\n}\n'
    made = [(m.line, m.what) for m in mutants(text)]
    assert made == [
        (2, "dropped"), (2, '"a" became another'), (2, '"b" became another'), (3, "dropped"), (5, "dropped"), (5, "> became >="),
    ]  # fmt: skip
