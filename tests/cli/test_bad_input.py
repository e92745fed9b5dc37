"""Bad input and missing parts: refused one by one, or one clear message each, and nothing half-written."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result

from engine.domain import codec
from tests.cli.conftest import Run, document, ingested
from tests.domain.make import event

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
