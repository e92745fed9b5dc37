"""The source `copilot`: GitHub's reports on Copilot: seats, credits and premium requests by month, users by day. Pure.

A seat is a grant of one seat. Of a month's usage what GitHub discounts is an allowance that the plan includes: a grant of
the month, which that usage alone may draw on; what is left over is the overage, and is what GitHub charges. A day's
credits are provisional, as the month's report settles them. Reports name logins, so a person is `github.com/<login>`.
Times are UTC; usage is metered in its period's last microsecond. Take in months that are over: others still change.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from engine.domain.errors import Refusal
from engine.domain.values import DAY_US, instant, instant_text
from engine.intake.picking import Fields, months_later, quantity_of, wrong
from engine.intake.records import Draft, Record, Records

_HOST: Final = "github.com"
_SOURCE: Final = "github.com/copilot"
_CREDITS: Final = "ai-credits"


class Copilot(Records):
    """Reports of one of the three kinds, known by what they hold."""

    name = "copilot"
    what = "a report on Copilot"

    def records(self, document: Any) -> Iterable[Record]:
        """Give a report's seats, items or days, each with what the report says of all."""
        report = Fields(document)
        for key, one in (("seats", "seat"), ("usageItems", "item"), ("day_totals", "day")):
            if key in report.value:
                shared = {name: report.value[name] for name in ("timePeriod", "organization") if name in report.value}
                return [(f"{key}[{index}]", {**shared, one: held}) for index, held in enumerate(report.items(key))]
        if {"seat", "item", "day"} & set(report.value):
            return [("", document)]
        msg = "Expected a report on Copilot with seats, usageItems or day_totals."
        raise Refusal(
            msg, "Send what GitHub's API answers for billing/seats, billing usage and users' metrics.", code="not-copilot"
        )

    def drafts(self, record: Any) -> Iterable[Draft]:
        """Give the events of one seat, item or day."""
        whole = Fields(record)
        if "seat" in whole.value:
            return [_seat(whole.inner("seat"))]
        return _item(whole, whole.inner("item")) if "item" in whole.value else [_day(whole.inner("day"))]


def _seat(seat: Fields) -> Draft:
    assignee = seat.inner("assignee")
    given, ends = seat.time("created_at"), seat.time("pending_cancellation_date")
    if given is None:
        wrong(seat.path("created_at"), "when the seat was given", None)
    grant = f"copilot/seat/{assignee.need('id')}@{instant_text(given)}"
    data = {
        "grant_id": grant,
        "holder": _person(assignee.need("login")),
        "quantity": "1",
        "unit": "seat",
        "vesting": "immediate",
        "expires_at": None if ends is None else instant_text(ends),
        "purpose": f"Copilot {seat.text('plan_type') or ''}".strip(),
        "legal_character": "licence",
    }
    return Draft("grant.issued", _SOURCE, grant, given, data)


def _item(whole: Fields, item: Fields) -> list[Draft]:
    since, until = _period(whole.inner("timePeriod"))
    user, unit = item.need("user"), item.need("unitType")
    gross, discount = item.decimal("grossQuantity"), item.decimal("discountQuantity") or Decimal(0)
    if gross is None or gross < 0 or not 0 <= discount <= gross:
        wrong(item.path("grossQuantity"), "a number of at least 0 and at least discountQuantity", item.value.get("grossQuantity"))
    organisation = item.text("organization") or whole.text("organization") or "unknown"
    model = item.text("model")
    name = "/".join((organisation, instant_text(since)[:10], user, item.need("sku"), model or ""))[:240]
    grant = f"copilot/{name}" if discount else None
    found = []
    if grant is not None:
        terms = {
            "grant_id": grant,
            "holder": _person(user),
            "quantity": quantity_of(discount, item.path("discountQuantity")),
            "unit": unit,
            "vesting": "immediate",
            "expires_at": instant_text(until),
            "purpose": "included in the plan",
            "legal_character": "licence",
        }
        found.append(Draft("grant.issued", _SOURCE, f"{name}/included", since, terms))
    used = {
        "person": _person(user),
        "grant_id": grant,
        "quantity": quantity_of(gross, item.path("grossQuantity")),
        "unit": unit,
        "provider": "github",
        "model": model,
        "started_at": instant_text(since),
        "service": item.text("product"),
        "sku": item.text("sku"),
        "consumed": quantity_of(gross, item.path("grossQuantity")),
        "consumed_unit": unit,
        "cost": item.quantity("netAmount"),
        "billed_cost": item.quantity("netAmount"),
        "currency": "USD",
    }
    return [*found, Draft("usage.charged", _SOURCE, name, until - 1, used)]


def _day(day: Fields) -> Draft:
    user, date = day.need("user_login"), day.time("day")
    if date is None:
        wrong(day.path("day"), "a date such as 2026-01-31", None)
    credits_used = day.quantity("ai_credits_used") or "0"
    data = {
        "person": _person(user),
        "state": "provisional",
        "quantity": credits_used,
        "unit": _CREDITS,
        "provider": "github",
        "started_at": instant_text(date),
        "service": "Copilot",
        "consumed": credits_used,
        "consumed_unit": _CREDITS,
        "interactive": True if day.value.get("used_chat") is True else None,
    }
    own = f"{day.text('organization_id') or day.text('enterprise_id') or 'unknown'}/{user}/{day.need('day')}"
    return Draft("usage.charged", _SOURCE, own[:256], date + DAY_US - 1, data)


def _person(login: str) -> str:
    """Give the person's id; GitHub takes logins in any case of letters."""
    return f"{_HOST}/{login.lower()}"


def _period(period: Fields) -> tuple[int, int]:
    """Give begin and end of the report's day, month or year."""
    year, month, day = period.whole("year"), period.whole("month"), period.whole("day")
    if year is None or (month is None and day is not None):
        wrong(period.at, "a year, or a year and a month, or a whole date", period.value)
    try:
        since = int(instant(f"{year:04d}-{month or 1:02d}-{day or 1:02d}"))
    except Refusal:
        wrong(period.at, "a year, a month and a day of the calendar", f"{year}-{month}-{day}")
    if day is not None:
        return since, since + DAY_US
    return since, months_later(since, 12 if month is None else 1, period.path("year"))
