"""An author's mistakes: each is found, at its place, in a sentence that says what to do; and none of them judges anybody."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.domain.errors import PolicyError
from engine.policy.bundle import load_bundle
from engine.policy.checking import problems
from engine.policy.modules import rule_files
from engine.policy.thresholds import Problem
from tests.policy.servers import POLICIES

pytestmark = pytest.mark.needs_opa
RULE = "fair_use/fu_004.rego"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped policies."""
    return Path(shutil.copytree(POLICIES, tmp_path / "policies"))


def edit(folder: Path, file: str, before: str, after: str) -> None:
    """Change a file; what is changed must be there."""
    path = folder / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def place(path: Path, text: str) -> str:
    """Give file and line of a rule in which a text first stands."""
    lines = path.read_text().splitlines()
    return f"{RULE}:{next(number for number, line in enumerate(lines, 1) if text in line)}"


def edit_params(folder: Path, **changes: Any) -> None:
    """Change thresholds of the default set; None removes a rule's."""
    path = folder / "params.json"
    data = json.loads(path.read_text())
    for code, value in changes.items():
        if value is None:
            del data["params"]["default"][code.replace("_", "-")]
        else:
            data["params"]["default"][code.replace("_", "-")] = value
    path.write_text(json.dumps(data))


def only(opa: str, folder: Path) -> Problem:
    """Give the one problem that makes policies unfit to judge; loading them says the same."""
    (found,) = problems(Path(opa), folder)
    with pytest.raises(PolicyError) as refused:
        load_bundle(folder, Path(opa))
    assert found.what in str(refused.value)
    assert found.do in str(refused.value)
    return found


def test_the_shipped_policies_have_no_mistake(opa_binary: str) -> None:
    """Format, tests and pages included."""
    assert problems(Path(opa_binary), POLICIES, shipped=True) == []


@pytest.mark.parametrize(
    ("before", "after", "line", "what"),
    [
        ("input.facts.grant.personal\n", "not input.facts.grant.personal\n", "not input.facts", "`not` over input.facts.grant"),
        ("\tinput.event.type in", '\tinput.facts.holder != ""\n\tinput.event.type in', "breach contains", "its first condition"),
        ("gpu.v1", "cpu.v1", "breach contains", "no input is made for compute.usage.cpu.v1"),
        ("package covenant.fair_use", "package covenant.ip_ownership", "package ", "its package is covenant.ip_ownership"),
        ("# title: Several people on a personal grant\n", "", "breach contains", "lacks a title or a description"),
        ("#   clause: G3\n", "", "breach contains", "'clause' is a required property"),
        ("#   clause: G3\n", "#   clause: Z9\n", "breach contains", "custom.clause: 'Z9' is not one of"),
        ("severity: high", "severity: dire", "breach contains", "custom.severity: 'dire' is not one of"),
        ("settle: PT24H", "settle: 24 hours", "breach contains", "custom.settle"),
        ("code: FU-004", "code: FU-044", "breach contains", "its code is FU-044 and its file says FU-004"),
        ("event.credential, ", "event.colour, ", "breach contains", "names event.colour, which no input has"),
        ("{at:time}", "{at:tide}", "breach contains", "asks for the kind tide"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_rule_is_found_at_its_place(
    opa_binary: str, folder: Path, before: str, after: str, line: str, what: str
) -> None:
    """One change, one sentence; `line` is what stands in the line that is named."""
    edit(folder, RULE, before, after)
    found = only(opa_binary, folder)
    assert (found.where, what in found.what) == (place(folder / RULE, line), True), str(found)
    assert found.do


def test_a_rule_file_holds_breach_and_excuse_only(opa_binary: str, folder: Path) -> None:
    """A helper of one name in two files would conflict when both are loaded."""
    with (folder / RULE).open("a") as file:
        file.write("\nhelps(x) := x + 1\n")
    found = only(opa_binary, folder)
    assert "it defines helps" in found.what
    assert "lib/" in found.do


def test_a_breach_must_add_to_the_set(opa_binary: str, folder: Path) -> None:
    """A complete rule named breach would be one value for all rules."""
    (folder / "fair_use" / "fu_099.rego").write_text("package covenant.fair_use_extra\n\nbreach := {1}\n")
    found = {problem.what for problem in problems(Path(opa_binary), folder)}
    assert "it defines breach." in found


def test_a_library_may_not_turn_silence_into_a_fact_either(opa_binary: str, folder: Path) -> None:
    """`not` over the input is refused wherever it stands."""
    with (folder / "lib" / "filters.rego").open("a") as file:
        file.write("\nteam if not input.facts.grant.personal\n")
    assert "`not` over input.facts.grant.personal." in only(opa_binary, folder).what


def test_an_excuse_names_its_guard(opa_binary: str, folder: Path) -> None:
    """Who is cleared must know by what."""
    edit(folder, "fair_use/fu_001.rego", "# custom: {code: FU-001, guard: cap_uplift}", "# custom: {code: FU-001}")
    assert "METADATA of its excuse" in only(opa_binary, folder).what


def test_a_code_is_used_once(opa_binary: str, folder: Path) -> None:
    """Both files are named."""
    text = (folder / RULE).read_text()
    (folder / "fair_use" / "fu_005.rego").write_text(
        text.replace("FU-004", "FU-001").replace("# title: Several", "# title: Other")
    )
    found = problems(Path(opa_binary), folder)
    (one,) = [problem for problem in found if "is used by" in problem.what]
    assert (one.where.split(":")[0], one.what) == ("fair_use/fu_005.rego", "the code FU-001 is used by fair_use/fu_001.rego too.")


def test_a_rule_nobody_would_ask_is_found(opa_binary: str, folder: Path) -> None:
    """A family of one's own isn't read by main.rego."""
    (folder / "own").mkdir()
    (folder / "own" / "own_001.rego").write_text('package covenant.own\n\nbreach contains 1 if input.event.type in {"x"}\n')
    found = only(opa_binary, folder)
    assert (found.where, found.what) == ("own/own_001.rego", "nothing would ask it.")


def test_policies_that_do_not_compile_say_where(opa_binary: str, folder: Path) -> None:
    """OPA's own sentence, at its line."""
    edit(folder, RULE, "breach contains", "breach contians")
    found = only(opa_binary, folder)
    assert found.where == place(folder / RULE, "breach contians")
    assert "OPA says" in found.what


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"FU_004": None}, "FU-004 is missing."),
        ({"FU_004": {}}, "FU-004.consumers is missing."),
        ({"FU_004": {"consumers": "3"}}, "FU-004.consumers: '3' is not of type 'integer'."),
        ({"FU_004": {"consumers": 0}}, "FU-004.consumers: 0 is less than the minimum of 1."),
        ({"FU_004": {"consumers": 3, "consumer": 3}}, "FU-004.consumer: FU-004 has no such threshold."),
        ({"FU_999": {"x": 1}}, "FU-999: no rule has that code or it takes no thresholds."),
        ({"FU_010": {"aliases": {"a": [1]}}}, "FU-010.aliases.a.0: 1 is not of type 'string'."),
    ],
)  # fmt: skip
def test_a_set_that_does_not_fit_its_rules_is_refused(opa_binary: str, folder: Path, changes: dict[str, Any], what: str) -> None:
    """A threshold that is missing, of another type, out of bounds or unknown."""
    edit_params(folder, **changes)
    found = only(opa_binary, folder)
    assert (found.where, found.what) == ('params.json, set "default"', what)


