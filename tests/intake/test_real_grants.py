"""The samples of the Open Cap Format, whole: grants, schedules and exits as they say; the rest is refused with reasons."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine.domain.events import Event
from engine.domain.values import DAY_US, MICRO, instant
from engine.domain.vesting import add_months, tranches
from engine.intake.arrivals import Arrival
from engine.intake.sources import open_source
from tests.intake.samples import ACME

FOLDER = Path("grants_ocf")
FILES = ("VestingTerms", "Stakeholders", "StockPlans", "Transactions")
GRANTS = ("TX_EQUITY_COMPENSATION_", "TX_VESTING_", "CE_STAKEHOLDER_", "TX_STOCK_PLAN_POOL_ADJUSTMENT")


@pytest.fixture(scope="module")
def package(real_data: Path) -> tuple[list[dict[str, Any]], dict[str, list[Arrival]]]:
    """The transactions as they are, and all files as arrivals, read in one run."""
    source = open_source("ocf")
    found = {}
    for name in FILES:
        with (real_data / FOLDER / f"{name}.ocf.json").open("rb") as stream:
            found[name] = list(source.arrivals(stream, name, ACME))
    return json.loads((real_data / FOLDER / "Transactions.ocf.json").read_text())["items"], found


def issued(found: list[Arrival]) -> dict[str, Event]:
    """Give the grants by their transaction's id."""
    return {one.event.id: one.event for one in found if one.event is not None and one.event.type == "compute.grant.issued.v1"}


def test_every_transaction_is_an_event_or_a_refusal(package: tuple[list[dict[str, Any]], dict[str, list[Arrival]]]) -> None:
    """86: those about grants, plans and people become events, but for a price and two transfers that split their security."""
    items, found = package
    arrivals = found["Transactions"]
    assert len(items) == len(arrivals) == 86
    expected = [item for item in items if item["object_type"].startswith(GRANTS)]
    refused = Counter(one.refusal.code for one in arrivals if one.refusal)
    assert refused == {"not-a-grant": 86 - len(expected) + 1, "split-transfer": 2}
    assert sum(one.event is not None for one in arrivals) == len(expected) - 3 == 25


def test_units_granted_agree(package: tuple[list[dict[str, Any]], dict[str, list[Arrival]]]) -> None:
    """Five grants of 10,300 units in all, each on its date, to its stakeholder, with its expiry."""
    items, found = package
    raw = {item["id"]: item for item in items if item["object_type"] == "TX_EQUITY_COMPENSATION_ISSUANCE"}
    grants = issued(found["Transactions"])
    assert grants.keys() == raw.keys()
    assert sum(event.data.quantity for event in grants.values()) == sum(int(item["quantity"]) for item in raw.values()) * MICRO
    assert sum(int(item["quantity"]) for item in raw.values()) == 10_300
    for key, event in grants.items():
        assert event.time == instant(raw[key]["date"])
        assert event.data.holder == raw[key]["stakeholder_id"]
        assert event.data.expires_at == instant(raw[key]["expiration_date"])


def test_four_years_with_a_cliff_vest_as_the_terms_say(package: tuple[list[dict[str, Any]], dict[str, list[Arrival]]]) -> None:
    """A quarter after a year, then 36 months: of 50 units 13 (12.5 rounded), then one or two a month, 50 in all."""
    grant = issued(package[1]["Transactions"])["test-plan-security-issuance-minimal"].data
    assert grant.schedule.on_event
    start = int(instant("2020-01-01"))
    vested = tranches(grant.quantity, grant.schedule, start)
    assert (vested[0].due, vested[0].quantity) == (add_months(start, 12), 13 * MICRO)
    assert vested[-1].due == add_months(start, 48)
    assert sum(one.quantity for one in vested) == 50 * MICRO
    assert {one.quantity for one in vested[1:]} <= {MICRO, 2 * MICRO}


def test_vestings_by_date_vest_on_their_dates(package: tuple[list[dict[str, Any]], dict[str, list[Arrival]]]) -> None:
    """3,333, 3,334 and 3,333 on the seventh of June of three years."""
    grant = issued(package[1]["Transactions"])["test-plan-security-issuance-minimal-with-vestings-array"].data
    vested = tranches(grant.quantity, grant.schedule, int(grant.schedule.starts_at))
    assert [(one.due, one.quantity) for one in vested] == [
        (instant(f"{year}-06-07"), units * MICRO) for year, units in ((2024, 3333), (2025, 3334), (2026, 3333))
    ]
    assert all(one.due % DAY_US == 0 for one in vested)


def test_vesting_by_an_event_takes_its_share_from_the_terms(
    package: tuple[list[dict[str, Any]], dict[str, list[Arrival]]],
) -> None:
    """The whole of 100 units."""
    (event,) = [one.event for one in package[1]["Transactions"] if one.event and one.event.type == "compute.grant.vested.v1"]
    assert (event.data.quantity, event.data.holder) == (100 * MICRO, "test-stakeholder-id")
    planless = issued(package[1]["Transactions"])["test-equity-compensation-issuance-no-plan"].data
    assert (planless.vesting, planless.schedule) == ("by_event", None)


def test_termination_windows_are_read_in_the_holders_favour(
    package: tuple[list[dict[str, Any]], dict[str, list[Arrival]]],
) -> None:
    """Of reasons that fall together the longer window counts; months have 31 days, years 366."""
    grant = issued(package[1]["Transactions"])["test-plan-security-issuance-full-fields"].data
    assert grant.termination_windows == {
        "involuntary": 14,
        "voluntary": 3 * 31,
        "death": 3 * 366,
        "disability": 3 * 366,
        "retirement": 31,
    }


def test_people_and_plans_of_the_package(package: tuple[list[dict[str, Any]], dict[str, list[Arrival]]]) -> None:
    """Three changes of relationship, one exit, a plan and its resizing; stakeholders have no date and are refused."""
    _, found = package
    told = [one.event.data for one in found["Transactions"] if one.event and one.event.type.startswith("compute.person.")]
    assert [getattr(data, "relationship", getattr(data, "reason", "")) for data in told] == [
        "other",
        "former",
        "contractor",
        "voluntary",
    ]
    (plan,) = [one.event for one in found["StockPlans"] if one.event]
    assert (plan.data.quantity, plan.time) == (10_000_000 * MICRO, instant("1983-12-31"))
    (resized,) = [one.event for one in found["Transactions"] if one.event and one.event.type == "compute.pool.resized.v1"]
    assert resized.data.quantity == 100_000_000 * MICRO
    assert [one.refusal.code for one in found["Stakeholders"] if one.refusal] == ["not-a-grant"] * 4
    assert found["VestingTerms"] == []


def test_terms_that_were_not_read_are_asked_for(real_data: Path) -> None:
    """Transactions alone: two grants and an event that name their terms are refused, saying which file to give first."""
    with (real_data / FOLDER / "Transactions.ocf.json").open("rb") as stream:
        found = list(open_source("ocf").arrivals(stream, "Transactions", ACME))
    asked = [str(one.refusal) for one in found if one.refusal and one.refusal.code == "unknown-terms"]
    assert len(asked) == 3
    assert all("VestingTerms.ocf.json" in sentence for sentence in asked)
