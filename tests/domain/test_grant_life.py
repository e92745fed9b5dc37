"""A grant's life by example: each kind of change, with the balances it leaves, and the ends that must not loop."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.aggregates import holdings
from engine.domain.effects import Effects
from engine.domain.events import Event
from engine.domain.events.derived import DeadlineReached, GrantReceived
from engine.domain.order import place
from engine.domain.values import DAY_US, MICRO, instant
from tests.domain.make import event
from tests.domain.test_person import APPROVALS, grant, run, usage

QUARTERS: dict[str, Any] = {"segments": [{"occurrences": 4, "every": 10, "unit": "days", "denominator": 4}]}


def about(verb: str, time: str, **data: Any) -> Event:
    """An event of the grant G1 of p-1."""
    return event(f"grant.{verb}", time, **{"grant_id": "G1", "holder": "p-1"} | data)


def lived(*events: Event) -> tuple[Any, list[Effects]]:
    """Fold events with the installments that fall due among them; gives the state and each event's effects in order."""
    events_by_place = list(events)
    _, effects = run(events_by_place)
    due = [fact.event for one in effects for fact in one.derived if isinstance(fact.event.data, DeadlineReached)]
    tranches = [one for one in due if one.data.kind == holdings.TRANCHE and one.time < max(place(e).time for e in events)]
    return run([*events_by_place, *tranches])


def left(state: Any, ident: str = "G1") -> tuple[int, int]:
    """Vested and unvested units of a grant."""
    return state.grants[ident].outstanding // MICRO, state.grants[ident].unvested // MICRO


def scheduled(**more: Any) -> Event:
    """A hundred units over four times ten days."""
    return grant(vesting="scheduled", schedule=QUARTERS | more)


def test_event_based_vesting_waits_for_its_event_and_runs_from_there() -> None:
    """Nothing vests or is due before; then a quarter every ten days."""
    state, effects = lived(scheduled(on_event=True), about("amended", "2026-03-01", priority=1))
    assert left(state) == (0, 100)
    assert state.grants["G1"].vesting_since == -1
    state, effects = lived(
        scheduled(on_event=True), about("vesting_started", "2026-02-01"), about("amended", "2026-02-21T01:00:00Z")
    )
    assert left(state) == (50, 50)
    due = sorted(fact.event.time for one in effects for fact in one.derived if isinstance(fact.event.data, DeadlineReached))
    assert due == [int(instant("2026-02-01")) + number * 10 * DAY_US for number in (1, 2, 3, 4)]


def test_an_acceleration_vests_the_last_installments_first() -> None:
    """Of four, two come early: the first two keep their days, and the last two have nothing left to give."""
    state, _ = lived(scheduled(), about("accelerated", "2026-01-05", quantity="50"), about("amended", "2026-01-12"))
    assert left(state) == (75, 25)
    state, _ = lived(scheduled(), about("accelerated", "2026-01-05", quantity="50"), about("amended", "2026-03-12"))
    assert left(state) == (100, 0)


def test_a_suspended_grant_covers_nothing_and_goes_on_vesting() -> None:
    """Usage meanwhile is overage; resumed, it covers again."""
    events = [
        scheduled(),
        about("suspended", "2026-01-11T12:00:00Z"),
        usage("2026-01-12"),
        about("resumed", "2026-01-22"),
        usage("2026-01-23"),
    ]
    state, effects = lived(*events)
    kinds = [[posting.kind for posting in one.postings] for one in effects if one.question and "ccu_u" in one.question.event]
    assert kinds == [["overage"], ["consumed", "outstanding"]]
    assert left(state) == (40, 50)


def test_an_amendment_changes_what_it_names_and_nothing_else() -> None:
    """From its time on."""
    state, _ = lived(
        grant(expires_at="2026-06-01"), about("amended", "2026-02-01", expires_at="2026-03-01", priority=3, ip_terms="holder")
    )
    one = state.grants["G1"]
    assert (one.until, one.priority, one.ip_terms) == (int(instant("2026-03-01")), 3, "holder")
    assert left(state) == (100, 0)


