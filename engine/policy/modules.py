"""Rego files as OPA parses them: their rules with METADATA, the references they make, and where each stands.

Owns running `opa` on files and the few questions asked of a syntax tree; what a rule must look like is `checking`'s.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.domain import codec
from engine.domain.errors import DependencyMissing, PolicyError
from engine.policy.limits import DEFAULTS, Limits, confine, environment

SCHEMAS: Final = Path(__file__).with_name("schemas")
INPUT: Final = SCHEMAS / "input.json"
CAPABILITIES: Final = SCHEMAS / "capabilities.json"
FAMILIES: Final = ("fair_use", "ip_ownership")
SECONDS: Final = 120.0
"""What OPA may take to read and compile a folder."""
TESTS_SECONDS: Final = 600.0
"""What it may take to run all tests of one, or of its mutants."""
REMEMBERED: Final = 1_000
"""Answers of OPA about texts that are remembered; a folder of policies asks about a hundred, and most twice."""
_SAID: Final[dict[bytes, bytes]] = {}
_OUT_OF_MEMORY: Final = ("out of memory", "cannot allocate memory", "pthread_create failed: Resource temporarily unavailable")


class Head(msgspec.Struct, frozen=True):
    """One rule of a file: its name, whether it adds to a set, its METADATA, its body, its line."""

    name: str
    contains: bool
    notes: dict[str, Any]
    body: list[Any]
    row: int

    @property
    def custom(self) -> dict[str, Any]:
        """METADATA's own part."""
        custom = self.notes.get("custom", {})
        return custom if isinstance(custom, dict) else {}


class Module(msgspec.Struct, frozen=True):
    """One Rego file: `name` is its path below the folder of policies."""

    name: str
    path: Path
    package: str
    heads: tuple[Head, ...]

    def named(self, name: str) -> list[Head]:
        """Give its rules of one name."""
        return [head for head in self.heads if head.name == name]


def opa_json(opa: Path, *arguments: str, limits: Limits = DEFAULTS, seconds: float = SECONDS) -> Any:
    """Run OPA and read the JSON it says; `PolicyError` carries what it says against a file."""
    done = run(opa, *arguments, limits=limits, seconds=seconds)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[:2000]
        msg = f"OPA can't read the policies: {said}"
        raise PolicyError(msg, "Correct the file it names, then run `covenant policy check`.")
    return json.loads(done.stdout)


def opa_about(opa: Path, files: Sequence[Path], *arguments: str, before_each: tuple[str, ...] = ()) -> Any:
    """Run OPA on files and read the JSON it says of their texts; what it said of the same texts is remembered."""
    key = codec.digest(str(opa).encode(), *(one.encode() for one in arguments), *(file.read_bytes() for file in files))
    said = _SAID.get(key)
    if said is None:
        said = msgspec.json.encode(opa_json(opa, *arguments, *(part for file in files for part in (*before_each, str(file)))))
        if len(_SAID) >= REMEMBERED:
            _SAID.clear()
        _SAID[key] = said
    return json.loads(said)


def run(opa: Path, *arguments: str, limits: Limits = DEFAULTS, seconds: float = SECONDS) -> subprocess.CompletedProcess[str]:
    """Run OPA within bounds; one that can't be run is `DependencyMissing`, policies that it is stopped over `PolicyError`."""
    try:
        done = _run([str(opa), *arguments], limits, seconds)
    except subprocess.TimeoutExpired as error:
        msg = f"`opa {arguments[0]}` was stopped after {seconds:.0f} s."
        raise PolicyError(
            msg, "A policy or a test of it runs for ever, or very long: take the last ones out to find it."
        ) from error
    except OSError as error:
        msg = f"{opa} can't be run ({error.strerror or type(error).__name__})."
        raise DependencyMissing(msg, "See `covenant doctor`.") from error
    if done.returncode and any(said in done.stderr for said in _OUT_OF_MEMORY):
        msg = f"`opa {arguments[0]}` took more memory than it may (COVENANT_OPA_MEMORY_MIB, {limits.memory_mib} MiB)."
        raise PolicyError(msg, "A policy or a test of it builds something very large: take the last ones out to find it.")
    return done


