"""What a source normalises is kept as it came, beside the events made from it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from engine.service.taking import RAW_KEPT
from tests.cli.conftest import Run, document, ingested, story, write

HEADER = b"JobID|User|Cluster|State|Start|End|Elapsed|AllocTRES"
LINE = b"7|ada|fir|COMPLETED|2026-01-02T08:00:00|2026-01-02T09:00:00|01:00:00|cpu=4,gres/gpu=2"


def rows(folder: Path, query: str) -> list[Any]:
    """Ask the store."""
    with closing(sqlite3.connect(folder / ".covenant" / "covenant.db")) as connection:
        return connection.execute(query).fetchall()


def test_a_record_is_kept_once_as_it_was_written_for_all_events_made_from_it(covenant: Run, folder: Path) -> None:
    """A job's start, end, usage and what it corrects share their line, under the header that names its fields."""
    (folder / "jobs.txt").write_bytes(HEADER + b"\n" + LINE + b"\n")
    assert ingested(covenant, "--from", "sacct", "--organisation", "acme", folder / "jobs.txt")["accepted"] == 4
    assert rows(folder, "SELECT size, body FROM payload") == [(len(HEADER + LINE) + 1, HEADER + b"\n" + LINE)]
    assert rows(folder, "SELECT count(*), count(DISTINCT payload) FROM original") == [(4, 1)]
    journal = {identity for (identity,) in rows(folder, "SELECT identity FROM journal WHERE origin = 'inbound'")}
    assert {identity for (identity,) in rows(folder, "SELECT identity FROM original")} <= journal


def test_a_document_of_one_record_is_kept_byte_for_byte(covenant: Run, folder: Path) -> None:
    """Its spaces, its order of keys and what Covenant doesn't read stay; an odd number isn't written anew."""
    kept = b'{ "zeta": 1.50,  "request_id": "r-1", "model": "m", "startTime": "2026-01-02T08:00:00Z",'
    kept += b' "endTime": "2026-01-02T08:00:01Z", "prompt_tokens": 3, "completion_tokens": 1, "spend": 0.10, "api_key": "k" }'
    (folder / "spend.jsonl").write_bytes(kept + b"\n")
    assert ingested(covenant, "--from", "litellm", "--organisation", "acme", folder / "spend.jsonl")["accepted"] == 1
    assert rows(folder, "SELECT body FROM payload") == [(kept,)]


def test_a_cloudevent_costs_no_second_copy(covenant: Run, folder: Path) -> None:
    """The journal has what came."""
    ingested(covenant, write(folder / "events.jsonl", story()))
    assert rows(folder, "SELECT count(*) FROM original") == rows(folder, "SELECT count(*) FROM payload") == [(0,)]


def test_only_the_beginning_of_a_very_long_record_is_kept_and_its_size_told(covenant: Run, folder: Path) -> None:
    """A bound for what somebody else sends."""
    long = LINE + b"|" + b"x" * RAW_KEPT
    (folder / "jobs.txt").write_bytes(HEADER + b"|JobName\n" + long + b"\n")
    ingested(covenant, "--from", "sacct", "--organisation", "acme", folder / "jobs.txt")
    ((size, kept),) = rows(folder, "SELECT size, length(body) FROM payload")
    assert (size, kept) == (len(HEADER + b"|JobName\n" + long), RAW_KEPT)


def test_a_decision_shows_the_record_behind_its_event(covenant: Run, folder: Path) -> None:
    """Whoever doubts what was understood sees what was sent; a decision about a CloudEvent has none."""
    kept = {
        "request_id": "r-1", "model": "m", "startTime": "2026-01-02T08:00:00Z", "endTime": "2026-01-02T08:00:01Z",
        "prompt_tokens": 3, "completion_tokens": 1, "spend": 0.1, "api_key": "k", "cache_hit": "None",
    }  # fmt: skip
    (folder / "spend.jsonl").write_text(json.dumps(kept))
    linked = [one for one in story() if one.type == "compute.grant.issued.v1"]
    ingested(covenant, write(folder / "events.jsonl", linked))
    link = {
        "specversion": "1.0", "id": "l", "source": "t", "type": "compute.credential.created.v1", "organisation": "acme",
        "time": "2026-01-01T00:00:00Z", "data": {"credential": "k", "owner": "p-1"},
    }  # fmt: skip
    (folder / "link.jsonl").write_text(json.dumps(link))
    ingested(covenant, folder / "link.jsonl")
    ingested(covenant, "--from", "litellm", "--organisation", "acme", folder / "spend.jsonl")
    (decision,) = [ident for (ident,) in rows(folder, "SELECT id FROM decision WHERE type = 'compute.usage.inference.v1'")]
    found = document(covenant("--format", "json", "explain", decision))
    assert json.loads(found["original"]["text"]) == kept
    assert (found["original"]["size"], found["original"]["cut"]) == (len(json.dumps(kept)), False)
    assert "Made from a record of" in covenant("explain", decision).stdout
