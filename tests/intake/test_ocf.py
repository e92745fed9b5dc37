"""The source `ocf`, by worked examples: schedules from terms and dates, the life of a grant, transfers, exits."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.events import Event
from engine.domain.values import MICRO, instant
from engine.domain.vesting import add_months, tranches
from tests.intake.samples import arrivals, encoded, events, refusal
from tests.intake.usage_samples import condition, four_years, issued, months, ocf

START = int(instant("2026-01-15"))
RELATIVE, EVENT, BEGIN = "VESTING_SCHEDULE_RELATIVE", "VESTING_EVENT", "VESTING_START_DATE"


def read(*items: dict[str, Any]) -> list[Event]:
    """Read a document of these items; nothing may be refused."""
    return events(arrivals("ocf", encoded({"file_type": "OCF_TRANSACTIONS_FILE", "items": list(items)})))


def wrong(*items: dict[str, Any]) -> tuple[str, str]:
    """Give code and sentence of the one refusal."""
    found = refusal(arrivals("ocf", encoded({"items": list(items)})))
    return found.code, str(found)


def terms(*conditions: dict[str, Any], allocation: str = "CUMULATIVE_ROUNDING") -> dict[str, Any]:
    """Make vesting terms called t."""
    return {"object_type": "VESTING_TERMS", "id": "t", "allocation_type": allocation, "vesting_conditions": list(conditions)}


def quarters(allocation: str) -> dict[str, Any]:
    """Make terms of four quarters of a year."""
    period = months(3, 4)
    return terms(
        condition("start", BEGIN, None, "each"),
        condition("each", RELATIVE, (1, 4), relative_to_condition_id="start", period=period),
        allocation=allocation,
    )


def test_a_chain_of_conditions_becomes_a_schedule() -> None:
    """A quarter of 4,800 after a year, then 100 a month for three; it begins with the vesting start."""
    (grant, begun) = read(four_years(), issued(vesting_terms_id="4y"), ocf("TX_VESTING_START", id="v-1", date="2026-02-01"))
    vested = tranches(grant.data.quantity, grant.data.schedule, START)
    assert grant.data.schedule.on_event
    assert [one.quantity for one in vested] == [1200 * MICRO] + [100 * MICRO] * 36
    assert [one.due for one in vested] == [add_months(START, month) for month in range(12, 49)]
    assert (begun.type, begun.data.holder, begun.data.grant_id) == ("compute.grant.vesting_started.v1", "p-1", "s-1")
    assert begun.time == instant("2026-02-01")


@pytest.mark.parametrize(
    ("allocation", "units"),
    [
        ("CUMULATIVE_ROUNDING", [5, 4, 5, 4]),
        ("CUMULATIVE_ROUND_DOWN", [4, 5, 4, 5]),
        ("FRONT_LOADED", [5, 5, 4, 4]),
        ("BACK_LOADED", [4, 4, 5, 5]),
    ],
)
def test_units_are_shared_out_as_the_terms_say(allocation: str, units: list[int]) -> None:
    """OCF's own example: 18 units over four installments."""
    (grant,) = read(quarters(allocation), issued(quantity="18", vesting_terms_id="t"))
    assert [one.quantity // MICRO for one in tranches(grant.data.quantity, grant.data.schedule, START)] == units


def test_a_cliff_within_a_period_vests_together() -> None:
    """Of 48 months the first 12 on the day of the twelfth."""
    whole = terms(
        condition("start", BEGIN, None, "each"),
        condition("each", RELATIVE, (1, 48), relative_to_condition_id="start", period=months(1, 48, cliff_installment=12)),
    )
    (grant,) = read(whole, issued(vesting_terms_id="t"))
    vested = tranches(grant.data.quantity, grant.data.schedule, START)
    assert (vested[0].due, vested[0].quantity, len(vested)) == (add_months(START, 12), 1200 * MICRO, 37)


def test_a_share_at_the_start_a_fixed_amount_and_the_rest() -> None:
    """Ten per cent at once, 480 after 30 days, what remains after a year more."""
    rest = condition(
        "rest", RELATIVE, (1, 1), relative_to_condition_id="some", period={"length": 1, "type": "YEARS", "occurrences": 1}
    )
    rest["portion"]["remainder"] = True
    days = {"length": 30, "type": "DAYS", "occurrences": 1}
    some = condition("some", RELATIVE, None, "rest", relative_to_condition_id="start", period=days) | {"quantity": "480"}
    (grant,) = read(terms(condition("start", BEGIN, (1, 10), "some"), some, rest), issued(vesting_terms_id="t"))
    vested = tranches(grant.data.quantity, grant.data.schedule, START)
    assert [one.quantity // MICRO for one in vested] == [480, 480, 3840]
    assert [one.due for one in vested] == [START, instant("2026-02-14"), instant("2027-02-14")]


def test_dates_go_before_terms() -> None:
    """As OCF says: where a security lists its vestings, its terms may be ignored; not even read."""
    dated = [{"date": "2026-03-01", "amount": "1000.5"}, {"date": "2026-02-01", "amount": "3799.5"}]
    (grant,) = read(issued(vestings=dated, vesting_terms_id="unheard"))
    vested = tranches(grant.data.quantity, grant.data.schedule, int(grant.data.schedule.starts_at))
    assert [(one.due, one.quantity) for one in vested] == [
        (instant("2026-02-01"), 3_799_500_000),
        (instant("2026-03-01"), 1_000_500_000),
    ]
    assert not grant.data.schedule.on_event


def test_without_either_a_grant_vests_at_once() -> None:
    """As OCF says; the unit is a share unless the item names another."""
    (grant,) = read(issued(unit=None))
    assert (grant.data.vesting, grant.data.unit) == ("immediate", "share")


def test_terms_by_events_leave_it_to_their_events() -> None:
    """Each vests its condition's share; the one that takes the remainder vests all that is left."""
    rest = condition("sold", EVENT, (1, 1))
    rest["portion"]["remainder"] = True
    whole = terms(condition("start", BEGIN, None, "first", "sold"), condition("first", EVENT, (1, 5), "sold"), rest)
    found = read(
        whole,
        issued(vesting_terms_id="t"),
        ocf("TX_VESTING_EVENT", id="e-1", vesting_condition_id="first"),
        ocf("TX_VESTING_EVENT", id="e-2", vesting_condition_id="sold"),
    )
    assert [event.type.split(".")[2] for event in found] == ["issued", "vested", "accelerated"]
    assert (found[0].data.vesting, found[1].data.quantity, found[2].data.quantity) == ("by_event", 960 * MICRO, None)


def test_the_life_of_a_grant() -> None:
    """Accepted, accelerated, exercised, released, cancelled, retracted; under OCF's older names too."""
    found = read(
        issued(),
        ocf("TX_PLAN_SECURITY_ACCEPTANCE", id="1"),
        ocf("TX_VESTING_ACCELERATION", id="2", quantity="12", reason_text="change of control"),
        ocf("TX_EQUITY_COMPENSATION_EXERCISE", id="3", quantity="100"),
        ocf("TX_EQUITY_COMPENSATION_RELEASE", id="4", quantity="9"),
        ocf("TX_EQUITY_COMPENSATION_CANCELLATION", id="5", quantity="1", reason_text="left"),
        ocf("TX_EQUITY_COMPENSATION_RETRACTION", id="6", security_id="s-9", reason_text="never signed"),
    )
    assert [event.type.removeprefix("compute.").removesuffix(".v1") for event in found] == [
        "grant.issued",
        "grant.accepted",
        "grant.accelerated",
        "usage.charged",
        "usage.charged",
        "grant.voided",
        "grant.voided",
    ]
    assert [event.data.about() for event in found] == [("person", "p-1")] * 6 + [("alias", "grant:s-9")]
    assert (found[3].data.quantity, found[3].data.unit, found[3].data.grant_id) == (100 * MICRO, "CCU", "s-1")


def test_a_whole_transfer_names_who_received_it_and_the_grant_goes_on() -> None:
    """What it resulted in is the same grant: its issuance is refused as a second one, what follows names the first."""
    found = arrivals(
        "ocf",
        encoded(
            {
                "items": [
                    issued(),
                    ocf("TX_EQUITY_COMPENSATION_TRANSFER", id="t-1", quantity="4800", resulting_security_ids=["s-2"]),
                    issued(id="i-2", security_id="s-2", stakeholder_id="p-2"),
                    ocf("TX_EQUITY_COMPENSATION_ACCEPTANCE", security_id="s-2"),
                ]
            }
        ),
    )
    assert refusal(found).code == "part-of-transfer"
    _, moved, accepted = (one.event for one in found if one.event is not None)
    assert (moved.data.grant_id, moved.data.holder, moved.data.to) == ("s-1", "p-1", "p-2")
    assert (accepted.data.grant_id, accepted.data.holder) == ("s-1", "p-2")


def test_a_grant_that_is_transferred_twice_stays_the_same_grant() -> None:
    """From s-1 to s-2 to s-3: what is told of the third is told of the first."""
    found = arrivals(
        "ocf",
        encoded(
            {
                "items": [
                    ocf("TX_EQUITY_COMPENSATION_TRANSFER", id="t-1", resulting_security_ids=["s-2"]),
                    issued(id="i-2", security_id="s-2", stakeholder_id="p-2"),
                    ocf("TX_EQUITY_COMPENSATION_TRANSFER", id="t-2", security_id="s-2", resulting_security_ids=["s-3"]),
                    issued(id="i-3", security_id="s-3", stakeholder_id="p-3"),
                ]
            }
        ),
    )
    moved = [one.event.data for one in found if one.event is not None]
    assert [(data.grant_id, data.holder, data.to) for data in moved] == [("s-1", None, "p-2"), ("s-1", "p-2", "p-3")]


@pytest.mark.parametrize(
    ("started", "ended", "expected"),
    [
        ("EMPLOYEE", None, ["employee", "hired"]),
        ("CONSULTANT", "EMPLOYEE", ["contractor"]),
        ("OFFICER", "EMPLOYEE", ["employee"]),
        (None, "ADVISOR", ["former"]),
    ],
)
def test_a_new_employment_is_a_hiring_too(started: str | None, ended: str | None, expected: list[str]) -> None:
    """A promotion isn't."""
    found = read(ocf("CE_STAKEHOLDER_RELATIONSHIP", stakeholder_id="p-1", relationship_started=started, relationship_ended=ended))
    assert [getattr(event.data, "relationship", "hired") for event in found] == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("LEAVE_OF_ABSENCE", "on_leave"),
        ("TERMINATION_VOLUNTARY_RETIREMENT", "retirement"),
        ("TERMINATION_INVOLUNTARY_WITH_CAUSE", "involuntary"),
        ("TERMINATION_INVOLUNTARY_DEATH", "death"),
    ],
)
def test_a_status_is_a_leave_or_an_exit(status: str, expected: str) -> None:
    """With the reason that the grants' windows know."""
    (event,) = read(ocf("CE_STAKEHOLDER_STATUS", stakeholder_id="p-1", new_status=status))
    assert getattr(event.data, "reason", "on_leave") == expected


