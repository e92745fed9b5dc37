"""Records of where rules may be used: what they enable, where and when, and what isn't folded without them."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.aggregates import person
from engine.domain.effects import Question
from engine.domain.enablement import ENABLED, OFF, UNSURE, Enablement, folds
from engine.domain.errors import Refusal
from engine.domain.events import Event
from engine.domain.order import place
from engine.domain.reference import Reference
from engine.domain.values import instant
from tests.domain.make import event
from tests.domain.test_outside import push
from tests.domain.test_person import WINDOWS, grant, usage

MARCH, JUNE = instant("2026-03-01"), instant("2026-06-01")


def record(name: str = "LB-1", *rules: str, **more: Any) -> Event:
    """A record in force from March on, unless it says otherwise."""
    data = {"effective_from": "2026-03-01", "legal_basis": "contract"} | more
    time = data.pop("time", "2026-01-01")
    return event("rule.enabled", time, record=name, rules=rules or ("IP-007",), **data)


def state(records: list[Event], code: str, jurisdiction: str, at: int) -> str:
    """How a rule stands; enabled where nobody is held to records."""
    found = Enablement(records).permission("acme", jurisdiction, at)
    return ENABLED if found is None else found.state(code)


def test_nobody_is_held_to_records_before_the_first_of_them_has_effect() -> None:
    """Then to all of them, and other organisations not at all."""
    records = [record()]
    assert Enablement(records).permission("acme", "DE", MARCH - 1) is None
    assert state(records, "IP-007", "DE", MARCH) == ENABLED
    assert state(records, "FU-003", "DE", MARCH) == OFF
    assert Enablement(records).permission("other", "DE", MARCH) is None


def test_a_record_ends() -> None:
    """At its end, which isn't part of it; what was enabled isn't any more, for the organisation is held to records."""
    records = [record(until="2026-06-01")]
    assert [state(records, "IP-007", "DE", at) for at in (JUNE - 1, JUNE)] == [ENABLED, OFF]


@pytest.mark.parametrize(
    ("place_", "jurisdiction", "stands"),
    [("US", "US-CA", ENABLED), ("US-CA", "US-CA", ENABLED), ("US-CA", "US-WA", OFF), ("US-CA", "US", UNSURE), ("US", "", UNSURE),
     ("DE", "DEX", OFF), ("DE", "FR", OFF)],
)  # fmt: skip
def test_a_record_holds_in_its_places(place_: str, jurisdiction: str, stands: str) -> None:
    """A country's in its parts as well; where nobody said enough of where, that isn't known."""
    assert state([record(jurisdictions=[place_])], "IP-007", jurisdiction, MARCH) == stands
    everywhere = record("LB-2")
    assert state([record(jurisdictions=[place_]), everywhere], "IP-007", jurisdiction, MARCH) == ENABLED


def test_what_was_said_last_of_a_record_counts() -> None:
    """Whichever comes first; and what it changes begins where the one or the other did."""
    first, second = record(), record(time="2026-02-01", effective_from="2026-06-01")
    for records in ([first, second], [second, first]):
        assert Enablement(records).permission("acme", "DE", MARCH) is None
        assert state(records, "IP-007", "DE", JUNE) == ENABLED
    assert Reference([first]).affected_since(second) == MARCH
    assert Reference([]).affected_since(second) == JUNE


def test_a_record_that_says_nothing_is_refused() -> None:
    """One that ends as it begins takes itself back."""
    wrongs: tuple[dict[str, Any], ...] = ({"rules": []}, {"until": "2026-02-28"})
    for wrong in wrongs:
        with pytest.raises(Refusal):
            event(
                "rule.enabled",
                "2026-01-01",
                **{"record": "r", "rules": ["IP-007"], "legal_basis": "x", "effective_from": "2026-03-01"} | wrong,
            )
    assert state([record(until="2026-03-01")], "IP-007", "DE", MARCH) == OFF


def asked(events: list[Event], reference: Reference) -> list[Question]:
    """Fold a person's events in their order; give each question."""
    state_ = person.start("p-1", WINDOWS)
    effects = [person.fold(state_, one, place(one).time, reference) for one in sorted(events, key=place)]
    return [one.question for one in effects if one.question is not None]


def test_what_only_a_rule_needs_that_is_not_enabled_is_not_folded() -> None:
    """Pushes of that time aren't counted later either, when the rule is enabled; what others need is."""
    reference = Reference([record("LB-1", "FU-001", effective_from="2026-01-01"), record("LB-2", "IP-007")])
    pushes = [push(f"2026-02-{day}") for day in (25, 26, 27)] + [push("2026-03-02")]
    *before, after = asked([grant(), usage("2026-01-02"), *pushes], reference)
    assert before[0].facts["use"]["ccu_30d_u"] > 0
    assert {"facts.use.hours_28d", "facts.use.consumers_24h"} <= before[0].unknown.keys()
    assert all("outside" not in one.facts and "facts.outside" in one.unknown for one in before[1:])
    assert after.facts["outside"]["pushes_30d"] == 1
    assert [one.permission is not None and one.permission.state("IP-007") for one in (before[-1], after)] == [OFF, ENABLED]


def test_the_place_is_the_persons_at_that_moment() -> None:
    """Where they were hired, and where they went."""
    reference = Reference([record("LB-1", "IP-007", jurisdictions=["DE"])])
    hired = event("person.hired", "2026-01-01", person="p-1", jurisdiction="DE")
    moved = event("person.jurisdiction_changed", "2026-04-01", person="p-1", jurisdiction="FR")
    found = asked([hired, push("2026-03-02"), moved, push("2026-04-02")], reference)
    assert [one.permission is not None and one.permission.state("IP-007") for one in found] == [ENABLED, OFF]


def test_without_records_everything_is_folded() -> None:
    """As it always was."""
    assert folds(None, "IP-007")
    assert asked([push("2026-03-02")], Reference())[0].permission is None
