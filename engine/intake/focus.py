"""The source `focus`: lines of a cloud bill in the FinOps Open Cost and Usage Specification (FOCUS 1.0), as CSV. Pure.

A line becomes `usage.charged`, at the end of its charge period. It carries money and the provider's own quantities, no
units of a grant: what a bill charges was metered before. Amounts are signed: credits and corrections are negative.
FOCUS times are UTC; some exports leave the Z out, or write NULL for nothing. A line has no id, so it is identified by
all its cells: take in bills whose billing period is closed, as an open one's lines still change.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from engine.domain.errors import Refusal
from engine.domain.values import instant, instant_text
from engine.intake.arrivals import Arrival
from engine.intake.contract import Options, admitted, refused
from engine.intake.identical import Identities
from engine.intake.json_text import LINE_BYTES_MAX
from engine.intake.picking import decimal_number, quantity_of, unlike, wrong
from engine.intake.reading import RAW_BYTES_MAX
from engine.intake.records import Draft, cloudevent
from engine.intake.table import Row, csv_rows

_NEEDED: Final = frozenset(
    {
        "BillingAccountId",
        "BillingCurrency",
        "ChargeCategory",
        "ChargePeriodEnd",
        "ChargePeriodStart",
        "EffectiveCost",
        "ProviderName",
    }
)
_NOTHING: Final = frozenset({"", "NULL", "null", "None", "\\N"})
_CATEGORIES: Final = {name: name.lower() for name in ("Usage", "Purchase", "Tax", "Credit", "Adjustment")}
_WHAT: Final = "a bill"


class Focus:
    """Lines of a bill."""

    name = "focus"

    def arrivals(self, stream: BinaryIO, where: str, options: Options) -> Iterator[Arrival]:
        """Read a whole bill, line by line."""
        identities = Identities()
        for row in csv_rows(stream, ",", (), _NEEDED):
            at = f"{where}:{row.number}"
            try:
                if row.cells is None:
                    raise row.refusal or Refusal("The line can't be read.", "Send it again.")
                line = {name: value.strip() for name, value in row.cells.items() if value.strip() not in _NOTHING}
                event = admitted(cloudevent(_charge(line), row.cells, _WHAT, identities, options), options)
                yield Arrival(event, None, _kept(row), at)
            except Refusal as refusal:
                yield refused(refusal, _kept(row), at)


def _kept(row: Row) -> bytes:
    """Give a refused line with its header, so that it can be read again."""
    if row.cells is None:
        return row.raw if len(row.raw) <= LINE_BYTES_MAX else row.raw[:RAW_BYTES_MAX]
    head = io.StringIO()
    csv.writer(head, lineterminator="\n").writerow(row.cells)
    return head.getvalue().encode() + row.raw


def _charge(line: Mapping[str, str]) -> Draft:
    provider = _need(line, "ProviderName")
    start, end = _time(line, "ChargePeriodStart"), _time(line, "ChargePeriodEnd")
    if end <= start:
        wrong("ChargePeriodEnd", "a time after ChargePeriodStart", line["ChargePeriodEnd"])
    consumed = _quantity(line, "ConsumedQuantity")
    data: dict[str, Any] = {
        "user": _account(line, provider),
        "category": _one_of(line, "ChargeCategory", _CATEGORIES),
        "charge_class": _one_of(line, "ChargeClass", {"Correction": "correction"}) if "ChargeClass" in line else None,
        "started_at": instant_text(start),
        "provider": provider,
        "service": line.get("ServiceName"),
        "sku": line.get("SkuPriceId") or line.get("SkuId"),
        "region": line.get("RegionId"),
        "consumed": consumed,
        "consumed_unit": None if consumed is None else line.get("ConsumedUnit"),
        "cost": _quantity(line, "EffectiveCost"),
        "billed_cost": _quantity(line, "BilledCost"),
        "currency": _need(line, "BillingCurrency"),
        "free": _free(line) or None,
    }
    return Draft("usage.charged", f"focus/{provider}", "", end, data)


def _account(line: Mapping[str, str], provider: str) -> dict[str, str]:
    """Name the sub-account that was charged, else the billing account."""
    sub = line.get("SubAccountId")
    if sub:
        return {"kind": "sub_account", "value": f"{provider}/{sub}"}
    return {"kind": "billing_account", "value": f"{provider}/{_need(line, 'BillingAccountId')}"}


def _free(line: Mapping[str, str]) -> bool:
    """Whether the provider's own list says that it costs nothing."""
    price = line.get("ListUnitPrice")
    return price is not None and decimal_number(price, "ListUnitPrice") == 0


def _need(line: Mapping[str, str], column: str) -> str:
    value = line.get(column)
    if value is None:
        wrong(column, "a text", None)
    return value


def _one_of(line: Mapping[str, str], column: str, known: Mapping[str, str]) -> str:
    value = _need(line, column)
    if value not in known:
        wrong(column, "one of " + ", ".join(known), value)
    return known[value]


def _quantity(line: Mapping[str, str], column: str) -> str | None:
    text = line.get(column)
    return None if text is None else quantity_of(decimal_number(text, column), column)


def _time(line: Mapping[str, str], column: str) -> int:
    """Read a time in UTC, with or without saying so."""
    text = _need(line, column)
    for suffix in ("", "Z"):
        try:
            return int(instant(text + suffix))
        except Refusal:
            continue
    raise unlike(column, "a time such as 2026-01-31T08:00:00Z", text)
