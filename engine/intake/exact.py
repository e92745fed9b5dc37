"""Numbers as other people's files write them, exactly: no binary fractions between the file and the micro-unit. Pure.

A number is a pair (numerator, denominator) of integers, which multiply many times faster than `fractions.Fraction`.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from engine.domain.errors import Refusal
from engine.domain.values import LIMIT, MICRO, quantity_text
from engine.domain.wording import cut

_NUMBER: Final = re.compile(r"([+-]?)([0-9]{1,18})(?:\.([0-9]{0,24}))?([eE][+-]?[0-9]{1,2})?")
_RATIO: Final = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,18})?)(?:/([1-9][0-9]{0,17}))?")

Number = tuple[int, int]
"""Numerator and denominator, the latter above 0; not always in lowest terms."""


def number(text: str) -> Number:
    """Read 32, 32.0 or 3.2e1; thousands' separators and words are refused."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        msg = f"expected a number such as 32 or 32.5, got {cut(text)!r}"
        raise Refusal(msg, "Correct the row or the mapping.", code="invalid-number")
    sign, digits, part, exponent = match.groups()
    if exponent:
        return Fraction(text).as_integer_ratio()
    value = int(digits + part) if part else int(digits)
    return (-value if sign == "-" else value), 10 ** len(part) if part else 1


def ratio(text: str) -> Number | None:
    """Read a mapping's scale: 60, 0.001 or 1/3600; None where it is none, or 0."""
    match = _RATIO.fullmatch(text)
    if match is None:
        return None
    value = Fraction(match[1]) / int(match[2] or 1)
    return value.as_integer_ratio() if value else None


def times(one: Number, other: Number) -> Number:
    """Multiply."""
    return one[0] * other[0], one[1] * other[1]


def rounded(value: Number, scale: int = 1) -> int:
    """Give `value` × `scale` as a whole number, halves going to the even one."""
    whole, rest = divmod(value[0] * scale, value[1])
    twice = 2 * rest
    return whole + (twice > value[1] or (twice == value[1] and whole % 2 == 1))


def decimal_text(value: Number) -> str:
    """Round half-even to micro-units and write them as a decimal string."""
    micros = rounded(value, MICRO)
    if abs(micros) > LIMIT:
        msg = "expected a quantity within ±9007199254.740991"
        raise Refusal(msg, "Correct the row or the mapping's scale.", code="absurd-quantity")
    return quantity_text(micros)
