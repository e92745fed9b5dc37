"""`covenant ingest`: the summary that programs hold on to, duplicates, and what its options do."""

from __future__ import annotations

import gzip
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from engine.domain import codec
from tests.cli.conftest import Run, document, ingested, story, write
from tests.domain.make import event

FIELDS = ["read", "accepted", "duplicates", "refused", "parked", "decisions", "indeterminate", "violations", "held", "seconds"]


def test_the_summary_has_the_promised_fields(covenant: Run, events: Path) -> None:
    """And one JSON document is all there is on standard output."""
    summary = ingested(covenant, events)
    assert list(summary) == FIELDS
    assert {name: summary[name] for name in FIELDS[:-1]} == {
        "read": 7, "accepted": 7, "duplicates": 0, "refused": 0, "parked": 1, "decisions": 3, "indeterminate": 0,
        "violations": {"FU-007": 1}, "held": [],
    }  # fmt: skip


def test_a_second_run_finds_only_duplicates_and_the_same_end(covenant: Run, events: Path) -> None:
    """What stands is the same byte for byte."""
    ingested(covenant, events)
    before = covenant("export", "--standing").stdout_bytes
    again = ingested(covenant, events)
    assert (again["accepted"], again["duplicates"], again["decisions"]) == (0, 7, 0)
    assert again["violations"] == {"FU-007": 1}
    assert covenant("export", "--standing").stdout_bytes == before
    assert before


def test_duplicates_are_known_while_their_first_is_still_in_flight(
    covenant: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches of two: each event comes again in its own batch, in the next and in the one after."""
    monkeypatch.setenv("COVENANT_BATCH", "2")
    events = story()
    path = write(folder / "twice.jsonl", itertools.chain.from_iterable([e, *events] for e in events))
    summary = ingested(covenant, path)
    assert (summary["accepted"], summary["duplicates"]) == (7, 49)
    assert summary["violations"] == {"FU-007": 1}


def test_gzip_several_files_and_standard_input_are_one_run(covenant: Run, folder: Path) -> None:
    """Compressed files are known by their first bytes."""
    events = story()
    plain = write(folder / "a.jsonl", events[:2])
    packed = folder / "b.anything"
    packed.write_bytes(gzip.compress(write(folder / "b.jsonl", events[2:4]).read_bytes()))
    given = write(folder / "c.jsonl", events[4:]).read_bytes()
    summary = ingested(covenant, plain, packed, "-", given=given)
    assert (summary["accepted"], summary["violations"]) == (7, {"FU-007": 1})


def test_text_is_for_people(covenant: Run, events: Path) -> None:
    """The same numbers in sentences; csv gives one row."""
    text = covenant("ingest", events)
    assert text.exit_code == 0
    assert "Read 7: 7 accepted, 0 duplicates, 0 refused." in text.stdout
    assert "FU-007: 1" in text.stdout
    rows = covenant("ingest", events, "--format", "csv").stdout.splitlines()
    assert rows[0] == ",".join(FIELDS)
    assert rows[1].startswith("7,0,7,0,1,0,0,")


def test_reference_data_in_the_middle_reaches_what_came_before(
    covenant: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rate published after the usage it prices: what was open is judged, and nothing stays missing."""
    monkeypatch.setenv("COVENANT_BATCH", "2")
    priced: dict[str, Any] = {"credential": "c", "input_tokens": 1_000_000, "model": "m", "unit": "CCU"}
    events = [*story()[:2], *(event("usage.inference", f"2026-01-{day:02}", **priced) for day in range(3, 9))]
    path = write(folder / "unpriced.jsonl", events)
    assert ingested(covenant, path)["indeterminate"] == 4  # FU-001's sum, FU-002's hour and what is usual, FU-014's units
    rate = event("rate.published", "2026-01-01", meter="input_tokens", unit="CCU", units="2.5", per="1000000", model="m")
    assert ingested(covenant, write(folder / "rate.jsonl", [rate]))["indeterminate"] == 0
    assert '"consumed"' in covenant("export", "--standing").stdout


def test_until_leaves_later_events_alone(covenant: Run, events: Path) -> None:
    """They are not read, and a later run takes them in."""
    result = covenant("--format", "json", "ingest", events, "--until", "2026-02-02")
    assert result.exit_code == 0
    assert "3 events" in result.stderr
    assert (document(result)["read"], document(result)["violations"]) == (4, {})
    assert ingested(covenant, events)["violations"] == {"FU-007": 1}
    wrong = covenant("ingest", events, "--until", "tomorrow")
    assert wrong.exit_code == 2
    assert "RFC 3339" in wrong.stderr


def test_recorded_time_is_believed_only_when_told_to(covenant: Run, folder: Path) -> None:
    """A producer's word on when an event was learnt shows in what was known then."""
    raw = json.loads(codec.write_event(story()[1])) | {"recordedat": "2026-01-05T00:00:00Z"}
    path = folder / "told.jsonl"
    path.write_text(json.dumps(raw))
    for name, flags, granted in (("a", [], "0"), ("b", ["--trust-recorded-time"], "100")):
        store = f"sqlite:///{name}.db"
        ingested(covenant, "--store", store, *flags, path)
        known = covenant("--store", store, "--format", "json", "ledger", "--as-of", "2026-02-01", "--known-at", "2026-01-06")
        assert document(known)["total"]["granted"] == granted


def test_an_organisation_is_given_to_events_that_name_none(covenant: Run, folder: Path) -> None:
    """By option; an event's own stays."""
    raw = json.loads(codec.write_event(story()[1]))
    del raw["organisation"]
    path = folder / "nobodys.jsonl"
    path.write_text(json.dumps(raw) + "\n")
    assert ingested(covenant, path)["refused"] == 1
    assert ingested(covenant, path, "--organisation", "acme")["accepted"] == 1


def test_parked_counts_what_still_waits_for_a_link(covenant: Run, folder: Path, events: Path) -> None:
    """Linked late, it is released and counts no more; a link's end parks nothing that came before."""
    assert ingested(covenant, events)["parked"] == 1
    link = event("credential.created", "2026-01-01", credential="unlinked", owner="p-2")
    assert ingested(covenant, write(folder / "link.jsonl", [link]))["parked"] == 0
    later = [
        event("credential.revoked", "2026-03-01", credential="unlinked"),
        event("usage.inference", "2026-04-01", credential="nobodys", quantity="1"),
    ]
    assert ingested(covenant, write(folder / "later.jsonl", later))["parked"] == 1
