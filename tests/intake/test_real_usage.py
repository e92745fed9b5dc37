"""Other people's answers, bills and reports, whole: tokens, amounts, seats and credits agree with counts made without us."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.domain.codec import content, identity
from engine.domain.events import Event
from engine.domain.values import MICRO, instant
from engine.intake.arrivals import Arrival
from engine.intake.sources import open_source
from tests.intake.samples import ACME, MAPPINGS, events

ANSWERS = Path("provider_responses")
BILL = Path("cloud", "focus_1.0_aws.csv.gz")
COPILOT = Path("copilot_reports")


def read(name: str, path: Path) -> list[Arrival]:
    """Read a file by one of the project's sources."""
    with path.open("rb") as stream:
        return list(open_source(name).arrivals(stream, path.name, ACME))


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines without the project's code."""
    with gzip.open(path, "rt", encoding="utf-8") as text:
        return [json.loads(line) for line in text]


def micros(value: str | float | Decimal) -> int:
    """Round half to even to micro-units."""
    return int((Decimal(str(value)) * MICRO).to_integral_value(ROUND_HALF_EVEN))


def usage_of(row: dict[str, Any]) -> dict[str, Any]:
    """Find what a recorded answer says it used: in its body, or in the events of its stream, later ones before earlier."""
    body = row["response"]
    if isinstance(body, dict):
        return body.get("usage") or {}
    found: dict[str, Any] = {}
    for line in body.splitlines():
        if not line.startswith("data: {"):
            continue
        event = json.loads(line.removeprefix("data: "))
        held = event.get("message") or event.get("response") or event
        found |= held.get("usage") or {}
    return found


def totals(found: list[Event]) -> Counter[str]:
    """Add up tokens by kind."""
    count: Counter[str] = Counter()
    for event in found:
        for kind in ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens"):
            count[kind] += getattr(event.data, kind)
    return count


@pytest.fixture(scope="module")
def openai(real_data: Path) -> tuple[list[dict[str, Any]], list[Arrival]]:
    """OpenAI's answers as they are, and as arrivals."""
    return rows_of(real_data / ANSWERS / "openai.jsonl.gz"), read("openai", real_data / ANSWERS / "openai.jsonl.gz")


@pytest.fixture(scope="module")
def anthropic(real_data: Path) -> tuple[list[dict[str, Any]], list[Event]]:
    """Anthropic's answers as they are, and as events."""
    path = real_data / ANSWERS / "anthropic.jsonl.gz"
    return rows_of(path), events(read("anthropic", path))


def test_openais_tokens_agree_and_input_includes_what_was_cached(openai: tuple[list[dict[str, Any]], list[Arrival]]) -> None:
    """478 answers: 348 say what they used, whole or streamed; 130 are runs of assistants that haven't ended, and say so."""
    rows, found = openai
    expected: Counter[str] = Counter()
    for row in rows:
        used = usage_of(row)
        cached = used.get("prompt_tokens_details") or used.get("input_tokens_details") or used.get("prompt_token_details") or {}
        out = used.get("completion_tokens_details") or used.get("output_tokens_details") or {}
        expected["input_tokens"] += used.get("prompt_tokens", 0) + used.get("input_tokens", 0)
        expected["output_tokens"] += used.get("completion_tokens", 0) + used.get("output_tokens", 0)
        expected["cached_tokens"] += cached.get("cached_tokens", 0)
        expected["reasoning_tokens"] += out.get("reasoning_tokens", 0)
    taken = [one.event for one in found if one.event is not None]
    assert len(found) == len(rows) == 478
    assert Counter(one.refusal.code for one in found if one.refusal) == {"no-usage": 130}
    assert totals(taken) == expected
    assert sum(expected[kind] for kind in ("input_tokens", "output_tokens")) == sum(
        usage_of(row).get("total_tokens", 0) for row in rows
    )


