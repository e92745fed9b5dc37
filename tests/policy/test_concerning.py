"""A rule isn't asked about events that by their own words are none of its business."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.policy.bundle import Bundle, load_bundle
from engine.policy.catalogue import Rule
from engine.policy.evaluator import Answer
from engine.policy.modules import parse, selectors
from engine.policy.outcomes import outcomes
from tests.policy.servers import POLICIES

pytestmark = pytest.mark.needs_opa
CONDITIONS = """package covenant.fair_use

breach contains {} if {
	input.event.type in {"compute.usage.gpu.v1"}
	input.event.state == "settled"
	input.event.action in {"pushed", "forked"}
	input.event.in_org == false
	input.event.private
	input.event.commits >= 3
	input.event.model in data.params[input.ps]["FU-099"].models
	input.facts.consuming
	not input.event.to_in_org
}
"""


@pytest.fixture(scope="module")
def bundle(opa_binary: str) -> Bundle:
    """The shipped policies."""
    return load_bundle(POLICIES, Path(opa_binary))


def rule(bundle: Bundle, code: str) -> Rule:
    """A shipped rule."""
    found = bundle.catalogue.rule(code)
    assert found is not None
    return found


def test_conditions_on_the_event_itself_are_read_from_the_rule(opa_binary: str, tmp_path: Path) -> None:
    """Comparisons with constants count; thresholds, facts, other comparisons and negations don't."""
    (tmp_path / "fu_099.rego").write_text(CONDITIONS)
    (head,) = parse(Path(opa_binary), tmp_path, tmp_path / "fu_099.rego").named("breach")
    found = selectors(head.body[1:])
    assert {name: set(values) for name, values in found.items()} == {
        "state": {"settled"}, "action": {"pushed", "forked"}, "in_org": {False}, "private": {True},
    }  # fmt: skip


def test_what_the_event_says_rules_a_rule_out_and_what_it_does_not_say_does_not(bundle: Bundle) -> None:
    """A push outside concerns IP-001, a download or a push inside doesn't; one whose owner nobody knows does."""
    linked = rule(bundle, "IP-001")
    assert linked.selects == {"action": ("pushed",), "in_org": (False,)}
    assert linked.concerns({"action": "pushed", "in_org": False})
    assert linked.concerns({"action": "pushed"})
    assert not linked.concerns({"action": "downloaded"})
    assert not linked.concerns({"action": "pushed", "in_org": True})


def test_a_missing_fact_leaves_nothing_open_where_the_rule_has_nothing_to_say(bundle: Bundle) -> None:
    """The same missing fact of a push and of a download: open for the first alone."""
    linked = rule(bundle, "IP-001")
    for action, outcome in (("pushed", "indeterminate"), ("downloaded", "pass")):
        event = {"type": "compute.contribution.attributed.v1", "action": action, "at": 1}
        document = {"event": event, "facts": {}, "unknown": {"event.in_org": "nobody said"}}
        assert [one.outcome for one in outcomes([linked], document, Answer("x"))] == [outcome]
