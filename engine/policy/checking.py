"""What a folder of policies must be before it judges anybody: the mistakes in it, each with where and what to do.

Owns the promises that OPA doesn't keep for us: rules read only what an input has (one schema for all) and call only
what gives the same answer for ever (an allow-list); a rule file holds breach and excuse and nothing else; METADATA is
complete; no rule convicts on a fact that is missing; every parameter set has every threshold.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft7Validator

from engine.domain.errors import PolicyError
from engine.policy.catalogue import Rule, make_rule
from engine.policy.comparing import miscompared
from engine.policy.layout import codes, conflicts, misplaced
from engine.policy.modules import (
    CAPABILITIES,
    INPUT,
    SCHEMAS,
    Head,
    Module,
    library_files,
    negations,
    parse,
    references,
    rule_files,
    run,
)
from engine.policy.sentences import KINDS, PLACEHOLDER
from engine.policy.thresholds import PARAMS, Problem, check_sets

_UNDEFINED_REF: Final = re.compile(r"undefined ref: (input\.\S+)")
_UNDEFINED_CALL: Final = re.compile(r"undefined function (\S+)")


def problems(opa: Path, folder: Path, *, shipped: bool = False) -> list[Problem]:
    """Give every mistake found; `shipped` also asks for format, tests and pages, which judging can do without."""
    found = compile_problems(opa, folder, tests=shipped)
    if found:
        return found
    paths = rule_files(folder)
    with ThreadPoolExecutor(4) as pool:
        modules = list(pool.map(functools.partial(parse, opa, folder), [*paths, *library_files(folder)]))
        ruled = modules[: len(paths)]
        found = [*misplaced(folder), *codes(folder, ruled, shipped=shipped), *conflicts(modules[len(paths) :])]
        found += [p for module in modules for p in (*_negated(module), *miscompared(module))]
        found += [p for module in ruled for p in rule_file(module)]
        if not found:
            rules = list(pool.map(functools.partial(make_rule, opa, folder), ruled))
            found += check_sets(rules, _sets(folder))
            found += [p for rule, module in zip(rules, ruled, strict=True) for p in _agreeing(rule, module)]
    if shipped:
        found += _unformatted(opa, folder) + [p for path in paths for p in _companions(folder, path)]
    return found


def compile_problems(opa: Path, folder: Path, *, tests: bool) -> list[Problem]:
    """Compile strictly under the input's schema and the allow-list of built-ins."""
    ignore = [] if tests else ["--ignore", "*_test.rego"]
    done = run(
        opa, "check", "--format", "json", "--strict", "--max-errors", "50", "--schema", str(INPUT),
        "--capabilities", str(CAPABILITIES), *ignore, str(folder),
    )  # fmt: skip
    if not done.returncode:
        return []
    try:
        errors = json.loads(done.stdout or done.stderr)["errors"]
    except (json.JSONDecodeError, KeyError, TypeError):
        return [Problem(str(folder), f"OPA can't read it: {(done.stderr or done.stdout).strip()[:500]}", "Correct it.")]
    found = {(problem.where, problem.what): problem for error in errors for problem in [_compiled(folder, error)]}
    return list(found.values())


def _compiled(folder: Path, error: dict[str, Any]) -> Problem:
    location, said = error.get("location") or {}, str(error.get("message", ""))
    where = str(location.get("file", folder))
    name = Path(where).relative_to(folder).as_posix() if Path(where).is_relative_to(folder) else where
    place = f"{name}:{location['row']}" if location.get("row") else name
    if reference := _UNDEFINED_REF.search(said):
        near = difflib.get_close_matches(reference[1], sorted(input_paths()), 1, 0.75)
        hint = f"Did you mean {near[0]}? " if near else ""
        return Problem(place, f"{reference[1]} isn't in any input.", f"{hint}A rule may read what `{INPUT.name}` describes.")
    if call := _UNDEFINED_CALL.search(said):
        do = f"A decision must come out the same for ever, so a rule may call only what `{CAPABILITIES.name}` lists."
        return Problem(place, f"{call[1]} may not be called.", do)
    return Problem(place, *_in_words(said))


def _in_words(said: str) -> tuple[str, str]:
    """Give what is wrong and what to do, for what OPA says of a text."""
    if said.startswith("yaml: "):
        why = re.sub(r"^yaml: (line \d+: )?", "", said.split("\n", maxsplit=1)[0])
        return (
            f"the YAML of its METADATA can't be read: {why}.",
            "Close brackets, indent by two, quote a text that has `: ` in it.",
        )
    if "keyword is required" in said:
        do = "Write `breach contains {…} if {…}`; `opa fmt --v0-v1 --write FILE` rewrites what was written for v0."
        return "it is written in Rego v0.", do
    if conflicting := re.search(r"conflicting rules data\.(\S+)", said):
        do = "A name is a set everywhere (`contains`), or one value in one place: correct one of them."
        return f"conflicting rules: {conflicting[1]} is defined in another way elsewhere.", do
    if mistyped := re.match(r"(\S+): invalid argument", said):
        return f"{mistyped[1]} is given what it can't take.", f"`{INPUT.name}` says of which type each field is."
    return f"OPA says: {said}.", "Correct it there."


@functools.cache
def input_paths() -> frozenset[str]:
    """Give every path that the input's schema describes, from `input` on."""
    return frozenset(_paths("input", json.loads(INPUT.read_text())))


@functools.cache
def _metadata() -> Draft7Validator:
    return Draft7Validator(json.loads((SCHEMAS / "metadata.json").read_text()))


def _paths(prefix: str, schema: dict[str, Any]) -> Iterator[str]:
    yield prefix
    for name, part in schema.get("properties", {}).items():
        yield from _paths(f"{prefix}.{name}", part)


