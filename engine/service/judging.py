"""From one answer of the policy engine to the outcomes of one event: which rule says what, of whom, in which words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.policy.catalogue import Rule
from engine.policy.evaluator import Answer
from engine.policy.outcomes import outcomes
from engine.policy.sentences import render


def judge(rules: Sequence[Rule], document: dict[str, Any], answer: Answer) -> dict[str, dict[str, Any]]:
    """Give rule code → outcome for all that isn't a pass; a violation carries its discriminator, holder and sentence."""
    found: dict[str, dict[str, Any]] = {}
    facts, event = document["facts"], document["event"]
    for outcome in outcomes(rules, document, answer):
        if outcome.outcome == "pass":
            continue
        said: dict[str, Any] = {"outcome": outcome.outcome, "severity": outcome.severity, "evidence": outcome.evidence}
        if outcome.guard:
            said |= {"guard": outcome.guard, "by": list(outcome.by), "back_dated": outcome.back_dated}
        if outcome.missing:
            said["missing"] = dict(outcome.missing)
        if outcome.outcome == "violation":
            rule = next(rule for rule in rules if rule.code == outcome.code)
            said["discriminator"] = list(outcome.discriminator)
            said["holder"] = facts.get("holder", "") if rule.respondent == "holder" else ""
            said["repository"] = event.get("repo") or facts.get("repo", "")
            said["sentence"] = render(rule.sentence, outcome.evidence, event, facts)
        found[outcome.code] = said
    return found
