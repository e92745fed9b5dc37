"""What changed between two revisions of the policies, for a person: rules, what METADATA says, texts, thresholds, windows, words.

Owns comparing; says nothing of what the change would find (that is a backtest's to say).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from engine.policy.bundle import Bundle
from engine.policy.catalogue import Rule

SAID: Final = ("title", "description", "clause", "severity", "respondent", "discriminator", "settle_us", "sentence", "material",
               "events", "guards", "thresholds", "asserted")  # fmt: skip
"""What METADATA and conditions say of a rule, by the names of `Rule`."""


class Change(msgspec.Struct, frozen=True):
    """One value that differs; None where there is none."""

    what: str
    before: Any
    after: Any


class RuleChange(msgspec.Struct, frozen=True):
    """One rule that differs: what is said of it, and the lines of its text that went (-) and came (+)."""

    code: str
    title: str
    change: str
    """added | removed | changed."""
    said: tuple[Change, ...] = ()
    lines: tuple[str, ...] = ()


class PolicyDiff(msgspec.Struct, frozen=True):
    """All that differs between two bundles."""

    before: str
    after: str
    rules: tuple[RuleChange, ...]
    data: tuple[Change, ...]
    """Thresholds (`set: CODE.name`), windows and clauses."""
    libraries: tuple[RuleChange, ...]

    @property
    def same(self) -> bool:
        """Whether they are one revision."""
        return self.before == self.after


def compare(before: Bundle, after: Bundle) -> PolicyDiff:
    """Compare two bundles."""
    files = {rule.file for bundle in (before, after) for rule in bundle.catalogue.rules}
    others = sorted(n for n in before.files.keys() | after.files.keys() if n.endswith(".rego") and n not in files)
    libraries = (_texts(name, "", before.files.get(name, ""), after.files.get(name, "")) for name in others)
    return PolicyDiff(
        before.digest,
        after.digest,
        tuple(_rules(before, after)),
        tuple(_data(before, after)),
        tuple(change for change in libraries if change),
    )


def _rules(before: Bundle, after: Bundle) -> Iterator[RuleChange]:
    for code in sorted({rule.code for bundle in (before, after) for rule in bundle.catalogue.rules}):
        old, new = before.catalogue.rule(code), after.catalogue.rule(code)
        rule = new or old
        assert rule is not None  # noqa: S101 - the code is one of theirs
        texts = _texts(code, rule.title, (old and before.files[old.file]) or "", (new and after.files[new.file]) or "")
        said = tuple(_said(old, new)) if old and new else ()
        if texts and old and new:
            yield msgspec.structs.replace(texts, said=said)
        elif texts:
            yield msgspec.structs.replace(texts, lines=())


def _said(old: Rule, new: Rule) -> Iterator[Change]:
    for name in SAID:
        if getattr(old, name) != getattr(new, name):
            yield Change(name, getattr(old, name), getattr(new, name))


def _texts(name: str, title: str, old: str, new: str) -> RuleChange | None:
    if old == new:
        return None
    change = "changed" if old and new else "added" if new else "removed"
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
    kept = [line for line in lines if line[:3] not in ("---", "+++") and not line.startswith("@@")]
    return RuleChange(name, title, change, lines=tuple(line for line in kept if line[1:].strip()))


def _data(before: Bundle, after: Bundle) -> Iterator[Change]:
    old, new = before.data, after.data
    yield from _values("", _flat(old["params"]), _flat(new["params"]))
    yield from _values("windows: ", old["facts"], new["facts"])
    yield from _values("clause ", before.clauses, after.clauses)


def _flat(sets: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{name}: {code}.{threshold}": value
        for name, rules in sets.items()
        for code, thresholds in rules.items()
        for threshold, value in thresholds.items()
    }


def _values(prefix: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield Change(prefix + name, old.get(name), new.get(name))
