"""What the rules are asked of one event, and from their answer to its outcomes: which says what, of whom, in which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.domain.effects import Question
from engine.domain.enablement import OFF, Permission
from engine.policy.catalogue import Rule
from engine.policy.evaluator import Answer
from engine.policy.outcomes import outcomes
from engine.policy.params import parameter_set
from engine.policy.sentences import render


def document_of(sets: Mapping[str, Any], organisation: str, question: Question, rules: Sequence[Rule] = ()) -> dict[str, Any]:
    """Make the input document of a question: what the rules see, under the parameter set that applies.

    Which of `rules` aren't enabled then and there stands in it as well, for a decision is made again from it alone.
    """
    permission = question.permission
    document = {
        "v": 1,
        "org": organisation,
        "ps": parameter_set(sets, organisation, question.agreement),
        "event": question.event,
        "facts": question.facts,
        "unknown": question.unknown,
    }
    if off := _off(rules, permission):
        document["off"] = off
    return document


def _off(rules: Sequence[Rule], permission: Permission | None) -> dict[str, str]:
    if permission is None:
        return {rule.code: OFF for rule in rules if rule.record}
    return {rule.code: permission.state(rule.code) for rule in rules if rule.code not in permission.on}


def inapplicable(rules: Sequence[Rule], document: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the codes of the rules that don't apply: none enables them, or the source asserts nothing of what they speak of."""
    off, event = document.get("off"), document["event"]
    if not off:  # nearly always: then only what asks for something the source asserts may not apply
        return tuple([rule.code for rule in rules if rule.asserted and not rule.applies(event)])
    return tuple([rule.code for rule in rules if off.get(rule.code) == OFF or (rule.asserted and not rule.applies(event))])


def judge(rules: Sequence[Rule], document: dict[str, Any], answer: Answer) -> dict[str, dict[str, Any]]:
    """Give rule code → outcome for all but a pass and what doesn't apply; a violation carries discriminator, holder, sentence."""
    found: dict[str, dict[str, Any]] = {}
    if not (answer.breach or answer.error or document["unknown"] or "off" in document):
        return found  # what most answers say: no rule found a breach, and none lacked a fact
    facts, event = document["facts"], document["event"]
    if not (answer.error or document["unknown"] or "off" in document):  # then the others pass, or don't apply
        breached = {breach["code"] for breach in answer.breach}
        rules = [rule for rule in rules if rule.code in breached]
    for outcome in outcomes(rules, document, answer):
        if outcome.outcome in ("pass", "not-applicable"):
            continue
        said: dict[str, Any] = {"outcome": outcome.outcome, "severity": outcome.severity, "evidence": outcome.evidence}
        if outcome.guard:
            said |= {"guard": outcome.guard, "by": list(outcome.by), "back_dated": outcome.back_dated}
        if outcome.missing:
            said["missing"] = dict(outcome.missing)
        if outcome.outcome == "violation":
            rule = next(rule for rule in rules if rule.code == outcome.code)
            said["discriminator"] = list(outcome.discriminator)
            said["holder"] = facts.get("holder", "") if outcome.respondent == "holder" else ""
            if outcome.respondent != rule.respondent:
                said["respondent"] = outcome.respondent
            said["repository"] = event.get("repo") or facts.get("repo", "")
            said["sentence"] = render(rule.sentence, outcome.evidence, event, facts)
        found[outcome.code] = said
    return found