@pytest.mark.parametrize(("decided", "said"), [("2026-01-31", "before"), ("2026-02-02", "late"), (None, "none")])
def test_a_transfer_moves_vested_and_unvested_units_whether_or_not_it_was_approved(decided: str | None, said: str) -> None:
    """It is a fact; the rule is told how it was approved, and what hasn't vested goes on vesting with the receiver."""
    approval: dict[str, Any] = {
        "approval_id": "a",
        "about": {"kind": "person", "id": "p-1"},
        "approver": "p-9",
        "kind": "transfer",
        "from": "2026-01-01",
    }
    approvals = [] if decided is None else [event("approval.granted", decided, **approval)]
    moved = about("transferred", "2026-02-01", to="p-2")
    vested = about("vested", "2026-01-15", quantity="30")
    state, effects = run([grant(vesting="by_event"), vested, moved, *approvals], APPROVALS)
    assert left(state) == (0, 0)
    (received,) = [fact for one in effects for fact in one.derived if isinstance(fact.event.data, GrantReceived)]
    assert (received.event.data.vested, received.event.data.unvested) == (30 * MICRO, 70 * MICRO)
    (question,) = [one.question for one in effects if one.question is not None and one.question.event.get("to") == "p-2"]
    assert question.facts["transfer"]["approval"] == said


@pytest.mark.parametrize(("balance", "carried", "lost"), [("90", 40, 50), ("30", 30, 0), ("5", 20, 0)])
def test_a_recurring_grant_carries_between_its_least_and_its_most(balance: str, carried: int, lost: int) -> None:
    """Min(max, max(balance, min)) goes on; the rest expires."""
    used = str(100 - int(balance))
    terms = {"recurrence": "monthly", "rollover_min": "20", "rollover_max": "40"}
    over = about("rolled_over", "2026-02-01", to_grant="G2", expires_at="2026-03-01")
    state, effects = run([grant(**terms), usage("2026-01-05", used), over])
    assert left(state) == (0, 0)
    assert left(state, "G2") == (carried, 0)
    assert sum(p.amount for one in effects for p in one.postings if p.kind == "expired") == lost * MICRO


def test_a_rollover_into_a_grant_that_was_issued_before_adds_to_it() -> None:
    """The next period's grant is often there already."""
    following = event("grant.issued", "2026-01-20", grant_id="G2", holder="p-1", quantity="7", vesting="immediate")
    state, effects = run([grant(rollover_max="40"), following, about("rolled_over", "2026-02-01", to_grant="G2")])
    assert left(state, "G2") == (47, 0)
    assert sum(p.amount for one in effects for p in one.postings if p.kind == "rolled_in") == 40 * MICRO


def test_two_grants_that_roll_into_each_other_at_one_instant_roll_once() -> None:
    """The way back finds a grant that is over, and is refused; nothing is lost and nothing made."""
    other = event(
        "grant.issued", "2026-01-02", grant_id="G2", holder="p-1", quantity="100", vesting="immediate", rollover_max="100"
    )
    there = about("rolled_over", "2026-02-01", to_grant="G2", ident="a")
    back = event("grant.rolled_over", "2026-02-01", ident="b", grant_id="G2", holder="p-1", to_grant="G1")
    state, effects = run([grant(rollover_max="100"), other, there, back])
    assert [one.refused.code for one in effects if one.refused is not None] == ["rollover-to-ended"]
    assert (left(state), left(state, "G2")) == ((0, 0), (200, 0))


@pytest.mark.parametrize(("reason", "covered"), [("voluntary", False), ("retirement", True)])
def test_the_window_after_employment_is_its_reasons(reason: str, *, covered: bool) -> None:
    """Thirty days for those who retire, none for those who leave."""
    given = grant(termination_windows={"retirement": 30})
    gone = event("person.terminated", "2026-02-01", person="p-1", reason=reason)
    _, effects = run([given, gone, usage("2026-02-20")])
    assert any(posting.kind == "consumed" for posting in effects[-1].postings) == covered


def test_a_clawback_leaves_the_balances_alone() -> None:
    """It is a receivable in money, never negative consumption."""
    state, effects = run([grant(), usage("2026-01-05"), about("clawed_back", "2026-02-01", amount="10")])
    assert effects[-1].postings == []
    assert left(state) == (90, 0)
