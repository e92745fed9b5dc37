"""Vesting as the Open Cap Format writes it, turned into a grant's schedule. Pure; exact.

A security says its vestings by date, or names terms: a graph of conditions. A chain of conditions by time after the
vesting start becomes a schedule that begins with TX_VESTING_START. Terms that vest by events alone leave it to
TX_VESTING_EVENT. What can't be said as a schedule is refused, since units that silently never vest would be worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NoReturn

from engine.domain.errors import Refusal
from engine.domain.values import DAY_US, instant_text
from engine.domain.wording import cut
from engine.intake.picking import Fields, wrong

_ALLOCATIONS: Final = {
    name: name.lower() for name in ("CUMULATIVE_ROUNDING", "CUMULATIVE_ROUND_DOWN", "FRONT_LOADED", "BACK_LOADED", "FRACTIONAL")
}
_START, _RELATIVE, _EVENT = "VESTING_START_DATE", "VESTING_SCHEDULE_RELATIVE", "VESTING_EVENT"
_SAME_DAY: Final = "VESTING_START_DAY_OR_LAST_DAY_OF_MONTH"
_UNITS: Final = {"DAYS": ("days", 1), "MONTHS": ("months", 1), "YEARS": ("months", 12)}
CONDITIONS_MAX: Final = 64
"""Segments of a schedule, as many as a grant may have."""


def by_dates(vestings: list[Fields], quantity: Decimal, issued: int) -> dict[str, Any]:
    """Give the schedule of exact dates and amounts; `quantity` is the security's, `issued` its date in µs."""
    dated = []
    for one in vestings:
        date, amount = one.time("date"), one.decimal("amount")
        if date is None or amount is None:
            wrong(one.at, "a date and an amount", one.value)
        dated.append((date, amount))
    dated.sort()
    start = min(issued, dated[0][0])
    segments, before = [], start
    for date, amount in dated:
        segments.append(segment(Fraction(amount) / Fraction(quantity), every=(date - before) // DAY_US, unit="days"))
        before = date
    return {"segments": segments, "starts_at": instant_text(start), "allocation": "fractional"}


def by_terms(terms: Fields, quantity: Decimal) -> dict[str, Any] | None:
    """Give the schedule of vesting terms, or None where they vest by events alone."""
    conditions = {one.need("id"): one for one in terms.objects("vesting_conditions")}
    if len(conditions) > CONDITIONS_MAX:
        wrong(terms.path("vesting_conditions"), f"at most {CONDITIONS_MAX} conditions", f"{len(conditions)} of them")
    timed = [one for one in conditions.values() if _kind(one) not in {_START, _EVENT} and _vests(one)]
    if not timed:
        return None
    allocation = terms.text("allocation_type") or "CUMULATIVE_ROUNDING"
    if allocation not in _ALLOCATIONS:
        _unsaid(terms, f"shares units out as {cut(allocation)}")
    segments: list[dict[str, Any]] = []
    given = Fraction(0)
    for one, previous in _chain(terms, conditions):
        share = _share(one, quantity, given)
        if previous is None:
            segments += [segment(share, every=0, unit="days")] if share else []
            given += share
            continue
        period = _period(terms, one, previous)
        given += share * period["occurrences"]
        segments.append({**segment(share), **period})
    return {"segments": segments, "on_event": True, "allocation": _ALLOCATIONS[allocation]}


def of_event(terms: Fields, condition: str, quantity: Decimal) -> Decimal | None:
    """Give how many units a condition's event vests; None for all that are left."""
    one = next((held for held in terms.objects("vesting_conditions") if held.value.get("id") == condition), None)
    if one is None:
        wrong("vesting_condition_id", "a condition of the security's vesting terms", condition)
    portion = one.inner("portion")
    if portion.value.get("remainder") is True:
        if _ratio(portion) == 1:
            return None
        _unsaid(terms, "vests a part of what is left on an event")
    share = _share(one, quantity, Fraction(0))
    amount = share * Fraction(quantity)
    return Decimal(amount.numerator) / Decimal(amount.denominator)


def segment(share: Fraction, *, every: int = 1, unit: str = "months") -> dict[str, Any]:
    """Make a segment of one installment."""
    return {"occurrences": 1, "every": every, "unit": unit, "numerator": share.numerator, "denominator": share.denominator}


def _chain(terms: Fields, conditions: Mapping[str, Fields]) -> list[tuple[Fields, Fields | None]]:
    """Follow the conditions from the vesting start, each with the one before it; what vests nothing is no branch."""
    starts = [one for one in conditions.values() if _kind(one) == _START]
    if len(starts) != 1:
        _unsaid(terms, "has no single vesting start")
    found: list[tuple[Fields, Fields | None]] = [(starts[0], None)]
    seen = {starts[0].need("id")}
    while True:
        here = found[-1][0]
        following = [conditions.get(str(name)) for name in here.items("next_condition_ids")]
        vesting = [one for one in following if one is not None and (_vests(one) or one.items("next_condition_ids"))]
        if not vesting:
            return found
        name = vesting[0].need("id")
        if len(vesting) > 1 or name in seen or _kind(vesting[0]) != _RELATIVE:
            _unsaid(terms, "branches, or mixes dates with events")
        seen.add(name)
        found.append((vesting[0], here))


def _period(terms: Fields, one: Fields, previous: Fields) -> dict[str, Any]:
    trigger = one.inner("trigger")
    period = trigger.inner("period")
    if trigger.value.get("relative_to_condition_id") != previous.value.get("id"):
        _unsaid(terms, "counts a period from another condition than the one before")
    kind = period.need("type")
    if kind not in _UNITS:
        wrong(period.path("type"), "DAYS, MONTHS or YEARS", kind)
    if kind != "DAYS" and period.text("day_of_month") not in {None, _SAME_DAY}:
        _unsaid(terms, f"vests on the day {cut(period.need('day_of_month'))} of the month")
    unit, times = _UNITS[kind]
    occurrences, cliff = period.whole("occurrences") or 1, period.whole("cliff_installment") or 0
    return {
        "occurrences": occurrences,
        "every": (period.whole("length") or 0) * times,
        "unit": unit,
        "cliff": cliff if cliff >= 2 else 0,
    }


def _kind(one: Fields) -> str:
    return one.inner("trigger").need("type")


def _vests(one: Fields) -> bool:
    return one.has("portion") or (one.decimal("quantity") or 0) != 0


def _share(one: Fields, quantity: Decimal, given: Fraction) -> Fraction:
    """Give the share of the whole that one occurrence vests."""
    if one.has("portion"):
        portion = one.inner("portion")
        return _ratio(portion) * ((1 - given) if portion.value.get("remainder") is True else 1)
    return Fraction(one.decimal("quantity") or 0) / Fraction(quantity)


def _ratio(portion: Fields) -> Fraction:
    numerator, denominator = portion.decimal("numerator"), portion.decimal("denominator")
    if numerator is None or not denominator:
        wrong(portion.at, "a numerator and a denominator above 0", portion.value)
    return Fraction(numerator) / Fraction(denominator)


def _unsaid(terms: Fields, why: str) -> NoReturn:
    msg = f"The vesting terms {cut(terms.text('id') or '')!r} can't be said as a schedule: it {why}."
    do = "Give the security's `vestings` with their dates and amounts, which say the same."
    raise Refusal(msg, do, code="unsaid-vesting", field="vesting_terms_id")
