"""The sources `openmeter`, `focus` and `copilot`, by worked examples: meters, grants, charges, allowances and overage."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.events import Event
from engine.domain.values import MICRO, instant
from tests.intake.samples import arrivals, encoded, events, refusal
from tests.intake.usage_samples import FOCUS, credits_item, granted, metered, month_report

HEAD, *LINES = FOCUS.splitlines(keepends=True)


def one(source: str, record: Any) -> Event:
    """Read one record that becomes one event."""
    (event,) = events(arrivals(source, encoded(record)))
    return event


@pytest.mark.parametrize(
    ("data", "counts"),
    [
        ({"tokens": "123456", "type": "output"}, (0, 0, 123_456)),
        ({"tokens": 7, "type": "input"}, (7, 0, 0)),
        ({"tokens": 7, "type": "system"}, (7, 0, 0)),
        ({"prompt_tokens": 10, "completion_tokens": 4}, (10, 0, 4)),
        ({"input_tokens": 10, "cached_tokens": 6, "output_tokens": 4}, (10, 6, 4)),
    ],
)
def test_tokens_of_a_usage_event_are_known_by_their_names(data: dict[str, Any], counts: tuple[int, int, int]) -> None:
    """As in OpenMeter's guides: a count with its type, or a count for each."""
    event = one("openmeter", metered(data={**data, "model": "gpt-4"}))
    assert (event.data.input_tokens, event.data.cached_tokens, event.data.output_tokens) == counts
    assert (event.source, event.id, event.data.person, event.data.model) == ("chat-app", "00001", "p-1", "gpt-4")


def test_gpu_time_is_seconds_by_gpus() -> None:
    """12,345 seconds on two GPUs; seconds that are said to be GPU seconds are taken as they are."""
    event = one("openmeter", metered(type="gpu_time", data={"duration_seconds": "12345", "gpus": 2, "gpu_type": "nvidia_A100"}))
    assert (event.data.gpu_seconds, event.data.gpus, event.data.gpu_model) == (24_690 * MICRO, 2, "nvidia_A100")
    event = one("openmeter", metered(type="train", data={"gpu_seconds": 1.5, "gpus": 2}))
    assert event.data.gpu_seconds == 1_500_000


def test_a_grant_keeps_its_priority_its_rollover_and_its_calendar_month() -> None:
    """A month from the 31st of January is the 28th of February."""
    event = one("openmeter", granted())
    data = event.data
    assert (event.type, event.id) == ("compute.grant.issued.v1", f"{granted()['id']}/issued")
    assert (data.holder, data.quantity, data.unit, data.priority, data.vesting) == ("p-1", 100 * MICRO, "CCU", 1, "immediate")
    assert (data.effective_at, data.expires_at) == (instant("2026-01-31"), instant("2026-02-28"))
    assert (data.rollover_min, data.rollover_max) == (0, 50_500_000)
    assert event.time == instant("2026-01-30T09:00:00Z")


@pytest.mark.parametrize(
    ("expiration", "expected"),
    [
        ({"duration": "HOUR", "count": 36}, "2026-02-01T12:00:00Z"),
        ({"duration": "WEEK", "count": 2}, "2026-02-14"),
        ({"duration": "YEAR", "count": 1}, "2027-01-31"),
        (None, None),
    ],
)
def test_a_grant_expires_after_its_period(expiration: Any, expected: str | None) -> None:
    """Hours to weeks are fixed, years are the calendar's; an expiry that is said goes first."""
    found = one("openmeter", granted(expiration=expiration)).data.expires_at
    assert found == (None if expected is None else instant(expected))
    said = granted(expiration=expiration, expiresAt="2026-05-01T00:00:00Z")
    assert one("openmeter", said).data.expires_at == instant("2026-05-01")


