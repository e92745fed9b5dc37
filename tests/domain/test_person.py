"""The person aggregate: worked examples of burn-down, coverage and facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from engine.domain.aggregates import person
from engine.domain.effects import Effects
from engine.domain.events import Alias, Event
from engine.domain.order import place
from engine.domain.reference import Reference
from engine.domain.values import MICRO
from tests.domain.make import event

ROOT = Path(__file__).parents[2]
WINDOWS: dict[str, int] = msgspec.json.decode((ROOT / "policies" / "params.json").read_bytes())["facts"]


APPROVALS = Reference([event("feed.completed_through", "2026-12-31", feed="approvals", through="2026-12-31")])
"""The feed of approvals is complete: that there is none may be judged."""


def run(events: list[Event], reference: Reference | None = None) -> tuple[person.State, list[Effects]]:
    """Fold events in their order."""
    state = person.start("p-1", WINDOWS)
    ordered = sorted(events, key=place)
    return state, [person.fold(state, e, place(e).time, reference or Reference()) for e in ordered]


def grant(time: str = "2026-01-01", **more: Any) -> Event:
    """A grant of 100 CCU that vests at once."""
    data = {"grant_id": "G1", "holder": "p-1", "quantity": "100", "vesting": "immediate"} | more
    return event("grant.issued", time, **data)


def usage(time: str, amount: str = "10", **more: Any) -> Event:
    """Usage by credential c."""
    return event("usage.inference", time, person="p-1", credential="c", quantity=amount, **more)


def coverage(effects: Effects) -> str:
    """What the rules see."""
    assert effects.question is not None
    return str(effects.question.facts["coverage"])


def test_usage_is_drawn_on_the_grant_of_first_priority_then_first_expiry() -> None:
    """Priority ascending, expiry ascending with none last."""
    state, _ = run(
        [
            grant(grant_id="A"),
            grant(grant_id="B", expires_at="2026-06-01"),
            grant(grant_id="C", quantity="5", priority=1),
            usage("2026-02-01", "15"),
        ]
    )
    left = {name: g.outstanding // MICRO for name, g in state.grants.items()}
    assert left == {"A": 100, "B": 90, "C": 0}


def test_what_no_grant_covers_is_overage() -> None:
    """Only vested units can be consumed."""
    _, effects = run([grant(quantity="8"), usage("2026-02-01", "10")])
    kinds = {posting.kind: posting.amount // MICRO for posting in effects[-1].postings}
    assert kinds == {"consumed": 8, "outstanding": -8, "overage": 2}


def test_each_way_of_standing_uncovered_has_its_own_word() -> None:
    """First match: access ended, dead grant, filtered, uncovered, covered."""
    filters = {"models": ["m1"], "providers": []}
    cases = {
        "covered": [grant()],
        "filtered": [grant(filters=filters)],
        "expired": [grant(expires_at="2026-01-15")],
        "suspended": [grant(), event("grant.suspended", "2026-01-10", grant_id="G1", holder="p-1")],
        "voided": [grant(), event("grant.voided", "2026-01-10", grant_id="G1", holder="p-1")],
        "uncovered": [],
        "access_ended": [grant(), event("person.terminated", "2026-01-20", person="p-1")],
    }
    for expected, before in cases.items():
        _, effects = run([*before, usage("2026-02-01", "10", model="m2")])
        assert coverage(effects[-1]) == expected


def test_who_merely_ran_out_of_units_is_covered_by_the_grant_in_force() -> None:
    """What is spent, or hasn't vested, is overage; a grant not begun, of another unit or past its window covers nothing."""
    left = event("person.terminated", "2026-01-20", person="p-1")
    cases = {
        "spent": ([grant(quantity="10"), usage("2026-01-15", "10")], "covered"),
        "unvested": ([grant(vesting="by_event")], "covered"),
        "not begun": ([grant("2026-02-01", effective_at="2026-02-02")], "uncovered"),
        "of another unit": ([grant(unit="GPU-h")], "uncovered"),
        "past its own window": ([grant(), grant(grant_id="G2", unit="GPU-h", termination_window_days=30), left], "uncovered"),
    }
    found = {name: coverage(run([*before, usage("2026-02-01", "1")])[1][-1]) for name, (before, _) in cases.items()}
    assert found == {name: expected for name, (_, expected) in cases.items()}


def test_the_termination_window_keeps_access_open() -> None:
    """Access ends at termination plus the longest window, at that instant."""
    base = [grant(termination_window_days=30), event("person.terminated", "2026-01-20", person="p-1")]
    _, effects = run([*base, usage("2026-02-18T23:59:59Z"), usage("2026-02-19")])
    assert [coverage(e) for e in effects[-2:]] == ["covered", "access_ended"]


