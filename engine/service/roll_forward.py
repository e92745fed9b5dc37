"""How a liability moved over a period: opening, vested, settled, breakage, remeasurement, corrections, closing.

A period is cut where a price changes, so that each movement has one price: units vest, are settled and break at the price
in force when it happens; what is then outstanding is remeasured at the change. Unvested installments accrued are one
line, net of their own remeasurement. What was reported of a closed period stays reported: a later fact about it changes
nothing there and posts to the open period as a correction. Movements are exact and tie out to the closing by
construction; whatever vested units were revoked, voided, transferred or rolled over stands under `other`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

import msgspec

from engine.domain.ledger import Line, worth
from engine.service.ledger import EVERYBODY, Books, Scope, books_at, known_terms
from engine.service.relearning import as_learnt
from engine.service.valuation import NOTHING, Closing, Prices, known_reference, value_of
from engine.store.lookups import Lookups
from engine.store.postings import Clocks, Postings

MOVES: Final = {"vested": 1, "consumed": -1, "expired": -1}
"""Balances that move the vested liability, and which way."""
NAMES: Final = {"vested": "vested", "consumed": "settled", "expired": "breakage"}
PARTS: Final = ("opening", "corrections", "vested", "settled", "breakage", "other", "remeasurement", "accrued", "closing")
"""Parts of a roll-forward in their order: opening + … = closing."""


class Movement(msgspec.Struct, frozen=True):
    """One line's part of a figure: units × price, in money; over [since, until)."""

    part: str
    organisation: str
    holder: str
    grant: str
    unit: str
    currency: str
    since: int
    until: int
    units: Fraction
    """Micro-units, with the sign of their effect."""
    price: int | None
    """Micro-units of money a unit; for a remeasurement the change of the price."""
    value: Fraction | None
    reason: str = ""


class Correction(msgspec.Struct, frozen=True):
    """What facts learnt after an earlier period was closed would have changed there, posted to this one."""

    liability: Fraction | None
    settled: Fraction | None

    @property
    def cost(self) -> Fraction | None:
        """Liability and settlement."""
        return None if self.liability is None or self.settled is None else self.liability + self.settled


class RollForward(msgspec.Struct):
    """A period's movements and the sums of each part."""

    since: int
    until: int
    known_at: int | None
    opening_known_at: int | None
    basis: str
    currency: str
    movements: list[Movement]
    correction: Correction
    projected: bool
    closed: str = ""
    """The period's name where it was closed, and reported as known then."""

    def sum_of(self, part: str) -> Fraction | None:
        """Add the movements of a part up; None where any has no price."""
        return _added([movement.value for movement in self.movements if movement.part == part])

    @property
    def cost(self) -> Fraction | None:
        """What the period cost: the change of the liability, and what was settled, corrections among them."""
        parts = [
            self.sum_of("closing"),
            _negative(self.sum_of("opening")),
            _negative(self.sum_of("settled")),
            self.correction.settled,
        ]
        return _added(parts)

    @property
    def reasons(self) -> list[str]:
        """Why figures are missing."""
        return sorted({movement.reason for movement in self.movements if movement.reason})


class Asked(msgspec.Struct, frozen=True):
    """What a roll-forward is of."""

    since: int
    until: int
    known_at: int | None = None
    """None: as known when the period was closed, else all that is known now."""
    opening_known_at: int | None = None
    """None: as known when the period before was closed, else as `known_at`."""
    basis: str = "vested-and-accrued"
    currency: str = ""
    scope: Scope = EVERYBODY


def roll_forward(postings: Postings, asked: Asked, windows: Mapping[str, int]) -> RollForward:
    """Make a roll-forward."""
    _, closings = known_reference(Lookups(postings.store), asked.known_at)
    closed = _closing(closings, asked.until) if asked.known_at is None else None
    known_at = asked.known_at if closed is None else closed.known_at
    before = _closing([one for one in closings if known_at is None or one.known_at <= known_at], asked.since)
    opening_known_at = asked.opening_known_at
    if opening_known_at is None:
        opening_known_at = known_at if before is None else before.known_at
    now = _View(postings, known_at, asked, windows)
    movements = list(now.movements(asked.since, asked.until))
    correction = Correction(NOTHING, NOTHING)
    if opening_known_at != known_at:
        then = _View(postings, opening_known_at, asked, windows)
        movements = [one for one in movements if one.part != "opening"]
        restated, reported = list(now.standing("opening", asked.since)), list(then.standing("opening", asked.since))
        movements += reported
        movements += _differences(restated, reported)
        settled = _less(now.settled_until(asked.since), then.settled_until(asked.since))
        correction = Correction(_added([one.value for one in movements if one.part == "corrections"]), settled)
    return RollForward(
        asked.since, asked.until, known_at, opening_known_at, asked.basis, asked.currency, movements, correction,
        now.projected, closed.period if closed is not None else "",
    )  # fmt: skip


def _closing(closings: Sequence[Closing], until: int) -> Closing | None:
    """Give the first closing of the period that ended at a moment: what was reported stays reported."""
    return min((one for one in closings if one.until == until), key=lambda one: one.known_at, default=None)


