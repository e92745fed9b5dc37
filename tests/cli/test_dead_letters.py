"""`covenant dead-letters`, `convert` and `doctor`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kafka import KafkaConsumer

from engine.domain import codec
from engine.domain.errors import Refusal
from engine.intake.arrivals import Arrival
from engine.service.taking import refused_row
from engine.store.opening import open_store
from tests.cli.conftest import Run, document, story, write
from tests.cli.test_bad_input import GOOD
from tests.store.make import batch
from tests.streams.conftest import broker, four_lanes  # noqa: F401 - fixtures


@pytest.fixture
def refused(covenant: Run, folder: Path) -> Path:
    """A store with two refusals of different codes and one good event."""
    raw = json.loads(GOOD)
    del raw["organisation"]
    another = raw | {"id": "nobodys", "data": raw["data"] | {"grant_id": "another"}}
    path = folder / "mixed.jsonl"
    path.write_bytes(b"\n".join([GOOD, b"{", json.dumps(another).encode()]) + b"\n")
    assert covenant("ingest", path, "--quiet").exit_code == 0
    return path


def listed(covenant: Run, *arguments: str) -> list[dict[str, str]]:
    """The list as programs see it."""
    result = covenant("--format", "json", "dead-letters", "list", *arguments)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_refused_events_are_listed_with_where_and_why(covenant: Run, refused: Path) -> None:
    """As JSON lines, as a table, as CSV, by code, and not more than asked for."""
    rows = listed(covenant)
    assert {row["where"].rpartition("/")[2] for row in rows} == {"mixed.jsonl:2", "mixed.jsonl:3"}
    assert all(row["reason"] and row["do"] and row["recorded_at"].endswith("Z") for row in rows)
    assert len(listed(covenant, "--code", "missing")) == 1
    assert len(listed(covenant, "--limit", "1")) == 1
    assert "mixed.jsonl:2" in covenant("dead-letters", "list").stdout
    assert covenant("dead-letters", "list", "--format", "csv").stdout.count("\n") == 3


def test_one_refused_event_is_shown_with_what_was_sent(covenant: Run, refused: Path) -> None:
    """By its id or the beginning of it."""
    (row,) = listed(covenant, "--code", "missing")
    found = document(covenant("--format", "json", "dead-letters", "show", row["id"][:8]))
    assert json.loads(found["raw"])["id"] == "nobodys"
    assert found["field"] == "organisation"
    assert "organisation" in covenant("dead-letters", "show", row["id"]).stdout
    missing = covenant("dead-letters", "show", "ffffffff")
    assert missing.exit_code == 1
    assert "no refused event" in missing.stderr


def test_redriving_takes_in_what_is_right_now_and_keeps_the_rest(covenant: Run, refused: Path) -> None:
    """What was taken in leaves the list; exit 1 as long as something stays refused."""
    result = covenant("--format", "json", "dead-letters", "redrive", "--all", "--organisation", "acme")
    assert result.exit_code == 1
    assert document(result) == {"redriven": 2, "accepted": 1, "duplicates": 0, "refused": 1}
    (left,) = listed(covenant)
    assert left["where"].endswith("mixed.jsonl:2")
    again = covenant("--format", "json", "dead-letters", "redrive", left["id"])
    assert again.exit_code == 1
    assert listed(covenant) == [left | {"recorded_at": listed(covenant)[0]["recorded_at"]}]


def test_redriving_what_was_taken_in_meanwhile_ends_its_wait(covenant: Run, refused: Path) -> None:
    """It counts as a duplicate."""
    assert covenant("ingest", refused, "--organisation", "acme", "--quiet").exit_code == 0
    result = covenant("--format", "json", "dead-letters", "redrive", "--code", "missing", "--organisation", "acme")
    assert (result.exit_code, document(result)) == (0, {"redriven": 1, "accepted": 0, "duplicates": 1, "refused": 0})


@pytest.mark.needs_kafka
def test_where_workers_write_the_store_it_is_sent_to_its_topic(
    covenant: Run,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    four_lanes: str,  # noqa: F811 - the fixture
) -> None:
    """What can be read now is sent, keyed by what it is about, and leaves the list; without a broker nothing changes."""
    store = open_store("sqlite:///lanes.db")
    lines = ((GOOD, Refusal("Early.")), (b"{", Refusal("Broken.")))
    rows = (refused_row(Arrival(None, why, raw, f"topic:{n}"), why, n) for n, (raw, why) in enumerate(lines))
    store.record(batch(1, lanes=4, refused=tuple(rows)))
    store.close()
    monkeypatch.setenv("COVENANT_STORE", "sqlite:///lanes.db")
    without = covenant("dead-letters", "redrive", "--all")
    assert (without.exit_code, len(listed(covenant))) == (2, 2)
    assert "COVENANT_BROKER" in without.stderr
    monkeypatch.setenv("COVENANT_BROKER", four_lanes)
    consumer = KafkaConsumer("covenant.grants", bootstrap_servers=four_lanes, auto_offset_reset="earliest")
    result = covenant("--format", "json", "dead-letters", "redrive", "--all")
    assert (result.exit_code, document(result)) == (1, {"redriven": 2, "sent": 1, "refused": 1})
    assert [row["where"] for row in listed(covenant)] == ["topic:1"]
    message = next(m for m in consumer if b'"good"' in m.value)
    consumer.close()
    assert (message.key, message.value) == (b"acme/person/p-9", GOOD)


def test_redriving_needs_to_be_told_what(covenant: Run, refused: Path) -> None:
    """Not nothing, and not both."""
    assert covenant("dead-letters", "redrive").exit_code == 2
    assert covenant("dead-letters", "redrive", "abcd", "--all").exit_code == 2


def test_convert_writes_events_out_and_refusals_aside(covenant: Run, folder: Path) -> None:
    """What it writes is taken in as it is; it needs neither store nor policies."""
    events = story()
    path = write(folder / "plain.jsonl", events)
    path.write_bytes(b"nonsense\n" + path.read_bytes())
    result = covenant("convert", "cloudevents", path)
    assert result.exit_code == 0
    assert result.stdout_bytes == b"".join(codec.write_event(one) + b"\n" for one in events)
    assert "plain.jsonl:1" in result.stderr
    assert covenant("convert", "cloudevents", path, "--strict").exit_code == 1
    assert not list(folder.rglob("*.db"))
    assert covenant("convert", "nonsense", path).exit_code == 2
    assert covenant("convert", "cloudevents", "none.jsonl").exit_code == 2


def test_doctor_finds_all_in_order_and_makes_nothing(covenant: Run, folder: Path) -> None:
    """A line a part; the store that isn't there yet is in order too."""
    result = covenant("doctor")
    assert result.exit_code == 0, result.stdout
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        ["ok", name] for name in ("settings", "opa", "policies", "store", "broker")
    ]
    assert not list(folder.rglob("*.db"))


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("COVENANT_OPA", "/nowhere/opa", "opa"),
        ("COVENANT_OPA_URL", "http://127.0.0.1:9", "opa"),
        ("COVENANT_POLICIES", "nowhere", "policies"),
        ("COVENANT_STORE", "sqlite:////proc/covenant.db", "store"),
        ("COVENANT_STORE", "postgresql+psycopg://nobody@127.0.0.1:9/none", "store"),
        ("COVENANT_BROKER", "127.0.0.1:9", "broker"),
        ("COVENANT_BROKER", "nonsense", "broker"),
        ("COVENANT_LANES", "none", "settings"),
    ],
)
def test_doctor_says_what_is_missing_and_what_to_do(
    covenant: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, part: str
) -> None:
    """Exit 3; what is in order is still said."""
    monkeypatch.setenv(name, value)
    result = covenant("--format", "json", "doctor")
    assert result.exit_code == 3
    rows = {row["check"]: row for row in map(json.loads, result.stdout.splitlines())}
    assert not rows[part]["ok"]
    assert rows[part]["do"]
    assert "MISSING" in covenant("doctor").stdout


@pytest.mark.needs_kafka
def test_doctor_looks_at_the_brokers_topics(
    covenant: Run,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    four_lanes: str,  # noqa: F811 - the fixture
) -> None:
    """A broker with our topics is in order once there is a key; another count of lanes isn't."""
    monkeypatch.setenv("COVENANT_BROKER", four_lanes)
    assert "COVENANT_ORGANISATION_KEY" in covenant("doctor").stdout
    monkeypatch.setenv("COVENANT_ORGANISATION_KEY", "a-key-of-some-length")
    assert covenant("doctor").exit_code == 0
    monkeypatch.setenv("COVENANT_LANES", "3")
    wrong = covenant("doctor")
    assert wrong.exit_code == 3
    assert "should have 3" in wrong.stdout
