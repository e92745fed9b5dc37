"""Records of where rules may be used, through the body: late ones correct what was decided, and nothing passes in silence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.domain import verdicts
from engine.domain.events import Event
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, load_bundle
from engine.policy.evaluator import Answer
from engine.policy.opa_child import OpaChild
from engine.service.judging import inapplicable, judge
from engine.service.process import Body
from engine.store.memory_store import MemoryStore
from tests.domain.make import event

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.needs_opa
RIVAL = [
    event("person.hired", "2026-01-01", person="p-1", jurisdiction="DE"),
    event(
        "grant.issued", "2026-01-01", grant_id="G1", holder="p-1", quantity="1", vesting="immediate",
        agreement_version="grant-2026.1",
    ),
    event("person.membership_recorded", "2026-02-01", person="p-1", member_of="github.com/rival-labs", basis="declared"),
]  # fmt: skip


@pytest.fixture(scope="module")
def bundle(opa_binary: str) -> Bundle:
    """The shipped policies."""
    return load_bundle(ROOT / "policies", Path(opa_binary))


@pytest.fixture(scope="module")
def child(bundle: Bundle, opa_binary: str) -> Iterator[OpaChild]:
    """A child OPA with them."""
    child = OpaChild(bundle, Path(opa_binary))
    yield child
    child.close()


class World:
    """A body that is told things one after another."""

    def __init__(self, child: OpaChild, bundle: Bundle) -> None:
        """Begin with an empty store."""
        self.store = MemoryStore()
        self.body = Body(self.store, child, bundle)
        self.body.refer([Arrival(event("feed.completed_through", "2026-12-31", feed="people", through="2026-12-31"))], {}, 0)
        self.body.open(0)
        self.moment = 0

    def told(self, *events: Event) -> str:
        """Take events in; give how IP-010 stands now: its finding's status, what is missing, or how it was decided."""
        self.moment += 1
        if events[0].data.TOPIC == "reference":
            self.body.refer([Arrival(one) for one in events], {}, self.moment)
            self.body.redecide(0, self.moment)
        else:
            self.body.process(0, [Arrival(one) for one in events], {}, self.moment)
        aggregate = self.store.load(["acme/person/p-1"])["acme/person/p-1"]
        found = [row.status for row in aggregate.violations if row.rule == "IP-010" and row.status != "retracted"]
        found += [row.fact for row in aggregate.indeterminates if row.rule == "IP-010" and row.count]
        if found:
            return found[0]
        (decision,) = [row for row in aggregate.decisions if "membership" in row.type]
        written = verdicts.read(decision.outcomes)
        return "not-applicable" if "IP-010" in written.inapplicable else "pass"


def record(time: str, name: str = "LB-1", **more: Any) -> Event:
    """A record of IP-010 from the beginning of 2026 on."""
    data = {"record": name, "rules": ["IP-010"], "legal_basis": "contract", "effective_from": "2026-01-01"} | more
    return event("rule.enabled", time, **data)


def test_a_rule_off_by_default_waits_for_its_record(child: OpaChild, bundle: Bundle) -> None:
    """A late record opens what it enables, and one that takes it back retracts it."""
    world = World(child, bundle)
    assert world.told(*RIVAL) == "not-applicable"
    assert world.told(record("2026-03-01")) == "provisional"
    assert world.told(record("2026-03-02", until="2026-01-01")) == "not-applicable"


def test_a_record_of_one_place_leaves_the_question_open_where_the_place_is_unknown(child: OpaChild, bundle: Bundle) -> None:
    """Until somebody says where the person is employed: then the rule applies, or it doesn't."""
    world = World(child, bundle)
    world.told(*RIVAL[1:])
    assert world.told(record("2026-03-01", jurisdictions=["DE"])) == "facts.jurisdiction"
    assert world.told(RIVAL[0]) == "provisional"
    elsewhere = event("person.jurisdiction_changed", "2026-01-15", person="p-1", jurisdiction="FR")
    assert world.told(elsewhere) == "not-applicable"


def test_a_rule_that_is_off_is_neither_missing_facts_nor_in_error(bundle: Bundle) -> None:
    """Whatever comes of the input, and whether or not it has all that the rule would need."""
    rules = bundle.catalogue.for_type("compute.person.membership_recorded.v1")
    document: dict[str, Any] = {
        "event": {"type": "x"},
        "facts": {},
        "unknown": {"facts.grant_holder": "?"},
        "off": {"IP-010": "off"},
    }
    assert judge(rules, document, Answer("x", error="it ran for ever")) == {}
    assert judge(rules, document, Answer("x")) == {}
    assert inapplicable(rules, document) == ("IP-010",)
    on = {name: value for name, value in document.items() if name != "off"}
    assert judge(rules, on, Answer("x", error="it ran for ever"))["IP-010"]["outcome"] == "error"
    assert judge(rules, on, Answer("x"))["IP-010"]["missing"] == {"facts.grant_holder": "?"}