def rule_file(module: Module) -> Iterator[Problem]:
    """Say what is wrong with one rule's file by itself."""
    family = module.name.split("/")[0]
    if module.package != f"data.covenant.{family}":
        yield Problem(f"{module.name}:1", f"its package is {module.package[5:]}.", f"Write `package covenant.{family}`.")
    for head in module.heads:
        if head.name not in ("breach", "excuse") or not head.contains:
            do = "A rule file holds `breach contains` and `excuse contains` only; put helpers into lib/ as functions."
            yield Problem(f"{module.name}:{head.row}", f"it defines {head.name}.", do)
    breaches = module.named("breach")
    if not breaches:
        yield Problem(module.name, "it has no breach.", "Begin with `breach contains {...} if {...}` and its METADATA.")
        return
    for head in breaches:
        yield from _first_condition(module, head)
    yield from _described(module, breaches)


def _first_condition(module: Module, head: Head) -> Iterator[Problem]:
    terms = head.body[0].get("terms") if head.body else None
    said = list(references(terms))
    if not isinstance(terms, list) or ("internal", "member_2") not in said or ("input", "event", "type") not in said:
        do = 'Write `input.event.type in {"compute…"}` first, so that OPA asks the rule about nothing else.'
        yield Problem(f"{module.name}:{head.row}", "its first condition isn't the event's type.", do)
        return
    known = json.loads(INPUT.read_text())["properties"]["event"]["properties"]["type"]["enum"]
    for kind in sorted(term["value"] for term in terms[2]["value"] if term["value"] not in known):
        yield Problem(f"{module.name}:{head.row}", f"no input is made for {kind}.", f"It can be one of {', '.join(known)}.")


def _described(module: Module, breaches: Sequence[Head]) -> Iterator[Problem]:
    main = breaches[0]
    where = f"{module.name}:{main.row}"
    if not main.notes:
        yield Problem(where, "it has no METADATA.", "Write `# METADATA` and its keys above it, as in the rules that ship.")
        return
    if not main.notes.get("title") or not main.notes.get("description"):
        yield Problem(where, "its METADATA lacks a title or a description.", "Write both: they are what people read first.")
    for error in _metadata().iter_errors(main.custom):
        path = ".".join(["custom", *(str(part) for part in error.absolute_path)])
        yield Problem(where, f"its METADATA isn't complete: {path}: {error.message}.", "Write it as in the rules that ship.")
    code = str(main.custom.get("code", ""))
    expected = module.path.stem.upper().replace("_", "-")
    if code and code != expected:
        yield Problem(where, f"its code is {code} and its file says {expected}.", "Let both agree.")
    for said in ("discriminator", "asserted"):
        for path in main.custom.get(said) or []:
            if f"input.{path}" not in input_paths():
                yield Problem(where, f"its {said} names {path}, which no input has.", f"See `{INPUT.name}`.")
    for _, kind in PLACEHOLDER.findall(str(main.custom.get("sentence", ""))):
        if kind not in KINDS:
            do = f"Known kinds are {', '.join(sorted(KINDS - {''}))}."
            yield Problem(where, f"its sentence asks for the kind {kind}, which there isn't.", do)
    for head in module.named("excuse"):
        if head.custom.get("code") != code or not head.custom.get("guard") or not head.notes.get("title"):
            do = f"Write a title and `# custom: {{code: {code}, guard: …}}`."
            yield Problem(f"{module.name}:{head.row}", "the METADATA of its excuse isn't complete.", do)


def _negated(module: Module) -> Iterator[Problem]:
    for head in module.heads:
        for expression in negations(head.body):
            for reference in references(expression):
                if reference[:2] in (("input", "facts"), ("input", "event")):
                    do = "A missing fact would make it true and accuse somebody: compare with what it must be (== false)."
                    row = expression.get("location", {}).get("row", head.row)
                    yield Problem(f"{module.name}:{row}", f"`not` over {'.'.join(reference)}.", do)
                    break


def _agreeing(rule: Rule, module: Module) -> Iterator[Problem]:
    read = {r[4] for r in references([head.body for head in module.heads]) if r[:2] == ("data", "params") and len(r) > 4}
    for name in sorted(read - rule.thresholds.keys()):
        do = f"Add it to thresholds, such as {name}: {{type: integer, minimum: 0}}."
        yield Problem(module.name, f"it reads the threshold {name}, which its METADATA doesn't describe.", do)
    for name in sorted(rule.thresholds.keys() - read):
        yield Problem(module.name, f"its METADATA describes the threshold {name}, which it doesn't read.", "Use it or remove it.")


def _companions(folder: Path, path: Path) -> Iterator[Problem]:
    name = path.relative_to(folder).as_posix()
    if not path.with_name(f"{path.stem}_test.rego").exists():
        yield Problem(name, "it has no tests.", f"Write {path.stem}_test.rego beside it.")
    if not path.with_suffix(".md").exists():
        yield Problem(name, "it has no page.", f"Write {path.stem}.md beside it, for those who must live by the rule.")


def _unformatted(opa: Path, folder: Path) -> list[Problem]:
    listed = run(opa, "fmt", "--list", str(folder)).stdout.split()
    return [
        Problem(Path(name).relative_to(folder).as_posix(), "it isn't formatted.", "Run `opa fmt --write` over it.")
        for name in sorted(listed)
    ]


def _sets(folder: Path) -> dict[str, Any]:
    try:
        sets = json.loads((folder / PARAMS).read_text(encoding="utf-8"))["params"]
    except (OSError, json.JSONDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        msg = f"{PARAMS} isn't as it should be: {error!r}."
        raise PolicyError(msg, "It needs params with a set named default, and facts with the windows' lengths.") from error
    return dict(sets)
