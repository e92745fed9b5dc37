"""The ledger's reports as documents: balances with their liability, roll-forward, breakage, remeasurement, and entries.

Turns exact figures into the decimal strings that people and programs read, once; computes no figure itself. Units are
decimal strings of units, money is to the cent; a figure nobody can know is null, and `reasons` says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Final

import msgspec

from engine.domain.ledger import BASES, COLUMNS, NO_ADVICE, Line, money, total
from engine.domain.values import instant_text, quantity_text
from engine.service.ledger import Books, Scope
from engine.service.roll_forward import PARTS, Movement, RollForward
from engine.service.valuation import Prices, Value, receivable, sum_of, value_of
from engine.store.postings import Clocks

IDENTITY: Final = ("organisation", "holder", "grant", "unit")
VALUES: Final = ("currency", "price", "liability_vested", "liability_accrued", "liability")
ENTRY: Final = (*IDENTITY, "kind", "amount", "time", "recorded_at", "source", "event", "type", "because")
MOVEMENT: Final = (*IDENTITY, "part", "since", "until", "units", "price", "currency", "value", "exact", "reason")


def balances(books: Books, clocks: Clocks, prices: Prices, basis: str) -> dict[str, Any]:
    """Give balances and liability: `total`, `by_unit`, `lines`, and what they rest on."""
    as_of = clocks.as_of or 0
    valued = [(line, value_of(line, books, as_of, prices, basis)) for line in books.lines]
    by_unit = {
        unit: _amounts(
            total(line for line, _ in valued if line.unit == unit), sum_of([v for one, v in valued if one.unit == unit])
        )
        for unit in sorted({line.unit for line in books.lines})
    }
    whole = sum_of([value for _, value in valued])
    several = _amounts(None if by_unit else total([]), whole)
    return {
        **_head(clocks, basis, projected=books.projected),
        "total": next(iter(by_unit.values())) if len(by_unit) == 1 else several,
        "by_unit": by_unit,
        "lines": [_identity(line) | _amounts(line, value, _price(line, prices, as_of)) for line, value in valued],
        "receivable": {currency: money(amount) for currency, amount in sorted(receivable(books).items())},
        "reasons": [*whole.reasons, *_undated(whole)],
    }


def _head(clocks: Clocks, basis: str, *, projected: bool) -> dict[str, Any]:
    return {
        "as_of": None if clocks.as_of is None else instant_text(clocks.as_of),
        "known_at": None if clocks.known_at is None else instant_text(clocks.known_at),
        "basis": basis,
        "basis_means": BASES[basis],
        "notice": NO_ADVICE,
        "projected": projected,
    }


def _undated(value: Value) -> list[str]:
    if not value.undated_units:
        return []
    return [
        f"{quantity_text(value.undated_units)} unvested units have no schedule that dates them, so nothing of them is accrued"
    ]


def _identity(line: Line | Movement) -> dict[str, Any]:
    return {name: getattr(line, name) for name in IDENTITY}


def _price(line: Line, prices: Prices, as_of: int) -> int | None:
    return prices.of(line.organisation, line.unit, as_of - 1).price


def _amounts(line: Line | None, value: Value, price: int | None = None) -> dict[str, Any]:
    """Give amounts as decimal strings; null where units differ, since their sum means nothing."""
    amounts: dict[str, Any] = {name: None if line is None else quantity_text(getattr(line, name)) for name in COLUMNS}
    return amounts | {
        "currency": value.currency or None,
        "price": None if price is None else quantity_text(price),
        "liability_vested": money(value.vested),
        "liability_accrued": money(value.accrued),
        "liability": money(value.liability),
    }


def roll_forward(report: RollForward) -> dict[str, Any]:
    """Give a roll-forward: each part in money, the correction, the cost, and the movements behind them."""
    return _movements_head(report) | {
        **{part: money(report.sum_of(part)) for part in PARTS},
        "cost": money(report.cost),
        "correction": {
            "liability": money(report.correction.liability),
            "settled": money(report.correction.settled),
            "cost": money(report.correction.cost),
        },
        "movements": [movement(one) for one in report.movements],
    }


def part(report: RollForward, name: str) -> dict[str, Any]:
    """Give one part of a roll-forward with the movements behind it: breakage, or remeasurement."""
    movements = [one for one in report.movements if one.part == name]
    units = sum((one.units for one in movements), Fraction(0))
    return _movements_head(report) | {
        name: money(report.sum_of(name)),
        "units": None if len({one.unit for one in movements}) > 1 else units_text(units),
        "movements": [movement(one) for one in movements],
    }


def _movements_head(report: RollForward) -> dict[str, Any]:
    currencies = {one.currency for one in report.movements if one.currency}
    return {
        "from": instant_text(report.since),
        "to": instant_text(report.until),
        "period": report.closed or None,
        "opening_known_at": None if report.opening_known_at is None else instant_text(report.opening_known_at),
        **_head(Clocks(report.until, report.known_at), report.basis, projected=report.projected),
        "currency": next(iter(currencies)) if len(currencies) == 1 else None,
        "reasons": report.reasons,
    }


def movement(one: Movement) -> dict[str, Any]:
    """Give one movement."""
    return _identity(one) | {
        "part": one.part,
        "since": instant_text(one.since),
        "until": instant_text(one.until),
        "units": units_text(one.units),
        "price": None if one.price is None else quantity_text(one.price),
        "currency": one.currency or None,
        "value": money(one.value),
        "exact": exact_text(one.value),
        "reason": one.reason or None,
    }


def exact_text(value: Fraction | None) -> str | None:
    """Write money to twelve decimals: what sums are made of, so that they can be added up again elsewhere."""
    if value is None:
        return None
    sign, rest = ("-" if value < 0 else ""), abs(round(value * 10**12))
    text = f"{sign}{rest // 10**12}.{rest % 10**12:012d}"
    return text.rstrip("0").rstrip(".")


def units_text(units: Fraction) -> str:
    """Write micro-units that may be a fraction, half-even to a micro-unit."""
    return quantity_text(round(units))


def entries(books: Books, clocks: Clocks, scope: Scope, since: int | None = None) -> Iterator[dict[str, Any]]:
    """Give what the balances are made of, in order of time: postings with their events, then what dates brought about."""
    shown = {(line.organisation, line.holder, line.grant) for line in books.lines}
    for row, written in books.postings.entries(clocks, scope.holder, scope.grant, since):
        if scope.pool and (row.organisation, row.holder, row.grant) not in shown:
            continue
        event: dict[str, Any] = msgspec.json.decode(written) if written else {}
        yield {
            "organisation": row.organisation, "holder": row.holder, "grant": row.grant, "unit": row.unit, "kind": row.kind,
            "amount": quantity_text(row.amount), "time": instant_text(row.time), "recorded_at": instant_text(row.recorded_at),
            "source": event.get("source"), "event": event.get("id"), "type": event.get("type"), "because": None,
        }  # fmt: skip
    for dated in books.dated:
        if since is not None and dated.time < since:
            continue
        because = "an installment's date" if dated.kind == "vested" else "the grant's end by its date"
        cause = dated.cause
        for kind, amount in _two_sides(dated.kind, dated.amount):
            yield _identity(dated.line) | {
                "kind": kind, "amount": quantity_text(amount), "time": instant_text(dated.time), "recorded_at": None,
                "source": cause.source if cause else None, "event": cause.id if cause else None,
                "type": cause.type if cause else None, "because": because,
            }  # fmt: skip


def _two_sides(kind: str, amount: int) -> Sequence[tuple[str, int]]:
    if kind == "vested":
        return (("outstanding", amount), ("unvested", -amount), ("vested", amount))
    return ((kind, amount), ("outstanding" if kind == "expired" else "unvested", -amount))


def rows_of(documents: Iterable[dict[str, Any]], columns: Sequence[str]) -> Iterator[list[Any]]:
    """Give documents as rows."""
    for document in documents:
        yield [document.get(name) for name in columns]