@pytest.mark.parametrize(("interval", "expected"), [("MONTH", "monthly"), ("P3M", "quarterly"), ("P1Y", "yearly")])
def test_a_grant_recurs_by_month_quarter_or_year(interval: str, expected: str) -> None:
    """In OpenMeter's words or as an ISO 8601 duration."""
    assert (
        one("openmeter", granted(recurrence={"interval": interval, "anchor": "2026-01-01T00:00:00Z"})).data.recurrence == expected
    )


@pytest.mark.parametrize("key", ["voidedAt", "deletedAt"])
def test_a_grant_that_was_voided_or_deleted_is_two_events(key: str) -> None:
    """It was issued, and was voided when it was."""
    issued, voided = events(arrivals("openmeter", encoded({"items": [granted(**{key: "2026-02-02T00:00:00Z"})]})))
    assert (issued.type, voided.type) == ("compute.grant.issued.v1", "compute.grant.voided.v1")
    assert (voided.time, voided.data.grant_id, voided.data.holder) == (instant("2026-02-02"), issued.data.grant_id, "p-1")


def test_events_come_as_openmeter_lists_them_too() -> None:
    """Each within what OpenMeter says of its ingestion."""
    listed = [{"event": metered(), "ingestedAt": "2026-01-01T00:00:01Z"}]
    assert one("openmeter", listed) == one("openmeter", metered())


@pytest.mark.parametrize(
    ("record", "code", "field"),
    [
        (metered(data={"requests": 1}), "unknown-meter", "data"),
        (metered(data=None), "unknown-meter", "data"),
        (metered(data={"tokens": 5}), "missing", "data.type"),
        (metered(data={"tokens": -5, "type": "input"}), "invalid", "data.tokens"),
        (metered(subject=None), "missing", "subject"),
        (metered(time=None), "missing", "time"),
        (granted(subjectKey=None), "missing", "subjectKey"),
        (granted(metadata=None), "missing", "metadata.unit"),
        (granted(amount=0), "no-quantity", "data.quantity"),
        (granted(amount=-1), "no-quantity", "data.quantity"),
        (granted(effectiveAt=None), "missing", "effectiveAt"),
        (granted(expiration={"duration": "ERA", "count": 1}), "invalid", "expiration.duration"),
        (granted(expiration={"duration": "YEAR", "count": 1000}), "invalid", "expiration.count"),
        (granted(recurrence={"interval": "DAY"}), "invalid", "recurrence.interval"),
        (granted(maxRolloverAmount=1, minRolloverAmount=2), "rollover-bounds", "data.rollover_min"),
        ({"hello": 1}, "not-openmeter", ""),
    ],
)
def test_a_record_of_openmeter_that_says_too_little_is_refused(record: dict[str, Any], code: str, field: str) -> None:
    """Naming the field."""
    found = refusal(arrivals("openmeter", encoded(record)))
    assert (found.code, found.field) == (code, field)


def test_a_line_of_a_bill_is_a_charge_at_the_end_of_its_period() -> None:
    """Money as it was billed and as it was spread; the provider's own quantity; no units of a grant."""
    event = events(arrivals("focus", HEAD + LINES[0]))[0]
    data = event.data
    assert (event.time, data.started_at) == (instant("2024-09-18T23:00:00Z"), instant("2024-09-18T22:00:00Z"))
    assert (data.cost, data.billed_cost, data.currency) == (500_000, 16, "USD")
    assert (data.consumed, data.consumed_unit, data.quantity) == (2 * MICRO, "Requests", None)
    assert (data.provider, data.service, data.sku, data.region) == ("AWS", "SQS", "G95", "us-west-2")
    assert (data.category, data.charge_class, data.free) == ("usage", "", True)
    assert data.about() == ("alias", "sub_account:AWS/7")


def test_credits_and_corrections_keep_their_sign() -> None:
    """Of a billing account without sub-accounts."""
    event = events(arrivals("focus", HEAD + LINES[1]))[0]
    assert (event.data.cost, event.data.category, event.data.charge_class) == (-3 * MICRO, "credit", "correction")
    assert event.data.about() == ("alias", "billing_account:AWS/42")


