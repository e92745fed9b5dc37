"""The source `openmeter`: OpenMeter's usage events (CloudEvents) and grants, one a document or in lists and pages. Pure.

A subject is taken for the person's id, of events and of grants alike. What a meter reads from an event is configured in
OpenMeter and not said in the event, so the fields of its guides are looked for: tokens with a type, token counts by
kind, GPU seconds. An event with none of them is refused: a mapping can say which of its fields counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from engine.domain import units
from engine.domain.errors import Refusal
from engine.domain.values import DAY_US, HOUR_US, instant_text
from engine.domain.wording import cut
from engine.intake.picking import Fields, months_later, quantity_of, wrong
from engine.intake.records import Draft, Record, Records
from engine.intake.tokens import counted

_MONTHS: Final = {"MONTH": 1, "YEAR": 12}
_FIXED: Final = {"HOUR": HOUR_US, "DAY": DAY_US, "WEEK": 7 * DAY_US}
_RECURRENCE: Final = {
    "MONTH": "monthly",
    "P1M": "monthly",
    "P3M": "quarterly",
    "YEAR": "yearly",
    "P1Y": "yearly",
    "P12M": "yearly",
}
_INPUT: Final = frozenset({"input", "prompt", "system"})
_OUTPUT: Final = frozenset({"output", "completion"})
_HOLDERS: Final = ("subjectKey", "customerKey", "subject", "customerId")


class OpenMeter(Records):
    """Usage events and grants of OpenMeter."""

    name = "openmeter"
    what = "a record of OpenMeter"

    def records(self, document: Any) -> Iterable[Record]:
        """Give a document's events and grants; pages hold them as `items`, listed events lie in `event`."""
        if isinstance(document, dict) and isinstance(document.get("items"), list):
            return [(f"items[{index}]", _event(one)) for index, one in enumerate(document["items"])]
        if isinstance(document, list):
            return [(f"[{index}]", _event(one)) for index, one in enumerate(document)]
        return [("", _event(document))]

    def drafts(self, record: Any) -> Iterable[Draft]:
        """Give the events of one usage event or grant."""
        row = Fields(record)
        if "amount" in row.value and "specversion" not in row.value:
            return _grant(row)
        if "type" in row.value and "source" in row.value:
            return [_usage(row)]
        msg = "Expected a usage event (a CloudEvents object) or a grant."
        raise Refusal(msg, "Send events as they were ingested and grants as /api/v1/grants answers them.", code="not-openmeter")


def _event(one: Any) -> Any:
    return one["event"] if isinstance(one, dict) and isinstance(one.get("event"), dict) else one


def _usage(row: Fields) -> Draft:
    time = row.time("time")
    if time is None:
        do = "Take the events from OpenMeter's /api/v1/events, which gives those without a time the time of their receipt."
        wrong("time", "when it happened", None, do)
    data = row.inner("data")
    common: dict[str, Any] = {
        "person": row.need("subject"),
        "provider": data.text("provider") or "unknown",
        "model": data.text("model") or "unknown",
        "region": data.text("region"),
        "session": data.text("session") or data.text("session_id"),
    }
    seconds = data.decimal("gpu_seconds")
    if seconds is None and (data.has("gpu_type") or data.has("gpus") or (row.text("type") or "").startswith("gpu")):
        held = data.decimal("duration_seconds")
        seconds = None if held is None else held * (data.whole("gpus") or 1)
    if seconds is not None:
        common |= {
            "gpu_seconds": quantity_of(seconds, data.path("gpu_seconds")),
            "gpus": data.whole("gpus") or 1,
            "gpu_model": data.text("gpu_type") or data.text("gpu_model"),
            "cluster": data.text("cluster"),
            "job_id": data.text("job_id"),
        }
        return Draft("usage.gpu", row.need("source"), row.need("id"), time, common)
    return Draft("usage.inference", row.need("source"), row.need("id"), time, {**common, **_tokens(row, data)})


def _tokens(row: Fields, data: Fields) -> dict[str, int]:
    fresh, output = (
        next((data.count(key) for key in keys if data.has(key)), None)
        for keys in (("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens"))
    )
    if data.has("tokens"):
        kind = data.text("type") or data.text("token_type") or ""
        if kind not in _INPUT | _OUTPUT:
            wrong(data.path("type"), "input, output or system, which kind of tokens these are", data.value.get("type"))
        fresh, output = (data.count("tokens"), output) if kind in _INPUT else (fresh, data.count("tokens"))
    if fresh is None and output is None:
        msg = f"data: an event of the type {cut(row.need('type'))!r} has no tokens or GPU seconds known by their names."
        do = "Say in a mapping which of its fields counts, and read it as map:FILE.yaml."
        raise Refusal(msg, do, code="unknown-meter", field="data")
    cached = data.count("cached_tokens") or data.count("cache_read_input_tokens")
    return counted(fresh=fresh or 0, cached=cached, output=output or 0, reasoning=data.count("reasoning_tokens"))


def _grant(row: Fields) -> list[Draft]:
    own, start = row.need("id"), row.time("effectiveAt")
    if start is None:
        wrong("effectiveAt", "from when the grant holds", None)
    holder = next((row.text(key) for key in _HOLDERS if row.has(key)), None)
    if holder is None:
        wrong("subjectKey", "whose grant it is", None, "Add the subject of the grant's entitlement as subjectKey.")
    feature = row.text("featureKey")
    unit = row.inner("metadata").text("unit") or (None if feature is None else units.own(feature))
    if unit is None:
        wrong("metadata.unit", "the unit that is granted", None, "Give the grant's metadata a unit, such as CCU.")
    created = row.time("createdAt")
    data = {
        "grant_id": own,
        "holder": holder,
        "quantity": row.quantity("amount"),
        "unit": unit,
        "vesting": "immediate",
        "priority": row.whole("priority"),
        "effective_at": instant_text(start),
        "expires_at": _expiry(row, start),
        "recurrence": _recurrence(row),
        "rollover_min": row.quantity("minRolloverAmount"),
        "rollover_max": row.quantity("maxRolloverAmount"),
    }
    found = [Draft("grant.issued", "openmeter", f"{own}/issued", start if created is None else created, data)]
    for key in ("voidedAt", "deletedAt"):
        ended = row.time(key)
        if ended is not None:
            about = {"grant_id": own, "holder": holder, "reason": f"OpenMeter's {key}"}
            found.append(Draft("grant.voided", "openmeter", f"{own}/voided", ended, about))
            break
    return found


def _expiry(row: Fields, start: int) -> str | None:
    """Give when it expires, as it says or by its period."""
    said = row.time("expiresAt")
    if said is not None or not row.has("expiration"):
        return None if said is None else instant_text(said)
    period = row.inner("expiration")
    unit, count = period.need("duration"), period.whole("count") or 1
    if not 1 <= count <= 1000:
        wrong(period.path("count"), "a number from 1 to 1000", count)
    if unit in _MONTHS:
        return instant_text(months_later(start, _MONTHS[unit] * count, period.path("count")))
    if unit not in _FIXED:
        wrong(period.path("duration"), "HOUR, DAY, WEEK, MONTH or YEAR", unit)
    return instant_text(start + _FIXED[unit] * count)


def _recurrence(row: Fields) -> str | None:
    if not row.has("recurrence"):
        return None
    period = row.inner("recurrence")
    interval = period.text("intervalISO") or period.need("interval")
    if interval not in _RECURRENCE:
        do = "Send each period's grant by itself: grants recur by month, quarter or year."
        wrong(period.path("interval"), "MONTH, YEAR, P1M, P3M or P1Y", interval, do)
    return _RECURRENCE[interval]