def test_openais_answers_keep_their_own_ids_so_that_one_recorded_twice_is_one(
    openai: tuple[list[dict[str, Any]], list[Arrival]],
) -> None:
    """What shares an identity says the same; embeddings are known by their requests."""
    _, found = openai
    said: dict[bytes, set[bytes]] = {}
    for one in found:
        if one.event is not None:
            said.setdefault(identity(one.event), set()).add(content(one.event))
    assert {len(contents) for contents in said.values()} == {1}
    assert len(said) < 348
    assert Counter(one.event.data.operation for one in found if one.event) == {
        "chat": 261,
        "text_completion": 42,
        "embeddings": 36,
        "invoke_agent": 9,
    }
    assert {one.event.data.provider for one in found if one.event} == {"openai", "azure.ai.openai", "localhost:8000"}


def test_anthropics_tokens_agree_once_the_cached_ones_are_added(anthropic: tuple[list[dict[str, Any]], list[Event]]) -> None:
    """84 messages, 37 of them streamed: input is what was read, written and neither; only what was read is cached."""
    rows, found = anthropic
    expected: Counter[str] = Counter()
    for row in rows:
        used = usage_of(row)
        read_, written = used.get("cache_read_input_tokens") or 0, used.get("cache_creation_input_tokens") or 0
        expected["input_tokens"] += used["input_tokens"] + read_ + written
        expected["cached_tokens"] += read_
        expected["output_tokens"] += used["output_tokens"]
    assert len(found) == len(rows) == 84
    assert totals(found) == expected | Counter({"reasoning_tokens": 0})
    assert expected["cached_tokens"] > 0
    assert expected["input_tokens"] > sum(usage_of(row)["input_tokens"] for row in rows)
    assert Counter(event.data.provider for event in found) == {"anthropic": 81, "aws.bedrock": 3}


def test_a_message_is_timed_by_its_servers_clock(anthropic: tuple[list[dict[str, Any]], list[Event]]) -> None:
    """Messages carry no time of their own, so the Date header says when."""
    rows, found = anthropic
    index = next(index for index, row in enumerate(rows) if row["headers"]["date"] == "Tue, 12 Aug 2025 15:11:10 GMT")
    assert found[index].time == instant("2025-08-12T15:11:10Z")


def test_litellms_record_says_what_it_used_and_what_it_cost(real_data: Path) -> None:
    """One record: 10 tokens in, 20 out, 225 millionths of a dollar; it names no key, so it waits for a link of the proxy."""
    (event,) = events(read("litellm", real_data / ANSWERS / "litellm_spend_logs_payload.json"))
    assert totals([event]) == {"input_tokens": 10, "output_tokens": 20, "cached_tokens": 0, "reasoning_tokens": 0}
    assert (event.data.cost, event.data.currency) == (225, "USD")
    assert event.time == instant("2025-01-24T09:20:46.851954Z")
    assert event.data.about() == ("alias", "endpoint:litellm")


def test_litellms_list_of_prices_is_refused_for_it_has_no_date(real_data: Path) -> None:
    """One document of thousands of models, and one refusal that says what to send instead."""
    (one,) = read("litellm", real_data / ANSWERS / "litellm_model_prices_1.109.1.json.gz")
    assert one.refusal is not None
    assert (one.refusal.code, "compute.rate.published.v1" in one.refusal.do) == ("price-list", True)


