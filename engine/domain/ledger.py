"""The books' arithmetic: a grant's balances, what they are worth, and how money is rounded. Pure and exact.

Owns the identity that every line obeys: granted + transferred in + rolled in = consumed + expired + forfeited + voided +
transferred out + rolled out + outstanding + unvested. Units are micro-unit integers; a value is an exact fraction of
money until it is shown: each figure shown is rounded once, half-even to the cent, from its exact value. A total is the
sum of exact values rounded once, never a sum of rounded ones: 6,600 vested + 3,725.806… accrued = 10,325.81. Reads
nothing and decides nothing about a basis of accounting: it computes the one it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final

import msgspec

from engine.domain.values import MICRO
from engine.domain.vesting import Tranche, accrued

IN: Final = ("granted", "transferred_in", "rolled_in")
OUT: Final = ("consumed", "expired", "forfeited", "voided", "transferred_out", "rolled_out")
BALANCES: Final = (*IN, *OUT, "outstanding", "unvested")
COLUMNS: Final = (*BALANCES, "overage", "vested")
"""What is posted: the parts of the identity, and two memoranda beside it."""
NO_GRANT: Final = "none"
"""Where overage is posted that no grant could have covered."""
CENT: Final = 100

BASES: Final = {
    "vested-and-accrued": "vested units outstanding at the period-end price, and unvested installments accrued by days served",
    "vested-only": "vested units outstanding at the period-end price; nothing for units that haven't vested",
}
NO_ADVICE: Final = "Figures on the named basis, from the events recorded; this is no accounting advice."


class Line(msgspec.Struct):
    """One grant in one holder's hands; amounts in micro-units of `unit`."""

    organisation: str
    holder: str
    grant: str
    unit: str
    granted: int = 0
    transferred_in: int = 0
    rolled_in: int = 0
    consumed: int = 0
    expired: int = 0
    forfeited: int = 0
    voided: int = 0
    transferred_out: int = 0
    rolled_out: int = 0
    outstanding: int = 0
    """Vested and left."""
    unvested: int = 0
    overage: int = 0
    """Used beyond what any grant covered."""
    vested: int = 0
    """What ever vested here, whatever became of it."""

    def residual(self) -> int:
        """What came in less what went out and what is left: 0, always."""
        came: int = sum(getattr(self, name) for name in IN)
        went: int = sum(getattr(self, name) for name in OUT)
        return came - went - self.outstanding - self.unvested

    def add(self, kind: str, amount: int) -> None:
        """Add to one balance."""
        setattr(self, kind, getattr(self, kind) + amount)

    def vest(self, amount: int) -> None:
        """Let unvested units vest."""
        self.unvested -= amount
        self.outstanding += amount
        self.vested += amount

    def end(self) -> None:
        """Let the grant end by its date: what is left is lost, vested units as expired, unvested ones as forfeited."""
        self.expired += self.outstanding
        self.forfeited += self.unvested
        self.outstanding = self.unvested = 0

    def empty(self) -> bool:
        """Whether nothing stands on it."""
        return not any(getattr(self, name) for name in COLUMNS)


def total(lines: Iterable[Line]) -> Line:
    """Add lines of one unit up."""
    lines = list(lines)
    whole = Line("", "", "", lines[0].unit if lines else "")
    for line in lines:
        for name in COLUMNS:
            whole.add(name, getattr(line, name))
    return whole


def accrued_units(unvested: int, ahead: Sequence[Tranche], as_of: int) -> Fraction:
    """Give the micro-units of unvested installments that are earned by days of service, exactly.

    Installments `ahead` are those due at `as_of` or later. Where fewer units are left unvested than they come to (some
    vested early, or were forfeited), the later ones are short: an acceleration takes the last installments first.
    """
    earned, left = Fraction(0), unvested
    for tranche in sorted(ahead):
        quantity = min(left, tranche.quantity)
        left -= quantity
        earned += accrued(tranche._replace(quantity=quantity), as_of)
    return earned


def undated_units(unvested: int, ahead: Sequence[Tranche]) -> int:
    """Give the unvested micro-units that no schedule says a date of: nothing of them can be accrued."""
    return max(0, unvested - sum(tranche.quantity for tranche in ahead))


def worth(units: int | Fraction, price: int) -> Fraction:
    """Give what micro-units are worth at a price (micro-units of money a unit), in money, exactly."""
    return Fraction(units) * price / (MICRO * MICRO)


def money(value: Fraction | None) -> str | None:
    """Write an exact value to the cent, half-even: 10325.806… → "10325.81"."""
    if value is None:
        return None
    cents = round(value * CENT)
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // CENT}.{abs(cents) % CENT:02d}"