def test_identical_lines_of_a_bill_are_distinct_charges() -> None:
    """And the same ones when the bill is read again."""
    first, again = (events(arrivals("focus", HEAD + LINES[2] + LINES[3])) for _ in range(2))
    assert [event.id for event in first] == [event.id for event in again]
    assert len({event.id for event in first}) == 2


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (b",Usage,", b",Gift,", "ChargeCategory"),
        (b",0.5,", b",much,", "EffectiveCost"),
        (b"2024-09-18 23:00:00", b"2024-09-18 21:00:00", "ChargePeriodEnd"),
        (b"2024-09-18 22:00:00", b"NULL", "ChargePeriodStart"),
        (b",NULL,", b",Refund,", "ChargeClass"),
        (b",USD,", b",dollars,", "data.currency"),
        (b",0.5,", b",99999999999,", "EffectiveCost"),
    ],
)
def test_a_line_of_a_bill_that_is_wrong_is_refused_by_its_column(old: bytes, new: bytes, field: str) -> None:
    """Its neighbours are taken in."""
    found = arrivals("focus", HEAD + LINES[0].replace(old, new, 1) + LINES[2])
    assert refusal(found).field == field
    assert found[1].event is not None


def test_a_bill_without_what_focus_demands_is_refused_whole() -> None:
    """By its header, before a line is read by a guess."""
    found = refusal(arrivals("focus", HEAD.replace(b"EffectiveCost", b"Cost") + LINES[0]))
    assert (found.code, "EffectiveCost" in found.message) == ("wrong-columns", True)


def test_what_the_plan_includes_is_a_grant_and_the_rest_is_overage() -> None:
    """Of 350.5 credits 230.25 are included; the usage may draw on that grant alone, in its month."""
    grant, used = events(arrivals("copilot", encoded(month_report(credits_item()))))
    assert (grant.data.quantity, grant.data.unit, grant.data.vesting) == (230_250_000, "ai-credits", "immediate")
    assert (used.data.quantity, used.data.unit, used.data.grant_id) == (350_500_000, "ai-credits", grant.data.grant_id)
    assert (grant.time, grant.data.expires_at) == (instant("2026-06-01"), instant("2026-07-01"))
    assert grant.time <= used.time < grant.data.expires_at
    assert used.data.person == grant.data.holder == "github.com/monalisa"
    assert (used.data.cost, used.data.currency) == (1_202_500, "USD")


def test_usage_without_an_allowance_has_no_grant() -> None:
    """All of it is overage."""
    used = one("copilot", month_report(credits_item(discountQuantity=0)))
    assert (used.type, used.data.grant_id) == ("compute.usage.charged.v1", None)


def test_a_days_credits_are_provisional() -> None:
    """Until the month's report settles them."""
    used = one("copilot", {"day_totals": [{"day": "2026-03-30", "user_login": "Hubot", "ai_credits_used": 2.81}]})
    assert (used.data.state, used.data.quantity, used.data.person) == ("provisional", 2_810_000, "github.com/hubot")
    assert used.data.started_at == instant("2026-03-30") <= used.time < instant("2026-03-31")


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (month_report(credits_item(user=None)), "missing"),
        (month_report(credits_item(discountQuantity=999)), "invalid"),
        (month_report(credits_item(grossQuantity=-1)), "invalid"),
        (month_report(credits_item()) | {"timePeriod": {"year": 2026, "month": 13}}, "invalid"),
        (month_report(credits_item()) | {"timePeriod": {}}, "invalid"),
        ({"seats": [{"assignee": {"login": "x", "id": 1}}]}, "missing"),
        ({"day_totals": [{"day": "2026-02-30", "user_login": "hubot"}]}, "invalid"),
        ({"total": 1}, "not-copilot"),
    ],
)
def test_a_report_that_is_wrong_is_refused(report: dict[str, Any], code: str) -> None:
    """Item by item."""
    assert refusal(arrivals("copilot", encoded(report))).code == code
