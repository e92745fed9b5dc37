"""Scaled integers and instants: what crosses the edge as text is an integer inside.

Owns the conversions and their limits. Quantities are micro-units (10^-6) within ±(2^53 − 1), decimal strings on
the wire; instants are microseconds since 1970-01-01T00:00Z, RFC 3339 on the wire, a bare date being 00:00Z.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from engine.domain.errors import Refusal

LIMIT: Final = 2**53 - 1
MICRO: Final = 1_000_000
SECOND_US: Final = 1_000_000
HOUR_US: Final = 3600 * SECOND_US
DAY_US: Final = 24 * HOUR_US
FOREVER: Final = LIMIT
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,40})(?:\.[0-9]{1,6})?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_LENGTH: Final = 10


class Quantity(int):
    """A quantity or an amount of money in micro-units; on the wire a decimal string such as "12.5"."""


class Instant(int):
    """A point in time in microseconds UTC; on the wire RFC 3339."""


def quantity(text: object) -> Quantity:
    """Read a decimal string (or a whole number) as micro-units; `Refusal` says what was expected."""
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        shown = str(text)[:40]
        msg = f"Expected a decimal number in quotes with at most 6 decimals, got {shown!r}"
        raise Refusal(msg, code="invalid-quantity")
    whole, _, part = text.partition(".")
    micros = abs(int(whole)) * MICRO + int((part + "000000")[:6])
    if micros > LIMIT:
        msg = f"Expected a quantity within ±9007199254.740991, got {text}"
        raise Refusal(msg, code="absurd-quantity")
    return Quantity(-micros if text.startswith("-") else micros)


def rounded_quantity(number: Decimal) -> Quantity:
    """Round a decimal half-even to micro-units; for sources that measure more finely than we keep."""
    try:
        micros = int((number * MICRO).to_integral_value())
    except (InvalidOperation, ValueError, OverflowError) as error:
        msg = f"Expected a finite number, got {number}"
        raise Refusal(msg, code="invalid-quantity") from error
    if abs(micros) > LIMIT:
        msg = f"Expected a quantity within ±9007199254.740991, got {number}"
        raise Refusal(msg, code="absurd-quantity")
    return Quantity(micros)


def quantity_text(micros: int) -> str:
    """Write micro-units as the shortest decimal string: 12500000 → "12.5"."""
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    whole, part = divmod(micros, MICRO)
    return f"{sign}{whole}.{part:06d}".rstrip("0") if part else f"{sign}{whole}"


def instant(text: object) -> Instant:
    """Read RFC 3339 (an offset or Z is required) or a bare date as microseconds UTC."""
    if not isinstance(text, str):
        msg = f"Expected an RFC 3339 time such as 2026-01-31T08:00:00Z, got {str(text)[:40]!r}"
        raise Refusal(msg, code="invalid-time")
    try:
        if len(text) == _DATE_LENGTH and _DATE.fullmatch(text):
            when = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
        else:
            when = dt.datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"Expected an RFC 3339 time such as 2026-01-31T08:00:00Z, got {text[:40]!r}"
        raise Refusal(msg, code="invalid-time") from error
    if when.tzinfo is None:
        msg = f"Expected a time with its zone, such as 2026-01-31T08:00:00Z, got {text[:40]!r}"
        raise Refusal(msg, code="invalid-time")
    try:
        return from_datetime(when)
    except OverflowError as error:
        msg = f"Expected a time after 1970 and before 2255, got {text[:40]!r}"
        raise Refusal(msg, code="invalid-time") from error


def from_datetime(when: dt.datetime) -> Instant:
    """Turn an aware datetime into microseconds UTC, exactly; times before 1970 or after 2255 are refused."""
    delta = when - _EPOCH
    micros = (delta.days * 86_400 + delta.seconds) * SECOND_US + delta.microseconds
    if not 0 <= micros <= LIMIT:
        msg = f"Expected a time after 1970 and before 2255, got {when.isoformat()}"
        raise Refusal(msg, code="invalid-time")
    return Instant(micros)


def instant_text(micros: int) -> str:
    """Write microseconds UTC as RFC 3339 with Z, without needless zeros."""
    day, within = divmod(micros, DAY_US)
    seconds, part = divmod(within, SECOND_US)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    text = f"{_day(day)}T{hour:02d}:{minute:02d}:{second:02d}"
    return f"{text}.{part:06d}Z" if part else text + "Z"


def month(micros: int) -> str:
    """The UTC calendar month of an instant, as 2026-09."""
    return _day(micros // DAY_US)[:7]


@lru_cache(maxsize=4096)
def week(day: int) -> str:
    """The ISO week of a day, by its number since the epoch, as 2026-W37."""
    year, number, _ = (_EPOCH + dt.timedelta(days=day)).date().isocalendar()
    return f"{year}-W{number:02d}"


@lru_cache(maxsize=4096)
def _day(number: int) -> str:
    """Write a day by its number since the epoch. Events come a day at a time, so few are worked out twice."""
    return (_EPOCH + dt.timedelta(days=number)).date().isoformat()
