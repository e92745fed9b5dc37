"""The policy author's workbench: test, check, list, show and build a folder of policies.

Owns reading what `opa test` says, JUnit's form of it (the Jenkins schema that CI servers read), and writing a bundle for
an OPA server of one's own. Never judges an event and never writes into the folder of policies.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from engine.domain.errors import NotFound, PolicyError, UsageError
from engine.domain.records import ViolationRow
from engine.policy.bundle import Bundle, load_bundle, read_files
from engine.policy.catalogue import Rule
from engine.policy.limits import DEFAULTS, Limits
from engine.policy.modules import INPUT, TESTS_SECONDS, run
from engine.policy.modules import run_tests as run_opa_tests
from engine.policy.opa_child import write_bundle


class Case(msgspec.Struct, frozen=True):
    """One test case: where it is written, what it is called, how it came out (`pass`, `fail`, `error`, `skip`)."""

    file: str
    row: int
    test: str
    case: str
    outcome: str
    seconds: float
    detail: str = ""

    @property
    def name(self) -> str:
        """The test and its case."""
        return f"{self.test}: {self.case}" if self.case else self.test


class Report(msgspec.Struct, frozen=True):
    """All cases, those that passed first; nothing passes in a folder without tests."""

    cases: tuple[Case, ...]

    @property
    def passed(self) -> int:
        """How many passed."""
        return sum(case.outcome == "pass" for case in self.cases)

    @property
    def good(self) -> bool:
        """Whether all passed, and there were any."""
        return bool(self.cases) and self.passed == len(self.cases)

    def summary(self) -> str:
        """Give the one line that says it."""
        if not self.cases:
            return "No test was run: write one beside its rule, as `<rule>_test.rego`."
        failed = len(self.cases) - self.passed
        seconds = sum(case.seconds for case in self.cases)
        return f"{self.passed} passed, {failed} failed in {seconds:.2f} s"


def run_tests(opa: Path, folder: Path, pattern: str = "", limits: Limits = DEFAULTS) -> Report:
    """Run the folder's own tests; `pattern` (a regular expression over `data.<package>.<test>`) picks some."""
    if not folder.is_dir():
        msg = f"There is no policy folder {folder}."
        raise UsageError(msg, "Name the folder that holds main.rego.")
    picked = ["--run", pattern] if pattern else []
    found = _opa_test(opa, folder, *picked, limits=limits)
    cases = [case for test in found for case in _cases(folder, test)]
    if any(case.outcome == "fail" for case in cases):
        cases = _with_details(opa, folder, cases, limits)
    return Report(tuple(sorted(cases, key=lambda case: (case.outcome != "pass", case.file, case.row))))


def changes(folder: Path, pause: Callable[[], object]) -> Iterator[None]:
    """Yield once, and again whenever a file of the folder is another after a pause."""
    seen: object = None
    while True:
        now = sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file())
        if now != seen:
            seen = now
            yield
        pause()


def examples(opa: Path, folder: Path, rule: Rule, limits: Limits = DEFAULTS) -> list[str]:
    """Give the cases of a rule's own tests, in their order; they show by example what it holds for."""
    tests = f"{rule.file.removesuffix('.rego')}_test.rego"
    if not (folder / tests).exists():
        return []
    pattern = rf"\.test_{rule.code.lower().replace('-', '_')}"
    return [case.case or case.test for case in run_tests(opa, folder, pattern, limits).cases if case.file == tests]


def found_by(rule: Rule, violations: Iterable[ViolationRow]) -> dict[str, int]:
    """Count what a rule found, by where each finding stands."""
    return dict(sorted(Counter(row.status for row in violations if row.rule == rule.code).items()))


def _opa_test(opa: Path, folder: Path, *more: str, limits: Limits) -> list[dict[str, Any]]:
    done = run_opa_tests(opa, folder, *more, limits=limits)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout or "[]") or []
    except json.JSONDecodeError:
        found = []
    if done.returncode not in (0, 2) or (done.stderr and not found):
        said = (done.stderr or done.stdout).strip().replace(f"{folder}/", "")[:2000]
        msg = f"The tests can't be run: {said}"
        raise PolicyError(msg, "Correct the file it names; `covenant policy check` says more.")
    return found


def _cases(folder: Path, test: Mapping[str, Any]) -> list[Case]:
    where = Path(test["location"]["file"])
    file = where.relative_to(folder).as_posix() if where.is_relative_to(folder) else where.as_posix()
    parts: Mapping[str, Any] = test.get("sub_results") or {"": test}
    each = test.get("duration", 0) / 1e9 / len(parts)
    said = _failure(folder, test.get("error") or {})
    row, test_name = test["location"]["row"], test["name"]
    return [Case(file, row, test_name, name, _outcome(test, part), each, said) for name, part in parts.items()]


