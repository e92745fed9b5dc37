"""Whose breach it is, and whether a rule applies at all: what its source doesn't assert is held against nobody."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine.policy.catalogue import Rule
from engine.policy.evaluator import Answer
from engine.policy.outcomes import outcomes
from engine.service.judging import judge

RULE = Rule(
    code="FU-001", title="t", description="d", clause="G7", severity="high", respondent="holder", discriminator=("event.month",),
    settle_us=0, sentence="{holder} did it.", material=(), events=("x",), breach_needs=(), excuse_needs=(), guards={},
    thresholds={}, file="f",
)  # fmt: skip


def _document(unknown: dict[str, str]) -> dict[str, Any]:
    facts = {} if unknown else {"holder": "p-1"}
    return {"event": {"month": "2026-01", "at": 0}, "facts": facts, "unknown": unknown}


def _judged(breach: dict[str, Any], unknown: dict[str, str] | None = None) -> dict[str, Any]:
    answer = Answer("e", breach=[{"code": "FU-001", "evidence": {}, **breach}])
    return judge([RULE], _document(unknown or {}), answer)["FU-001"]


def test_a_holders_breach_charges_the_holder() -> None:
    """And says nothing more about it, since the rule does."""
    said = _judged({})
    assert (said["outcome"], said["holder"]) == ("violation", "p-1")
    assert "respondent" not in said


@pytest.mark.parametrize("respondent", ["company", "nobody"])
def test_a_case_that_is_not_the_holders_charges_nobody(respondent: str) -> None:
    """Though the rule is a holder's, this one isn't held against them."""
    said = _judged({"respondent": respondent})
    assert (said["outcome"], said["holder"], said["respondent"]) == ("violation", "", respondent)


def test_an_unknown_holder_matters_only_where_a_holder_is_charged() -> None:
    """The company's own breach stands without knowing whose grant it is about."""
    unknown = {"facts.holder": "the login is linked to nobody"}
    assert _judged({}, unknown)["outcome"] == "indeterminate"
    assert _judged({"respondent": "company"}, unknown)["outcome"] == "violation"


@pytest.mark.parametrize(("region", "outcome"), [("none", "not-applicable"), ("DE", "violation")])
def test_a_rule_does_not_apply_to_what_its_source_does_not_assert(region: str, outcome: str) -> None:
    """Neither a pass nor an open question, whatever is unknown; and nothing of it stands."""
    rule, document = replace(RULE, asserted=("event.region",)), _document({})
    document["event"]["region"] = region
    answer = Answer("e", breach=[{"code": "FU-001", "evidence": {}}])
    assert [one.outcome for one in outcomes([rule], document, answer)] == [outcome]
    assert ("FU-001" in judge([rule], document, answer)) == (outcome == "violation")
