"""Mutants of a rule: each with one condition dropped or one comparison turned. Tests that let one live prove too little.

Owns making them from a rule's text, line by line as `opa fmt` lays it out, and trying whether the rule's own tests notice.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from engine.policy.modules import run

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
WORKERS = 2


class Mutant(NamedTuple):
    """One change of a rule's text: in which line (from 1), what was done, the whole text after it."""

    line: int
    what: str
    text: str


def mutants(text: str) -> Iterator[Mutant]:
    """Make all mutants of a file."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.lstrip().startswith("#"):
            continue
        for what, changed in _changes(line):
            rest = [*lines[:number], *([] if changed is None else [changed]), *lines[number + 1 :]]
            yield Mutant(number + 1, what, "\n".join(rest))


def _changes(line: str) -> Iterator[tuple[str, str | None]]:
    if BODY.match(line) and not line.endswith(("{", "[", "|")):
        yield "dropped", None
    for before, after in TURNS:
        if before in line:
            yield f"{before.strip()} became {after.strip()}", line.replace(before, after, 1)
    if " in {" in line:
        for found in LISTED.finditer(line):
            yield f"{found[0]} became another", f'{line[: found.start()]}"another"{line[found.end() :]}'


def living(opa: Path, policies: Path, file: str, tests: str = "") -> tuple[int, list[str]]:
    """Try all mutants of a file (below the folder): how many there were, and which ones its tests let live.

    `tests` replaces the text of the file's own tests.
    """
    tried = list(mutants((policies / file).read_text()))
    with ThreadPoolExecutor(WORKERS) as pool:
        alive = list(pool.map(lambda mutant: lives(opa, policies, file, mutant, tests), tried))
    return len(tried), [f"{file}:{m.line} {m.what}" for m, lives in zip(tried, alive, strict=True) if lives]


def lives(opa: Path, policies: Path, file: str, mutant: Mutant, tests: str = "") -> bool:
    """Whether a file's tests pass with the mutant in its place."""
    with tempfile.TemporaryDirectory(prefix="covenant-mutant-") as name:
        folder = Path(name, "policies")
        own = Path(file).with_name(f"{Path(file).stem}_test.rego")
        shutil.copytree(policies, folder, ignore=shutil.ignore_patterns("*_test.rego", "*.md"))
        shutil.copy(policies / own, folder / own)
        if tests:
            (folder / own).write_text(tests)
        (folder / file).write_text(mutant.text)
        return run(opa, "test", str(folder)).returncode == 0