def _failure(folder: Path, error: Mapping[str, Any]) -> str:
    """Say why OPA couldn't evaluate a test, and where it was then."""
    if not error:
        return ""
    at = next((step["location"] for step in error.get("stack_trace", ()) if "location" in step), error.get("location", {}))
    where = f"{at['file']}:{at['row']}".replace(f"{folder}/", "") if at else "it"
    if error.get("code") == "eval_cancel_error":
        return f"  {where} was stopped: the test took longer than it may (COVENANT_OPA_SECONDS)."
    return f"  {where}: {error.get('message', 'an error')}"


def _outcome(test: Mapping[str, Any], part: Mapping[str, Any]) -> str:
    if test.get("error"):
        return "error"
    return "skip" if test.get("skip") else "fail" if part.get("fail") else "pass"


def _with_details(opa: Path, folder: Path, cases: list[Case], limits: Limits) -> list[Case]:
    """Ask OPA once more for the values behind what failed: it says them for people only."""
    names = sorted({case.test for case in cases if case.outcome == "fail"})
    again = ("test", str(folder), "--var-values", "--timeout", f"{limits.seconds:g}s", "--run", rf"\.({'|'.join(names)})$")
    said = run(opa, *again, limits=limits, seconds=TESTS_SECONDS).stdout
    _, _, after = said.partition("FAILURES\n")
    body, _, _ = after.partition("\n")[2].partition("\n-----")
    told: dict[tuple[str, str], str] = {}
    test = case = ""
    for line in body.splitlines():
        if line.startswith("data."):
            test, case = line.partition(":")[0].rpartition(".")[2], ""
        elif line.startswith("  ") and not line.startswith("   ") and line.endswith(": FAIL"):
            case = line.strip().removesuffix(": FAIL")
        elif line.strip():
            told[test, case] = told.get((test, case), "") + line.replace(f"{folder}/", "").rstrip() + "\n"
    return [msgspec.structs.replace(c, detail=told.get((c.test, c.case), "")) if c.outcome == "fail" else c for c in cases]


def junit(report: Report) -> str:
    """Write a report as JUnit XML, a suite for each file."""
    root = ET.Element("testsuites", tests=str(len(report.cases)), failures=str(len(report.cases) - report.passed))
    for file in dict.fromkeys(case.file for case in report.cases):
        cases = [case for case in report.cases if case.file == file]
        failed = sum(case.outcome != "pass" for case in cases)
        seconds = sum(case.seconds for case in cases)
        suite = ET.SubElement(root, "testsuite", name=file, tests=str(len(cases)), failures=str(failed), time=f"{seconds:.6f}")
        for case in cases:
            row = ET.SubElement(suite, "testcase", classname=case.test, name=case.case or case.test, time=f"{case.seconds:.6f}")
            row.set("file", file)
            row.set("line", str(case.row))
            if case.outcome != "pass":
                ET.SubElement(row, "failure", message=case.outcome).text = case.detail
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def files_of(folder: Path) -> dict[str, str]:
    """Read what of a folder would be evaluated; `PolicyError` says what it lacks."""
    return read_files(folder)


def find_rule(bundle: Bundle, code: str) -> Rule:
    """Give the rule of a code, however it is written; `NotFound` names those there are."""
    rule = bundle.catalogue.rule(code.upper().replace("_", "-"))
    if rule is None:
        known = ", ".join(rule.code for rule in bundle.catalogue.rules)
        msg = f"There is no rule {code}."
        raise NotFound(msg, f"The rules are {known}.")
    return rule


def thresholds_of(bundle: Bundle, rule: Rule) -> dict[str, dict[str, Any]]:
    """Give parameter set → the rule's thresholds in it."""
    sets: dict[str, dict[str, Any]] = bundle.data["params"]
    return {name: values[rule.code] for name, values in sorted(sets.items()) if rule.code in values}


def described_facts(rule: Rule) -> dict[str, dict[str, str]]:
    """Give what the rule reads of an input, with its meaning: under `breach` to accuse, under `excuse` to clear."""
    schema = json.loads(INPUT.read_text())
    needs = {"breach": rule.breach_needs, "excuse": rule.excuse_needs}
    return {part: {path: _meaning(schema, path) for path in paths} for part, paths in needs.items()}


def _meaning(schema: Mapping[str, Any], path: str) -> str:
    for part in path.split("."):
        schema = schema.get("properties", {}).get(part, {})
    return str(schema.get("description", ""))


def build(opa: Path, folder: Path, output: Path) -> Bundle:
    """Write the bundle of a folder into an empty one, laid out as an OPA server loads it."""
    bundle = load_bundle(folder, opa)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        msg = f"{output} isn't an empty folder."
        raise UsageError(msg, "Name one that is new or empty, so that nothing else is served with the bundle.")
    try:
        write_bundle(bundle, output)
    except OSError as error:
        msg = f"{output} can't be written: {error.strerror}."
        raise UsageError(msg, "Name a folder that can be.") from error
    return bundle


def server_command(output: Path) -> str:
    """Give the command that serves a built bundle on loopback."""
    return f"opa run --server --addr 127.0.0.1:8181 --skip-version-check {output}"