def test_failed_usage_is_neither_consumption_nor_judged() -> None:
    """Nothing was used."""
    state, effects = run([grant(), usage("2026-02-01", state="failed")])
    assert effects[-1].question is None
    assert state.grants["G1"].outstanding == 100 * MICRO


def test_provisional_usage_counts_towards_the_cap_but_is_not_consumed() -> None:
    """Unsettled requests aren't consumption."""
    state, effects = run([grant(), usage("2026-02-01", state="provisional")])
    question = effects[-1].question
    assert question is not None
    assert question.facts["use"]["ccu_30d_u"] == 10 * MICRO
    assert state.grants["G1"].outstanding == 100 * MICRO


def test_the_cap_window_is_open_at_its_start() -> None:
    """(t − 30 d, t]: usage exactly 30 days before is out."""
    _, effects = run([usage("2026-01-01"), usage("2026-01-31"), usage("2026-02-01")])
    sums = [e.question.facts["use"]["ccu_30d_u"] // MICRO for e in effects if e.question]
    assert sums == [10, 10, 20]


def test_a_missing_rate_makes_the_sum_unknown_and_says_why() -> None:
    """Nobody is judged by units that nobody knows."""
    _, effects = run([event("usage.inference", "2026-02-01", person="p-1", input_tokens=1000, model="m")])
    question = effects[-1].question
    assert question is not None
    assert "ccu_30d_u" not in question.facts["use"]
    assert "no rate for input_tokens" in question.unknown["facts.use.ccu_30d_u"]


def test_rates_turn_tokens_into_units() -> None:
    """12 million input tokens at 2.5 CCU a million are 30 CCU."""
    rate = event("rate.published", "2026-01-01", meter="input_tokens", units="2.5")
    reference = Reference([rate])
    _, effects = run([event("usage.inference", "2026-02-01", person="p-1", input_tokens=12_000_000)], reference)
    assert effects[-1].question is not None
    assert effects[-1].question.facts["use"]["ccu_30d_u"] == 30 * MICRO


def test_a_transfer_takes_what_is_left_to_the_other_person() -> None:
    """The giver's balance goes out, the receiver's derived event carries it."""
    _, effects = run(
        [grant(), usage("2026-02-01", "30"), event("grant.transferred", "2026-03-01", grant_id="G1", holder="p-1", to="p-2")]
    )
    out = {posting.kind: posting.amount // MICRO for posting in effects[-1].postings}
    assert out == {"transferred_out": 70, "outstanding": -70}
    received = [d.event.data for d in effects[-1].derived if d.target == "acme/person/p-2"]
    assert [r.vested // MICRO for r in received] == [70]


def test_a_transfer_knows_whether_its_approval_was_decided_before() -> None:
    """Before, late (back-dated) or none."""
    move = event("grant.transferred", "2026-03-05", grant_id="G1", holder="p-1", to="p-2")
    about = {"kind": "person", "id": "p-1"}
    before = event("approval.granted", "2026-03-01", approval_id="a", kind="transfer", approver="x", about=about)
    late = event(
        "approval.granted", "2026-03-09", approval_id="b", kind="transfer", approver="x", about=about, **{"from": "2026-03-01"}
    )
    for approvals, expected in (([before], "before"), ([late], "late"), ([], "none")):
        _, effects = run([grant(), *approvals, move], APPROVALS)
        assert effects[-1].question is not None
        assert effects[-1].question.facts["transfer"] == {"approval": expected}


def test_a_push_is_tied_to_usage_by_what_they_share() -> None:
    """Session and branch are two links; the window reaches 72 hours back."""
    used = usage("2026-02-01", session="s1", branch="main")
    actor = {"kind": "login", "value": "github.com/x"}
    push: dict[str, Any] = {
        "actor": actor,
        "action": "pushed",
        "repository": "r",
        "name": "n",
        "in_org": False,
        "session": "s1",
        "branch": "main",
    }
    soon = event("contribution.attributed", "2026-02-04", **push)
    too_late = event("contribution.attributed", "2026-02-04T00:00:01Z", **push)
    _, effects = run([grant(), used, soon, too_late])
    links = [e.question.facts["links"] for e in effects[-2:] if e.question]
    assert [sorted(link["by"]) for link in links[0]] == [["branch", "session"]]
    assert links[1] == []


def test_a_push_to_a_repository_of_unknown_ownership_accuses_nobody() -> None:
    """Until the organisation has said which owners are its own, whether a push went outside is unknown."""
    actor = {"kind": "login", "value": "github.com/x"}
    push: dict[str, Any] = {"actor": actor, "action": "pushed", "repository": "r", "name": "n"}
    _, effects = run([event("contribution.attributed", "2026-02-04", **push)])
    question = effects[-1].question
    assert question is not None
    assert "in_org" not in question.event
    assert "which owners" in question.unknown["event.in_org"]


def test_what_is_metered_in_another_unit_is_no_part_of_the_cap() -> None:
    """The cap is in CCU; 500 seconds are not 500 CCU."""
    _, effects = run([usage("2026-02-01"), usage("2026-02-02", "500", unit="second"), usage("2026-02-03")])
    sums = [e.question.facts["use"]["ccu_30d_u"] // MICRO for e in effects if e.question]
    assert sums == [10, 10, 20]


def test_a_correction_states_what_a_usage_really_was_whenever_it_was_learnt() -> None:
    """It stands before the usage it corrects; the one said last counts."""
    used = usage("2026-02-01", "30", ident="u-1")
    about: dict[str, Any] = {"usage": {"source": "test", "id": "u-1"}, "occurred_at": "2026-02-01", "person": "p-1"}
    second = event("usage.corrected", "2026-02-09", quantity="8", **about)
    first = event("usage.corrected", "2026-02-05", quantity="20", **about)
    state, effects = run([grant(), used, second, first])
    assert state.grants["G1"].outstanding == 92 * MICRO
    assert effects[-1].question is not None
    assert effects[-1].question.facts["use"]["ccu_30d_u"] == 8 * MICRO
    failed = event("usage.corrected", "2026-02-10", state="failed", **about)
    state, _ = run([grant(), used, second, failed])
    assert state.grants["G1"].outstanding == 100 * MICRO


def test_a_login_is_the_same_in_any_case_of_letters() -> None:
    """As its host takes it; a credential's hash is not."""
    assert Alias("login", "github.com/Octo").id == Alias("login", "github.com/octo").id
    assert Alias("credential", "A").id != Alias("credential", "a").id


def test_each_grant_goes_on_for_its_own_window_after_employment() -> None:
    """A grant without a window isn't drawn on through the window of another, which expires later."""
    short = grant(grant_id="A", priority=1)
    long = grant(grant_id="B", termination_window_days=30)
    state, _ = run([short, long, event("person.terminated", "2026-01-20", person="p-1"), usage("2026-02-01", "10")])
    assert {name: g.outstanding // MICRO for name, g in state.grants.items()} == {"A": 100, "B": 90}


def test_nothing_vests_of_a_grant_that_expired_by_its_date() -> None:
    """Neither by word nor by acceleration; an amendment that revives it lets units vest again."""
    late = event("grant.vested", "2026-02-10", grant_id="G1", holder="p-1", quantity="30")
    faster = event("grant.accelerated", "2026-02-11", grant_id="G1", holder="p-1")
    again = event("grant.amended", "2026-02-12", grant_id="G1", holder="p-1", expires_at="2026-06-01")
    after = event("grant.vested", "2026-02-13", grant_id="G1", holder="p-1", quantity="40")
    state, _ = run([grant(vesting="by_event", expires_at="2026-02-01"), late, faster, again, after])
    assert (state.grants["G1"].outstanding // MICRO, state.grants["G1"].unvested // MICRO) == (40, 60)


def test_a_tranche_of_the_instant_of_the_issue_vests_whichever_id_comes_first() -> None:
    """Events of one instant stand in order of their ids; a first tranche on the day of the grant is usual."""
    terms = {"grant_id": "G1", "holder": "p-1", "quantity": "100"}
    for first, second in (("a", "b"), ("b", "a")):
        issued = event("grant.issued", "2026-01-01", ident=first, **terms)
        vested = event("grant.vested", "2026-01-01", ident=second, grant_id="G1", holder="p-1", quantity="25")
        state, _ = run([issued, vested])
        assert state.grants["G1"].outstanding == 25 * MICRO


def test_a_tranche_from_before_the_grant_vests_nothing() -> None:
    """It is another instant's: the grant wasn't there."""
    vested = event("grant.vested", "2025-12-31", grant_id="G1", holder="p-1", quantity="25")
    state, _ = run([vested, event("grant.issued", "2026-01-01", grant_id="G1", holder="p-1", quantity="100")])
    assert state.grants["G1"].outstanding == 0