def test_a_missing_threshold_is_asked_for_by_the_rules_name(opa_binary: str, folder: Path) -> None:
    """The sentence says which rule, and what it takes."""
    edit_params(folder, FU_004={})
    assert only(opa_binary, folder).do == 'Add it: "Several people on a personal grant" asks for a whole number, at least 1.'


def test_thresholds_and_their_description_agree(opa_binary: str, folder: Path) -> None:
    """A rule reads what it describes, and describes what it reads."""
    edit(folder, RULE, "thresholds: {consumers:", "thresholds: {people:")
    edit_params(folder, FU_004={"people": 3})
    data = json.loads((folder / "params.json").read_text())
    data["params"]["acme/grant-2026.1"]["FU-004"] = {"people": 3}
    (folder / "params.json").write_text(json.dumps(data))
    assert [problem.what for problem in problems(Path(opa_binary), folder)] == [
        "it reads the threshold consumers, which its METADATA doesn't describe.",
        "its METADATA describes the threshold people, which it doesn't read.",
    ]


@pytest.mark.parametrize(
    ("file", "what"), [("fair_use/fu_004.md", "it has no page."), ("fair_use/fu_004_test.rego", "it has no tests.")]
)
def test_what_ships_has_pages_and_tests(opa_binary: str, folder: Path, file: str, what: str) -> None:
    """Judging can do without, so loading doesn't ask for them; the author's check does."""
    (folder / file).unlink()
    (found,) = problems(Path(opa_binary), folder, shipped=True)
    assert (found.where, found.what) == (RULE, what)
    assert load_bundle(folder, Path(opa_binary)).catalogue.rule("FU-004") is not None


def test_what_is_not_formatted_is_named(opa_binary: str, folder: Path) -> None:
    """With the command that does it."""
    edit(folder, RULE, "\tconsumers >= limit", "\tconsumers   >=   limit")
    (found,) = problems(Path(opa_binary), folder, shipped=True)
    assert (found.where, found.what) == (RULE, "it isn't formatted.")


def test_each_rule_has_a_page_with_all_its_parts() -> None:
    """Summary, Avoid, Prefer, Rationale, Configuration; its thresholds are explained."""
    pages = sorted(path for path in POLICIES.rglob("*.md"))
    assert len(pages) == len(rule_files(POLICIES))
    for page in pages:
        heads = [line[3:] for line in page.read_text().splitlines() if line.startswith("## ")]
        assert heads == ["Summary", "Avoid", "Prefer", "Rationale", "Configuration"], page.name


def test_each_page_says_what_its_rule_says(opa_binary: str) -> None:
    """Code, title, clause, severity, thresholds, guards."""
    for rule in load_bundle(POLICIES, Path(opa_binary)).catalogue.rules:
        assert rule.page.startswith(f"# {rule.code}: {rule.title[0].lower()}{rule.title[1:]}\n"), rule.code
        assert f"\nClause {rule.clause} (" in rule.page, rule.code
        assert f" · {rule.severity} · charged to " in rule.page, rule.code
        for name in (*rule.thresholds, *rule.guards):
            assert f"`{name}`" in rule.page, (rule.code, name)
