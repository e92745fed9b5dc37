"""`covenant ingest`: the summary that programs hold on to, duplicates, bad input, and ends that come too early."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from engine.domain import codec
from tests.cli.conftest import Run, document, story, write
from tests.domain.make import event

FIELDS = ["read", "accepted", "duplicates", "refused", "parked", "decisions", "indeterminate", "violations", "seconds"]


def ingested(covenant: Run, *arguments: object, given: bytes | None = None) -> dict[str, Any]:
    """The summary of an ingest that must succeed, its sum checked."""
    result = covenant("--format", "json", "ingest", *arguments, given=given)
    assert result.exit_code == 0, result.stderr
    summary = document(result)
    assert summary["read"] == summary["accepted"] + summary["duplicates"] + summary["refused"]
    return summary


def test_the_summary_has_the_promised_fields(covenant: Run, events: Path) -> None:
    """And one JSON document is all there is on standard output."""
    summary = ingested(covenant, events)
    assert list(summary) == FIELDS
    assert {name: summary[name] for name in FIELDS[:-1]} == {
        "read": 7, "accepted": 7, "duplicates": 0, "refused": 0, "parked": 1, "decisions": 3, "indeterminate": 0,
        "violations": {"FU-007": 1},
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
    assert ingested(covenant, path)["indeterminate"] == 1
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


GOOD = codec.write_event(event("grant.issued", "2026-01-01", grant_id="G9", holder="p-9", quantity="1", ident="good"))
BAD = {
    "broken JSON": b'{"id": "x", ',
    "not JSON at all": b"hello",
    "an array's member": b"[3]",
    "a number": b"17",
    "wrong types": GOOD.replace(b'"good"', b'"b1"').replace(b'"quantity":"1"', b'"quantity":true'),
    "a missing field": GOOD.replace(b'"good"', b'"b2"').replace(b'"holder":"p-9",', b""),
    "an unknown type": GOOD.replace(b'"good"', b'"b3"').replace(b"grant.issued", b"grant.isued"),
    "no time": b'{"specversion":"1.0","id":"b4","source":"s","type":"compute.grant.issued.v1","organisation":"acme","data":{}}',
    "a line of 10 MB": b'{"id":"' + b"x" * 10_000_000 + b'"}',
    "binary": bytes(range(1, 10)) + bytes(range(11, 256)),
    "nested beyond reason": b"[" * 100_000,
    "the future": GOOD.replace(b'"good"', b'"b5"').replace(b"2026-01-01", b"2199-01-01"),
}


def test_bad_lines_are_refused_one_by_one_and_the_rest_goes_on(covenant: Run, folder: Path) -> None:
    """Each with a sentence that says where it stands; good lines before, between and after are taken in."""
    good = [GOOD.replace(b'"good"', f'"g{n}"'.encode()).replace(b'"G9"', f'"G{n}"'.encode()) for n in range(len(BAD) + 1)]
    lines = [line for pair in zip(good, BAD.values(), strict=False) for line in pair] + [good[-1]]
    path = folder / "mixed.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    result = covenant("--format", "json", "ingest", path)
    assert result.exit_code == 0
    summary = document(result)
    assert (summary["accepted"], summary["refused"]) == (len(good), len(BAD))
    told = result.stderr.splitlines()
    assert len(told) == len(BAD)
    for number, line in enumerate(told):
        assert f"mixed.jsonl:{2 * number + 2}" in line
        assert len(line) < 600
    assert covenant("ingest", path, "--strict", "--quiet").exit_code == 1


def test_strict_says_no_only_when_something_was_refused(covenant: Run, events: Path) -> None:
    """Duplicates are no refusals; other content under a known id is one."""
    assert covenant("ingest", events, "--strict").exit_code == 0
    assert covenant("ingest", events, "--strict").exit_code == 0
    first, *_ = events.read_bytes().splitlines()
    result = covenant("--format", "json", "ingest", "--strict", "-", given=first.replace(b'"p-1"', b'"p-2"'))
    assert result.exit_code == 1
    assert document(result)["refused"] == 1
    assert "other content" in covenant("dead-letters", "list").stdout


def untouched(folder: Path) -> bool:
    """Whether nothing was written: no store and no file beside what the test made."""
    return not list(folder.rglob("*.db*"))


def said_once(result: Result, code: int, *words: str) -> None:
    """One clear message, nothing on standard output."""
    assert result.exit_code == code, result.stderr
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1, result.stderr
    for word in words:
        assert word in result.stderr


def test_files_are_looked_at_before_anything_is_written(covenant: Run, folder: Path, events: Path) -> None:
    """A missing file, a folder, and an unreadable one beside a good one."""
    said_once(covenant("ingest", events, "none.jsonl"), 2, "none.jsonl")
    said_once(covenant("ingest", events, folder), 2, "folder")
    said_once(covenant("ingest", "-", "-", given=b""), 2, "twice")
    said_once(covenant("ingest", events, "--from", "nonsense"), 2, "nonsense")
    assert untouched(folder)


def test_an_unreadable_file_is_named(covenant: Run, folder: Path, events: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the system says of it."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    said_once(covenant("ingest", events), 2, "events.jsonl", "Permission denied")
    assert untouched(folder)


def test_policies_that_cannot_be_used_are_told_before_a_store_is_made(covenant: Run, folder: Path, events: Path) -> None:
    """No folder, an empty one, one that doesn't compile."""
    said_once(covenant("--policies", "nowhere", "ingest", events), 1, "nowhere", "--policies")
    (folder / "empty").mkdir()
    said_once(covenant("--policies", "empty", "ingest", events), 1, "empty")
    broken = folder / "broken"
    (broken / "fair_use").mkdir(parents=True)
    shipped = Path(__file__).parents[2] / "policies"
    (broken / "params.json").write_bytes((shipped / "params.json").read_bytes())
    (broken / "main.rego").write_bytes((shipped / "main.rego").read_bytes())
    (broken / "fair_use" / "fu_001.rego").write_text("package covenant.fair_use\n\nbreach contains if {\n")
    result = covenant("--policies", "broken", "ingest", events)
    assert result.exit_code == 1
    assert "fu_001.rego" in result.stderr
    assert untouched(folder)


