"""Other people's files, whole: every row is an event or a refusal, and the totals agree with a count made without us."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
import random
from collections import Counter
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.domain.codec import identity
from engine.domain.events import Event
from engine.domain.values import MICRO, SECOND_US
from engine.intake.arrivals import Arrival
from engine.intake.sources import open_source
from tests.intake.samples import ACME, MAPPINGS, arrivals, events

REQUESTS = Path("llm_usage", "alibaba_genai_2024-11.csv.gz")
JOBS = Path("gpu_jobs", "philly_2017-09_10.csv.gz")
WEBHOOKS = Path("webhooks", "github_octokit_7.6.1.jsonl.gz")


def table(path: Path) -> list[dict[str, str]]:
    """Read a CSV file without the project's code."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def read(name: str, path: Path) -> list[Arrival]:
    """Read a file by one of the project's sources."""
    with path.open("rb") as stream:
        return list(open_source(name).arrivals(stream, path.name, ACME))


def micros(value: Decimal) -> int:
    """Round half to even to micro-units."""
    return int((value * MICRO).to_integral_value(ROUND_HALF_EVEN))


@pytest.fixture(scope="module")
def requests(real_data: Path) -> tuple[list[dict[str, str]], list[Event]]:
    """Rows of image generation as they are, and as events."""
    return table(real_data / REQUESTS), events(read(f"map:{MAPPINGS / 'alibaba_genai.yaml'}", real_data / REQUESTS))


@pytest.fixture(scope="module")
def jobs(real_data: Path) -> tuple[list[dict[str, str]], list[Event]]:
    """Rows of GPU jobs as they are, and as events."""
    return table(real_data / JOBS), events(read(f"map:{MAPPINGS / 'philly.yaml'}", real_data / JOBS))


@pytest.fixture(scope="module")
def deliveries(real_data: Path) -> tuple[list[dict[str, Any]], list[Arrival]]:
    """Webhook deliveries as they are, and as arrivals."""
    with gzip.open(real_data / WEBHOOKS, "rt", encoding="utf-8") as text:
        rows = [json.loads(line) for line in text]
    return rows, read("github", real_data / WEBHOOKS)


def test_every_request_is_an_event_in_the_state_its_status_says(requests: tuple[list[dict[str, str]], list[Event]]) -> None:
    """14,279 of 2,380 groups; what is pending isn't settled, what failed isn't usage; seconds agree state by state."""
    rows, found = requests
    states = {"SUCCEED": "settled", "PENDING": "provisional", "FAILED": "failed"}
    seconds: Counter[str] = Counter()
    for row in rows:
        seconds[states[row["predict_status"]]] += micros(Decimal(row["exec_time_seconds"]))
    counted: Counter[str] = Counter()
    for event in found:
        counted[event.data.state] += event.data.quantity
    assert len(found) == len(rows) == 14_279
    assert Counter(event.data.state for event in found) == {"settled": 14_033, "failed": 233, "provisional": 13}
    assert counted == seconds
    assert {event.data.unit for event in found} == {"second"}
    assert Counter(event.data.about() for event in found) == Counter(
        ("alias", f"credential:alibaba/{r['groupId']}") for r in rows
    )
    assert len({event.data.credential for event in found}) == 2_380


def test_requests_are_timed_by_shanghais_clock(requests: tuple[list[dict[str, str]], list[Event]]) -> None:
    """Eight hours ahead of UTC all year, to the second."""
    rows, found = requests
    ahead = dt.timezone(dt.timedelta(hours=8))
    expected = [int(dt.datetime.fromisoformat(row["gmt_create"]).replace(tzinfo=ahead).timestamp()) for row in rows]
    assert [event.time for event in found] == [second * SECOND_US for second in expected]


def test_every_job_is_an_event_and_its_gpu_time_agrees(jobs: tuple[list[dict[str, str]], list[Event]]) -> None:
    """52,849 jobs: seconds × GPUs is what the file itself says, team by team; GPU-hours are the same, rounded once a job."""
    rows, found = jobs
    seconds: Counter[str] = Counter()
    hours: Counter[str] = Counter()
    for row in rows:
        seconds[row["cluster"]] += micros(Decimal(row["gpu_time"]))
        hours[row["cluster"]] += micros(Decimal(row["gpu_time"]) / 3600)
    counted: Counter[str] = Counter()
    for event in found:
        counted[event.data.user.value.removeprefix("philly/")] += event.data.gpu_seconds
    assert len(found) == len(rows) == 52_849
    assert counted == seconds
    counted.clear()
    for event in found:
        counted[event.data.cluster] += event.data.quantity
    assert counted == hours
    assert {event.data.unit for event in found} == {"GPU-h"}
    assert Counter(event.data.gpus for event in found) == Counter(int(row["num_gpus"]) for row in rows)


