"""The catalogue of rules, read from the rules' own files by OPA: nothing about a rule is listed twice.

For each rule its METADATA, the event types its first condition names, and the facts its breach and excuse read
(`opa deps`). Reading costs a few OPA calls a rule, so a bundle carries its catalogue with it.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from engine.domain.errors import PolicyError
from engine.domain.values import DAY_US, HOUR_US, SECOND_US

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")


class Rule(msgspec.Struct, frozen=True):
    """One rule as its file declares it; `settle_us` in µs, needs as paths below `input`."""

    code: str
    title: str
    description: str
    clause: str
    severity: str
    respondent: str
    discriminator: tuple[str, ...]
    settle_us: int
    sentence: str
    material: tuple[str, ...]
    events: tuple[str, ...]
    breach_needs: tuple[str, ...]
    excuse_needs: tuple[str, ...]
    guards: dict[str, str]
    """Guard → its title."""
    thresholds: dict[str, Any]
    file: str
    page: str = ""


class Catalogue(msgspec.Struct, frozen=True, dict=True):
    """All rules of a bundle, by code."""

    rules: tuple[Rule, ...]

    @cached_property
    def _by_type(self) -> Mapping[str, tuple[Rule, ...]]:
        types = {kind for rule in self.rules for kind in rule.events}
        return {kind: tuple(rule for rule in self.rules if kind in rule.events) for kind in types}

    def for_type(self, kind: str) -> tuple[Rule, ...]:
        """Give the rules that an event type concerns."""
        return self._by_type.get(kind, ())

    def rule(self, code: str) -> Rule | None:
        """Give a rule by its code."""
        return next((rule for rule in self.rules if rule.code == code), None)


def read_catalogue(opa: Path, folder: Path) -> Catalogue:
    """Read all rule files below a folder of policies."""
    rule_files = sorted(
        path
        for family in ("fair_use", "ip_ownership")
        for path in (folder / family).glob("*.rego")
        if not path.name.endswith("_test.rego")
    )
    libs = sorted(path for path in (folder / "lib").glob("*.rego") if not path.name.endswith("_test.rego"))
    with ThreadPoolExecutor(4) as pool:
        rules = list(pool.map(lambda path: _read_rule(opa, folder, path, libs), rule_files))
    codes = [rule.code for rule in rules]
    twice = {code for code in codes if codes.count(code) > 1}
    if twice:
        msg = f"The code {min(twice)} is used by two rules."
        raise PolicyError(msg, "A code is never reused; give one of them the next free number.")
    return Catalogue(tuple(sorted(rules, key=lambda rule: rule.code)))


def _opa(opa: Path, *arguments: str) -> Any:
    done = subprocess.run([str(opa), *arguments], capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[:2000]
        msg = f"OPA can't read the policies: {said}"
        raise PolicyError(msg, "Correct the file it names, then run `covenant policy check`.")
    return json.loads(done.stdout)


def _read_rule(opa: Path, folder: Path, path: Path, libs: list[Path]) -> Rule:
    tree = _opa(opa, "parse", "-f", "json", str(path))
    package = ".".join(term["value"] for term in tree["package"]["path"])
    name = str(path.relative_to(folder))
    first = next((rule for rule in tree["rules"] if rule["head"]["name"] == "breach"), None)
    notes = [note["annotations"] for note in _opa(opa, "inspect", "-a", "-f", "json", str(path)).get("annotations", [])]
    own = next((note for note in notes if "settle" in note.get("custom", {})), None)
    if first is None or own is None:
        msg = f"{name} has no breach with METADATA."
        raise PolicyError(msg, "Begin the file as `covenant policy new` scaffolds it.")
    custom = own["custom"]
    page = path.with_suffix(".md")
    try:
        return Rule(
            code=custom["code"],
            title=own["title"],
            description=own.get("description", ""),
            clause=custom["clause"],
            severity=custom["severity"],
            respondent=custom["respondent"],
            discriminator=tuple(custom["discriminator"]),
            settle_us=duration_us(custom["settle"]),
            sentence=custom["sentence"],
            material=tuple(custom.get("material", ())),
            events=tuple(text for text in _strings(first["body"][0]) if text.startswith("compute.")),
            breach_needs=_deps(opa, [path, *libs], f"{package}.breach"),
            excuse_needs=_deps(opa, [path, *libs], f"{package}.excuse"),
            guards={n["custom"]["guard"]: n.get("title", "") for n in notes if "guard" in n.get("custom", {})},
            thresholds=custom.get("thresholds", {}),
            file=name,
            page=page.read_text() if page.exists() else "",
        )
    except KeyError as error:
        msg = f"{name}: its METADATA lacks {error}."
        raise PolicyError(msg, "Add it under custom, as in the other rules.") from error


def _deps(opa: Path, files: list[Path], query: str) -> tuple[str, ...]:
    found = _opa(opa, "deps", *[part for file in files for part in ("-d", str(file))], "-f", "json", query).get("base") or []
    paths = {".".join(str(term["value"]) for term in ref) for ref in found}
    return tuple(sorted(p.removeprefix("input.") for p in paths if p.startswith(("input.facts.", "input.event."))))


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("type") == "string":
            yield node["value"]
        for value in node.values():
            yield from _strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value)


def duration_us(text: str) -> int:
    """Read an ISO 8601 duration of days, hours and minutes as µs."""
    found = _DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        msg = f"{text!r} isn't a duration such as PT24H."
        raise PolicyError(msg, "Write settle as an ISO 8601 duration of days, hours and minutes.")
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return days * DAY_US + hours * HOUR_US + minutes * 60 * SECOND_US