def test_no_opa_is_told_before_a_store_is_made(
    covenant: Run, folder: Path, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path that is no program, and a server that doesn't answer."""
    monkeypatch.setenv("COVENANT_OPA", str(folder / "opa"))
    said_once(covenant("ingest", events), 3, "COVENANT_OPA")
    assert untouched(folder)


def test_an_opa_server_that_does_not_answer_leaves_nothing_half_written(
    covenant: Run, folder: Path, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch that wasn't judged isn't recorded; the next run takes it in."""
    monkeypatch.setenv("COVENANT_OPA_URL", "http://127.0.0.1:9")
    said_once(covenant("ingest", events), 3, "127.0.0.1:9")
    monkeypatch.delenv("COVENANT_OPA_URL")
    assert ingested(covenant, events)["accepted"] == 7


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("sqlite:////proc/covenant.db", 3),
        ("sqlite:///events.jsonl/covenant.db", 3),
        ("sqlite:///events.jsonl", 3),
        ("postgresql+psycopg://nobody@127.0.0.1:9/none", 3),
        ("nonsense", 2),
    ],
)
def test_a_store_that_cannot_be_written_is_one_message(covenant: Run, events: Path, url: str, code: int) -> None:
    """And the file that isn't a store is left as it was."""
    before = events.read_bytes()
    said_once(covenant("--store", url, "ingest", events), code)
    assert events.read_bytes() == before


def test_a_store_judged_by_other_policies_is_left_alone(covenant: Run, folder: Path, events: Path) -> None:
    """One bundle is in force from the beginning; another one needs another store."""
    ingested(covenant, events)
    shipped = Path(__file__).parents[2] / "policies"
    other = folder / "other"
    for path in shipped.rglob("*"):
        if path.is_file():
            (other / path.relative_to(shipped)).parent.mkdir(parents=True, exist_ok=True)
            (other / path.relative_to(shipped)).write_bytes(path.read_bytes())
    params = (other / "params.json").read_text()
    (other / "params.json").write_text(params.replace('"consumers": 3', '"consumers": 4'))
    before = covenant("export", "--standing").stdout_bytes
    said_once(covenant("--policies", "other", "ingest", events), 2, "judged by")
    assert covenant("export", "--standing").stdout_bytes == before
    assert ingested(covenant, "--policies", "other", "--store", "sqlite:///other.db", events)["accepted"] == 7


def many(folder: Path) -> Path:
    """Enough events for many batches: 40 holders, a leaver among each four."""
    events = []
    for n in range(40):
        person = f"p-{n}"
        events += [
            event("credential.created", "2026-01-01", credential=f"c-{n}", owner=person),
            event("grant.issued", "2026-01-01", grant_id=f"G-{n}", holder=person, quantity="100", vesting="immediate"),
        ]
    for day, n in itertools.product(range(1, 28), range(40)):
        events.append(event("usage.inference", f"2026-02-{day:02}T{n % 24:02}:00:00Z", credential=f"c-{n}", quantity="1"))
    events += [event("person.terminated", "2026-02-10", person=f"p-{n}") for n in range(0, 40, 4)]
    return write(folder / "many.jsonl", events)


def test_killed_in_the_middle_and_run_again_it_ends_the_same(
    covenant: Run, folder: Path, program: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """Kill -9 at a few moments; after the last run the export is that of a run nobody disturbed."""
    path = many(folder)
    ingested(covenant, "--store", "sqlite:///whole.db", path)
    whole = covenant("--store", "sqlite:///whole.db", "export", "--standing").stdout_bytes
    killed = 0
    for grown in (1, 4, 12):
        process = program("--store", "sqlite:///killed.db", "ingest", path, env={"COVENANT_BATCH": "20"})
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline and batches(folder / "killed.db") < grown:
            time.sleep(0.005)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()
    assert killed
    summary = ingested(covenant, "--store", "sqlite:///killed.db", path)
    assert summary["duplicates"] > 0
    assert covenant("--store", "sqlite:///killed.db", "export", "--standing").stdout_bytes == whole
    checked = covenant("--store", "sqlite:///killed.db", "--format", "json", "replay", "--check")
    assert checked.exit_code == 0
    assert document(checked)["differences"] == 0


def batches(file: Path) -> int:
    """How many batches a store has; none where there is no store yet."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM batch").fetchone()[0])
    except sqlite3.Error:
        return 0


def _heed_ctrl_c() -> None:
    """A runner that was started in the background ignores Ctrl-C, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_told_to_end_it_is_quiet_and_leaves_nothing_running(
    folder: Path, program: Callable[..., subprocess.Popen[bytes]], how: signal.Signals, code: int
) -> None:
    """No trace, no sentence; the exit code that shells know, and its OPA ends with it."""
    process = program("ingest", "-", stdin=subprocess.PIPE, preexec_fn=_heed_ctrl_c)
    opa = child_of(process)
    process.send_signal(how)
    assert process.wait(60) == code
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.communicate()
    assert not Path(f"/proc/{opa}").exists()


def test_an_opa_that_dies_in_the_middle_is_one_message_and_nothing_is_half_written(
    covenant: Run, folder: Path, program: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """What was judged stands, the rest is taken in by the next run; the end is that of a run nobody disturbed."""
    path = many(folder)
    lines = path.read_bytes().splitlines(keepends=True)
    process = program("ingest", "-", stdin=subprocess.PIPE, env={"COVENANT_BATCH": "20"})
    opa = child_of(process)
    assert process.stdin is not None
    process.stdin.write(b"".join(lines[:600]))
    process.stdin.flush()
    os.kill(opa, signal.SIGKILL)
    out, err = process.communicate(b"".join(lines[600:]), timeout=120)
    assert (process.returncode, out) == (3, b"")
    assert len(err.splitlines()) == 1
    assert b"policy engine" in err
    ingested(covenant, path)
    ingested(covenant, "--store", "sqlite:///whole.db", path)
    whole = covenant("--store", "sqlite:///whole.db", "export", "--standing").stdout_bytes
    assert covenant("export", "--standing").stdout_bytes == whole


def test_two_runs_on_one_store_do_not_mix(covenant: Run, folder: Path, program: Callable[..., subprocess.Popen[bytes]]) -> None:
    """One of them may have to give way, with one sentence; a third run ends where one alone would have."""
    path = many(folder)
    both = [program("ingest", path, "--quiet", env={"COVENANT_BATCH": "20"}) for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=120)
        assert process.returncode in (0, 1)
        assert process.returncode == 0 or b"Another run is writing this store" in err
        assert len(err.splitlines()) == process.returncode
    ingested(covenant, path)
    ingested(covenant, "--store", "sqlite:///whole.db", path)
    whole = covenant("--store", "sqlite:///whole.db", "export", "--standing").stdout_bytes
    assert covenant("export", "--standing").stdout_bytes == whole


def child_of(process: subprocess.Popen[bytes]) -> int:
    """The OPA that a run started, once it is there and the store too."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in children:
            if b"run\0--server" in Path(f"/proc/{child}/cmdline").read_bytes() and list(Path().glob(".covenant/*.db")):
                time.sleep(0.5)
                return int(child)
        time.sleep(0.02)
    raise AssertionError(children)


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
