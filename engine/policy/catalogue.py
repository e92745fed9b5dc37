"""The catalogue of rules, read from the rules' own files by OPA: nothing about a rule is listed twice.

For each rule its METADATA, the event types its first condition names, and the facts its breach and excuse read
(`opa deps`). Reading costs a few OPA calls a rule, so a bundle carries its catalogue with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import msgspec

from engine.domain.errors import PolicyError
from engine.domain.values import DAY_US, HOUR_US, SECOND_US
from engine.policy.modules import Module, library_files, opa_about, parse, rule_files, selectors, strings

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
    selects: dict[str, tuple[Any, ...]] = {}
    """Field of the event → the only values of it that the rule speaks of, as every breach of it says in so many words."""

    asserted: tuple[str, ...] = ()
    """Paths of what the event's source must assert for the rule to apply: "none" there makes it not applicable."""

    record: bool = False
    """Whether it needs a record of its legal basis even where the organisation has published none."""

    def applies(self, event: Mapping[str, Any]) -> bool:
        """Whether the source of an event of its type asserts what the rule speaks of, such as a region."""
        return not self.asserted or "none" not in [event.get(path) for path in _fields(self.asserted)]

    def concerns(self, event: Mapping[str, Any]) -> bool:
        """Whether the rule speaks of an event of its type: not if what the event says of itself rules the rule out.

        So a deadline of another kind needs none of the rule's facts, and what isn't known of it isn't missed.
        """
        return all(event[name] in values for name, values in self.selects.items() if name in event)


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
    with ThreadPoolExecutor(4) as pool:
        rules = list(pool.map(lambda path: make_rule(opa, folder, parse(opa, folder, path)), rule_files(folder)))
    return Catalogue(tuple(sorted(rules, key=lambda rule: rule.code)))


def make_rule(opa: Path, folder: Path, module: Module) -> Rule:
    """Read a rule from its parsed file."""
    breach = next(iter(module.named("breach")), None)
    if breach is None or "settle" not in breach.custom:
        msg = f"{module.name} has no breach with METADATA."
        raise PolicyError(msg, "Write it as in the rules that ship.")
    custom, notes = breach.custom, breach.notes
    page = module.path.with_suffix(".md")
    sources = [module.path, *library_files(folder)]
    try:
        return Rule(
            code=custom["code"],
            title=notes["title"],
            description=notes.get("description", ""),
            clause=custom["clause"],
            severity=custom["severity"],
            respondent=custom["respondent"],
            discriminator=tuple(custom["discriminator"]),
            settle_us=duration_us(custom["settle"]),
            sentence=custom["sentence"],
            material=tuple(custom.get("material", ())),
            events=_events(module),
            breach_needs=_deps(opa, sources, f"{module.package}.breach"),
            excuse_needs=_deps(opa, sources, f"{module.package}.excuse"),
            guards={head.custom["guard"]: head.notes.get("title", "") for head in module.named("excuse")},
            thresholds=custom.get("thresholds", {}),
            file=module.name,
            page=page.read_text(encoding="utf-8") if page.exists() else "",
            selects=_selects(module),
            asserted=tuple(custom.get("asserted", ())),
            record=custom.get("record", False),
        )
    except KeyError as error:
        msg = f"{module.name}: its METADATA lacks {error}."
        raise PolicyError(msg, "Add it under custom, as in the other rules.") from error


@lru_cache
def _fields(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Give the fields of an event that paths such as event.region name."""
    return tuple(path.removeprefix("event.") for path in paths)


def _events(module: Module) -> tuple[str, ...]:
    said = {text for head in module.named("breach") for text in strings(head.body[0])}
    return tuple(sorted(text for text in said if text.startswith("compute.")))


def _selects(module: Module) -> dict[str, tuple[Any, ...]]:
    """Give what all breaches of a rule ask of the same fields of an event; where they differ, what any of them asks."""
    asked = [selectors(head.body[1:]) for head in module.named("breach")]
    common = set(asked[0]).intersection(*asked[1:])
    return {name: tuple(dict.fromkeys(value for one in asked for value in one[name])) for name in sorted(common)}


def _deps(opa: Path, files: list[Path], query: str) -> tuple[str, ...]:
    found = opa_about(opa, files, "deps", "-f", "json", query, before_each=("-d",)).get("base") or []
    paths = {".".join(str(term["value"]) for term in ref) for ref in found}
    return tuple(sorted(p.removeprefix("input.") for p in paths if p.startswith(("input.facts.", "input.event."))))


def duration_us(text: str) -> int:
    """Read an ISO 8601 duration of days, hours and minutes as µs."""
    found = _DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        msg = f"{text!r} isn't a duration such as PT24H."
        raise PolicyError(msg, "Write settle as an ISO 8601 duration of days, hours and minutes.")
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return days * DAY_US + hours * HOUR_US + minutes * 60 * SECOND_US
