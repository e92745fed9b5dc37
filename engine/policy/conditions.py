"""Which conditions of a rule hold for one input, asked of OPA: each of a body's lines on its own, with what it refers to.

Owns cutting rule bodies into lines and asking about them; for explaining only, never for deciding. A line is asked with
the assignments before it; from the first line on that picks one of several (`some … in`), with all lines since.
"""

from __future__ import annotations

import base64
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine.policy.bundle import Bundle
from engine.policy.catalogue import Rule
from engine.policy.limits import DEFAULTS, Limits
from engine.policy.modules import opa_json, references
from engine.policy.opa_child import write_bundle

PACKAGE = "covenant_conditions"


class Condition(msgspec.Struct, frozen=True):
    """One line of a body: its text, whether it held, and what it gave its names."""

    text: str
    line: int
    holds: bool
    values: dict[str, Any] = {}
    """Name → value, where the line assigns one; of several, each."""
    behind: dict[str, Any] = {}
    """What it reads → value: names of lines before it, paths below `event` and `facts`, thresholds as `threshold NAME`."""


class Clause(msgspec.Struct, frozen=True):
    """One breach or excuse of a rule; it applies when all its conditions hold together."""

    kind: str
    """breach | excuse."""
    guard: str
    applies: bool
    conditions: tuple[Condition, ...]


class _Line(msgspec.Struct):
    text: str
    row: int
    name: str
    """What it assigns, if anything."""
    picks: bool
    reads: list[tuple[str, ...]]
    """References in it, as `modules.references` gives them."""


class _Body(msgspec.Struct):
    kind: str
    guard: str
    lines: list[_Line]


def conditions(
    opa: Path, bundle: Bundle, rules: Sequence[Rule], document: dict[str, Any], limits: Limits = DEFAULTS
) -> dict[str, list[Clause]]:
    """Give rule code → its clauses for one input document, in the order of the file."""
    with tempfile.TemporaryDirectory(prefix="covenant-explain-") as name:
        root = Path(name)
        write_bundle(bundle, root / "bundle")
        bodies: dict[str, list[_Body]] = {}
        for number, rule in enumerate(rules):
            tree = opa_json(opa, "parse", "-f", "json", "--json-include", "locations", str(root / "bundle" / rule.file))
            bodies[rule.code] = [_body(parsed) for parsed in tree["rules"]]
            (root / f"asked_{number}.rego").write_text(_module(number, tree, bodies[rule.code]), encoding="utf-8")
        (root / "input.json").write_bytes(msgspec.json.encode(document))
        asked = [part for number in range(len(rules)) for part in ("-d", str(root / f"asked_{number}.rego"))]
        said = opa_json(
            opa, "eval", "-f", "json", "-i", str(root / "input.json"), "-d", str(root / "bundle"), *asked, f"data.{PACKAGE}",
            limits=limits, seconds=limits.seconds,
        )  # fmt: skip
    found = said["result"][0]["expressions"][0]["value"] if said.get("result") else {}
    given = {"input": document, "data": bundle.data}
    return {rule.code: _clauses(bodies[rule.code], found.get(f"r{n}", {}), given) for n, rule in enumerate(rules)}


def _body(parsed: dict[str, Any]) -> _Body:
    notes = (parsed.get("annotations") or [{}])[0].get("custom", {})
    return _Body(parsed["head"]["name"], notes.get("guard", ""), [_line(expression) for expression in parsed["body"]])


def _line(expression: dict[str, Any]) -> _Line:
    terms, where = expression["terms"], expression["location"]
    text = base64.b64decode(where["text"]).decode()
    name = ""
    if isinstance(terms, list) and terms[0]["type"] == "ref" and terms[0]["value"][0]["value"] == "assign":
        name = terms[1]["value"] if terms[1]["type"] == "var" else ""
    return _Line(text, where["row"], name, isinstance(terms, dict) and "symbols" in terms, list(references(terms)))


def _module(number: int, tree: dict[str, Any], bodies: Sequence[_Body]) -> str:
    imports = [base64.b64decode(i["path"]["location"]["text"]).decode() + _alias(i) for i in tree.get("imports", [])]
    lines = [f"package {PACKAGE}.r{number}", *(f"import {path}" for path in imports)]
    for at, body in enumerate(bodies):
        whole = "\n\t".join(line.text for line in body.lines)
        lines.append(f"applies contains {at} if {{\n\t{whole}\n}}")
        for index, line in enumerate(body.lines):
            before = "".join(f"\t{other.text}\n" for other in _needed(body.lines, index))
            value = line.name or "null"
            lines.append(f"holds contains [{at}, {index}, {value}] if {{\n{before}\t{line.text}\n}}")
    return "\n".join(lines) + "\n"


def _alias(imported: dict[str, Any]) -> str:
    return f" as {imported['alias']}" if imported.get("alias") else ""


def _needed(lines: Sequence[_Line], index: int) -> Iterator[_Line]:
    picked = False
    for line in lines[:index]:
        picked = picked or line.picks
        if picked or line.name:
            yield line


def _clauses(bodies: Sequence[_Body], said: dict[str, Any], given: dict[str, Any]) -> list[Clause]:
    held: dict[tuple[int, int], list[Any]] = {}
    for at, index, value in said.get("holds", []):
        held.setdefault((at, index), []).append(value)
    clauses = []
    for at, body in enumerate(bodies):
        found: list[Condition] = []
        names: dict[str, Any] = {}
        for index, line in enumerate(body.lines):
            values = held.get((at, index), [])
            assigned = {line.name: values[0] if len(values) == 1 else values} if line.name and values else {}
            behind = {name: value for name, value in names.items() if re.search(rf"\b{re.escape(name)}\b", line.text)}
            for path in line.reads:
                behind.update(_read(path, given))
            found.append(Condition(" ".join(line.text.split()), line.row, bool(values), assigned, behind))
            names.update(assigned)
        clauses.append(Clause(body.kind, body.guard, at in said.get("applies", []), tuple(found)))
    return clauses


def _read(path: tuple[str, ...], given: dict[str, Any]) -> dict[str, Any]:
    """Give a reference's name, as a person would shorten it, and its value; nothing where it isn't one value."""
    if path[:2] == ("data", "params") and len(path) > 4:
        path = ("data", "params", given["input"]["ps"], *path[3:5])
        name = f"threshold {path[4]}"
    elif path[:2] in (("input", "facts"), ("input", "event")) and "*" not in path:
        name = ".".join(path[2:])
    else:
        return {}
    value: Any = given
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return {} if value is None else {name: value}
