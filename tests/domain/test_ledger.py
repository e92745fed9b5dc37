"""The books' arithmetic: rounding once, half-even; what is earned of installments; what ends by its date."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.ledger import Line, accrued_units, money, total, undated_units, worth
from engine.domain.values import DAY_US, MICRO
from engine.domain.vesting import Tranche


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction("10325.806451"), "10325.81"), (Fraction("0.005"), "0.00"), (Fraction("0.015"), "0.02"),
        (Fraction("-27"), "-27.00"), (Fraction("-0.004"), "0.00"), (Fraction(1, 3), "0.33"), (None, None),
    ],
)  # fmt: skip
def test_money_is_shown_to_the_cent_half_even(value: Fraction | None, shown: str | None) -> None:
    """A half goes to the even cent; nothing owed has no sign."""
    assert money(value) == shown


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20), st.integers(1, 10**7))
def test_a_total_is_rounded_once_from_exact_values(units: list[int], price: int) -> None:
    """It is within half a cent of the exact sum, however many lines there are."""
    exact = sum((worth(one, price) for one in units), Fraction(0))
    assert exact == worth(sum(units), price)
    assert abs(Fraction(money(exact) or "") - exact) <= Fraction(1, 200)


def test_what_is_left_unvested_accrues_from_the_first_installments() -> None:
    """Of two installments of 10 over 10 and 20 days, 15 are left: at day 5 half of 10 and a quarter of 5 are earned."""
    ahead = [Tranche(20 * DAY_US, 10 * MICRO, 0), Tranche(10 * DAY_US, 10 * MICRO, 0)]
    assert accrued_units(15 * MICRO, ahead, 5 * DAY_US) == Fraction(25 * MICRO, 4)
    assert accrued_units(0, ahead, 5 * DAY_US) == 0
    assert undated_units(25 * MICRO, ahead) == 5 * MICRO


def test_a_grant_that_ends_loses_what_is_left() -> None:
    """Vested units expire, unvested ones are forfeited; the identity holds before and after."""
    line = Line("o", "p", "g", "CCU", granted=10, consumed=3, outstanding=5, unvested=2)
    assert line.residual() == 0
    line.end()
    assert (line.expired, line.forfeited, line.outstanding, line.unvested, line.residual()) == (5, 2, 0, 0, 0)
    assert total([line, line]).expired == 10