def _run(command: list[str], limits: Limits, seconds: float) -> subprocess.CompletedProcess[str]:
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment(limits)) as process:
        confine(limits, process.pid)
        try:
            said, complained = process.communicate(timeout=seconds)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, said, complained)


def run_tests(opa: Path, folder: Path, *more: str, limits: Limits = DEFAULTS) -> subprocess.CompletedProcess[str]:
    """Run the tests below a folder, each no longer than a call of the policies may take."""
    timed = ("--format", "json", "--timeout", f"{limits.seconds:g}s")
    return run(opa, "test", *timed, *more, str(folder), limits=limits, seconds=TESTS_SECONDS)


def rule_files(folder: Path) -> list[Path]:
    """Give the files of rules, without their tests."""
    return sorted(p for family in FAMILIES for p in (folder / family).rglob("*.rego") if not p.name.endswith("_test.rego"))


def library_files(folder: Path) -> list[Path]:
    """Give the files of libraries, without their tests."""
    return sorted(p for p in (folder / "lib").rglob("*.rego") if not p.name.endswith("_test.rego"))


def parse(opa: Path, folder: Path, path: Path) -> Module:
    """Parse one file."""
    tree = opa_about(opa, [path], "parse", "-f", "json", "--json-include", "locations")
    package = ".".join(str(term["value"]) for term in tree["package"]["path"])
    heads = tuple(_head(rule) for rule in tree.get("rules") or [])
    return Module(path.relative_to(folder).as_posix(), path, package, heads)


def _head(rule: dict[str, Any]) -> Head:
    head = rule["head"]
    notes = (rule.get("annotations") or [{}])[0]
    return Head(head["ref"][0]["value"], "key" in head and "value" not in head, notes, rule["body"], rule["location"]["row"])


def references(node: Any) -> Iterator[tuple[str, ...]]:
    """Give every reference below a node; a part that isn't a plain name reads `*`."""
    if isinstance(node, dict):
        if node.get("type") == "ref":
            yield tuple(str(term["value"]) if isinstance(term["value"], str) else "*" for term in node["value"])
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def strings(node: Any) -> Iterator[str]:
    """Give every string below a node."""
    if isinstance(node, dict):
        if node.get("type") == "string":
            yield node["value"]
        for value in node.values():
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)


def selectors(body: list[Any]) -> dict[str, tuple[Any, ...]]:
    """Give field of the event → values, for comparisons of one with constants: `== "x"`, `in {"x", "y"}`, bare (true)."""
    found: dict[str, tuple[Any, ...]] = {}
    for expression in body:
        if expression.get("negated") or expression.get("with"):
            continue
        terms = expression["terms"]
        if isinstance(terms, dict):
            name, values = _field(terms), (True,)
        elif len(terms) == 3 and (values := _constants(terms)):
            name = _field(terms[1])
        else:
            continue
        if name:
            found[name] = tuple(v for v in found.get(name, values) if v in values)
    return found


def _field(term: dict[str, Any]) -> str:
    """Give the name of a field of the event, if a term is a reference to one."""
    parts = next(references(term), ())
    return parts[2] if term.get("type") == "ref" and len(parts) == 3 and parts[:2] == ("input", "event") else ""


def _constants(terms: list[Any]) -> tuple[Any, ...]:
    operator, other = next(references(terms[0]), ()), terms[2]
    if operator == ("equal",) and other["type"] in ("string", "boolean"):
        return (other["value"],)
    if operator == ("internal", "member_2") and other["type"] == "set":
        values = tuple(term["value"] for term in other["value"] if term["type"] == "string")
        return values if len(values) == len(other["value"]) else ()
    return ()


def negations(node: Any) -> Iterator[dict[str, Any]]:
    """Give every negated expression below a node."""
    if isinstance(node, dict):
        if node.get("negated"):
            yield node
        for value in node.values():
            yield from negations(value)
    elif isinstance(node, list):
        for value in node:
            yield from negations(value)
