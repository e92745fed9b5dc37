"""Three-valued outcomes of the rules for one event. Pure.

A missing fact never accuses: a rule that needs it is indeterminate. What a rule needs comes from its own file
(`opa deps`). An unknown holder matters only where there is a breach to charge somebody with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from engine.domain.enablement import ENABLED, JURISDICTION, OFF, UNSURE, WHY_UNSURE
from engine.policy.catalogue import Rule
from engine.policy.evaluator import Answer


class Outcome(msgspec.Struct, frozen=True):
    """What one rule says of one event."""

    code: str
    outcome: str
    """pass | violation | excused | indeterminate | not-applicable | error."""
    severity: str = ""
    evidence: dict[str, Any] = {}
    guard: str = ""
    by: tuple[str, ...] = ()
    back_dated: bool = False
    """An approval that excuses was decided after the event."""
    missing: dict[str, str] = {}
    discriminator: tuple[str, ...] = ()
    respondent: str = ""
    """Whose breach a violation is: the rule's own respondent, unless the breach says that this one is the company's."""


def outcomes(rules: Sequence[Rule], document: Mapping[str, Any], answer: Answer) -> list[Outcome]:
    """Give an outcome for each rule that the event's type concerns."""
    if answer.error:
        off = document.get("off", {})
        return [
            Outcome(rule.code, "not-applicable")
            if off.get(rule.code) == OFF
            else Outcome(rule.code, "error", rule.severity, {"error": answer.error})
            for rule in rules
        ]
    return [_one(rule, document, answer) for rule in rules]


def _one(rule: Rule, document: Mapping[str, Any], answer: Answer) -> Outcome:
    enabled = document.get("off", {}).get(rule.code, ENABLED)
    if enabled == OFF or not rule.applies(document["event"]):
        return Outcome(rule.code, "not-applicable")
    if not rule.concerns(document["event"]):
        return Outcome(rule.code, "pass")
    if enabled == UNSURE:
        return Outcome(rule.code, "indeterminate", rule.severity, missing={JURISDICTION: WHY_UNSURE})
    unknown: Mapping[str, str] = document["unknown"]
    if missing := _missing(unknown, rule.breach_needs):
        return Outcome(rule.code, "indeterminate", rule.severity, missing=missing)
    breaches = sorted((b for b in answer.breach if b["code"] == rule.code), key=_canonical)
    if not breaches:
        return Outcome(rule.code, "pass")
    evidence, respondent = breaches[0]["evidence"], breaches[0].get("respondent", rule.respondent)
    excuses = sorted((x for x in answer.excuse if x["code"] == rule.code), key=_canonical)
    if excuses:
        by = tuple(sorted({one for x in excuses for one in x.get("by", ())}))
        guard = ", ".join(dict.fromkeys(x["guard"] for x in excuses))
        late = any(a["id"] in by and a["decided"] > document["event"]["at"] for a in document["facts"].get("approvals", ()))
        return Outcome(rule.code, "excused", rule.severity, evidence, guard, by, late)
    needs = (*rule.excuse_needs, "facts.holder") if respondent == "holder" else rule.excuse_needs
    if missing := _missing(unknown, needs):
        return Outcome(rule.code, "indeterminate", rule.severity, evidence, missing=missing)
    discriminator = _discriminator(rule, document)
    return Outcome(rule.code, "violation", rule.severity, evidence, discriminator=discriminator, respondent=respondent)


def _discriminator(rule: Rule, document: Mapping[str, Any]) -> tuple[str, ...]:
    values = []
    for path in rule.discriminator:
        value: Any = document
        for part in path.split("."):
            value = value[part]
        values.append(str(value))
    return tuple(values)


def _missing(unknown: Mapping[str, str], needs: Iterable[str]) -> dict[str, str]:
    if not unknown:
        return {}
    return {
        path: why
        for path, why in sorted(unknown.items())
        if any(path == need or path.startswith(need + ".") or need.startswith(path + ".") for need in needs)
    }


def _canonical(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")