def test_every_line_of_a_cloud_bill_is_a_charge_and_its_amounts_agree(real_data: Path) -> None:
    """942 lines of AWS: billed and effective cost, consumed quantities by unit, categories, accounts and services."""
    with gzip.open(real_data / BILL, "rt", encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    found = events(read("focus", real_data / BILL))
    assert len(found) == len(rows) == 942
    for field, column in (("cost", "EffectiveCost"), ("billed_cost", "BilledCost")):
        assert sum(getattr(event.data, field) for event in found) == sum(micros(row[column]) for row in rows)
    assert sum(event.data.billed_cost for event in found) > 0 > min(event.data.cost for event in found)
    consumed: Counter[str] = Counter()
    for row in rows:
        if row["ConsumedQuantity"] != "NULL":
            consumed[row["ConsumedUnit"]] += micros(row["ConsumedQuantity"])
    told: Counter[str] = Counter()
    for event in found:
        if event.data.consumed is not None:
            told[event.data.consumed_unit] += event.data.consumed
    assert told == consumed
    assert Counter(event.data.category for event in found) == {"usage": 941, "credit": 1}
    assert Counter(event.data.user.value for event in found) == Counter(f"AWS/{row['SubAccountId']}" for row in rows)
    assert Counter(event.data.service for event in found) == Counter(row["ServiceName"] for row in rows)
    assert all(event.time == instant(f"{row['ChargePeriodEnd']}Z") for event, row in zip(found, rows, strict=True))


def test_copilots_credits_are_grants_and_overage_and_their_amounts_agree(real_data: Path) -> None:
    """110 items of a month: gross is used, what is discounted is granted, net is what no grant covers."""
    path = real_data / COPILOT / "billing-credits.json"
    items = json.loads(path.read_text())["usageItems"]
    found = events(read("copilot", path))
    granted = {event.data.grant_id: event.data.quantity for event in found if event.type == "compute.grant.issued.v1"}
    used = [event for event in found if event.type == "compute.usage.charged.v1"]
    assert len(used) == len(items) == 110
    assert len(granted) == sum(item["discountQuantity"] > 0 for item in items) == 100
    for unit in ("ai-credits", "requests"):
        some = [item for item in items if item["unitType"] == unit]
        gross = sum(event.data.quantity for event in used if event.data.unit == unit)
        covered = sum(granted.get(event.data.grant_id, 0) for event in used if event.data.unit == unit)
        assert gross == sum(micros(item["grossQuantity"]) for item in some) > 0
        assert covered == sum(micros(item["discountQuantity"]) for item in some)
        assert abs(gross - covered - sum(micros(item["netQuantity"]) for item in some)) <= len(some)
    assert sum(event.data.cost for event in used) == sum(micros(item["netAmount"]) for item in items)
    assert all(granted.get(event.data.grant_id, 0) <= event.data.quantity for event in used)


def test_copilots_seats_are_grants_of_one_seat(real_data: Path) -> None:
    """Nine, of nine people, since when they were given."""
    path = real_data / COPILOT / "organization_seats_response_sample.json"
    report = json.loads(path.read_text())
    found = events(read("copilot", path))
    assert sum(event.data.quantity for event in found) == report["total_seats"] * MICRO == 9 * MICRO
    assert {event.data.holder for event in found} == {f"github.com/{seat['assignee']['login']}" for seat in report["seats"]}
    assert [event.time for event in found] == [instant(seat["created_at"]) for seat in report["seats"]]


def test_copilots_days_are_provisional_and_their_credits_agree(real_data: Path) -> None:
    """107 days of eight users in four weeks."""
    path = real_data / COPILOT / "organization-users-28-day-report.json"
    days = json.loads(path.read_text())["day_totals"]
    found = events(read("copilot", path))
    assert len({identity(event) for event in found}) == len(days) == 107
    assert {event.data.state for event in found} == {"provisional"}
    assert sum(event.data.quantity for event in found) == sum(micros(day["ai_credits_used"]) for day in days) > 0
    assert Counter(event.data.person for event in found) == Counter(f"github.com/{day['user_login']}" for day in days)


def test_requests_that_name_nobody_keep_their_tokens_and_their_microseconds(real_data: Path) -> None:
    """19,366 requests to Azure in an hour: 22.4 million tokens in, 4.1 million out, charged to nobody until they are linked."""
    path = real_data / "llm_usage" / "azure_llm_2023_conv.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    found = events(read(f"map:{MAPPINGS / 'azure_llm.yaml'}", path))
    assert len(found) == len(rows) == len({identity(event) for event in found}) == 19_366
    assert sum(event.data.input_tokens for event in found) == sum(int(row["ContextTokens"]) for row in rows) == 22_361_870
    assert sum(event.data.output_tokens for event in found) == sum(int(row["GeneratedTokens"]) for row in rows) == 4_088_665
    assert {event.data.about() for event in found} == {("alias", "service:azure-llm-inference")}
    for row, event in zip(rows, found, strict=True):
        assert event.time == instant(f"{row['TIMESTAMP'][:26]}Z")
