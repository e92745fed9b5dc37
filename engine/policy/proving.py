"""Whether the tests beside the rules prove anything: every line is run, and no mutant of a rule or a library lives.

Owns the sentences about what isn't proved. Asks nothing of a folder in which `checking` found mistakes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from engine.domain.errors import PolicyError
from engine.policy.bundle import Bundle
from engine.policy.limits import DEFAULTS, Limits
from engine.policy.modules import library_files, rule_files, run_tests
from engine.policy.mutants import living
from engine.policy.opa_child import OpaChild
from engine.policy.states import wrong
from engine.policy.thresholds import Problem


def files_with_tests(folder: Path) -> list[str]:
    """Give the rules and libraries that have tests beside them, as paths below the folder."""
    paths = [path for path in (*rule_files(folder), *library_files(folder)) if path.with_name(f"{path.stem}_test.rego").exists()]
    return [path.relative_to(folder).as_posix() for path in paths]


def unproved(opa: Path, folder: Path, *, mutants: bool = True, limits: Limits = DEFAULTS) -> list[Problem]:
    """Give what the tests leave open: lines that no test runs and, if asked for, mutants that live."""
    found = list(_not_run(opa, folder, limits))
    if found or not mutants:
        return found
    try:
        _, alive = living(opa, folder, files_with_tests(folder), limits)
    except PolicyError as error:
        return [Problem(str(folder), error.message, error.do)]
    do = "Write a case that comes out otherwise when it is so: just under, at and just over what is compared."
    return [Problem(f"{m.file}:{m.line}", f"no test notices when this is changed: {m.what}.", do) for m in alive]


def misjudged(opa: Path, folder: Path, bundle: Bundle, limits: Limits = DEFAULTS) -> list[Problem]:
    """Give the rules that accuse or pass by a fact that is unknown, or can't decide by one that is absent."""
    fixtures = json.loads((folder / "fixtures.json").read_text(encoding="utf-8"))["fixtures"]
    with closing(OpaChild(bundle, opa, limits=limits)) as evaluator:
        return wrong(bundle.catalogue.rules, fixtures, evaluator)


def _not_run(opa: Path, folder: Path, limits: Limits) -> Iterator[Problem]:
    done = run_tests(opa, folder, "--coverage", limits=limits)
    if done.returncode:
        yield Problem(str(folder), "its tests fail.", "`covenant policy test` says which and why.")
        return
    for name, said in sorted(json.loads(done.stdout)["files"].items()):
        path = Path(name)
        file = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else name
        for part in said.get("not_covered") or [] if not file.endswith("_test.rego") else []:
            yield Problem(f"{file}:{part['start']['row']}", "no test runs this line.", "Write a case that does, or remove it.")