def chain(**trigger: Any) -> dict[str, Any]:
    """Make terms of one period whose trigger is changed."""
    held = {"relative_to_condition_id": "start", "period": months(1, 4), **trigger}
    return terms(condition("start", BEGIN, None, "each"), condition("each", RELATIVE, (1, 4), **held))


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (chain(period=months(1, 4) | {"day_of_month": "03"}), "unsaid-vesting"),
        (chain(relative_to_condition_id="other"), "unsaid-vesting"),
        (chain(period={"length": 1, "type": "ERAS", "occurrences": 4}), "invalid"),
        (chain(period=months(1, 3)), "vesting-sum"),
        (quarters("BACK_LOADED_TO_SINGLE_TRANCHE"), "unsaid-vesting"),
        (terms(condition("start", BEGIN, None, "a", "b"), *(condition(c, RELATIVE, (1, 2)) for c in "ab")), "unsaid-vesting"),
        (terms(condition("each", RELATIVE, (1, 1), period=months(1, 1))), "unsaid-vesting"),
        (terms(condition("start", BEGIN, None, "x"), condition("x", RELATIVE, (1, 0), period=months(1, 1))), "invalid"),
    ],
)
def test_vesting_that_cannot_be_said_or_does_not_add_up_is_refused(given: dict[str, Any], code: str) -> None:
    """Units that silently never vest would be worse."""
    assert wrong(given, issued(vesting_terms_id="t"))[0] == code


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (issued(vesting_terms_id="unheard"), "unknown-terms"),
        (issued(quantity="0"), "invalid"),
        (issued(stakeholder_id=None), "missing"),
        (issued(date=None), "missing"),
        (issued(vestings=[{"date": "2026-02-01", "amount": "1"}]), "vesting-sum"),
        (issued(termination_exercise_windows=[{"reason": "BOREDOM", "period": 1, "period_type": "DAYS"}]), "invalid"),
        (ocf("TX_VESTING_EVENT", vesting_condition_id="x"), "invalid"),
        (ocf("TX_EQUITY_COMPENSATION_TRANSFER", quantity="1", resulting_security_ids=["a", "b"]), "split-transfer"),
        (ocf("TX_EQUITY_COMPENSATION_TRANSFER", quantity="1", resulting_security_ids=["a"]), "invalid"),
        (ocf("TX_VESTING_ACCELERATION", quantity="0"), "no-quantity"),
        (ocf("TX_STOCK_ISSUANCE"), "not-a-grant"),
        (ocf("TX_UNHEARD_OF"), "not-a-grant"),
        (ocf("CE_STAKEHOLDER_STATUS", stakeholder_id="p-1", new_status="ACTIVE"), "no-event"),
        (ocf("CE_STAKEHOLDER_STATUS", stakeholder_id="p-1", new_status="BORED"), "invalid"),
        (ocf("CE_STAKEHOLDER_RELATIONSHIP", stakeholder_id="p-1"), "missing"),
        (ocf("STOCK_PLAN", initial_shares_reserved="+10"), "missing"),
    ],
)
def test_an_item_that_is_no_event_is_refused(item: dict[str, Any], code: str) -> None:
    """Each with its reason and what to do."""
    assert wrong(item)[0] == code


def test_a_document_that_is_not_ocf_is_refused() -> None:
    """It has no items."""
    assert refusal(arrivals("ocf", encoded({"file_type": "OCF_X"}))).code == "not-ocf"
