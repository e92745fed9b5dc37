"""Every fact of every rule, known, known to be absent and unknown: nobody is accused by what is missing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.policy.bundle import Bundle, load_bundle
from engine.policy.evaluator import Evaluator
from engine.policy.opa_child import OpaChild
from engine.policy.states import states, wrong
from tests.policy.servers import POLICIES

pytestmark = pytest.mark.needs_opa
FIXTURES = json.loads((POLICIES / "fixtures.json").read_text())["fixtures"]


@pytest.fixture(scope="module")
def bundle(opa_binary: str) -> Bundle:
    """The shipped policies."""
    return load_bundle(POLICIES, Path(opa_binary))


@pytest.fixture(scope="module")
def evaluator(bundle: Bundle, opa_binary: str) -> Iterator[Evaluator]:
    """A child OPA with them."""
    child = OpaChild(bundle, Path(opa_binary))
    yield child
    child.close()


def test_no_rule_accuses_or_passes_by_what_is_missing(bundle: Bundle, evaluator: Evaluator) -> None:
    """An unknown fact of a breach is indeterminate, one of an excuse accuses nobody, an absent one is decided."""
    assert [str(problem) for problem in wrong(bundle.catalogue.rules, FIXTURES, evaluator)] == []


def test_every_fact_of_every_rule_has_all_its_states(bundle: Bundle) -> None:
    """For each type of event that the rule judges."""
    made = Counter((one.rule.code, one.fact, one.state) for one in states(bundle.catalogue.rules, FIXTURES))
    for rule in bundle.catalogue.rules:
        facts = {path for path in (*rule.breach_needs, *rule.excuse_needs) if path.startswith("facts.")}
        wanted = {("", "known"), *((path, state) for path in facts for state in ("absent", "unknown"))}
        assert {(fact, state) for code, fact, state in made if code == rule.code} == wanted
        assert {made[rule.code, fact, state] for fact, state in wanted} == {len(rule.events)}


def test_a_fact_that_is_passed_over_is_noticed(bundle: Bundle, evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    """If outcomes took no account of what is unknown, each rule that needs it would be named with its fact."""
    monkeypatch.setattr("engine.policy.outcomes._missing", lambda *_: {})
    rule = bundle.catalogue.rule("FU-001")
    assert rule is not None
    found = wrong([rule], FIXTURES, evaluator)
    assert {problem.what for problem in found} >= {"with facts.use.ccu_30d_u unknown it says pass."}
    assert "accuses nobody" in found[0].do