class _View:
    """The books as known at one moment, at any number of as-of moments."""

    def __init__(self, postings: Postings, known_at: int | None, asked: Asked, windows: Mapping[str, int]) -> None:
        self.known_at = known_at
        self.asked = asked
        self.windows = windows
        self.postings = as_learnt(postings, known_at, windows)
        self.prices = Prices(known_reference(Lookups(postings.store), known_at)[0], asked.currency)
        self.terms = known_terms(self.postings, known_at, asked.scope.holder)
        self.projected = False
        self._books: dict[int, Books] = {}

    def books(self, as_of: int) -> Books:
        if as_of not in self._books:
            clocks = Clocks(as_of, self.known_at)
            books = books_at(self.postings, clocks, self.windows, scope=self.asked.scope, known=self.terms)
            self._books[as_of] = books
            self.projected = self.projected or books.projected
        return self._books[as_of]

    def bounds(self, since: int, until: int) -> list[int]:
        """Give the moments between which every price stays the same."""
        units = {(line.organisation, line.unit) for line in self.books(until).lines}
        changes = {at for organisation, unit in units for at in self.prices.changes(organisation, unit)}
        return [since, *sorted(at for at in changes if since < at < until), until]

    def movements(self, since: int, until: int) -> Iterator[Movement]:
        yield from self.standing("opening", since)
        bounds = self.bounds(since, until)
        for start, end in itertools.pairwise(bounds):
            before = {_key(line): line for line in self.books(start).lines}
            for line in before.values():
                yield from self._remeasured(line, start)
            for line in self.books(end).lines:
                yield from self._moved(before.get(_key(line), Line(*_key(line))), line, start, end)
        yield from self._accrued(since, until)
        yield from self.standing("closing", until)

    def settled_until(self, until: int) -> Fraction | None:
        """Give what was settled before a moment, at the prices of then."""
        bounds = self.bounds(0, until)
        parts = []
        for start, end in itertools.pairwise(bounds):
            before = {_key(line): line.consumed for line in self.books(start).lines}
            for line in self.books(end).lines:
                units = line.consumed - before.get(_key(line), 0)
                parts.append(self._movement("settled", line, (start, end), Fraction(units), start).value)
        return _added(parts)

    def standing(self, part: str, as_of: int) -> Iterator[Movement]:
        """Give what each line is worth at a moment, as opening or closing."""
        books = self.books(as_of)
        for line in books.lines:
            value = value_of(line, books, as_of, self.prices, self.asked.basis)
            units = line.outstanding + value.accrued_units
            if units:
                yield self._movement(part, line, (as_of, as_of), units, as_of - 1)

    def _moved(self, before: Line, line: Line, start: int, end: int) -> Iterator[Movement]:
        other = line.outstanding - before.outstanding
        for kind, sign in MOVES.items():
            units = sign * (getattr(line, kind) - getattr(before, kind))
            other -= units
            if units:
                yield self._movement(NAMES[kind], line, (start, end), Fraction(units), start)
        if other:
            yield self._movement("other", line, (start, end), Fraction(other), start)

    def _remeasured(self, line: Line, at: int) -> Iterator[Movement]:
        old, new = (self.prices.of(line.organisation, line.unit, moment) for moment in (at - 1, at))
        if line.outstanding and old.price != new.price:
            change = None if old.price is None or new.price is None else new.price - old.price
            value = None if change is None else worth(line.outstanding, change)
            units = Fraction(line.outstanding)
            yield Movement("remeasurement", *_key(line), new.currency, at, at, units, change, value, old.reason or new.reason)

    def _accrued(self, since: int, until: int) -> Iterator[Movement]:
        """Give what accrued of unvested installments, less what was accrued before: by vesting or forfeiture it reverses."""
        found: dict[tuple[str, str, str, str], list[Fraction | None]] = {}
        units: dict[tuple[str, str, str, str], Fraction] = {}
        reasons: dict[tuple[str, str, str, str], str] = {}
        for as_of, sign in ((since, -1), (until, 1)):
            books = self.books(as_of)
            for line in books.lines:
                value = value_of(line, books, as_of, self.prices, self.asked.basis)
                if value.accrued_units:
                    key = _key(line)
                    found.setdefault(key, []).append(None if value.accrued is None else sign * value.accrued)
                    units[key] = units.get(key, NOTHING) + sign * value.accrued_units
                    reasons[key] = reasons.get(key) or "".join(value.reasons)
        for key, values in found.items():
            currency = self.prices.of(key[0], key[3], until - 1).currency
            yield Movement("accrued", *key, currency, since, until, units[key], None, _added(values), reasons[key])

    def _movement(self, part: str, line: Line, period: tuple[int, int], units: Fraction, at: int) -> Movement:
        priced = self.prices.of(line.organisation, line.unit, at)
        value = worth(units, priced.price) if priced.price is not None else None if units else NOTHING
        reason = priced.reason if value is None else ""
        return Movement(part, *_key(line), priced.currency, *period, units, priced.price, value, reason)


def _differences(restated: Sequence[Movement], reported: Sequence[Movement]) -> Iterator[Movement]:
    """Give what the opening would be by what is known now, less what was reported: line by line."""
    by_line: dict[tuple[str, ...], list[Movement | None]] = {}
    for index, movements in enumerate((restated, reported)):
        for one in movements:
            key = (one.organisation, one.holder, one.grant, one.unit)
            by_line.setdefault(key, [None, None])[index] = one
    for pair in by_line.values():
        now, then = pair
        one = next(side for side in pair if side is not None)
        units = (now.units if now else NOTHING) - (then.units if then else NOTHING)
        value = _less(now.value if now else NOTHING, then.value if then else NOTHING)
        if units or value:
            reason = "".join(side.reason for side in (now, then) if side and side.value is None)
            yield msgspec.structs.replace(one, part="corrections", units=units, value=value, reason=reason)


def _key(line: Line) -> tuple[str, str, str, str]:
    return line.organisation, line.holder, line.grant, line.unit


def _added(values: Sequence[Fraction | None]) -> Fraction | None:
    known = [value for value in values if value is not None]
    return sum(known, NOTHING) if len(known) == len(values) else None


def _negative(value: Fraction | None) -> Fraction | None:
    return None if value is None else -value


def _less(value: Fraction | None, other: Fraction | None) -> Fraction | None:
    return None if value is None or other is None else value - other