def test_jobs_are_timed_by_californias_clock_and_end_after_their_duration(jobs: tuple[list[dict[str, str]], list[Event]]) -> None:
    """Summer time, seven hours behind UTC, on every day of the file."""
    rows, found = jobs
    behind = dt.timezone(dt.timedelta(hours=-7))
    for row, event in zip(rows, found, strict=True):
        start = int(dt.datetime.fromisoformat(row["timestamp"]).replace(tzinfo=behind).timestamp()) * SECOND_US
        assert event.data.started_at == start
        assert event.time == start + micros(Decimal(row["duration"]))


def test_identical_jobs_are_distinct_whatever_the_order_of_the_file(
    real_data: Path, jobs: tuple[list[dict[str, str]], list[Event]]
) -> None:
    """37 rows are the second of their kind; sorted or shuffled, the file gives the same identities."""
    rows, found = jobs
    repeated = sum(count - 1 for count in Counter(tuple(row.items()) for row in rows).values())
    assert repeated == 37
    assert sum(not event.id.endswith("-1") for event in found) == repeated
    expected = {identity(event): event for event in found}
    assert len(expected) == len(rows)
    head, *lines = gzip.decompress((real_data / JOBS).read_bytes()).splitlines(keepends=True)
    random.Random(7).shuffle(lines)
    again = events(arrivals(f"map:{MAPPINGS / 'philly.yaml'}", head + b"".join(lines)))
    assert {identity(event): event for event in again} == expected


def test_each_webhook_is_an_event_or_a_refusal_with_its_reason(deliveries: tuple[list[dict[str, Any]], list[Arrival]]) -> None:
    """163 of 30 kinds: 124 events; 18 about no repository; 21 whose payload doesn't say when."""
    rows, found = deliveries
    codes = Counter(one.refusal.code for one in found if one.refusal)
    assert len(found) == len(rows) == 163
    assert len([one for one in found if one.event]) == 124
    assert codes == {"no-repository": 18, "no-time": 21}
    for row, one in zip(rows, found, strict=True):
        member = str(row["payload"].get("action")).startswith("member_")
        about_none = row["payload"].get("repository") is None and not member
        assert (one.refusal is not None and one.refusal.code == "no-repository") == about_none
        if one.refusal is not None:
            assert row["event"] in str(one.refusal) or "payload." in one.refusal.message
            assert one.refusal.do


def test_webhooks_become_what_they_say(deliveries: tuple[list[dict[str, Any]], list[Arrival]]) -> None:
    """What rules judge has its own type; the rest is observed under GitHub's own words; repository and actor agree."""
    rows, found = deliveries
    types = Counter(one.event.type for one in found if one.event)
    assert types == {
        "compute.repository.observed.v1": 99,
        "compute.repository.pull_request.v1": 6,
        "compute.repository.pushed.v1": 6,
        "compute.repository.visibility_changed.v1": 4,
        "compute.repository.forked.v1": 3,
        "compute.repository.created.v1": 2,
        "compute.repository.released.v1": 2,
        "compute.repository.transferred.v1": 2,
    }
    for row, one in zip(rows, found, strict=True):
        if one.event is None:
            continue
        payload, data = row["payload"], one.event.data
        assert data.repository == f"github.com#{payload['repository']['id']}"
        assert data.actor.value == f"github.com/{payload['sender']['login']}"
        if one.event.type == "compute.repository.observed.v1":
            assert data.kind == ".".join(filter(None, [row["event"], payload.get("action")]))


def test_a_time_of_receipt_makes_every_webhook_about_a_repository_an_event(
    deliveries: tuple[list[dict[str, Any]], list[Arrival]],
) -> None:
    """The only other reason to refuse one is that it is about none; members of an organisation have access to all it owns."""
    rows, _ = deliveries
    lines = b"".join(json.dumps(row | {"received": "2026-01-01T00:00:00Z"}).encode() + b"\n" for row in rows)
    found = arrivals("github", lines)
    assert Counter(one.refusal.code if one.refusal else "" for one in found) == {"": 145, "no-repository": 18}
    changed = [one.event.data for one in found if one.event and one.event.type == "compute.repository.member_changed.v1"]
    assert Counter(data.repository.endswith("/*") for data in changed) == {False: 3, True: 3}
