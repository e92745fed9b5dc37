"""What balances are worth: vested units outstanding at the period-end price, and unvested installments accrued by service.

Which of the two counts is the basis, chosen by whoever asks and named in every report. A unit without a price in force
has no value, and the figure is null with a reason, never 0. The price at a period's end is the one in force just before
the as-of instant, which is left out. Exact until shown; see `engine.domain.ledger` for how money is rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import msgspec

from engine.domain import codec
from engine.domain.events.reference import PeriodClosed
from engine.domain.ledger import Line, accrued_units, undated_units, worth
from engine.domain.reference import Reference
from engine.domain.values import instant_text
from engine.service.ledger import Books
from engine.store.lookups import Lookups

VESTED_ONLY = "vested-only"
NOTHING = Fraction(0)


class Priced(msgspec.Struct, frozen=True):
    """A price, or why there is none."""

    price: int | None
    currency: str
    reason: str = ""


class Prices(msgspec.Struct, frozen=True):
    """Prices as known at a moment, in the currency asked for, else in each unit's only one."""

    reference: Reference
    currency: str = ""

    def of(self, organisation: str, unit: str, at: int) -> Priced:
        """Give the price in force at a moment."""
        known = self.reference.currencies(organisation, unit)
        if not self.currency and len(known) > 1:
            return Priced(None, "", f"{unit} has prices in {' and '.join(known)}: say which currency to report in")
        currency = self.currency or (known[0] if known else "")
        price = self.reference.price(organisation, unit, currency, at)
        if price is None:
            in_it = f" in {currency}" if currency else ""
            return Priced(None, currency, f"no price of {unit}{in_it} is in force at {instant_text(max(at, 0))}")
        return Priced(price, currency)

    def changes(self, organisation: str, unit: str) -> list[int]:
        """Give the moments from which a unit has another price."""
        currency = self.of(organisation, unit, 0).currency
        return self.reference.price_changes(organisation, unit, currency)


class Value(msgspec.Struct):
    """What a line, or a sum of lines of one currency, is worth: exact amounts of money; None where there is no price."""

    currency: str
    vested: Fraction | None = NOTHING
    accrued: Fraction | None = NOTHING
    accrued_units: Fraction = NOTHING
    undated_units: int = 0
    """Unvested units that no schedule dates: nothing of them is accrued."""
    reasons: tuple[str, ...] = ()

    @property
    def liability(self) -> Fraction | None:
        """Vested and accrued."""
        return None if self.vested is None or self.accrued is None else self.vested + self.accrued


def value_of(line: Line, books: Books, as_of: int, prices: Prices, basis: str) -> Value:
    """Value one line on a basis."""
    priced = prices.of(line.organisation, line.unit, as_of - 1)
    value = Value(priced.currency)
    terms = books.terms_of(line)
    ahead = terms.ahead.get(line.grant, []) if terms is not None else []
    if basis != VESTED_ONLY:
        value.accrued_units = accrued_units(line.unvested, ahead, as_of)
        value.undated_units = undated_units(line.unvested, ahead)
    if priced.price is None:
        value.vested = None if line.outstanding else NOTHING
        value.accrued = None if value.accrued_units else NOTHING
        value.reasons = (priced.reason,) if value.liability is None else ()
        return value
    value.vested, value.accrued = worth(line.outstanding, priced.price), worth(value.accrued_units, priced.price)
    return value


def sum_of(values: Sequence[Value]) -> Value:
    """Add values up: of one currency, or nothing can be said of their sum."""
    worthy = [value for value in values if value.liability is None or value.liability]
    currencies = sorted({value.currency for value in worthy or values if value.currency})
    whole = Value(currencies[0] if len(currencies) == 1 else "")
    reasons = sorted({reason for value in values for reason in value.reasons})
    if len(currencies) > 1:
        reasons.append(f"amounts in {' and '.join(currencies)} can't be added up")
    whole.reasons = tuple(reasons)
    whole.vested, whole.accrued = (None, None) if reasons else (_sum(v.vested for v in values), _sum(v.accrued for v in values))
    whole.accrued_units = sum((value.accrued_units for value in values), NOTHING)
    whole.undated_units = sum(value.undated_units for value in values)
    return whole


def _sum(amounts: Iterable[Fraction | None]) -> Fraction:
    return sum((amount for amount in amounts if amount is not None), NOTHING)


def receivable(books: Books) -> dict[str, Fraction]:
    """Give what the company claimed back, in money by currency: a receivable, never negative consumption."""
    claimed: dict[str, Fraction] = {}
    shown = {(f"{line.organisation}/person/{line.holder}", line.grant) for line in books.lines}
    for key, terms in books.terms.items():
        for claim in (one for one in terms.claims if (key, one.grant) in shown):
            claimed[claim.currency] = claimed.get(claim.currency, NOTHING) + Fraction(claim.amount, 1_000_000)
    return claimed


class Closing(msgspec.Struct, frozen=True):
    """A period that was closed, and as known at which moment: what was reported of it stays reported."""

    period: str
    since: int
    until: int
    known_at: int


def known_reference(lookups: Lookups, known_at: int | None) -> tuple[Reference, list[Closing]]:
    """Give reference data and closed periods as known at a moment."""
    rows = [row for row in lookups.store.reference(0) if known_at is None or row.recorded_at <= known_at]
    events = [codec.parse_event(row.event) for row in rows]
    closed = [
        Closing(event.data.period, int(event.data.from_), int(event.data.until), row.recorded_at)
        for row, event in zip(rows, events, strict=True)
        if isinstance(event.data, PeriodClosed)
    ]
    return Reference(events), closed
