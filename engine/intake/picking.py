"""Values out of other people's JSON objects, each checked as it is taken; a `Refusal` names its path. Pure.

Numbers of JSON pass through binary fractions; written back in their shortest form they are what the file says, up to
15 digits, and are decimals from there on.
"""

from __future__ import annotations

import re
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final, NoReturn

from engine.domain.errors import Refusal
from engine.domain.values import LIMIT, MICRO, SECOND_US, from_datetime, instant, quantity_text, rounded_quantity
from engine.domain.vesting import add_months
from engine.domain.wording import cut, shown

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{0,30})?(?:[eE][+-]?[0-9]{1,2})?")
_DO: Final = "Send the record as the source wrote it."


def unlike(field: str, wanted: str, got: Any, do: str = _DO) -> Refusal:
    """Make the refusal of a value: missing where there is none, else invalid."""
    msg = f"{field[:256]}: expected {wanted}, got {shown(got)}."
    return Refusal(msg, do, code="missing" if got is None else "invalid", field=field[:256].replace("\0", ""))


def wrong(field: str, wanted: str, got: Any, do: str = _DO) -> NoReturn:
    """Refuse a value."""
    raise unlike(field, wanted, got, do)


def decimal_number(text: str, field: str) -> Decimal:
    """Read a decimal number as others write it, such as +10.50 or 1e-7."""
    if not _DECIMAL.fullmatch(text):
        wrong(field, "a number such as 12.5", text)
    return Decimal(text)


def quantity_of(value: Decimal, field: str) -> str:
    """Give a decimal as a quantity's text, rounded half-even to 6 decimals; what is out of range is refused."""
    if abs(value) > Decimal(LIMIT) / MICRO:
        wrong(field, "a quantity within ±9007199254.740991", str(value))
    return quantity_text(rounded_quantity(value))


class Fields:
    """One JSON object and its path. What is absent, null or an empty text is taken for not there."""

    __slots__ = ("at", "value")

    def __init__(self, value: Any, at: str = "") -> None:
        """Hold an object; `Refusal` where the value is none."""
        if not isinstance(value, dict):
            wrong(at or "the record", "an object", value)
        self.value: dict[str, Any] = value
        self.at = at

    def path(self, key: str) -> str:
        """Give a key's path, for people."""
        return f"{self.at}.{key}" if self.at else key

    def has(self, key: str) -> bool:
        """Whether there is something."""
        return self.value.get(key) not in (None, "")

    def text(self, key: str, *, cut_to: int = 0) -> str | None:
        """Give a text, or a whole number as text (ids come as either), cut to a length where one is given."""
        value = self.value.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            wrong(self.path(key), "a text", value)
        return value[:cut_to] if cut_to else value

    def need(self, key: str) -> str:
        """Give a text that must be there."""
        value = self.text(key)
        if value is None:
            wrong(self.path(key), "a text", self.value.get(key))
        return value

    def whole(self, key: str) -> int | None:
        """Give a whole number, written as a number or as text (64-bit ones come as text)."""
        value = self.value.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            return int(value)
        if isinstance(value, float) and value.is_integer() and abs(value) <= LIMIT:
            return int(value)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LIMIT:
            wrong(self.path(key), "a whole number", value)
        return value

    def count(self, key: str) -> int:
        """Give a whole number of at least 0, 0 where there is none."""
        value = self.whole(key)
        if value is not None and value < 0:
            wrong(self.path(key), "a number of at least 0", value)
        return value or 0

    def decimal(self, key: str) -> Decimal | None:
        """Give a number, written as a number or as text."""
        value = self.value.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            wrong(self.path(key), "a number", value)
        return decimal_number(str(value), self.path(key))

    def quantity(self, key: str) -> str | None:
        """Give a number as a quantity's text."""
        value = self.decimal(key)
        return None if value is None else quantity_of(value, self.path(key))

    def inner(self, key: str) -> Fields:
        """Give the object within; an empty one where there is none."""
        value = self.value.get(key)
        return Fields({} if value is None else value, self.path(key))

    def items(self, key: str) -> list[Any]:
        """Give the list within; an empty one where there is none."""
        value = self.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            wrong(self.path(key), "a list", value)
        return value

    def objects(self, key: str) -> list[Fields]:
        """Give the objects of the list within."""
        return [Fields(one, f"{self.path(key)}[{index}]") for index, one in enumerate(self.items(key))]

    def time(self, key: str) -> int | None:
        """Give a time in µs UTC from RFC 3339, a bare date or seconds since 1970."""
        value = self.value.get(key)
        if value is None or value == "":
            return None
        return time_of(value, self.path(key))


def time_of(value: Any, field: str) -> int:
    """Read RFC 3339, a bare date or seconds since 1970 as µs UTC."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= LIMIT // SECOND_US:
        return int(Decimal(str(value)) * SECOND_US)
    try:
        return int(instant(value))
    except Refusal:
        wrong(field, "an RFC 3339 time or seconds since 1970", value)


def months_later(start: int, months: int, field: str) -> int:
    """Give the same day some months later, or the month's last day."""
    try:
        return add_months(start, months)
    except (Refusal, ValueError):
        wrong(field, "a period that ends before 2255", months)


def http_time(value: str, field: str) -> int:
    """Read an HTTP date (RFC 9110), such as Tue, 27 Feb 2024 11:37:16 GMT, as µs UTC."""
    try:
        return int(from_datetime(parsedate_to_datetime(value)))
    except (ValueError, TypeError, OverflowError, Refusal):
        wrong(field, "an HTTP date such as Tue, 27 Feb 2024 11:37:16 GMT", value)


def words(value: Any, field: str) -> list[str]:
    """Give a word or a list of words as a list; Slurm's states are either."""
    many = [value] if isinstance(value, str) else value
    if not isinstance(many, list) or not many or not all(isinstance(one, str) and one for one in many):
        wrong(field, "a word or a list of words", value)
    return many


def listed(names: Any) -> str:
    """List names in a sentence, cut short."""
    return ", ".join(cut(str(name)) for name in list(names)[:12]) or "nothing"
