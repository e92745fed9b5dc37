"""Mutants of a rule: each with one condition dropped or one comparison turned. Tests that let one live prove too little.

Owns making them from a rule's text, line by line as `opa fmt` lays it out, and trying whether the file's own tests notice:
one OPA runs the tests of all mutants at once, each mutant and its copy of the tests in packages of their own.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from engine.domain.errors import PolicyError
from engine.policy.limits import DEFAULTS, Limits
from engine.policy.modules import FAMILIES, run, run_tests

TURNS = (
    (" > ", " >= "),
    (" >= ", " > "),
    (" <= ", " < "),
    (" < ", " <= "),
    (" == ", " != "),
    ("== false", "== true"),
    (" + ", " - "),
)
BODY = re.compile(r"^\t+(?!some |\}|\]|[a-z_]+ := )\S")
LISTED = re.compile(r'(?<=[{, ])"[^"]*"')
PACKAGE = re.compile(r"^package (\S+)$", re.MULTILINE)
NEVER = "\nbreach contains 1 if false\n\nexcuse contains 1 if false\n"
"""A rule that has no excuse stands beside others that have one: asked alone, there must be a set of them too."""
UNCHANGED = "unchanged"
AT_ONCE = 400
"""Mutants that one OPA tries; beyond, it has more to compile than it saves."""


class Mutant(NamedTuple):
    """One change of a file's text: in which line (from 1), what was done, the whole text after it."""

    file: str
    line: int
    what: str
    text: str

    def __str__(self) -> str:
        """Give where it is and what was done."""
        return f"{self.file}:{self.line} {self.what}"


def mutants(file: str, text: str) -> Iterator[Mutant]:
    """Make all mutants of a file."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.lstrip().startswith("#"):
            continue
        for what, changed in _changes(line):
            rest = [*lines[:number], *([] if changed is None else [changed]), *lines[number + 1 :]]
            yield Mutant(file, number + 1, what, "\n".join(rest))


def _changes(line: str) -> Iterator[tuple[str, str | None]]:
    if BODY.match(line) and not line.endswith(("{", "[", "|")):
        yield "dropped", None
    for before, after in TURNS:
        if before in line:
            yield f"{before.strip()} became {after.strip()}", line.replace(before, after, 1)
    if " in {" in line:
        for found in LISTED.finditer(line):
            yield f"{found[0]} became another", f'{line[: found.start()]}"another"{line[found.end() :]}'


def living(opa: Path, policies: Path, files: Sequence[str], limits: Limits = DEFAULTS) -> tuple[int, list[Mutant]]:
    """Try all mutants of files (below the folder): how many there were, and which ones their own tests let live.

    The files as they stand are tried with them: `PolicyError` where the tests fail without a change, and so prove nothing.
    """
    texts = {file: (policies / file).read_text(encoding="utf-8") for file in files}
    tried = [mutant for file, text in texts.items() for mutant in (Mutant(file, 0, UNCHANGED, text), *mutants(file, text))]
    parts = [tried[start : start + AT_ONCE] for start in range(0, len(tried), AT_ONCE)]
    alive = [mutant for part in parts for mutant in survivors(opa, policies, part, limits)]
    if failing := set(files) - {mutant.file for mutant in alive if mutant.what == UNCHANGED}:
        msg = f"The tests of {min(failing)} fail as it stands, or there are none."
        raise PolicyError(msg, "`covenant policy test` says which and why.")
    return len(tried) - len(files), [mutant for mutant in alive if mutant.what != UNCHANGED]


def survivors(opa: Path, policies: Path, tried: Sequence[Mutant], limits: Limits = DEFAULTS) -> list[Mutant]:
    """Give the mutants under which the file's own tests all pass; one that doesn't compile is noticed."""
    with tempfile.TemporaryDirectory(prefix="covenant-mutants-") as name:
        root = Path(name, "policies")
        left_out = shutil.ignore_patterns("*_test.rego", "*.md", "fair_use", "ip_ownership")
        shutil.copytree(policies, root, ignore=left_out)
        alive = {number: _write(root, policies, number, mutant) for number, mutant in enumerate(tried)}
        while alive and (broken := _not_compiling(opa, root)):
            for number in broken:
                for path in alive.pop(number):
                    path.unlink()
        passed = _tested(opa, root, limits) if alive else {}
        return [tried[number] for number in alive if passed.get(number, False)]


def _write(root: Path, policies: Path, number: int, mutant: Mutant) -> list[Path]:
    """Write a mutant and its tests into packages of their own."""
    own = Path(mutant.file).with_name(f"{Path(mutant.file).stem}_test.rego")
    tests = (policies / own).read_text(encoding="utf-8")
    package, theirs = (found[1] for found in (PACKAGE.search(mutant.text), PACKAGE.search(tests)) if found)
    short = package.rpartition(".")[2]
    asks = re.compile(rf"^import data\.{re.escape(package)}$", re.MULTILINE)
    tests = asks.sub(f"import data.mutant.m{number} as {short}", tests).replace(
        f"package {theirs}", f"package mutant.t{number}", 1
    )
    written = [root / f"m{number}.rego", root / f"m{number}_test.rego"]
    text = mutant.text.replace(f"package {package}", f"package mutant.m{number}", 1)
    written[0].write_text(text + (NEVER if short in FAMILIES else ""), encoding="utf-8")
    written[1].write_text(tests, encoding="utf-8")
    return written


def _not_compiling(opa: Path, root: Path) -> set[int]:
    done = run(opa, "check", "--format", "json", "--max-errors", "1000", str(root))
    if not done.returncode:
        return set()
    errors = json.loads(done.stdout or done.stderr)["errors"]
    broken = {
        int(found[1]) for e in errors if (found := re.search(r"m(\d+)(?:_test)?\.rego$", e.get("location", {}).get("file", "")))
    }
    if not broken:
        msg = f"The mutants can't be tried: {errors[0].get('message', '')}."
        raise PolicyError(msg, "See what `covenant policy check --no-mutants` says.")
    return broken


def _tested(opa: Path, root: Path, limits: Limits) -> dict[int, bool]:
    """Give number → whether all its tests passed; a mutant without a test isn't noticed by any.

    Hundreds of copies need more memory than one, so a limit below what it is as shipped bounds the seconds alone.
    """
    bounded = Limits(limits.seconds, max(limits.memory_mib, DEFAULTS.memory_mib))
    done = run_tests(opa, root, limits=bounded)
    passed: dict[int, bool] = {}
    for test in json.loads(done.stdout or "[]") or []:
        number = int(test["package"].rpartition(".t")[2])
        good = not (test.get("fail") or test.get("error") or test.get("skip"))
        passed[number] = passed.get(number, True) and good
    return passed
