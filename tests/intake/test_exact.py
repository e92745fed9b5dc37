"""Numbers without binary fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import Refusal
from engine.domain.values import LIMIT, quantity
from engine.intake.exact import decimal_text, number, ratio, rounded, times


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("32", 32),
        ("32.0", 32),
        ("032", 32),
        ("3.", 3),
        ("+1.5", Fraction(3, 2)),
        ("-0.5", Fraction(-1, 2)),
        ("3.2e1", 32),
        ("1E-6", Fraction(1, 10**6)),
    ],
)
def test_numbers_are_read_as_they_are_written(text: str, value: Fraction | int) -> None:
    """Exactly."""
    assert Fraction(*number(text)) == value


@pytest.mark.parametrize(
    "text", ["", "1,000", "1_000", "0x1", "1/2", "nan", "Infinity", "1e999", "\u0661", "-.5", "9" * 19, "1 2", "--1"]
)
def test_what_only_looks_like_a_number_is_refused(text: str) -> None:
    """Separators of thousands mean different things in different countries."""
    with pytest.raises(Refusal, match="expected a number such as 32"):
        number(text)


@pytest.mark.parametrize(
    ("text", "value"), [("60", 60), ("0.001", Fraction(1, 1000)), ("1/3600", Fraction(1, 3600)), ("2.5/10", Fraction(1, 4))]
)
def test_a_scale_is_a_number_or_a_fraction(text: str, value: Fraction) -> None:
    """As a mapping declares it."""
    found = ratio(text)
    assert found is not None
    assert Fraction(*found) == value


@pytest.mark.parametrize("text", ["0", "0/1", "1/0", "-1", "x", "", "1/2/3"])
def test_a_scale_of_nothing_is_none(text: str) -> None:
    """It would make every quantity disappear."""
    assert ratio(text) is None


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**12), st.sampled_from([1, 60, 10**6]))
def test_rounding_is_half_to_even(numerator: int, denominator: int, scale: int) -> None:
    """As Python rounds the exact fraction."""
    assert rounded((numerator, denominator), scale) == round(Fraction(numerator, denominator) * scale)


@given(st.fractions(-(10**6), 10**6, max_denominator=10**6), st.fractions(-1000, 1000, max_denominator=1000))
def test_products_are_exact(one: Fraction, other: Fraction) -> None:
    """Until they are rounded once, to micro-units."""
    product = times(one.as_integer_ratio(), other.as_integer_ratio())
    assert Fraction(*product) == one * other
    assert quantity(decimal_text(product)) == round(one * other * 10**6)


def test_a_quantity_out_of_range_is_refused() -> None:
    """Where the integers end."""
    assert decimal_text((LIMIT, 10**6)) == "9007199254.740991"
    with pytest.raises(Refusal, match="within"):
        decimal_text((LIMIT + 1, 10**6))
