"""Vesting schedules: the four roundings, cliffs, months, and that nothing is lost in sharing out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.events.grants import Segment, Vesting
from engine.domain.values import DAY_US, MICRO, instant, instant_text
from engine.domain.vesting import accrued, add_months, tranches

START = instant("2026-07-01")
QUARTERS = (Segment(occurrences=1, every=0, denominator=4), Segment(occurrences=3, denominator=4))


@pytest.mark.parametrize(
    ("allocation", "expected"),
    [
        ("cumulative_rounding", [5, 4, 5, 4]),
        ("cumulative_round_down", [4, 5, 4, 5]),
        ("front_loaded", [5, 5, 4, 4]),
        ("back_loaded", [4, 4, 5, 5]),
    ],
)
def test_eighteen_units_over_four_round_as_the_open_cap_format_says(allocation: str, expected: list[int]) -> None:
    """Each of its four allocation types, as its documentation has them."""
    schedule = Vesting(segments=(Segment(occurrences=4, denominator=4),), allocation=allocation)  # type: ignore[arg-type]
    assert [t.quantity // MICRO for t in tranches(18 * MICRO, schedule, START)] == expected


def test_the_worked_example_vests_on_the_first_of_four_months() -> None:
    """12,000 units: 3,000 at the start and on the three firsts after it."""
    found = tranches(12_000 * MICRO, Vesting(segments=QUARTERS), START)
    assert [(instant_text(t.due)[:10], t.quantity // MICRO) for t in found] == [
        ("2026-07-01", 3000),
        ("2026-08-01", 3000),
        ("2026-09-01", 3000),
        ("2026-10-01", 3000),
    ]


def test_unvested_tranches_accrue_by_days_of_service() -> None:
    """At 08-16: 46 of 62 and 46 of 92 days of 3,000 units each are 3,725.806451 units."""
    september, october = tranches(12_000 * MICRO, Vesting(segments=QUARTERS), START)[2:]
    as_of = instant("2026-08-16")
    assert int(accrued(september, as_of) + accrued(october, as_of)) == 3_725_806_451
    assert accrued(october, october.due + DAY_US) == october.quantity


def test_a_cliff_gathers_the_installments_before_it() -> None:
    """Four years monthly with a year's cliff: a quarter on the anniversary, then a forty-eighth a month."""
    schedule = Vesting(segments=(Segment(occurrences=48, denominator=48, cliff=12),))
    found = tranches(4800 * MICRO, schedule, START)
    assert (instant_text(found[0].due)[:10], found[0].quantity // MICRO, len(found)) == ("2027-07-01", 1200, 37)


def test_a_month_without_the_day_vests_on_its_last() -> None:
    """From 31 January: 28 February, then 31 March again."""
    assert [instant_text(add_months(instant("2026-01-31"), n))[:10] for n in (1, 2)] == ["2026-02-28", "2026-03-31"]


@given(
    quantity=st.integers(1, 10**15),
    parts=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    allocation=st.sampled_from(["cumulative_rounding", "cumulative_round_down", "front_loaded", "back_loaded", "fractional"]),
)
def test_tranches_add_up_to_the_grant_whatever_the_rounding(quantity: int, parts: list[int], allocation: str) -> None:
    """To the last micro-unit, and none is negative."""
    segments = tuple(Segment(occurrences=n, denominator=sum(parts)) for n in parts)
    found = tranches(quantity, Vesting(segments=segments, allocation=allocation), START)  # type: ignore[arg-type]
    assert sum(t.quantity for t in found) == quantity
    assert all(t.quantity > 0 for t in found)
