"""`covenant backtest`: what another folder of policies would have found, in all its forms; killed and resumed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.policy.bundle import digest_of, read_files
from tests.cli.conftest import Run, document, ingested, write
from tests.cli.test_interruptions import many
from tests.domain.make import event

POLICIES = Path(__file__).parents[2] / "policies"


def candidate(folder: Path, old: str, new: str) -> Path:
    """The shipped policies with one text of their parameters put otherwise."""
    path = folder / "candidate"
    shutil.copytree(POLICIES, path)
    text = (path / "params.json").read_text()
    assert old in text
    (path / "params.json").write_text(text.replace(old, new))
    return path


def consuming(folder: Path) -> Path:
    """Two holders within the cap of 1,000 that ships: one at 800, one at 300; and one over it."""
    events = []
    for name, quantity in (("a", "800"), ("b", "300"), ("c", "1200")):
        events += [
            event("credential.created", "2026-01-01", credential=name, owner=f"p-{name}"),
            event("grant.issued", "2026-01-01", grant_id=f"G-{name}", holder=f"p-{name}", quantity="5000", vesting="immediate"),
            event("usage.inference", "2026-01-05", credential=name, quantity=quantity),
        ]
    return write(folder / "consuming.jsonl", events)


def test_a_lower_cap_is_told_by_rule_holder_and_severity(covenant: Run, folder: Path) -> None:
    """The finding it would newly open and the one that would say another cap; the store is left as it was."""
    ingested(covenant, consuming(folder))
    before = covenant("export", "--standing").stdout_bytes
    lower = candidate(folder, '"cap_u": 1000000000', '"cap_u": 700000000')
    said = document(covenant("--format", "json", "backtest", lower))
    assert said["candidate"] == digest_of(read_files(lower))
    assert said["base"] == digest_of(read_files(POLICIES))
    assert (said["opened"], said["closed"], said["changed"], said["unchanged"]) == (1, 0, 1, 0)
    assert (said["since"], said["until"]) == (None, None)
    rows = {row["holder"]: row for row in said["rows"]}
    assert (rows["p-a"]["change"], rows["p-a"]["rule"], rows["p-a"]["severity"]) == ("opened", "FU-001", "high")
    assert rows["p-c"]["change"] == "changed"
    assert set(rows["p-c"]["before"]) == {"evidence", "sentence"}
    (rule,) = (rule for rule in said["rules"] if rule["rule"] == "FU-001")
    assert (rule["base"], rule["candidate"], rule["opened"], rule["changed"]) == (1, 2, 1, 1)
    assert rule["events"]["base"]["violation"] == 1
    assert rule["events"]["candidate"]["violation"] == 2
    assert [row["holder"] for row in said["holders"]] == ["p-a", "p-c"]
    assert covenant("export", "--standing").stdout_bytes == before
    for row in said["rows"]:
        assert covenant("explain", row["decisions"][-1]).exit_code == 0


def test_it_says_the_same_in_words_as_csv_and_on_a_page(covenant: Run, folder: Path) -> None:
    """Every form names the new finding; names from events are escaped on the page, which loads nothing from elsewhere."""
    events = consuming(folder).read_bytes().replace(b"p-a", b"p-<b>")
    (folder / "consuming.jsonl").write_bytes(events)
    ingested(covenant, folder / "consuming.jsonl")
    lower = candidate(folder, '"cap_u": 1000000000', '"cap_u": 700000000')
    words = covenant("backtest", lower, "--html", "page.html")
    assert words.exit_code == 0, words.stderr
    assert "1 would be new, 0 gone, 1 changed" in words.stdout
    assert "p-<b> consumed 800 CCU" in words.stdout
    rows = covenant("--format", "csv", "backtest", lower).stdout.splitlines()
    assert rows[0].startswith("change,rule,severity,holder")
    assert [row.split(",")[:4] for row in rows[1:]] == [
        ["opened", "FU-001", "high", "p-<b>"],
        ["changed", "FU-001", "high", "p-c"],
    ]
    page = (folder / "page.html").read_text()
    assert "p-&lt;b&gt; consumed 800 CCU" in page
    assert "<b>" not in page
    assert "<script" not in page
    assert "src=" not in page


def test_a_window_limits_what_is_compared_and_not_what_is_folded(covenant: Run, folder: Path) -> None:
    """The sum over thirty days still holds what was used before the window; findings outside it are left out."""
    events = [
        event("credential.created", "2026-01-01", credential="c", owner="p-1"),
        event("grant.issued", "2026-01-01", grant_id="G", holder="p-1", quantity="5000", vesting="immediate"),
        event("usage.inference", "2026-01-25", credential="c", quantity="800"),
        event("usage.inference", "2026-02-05", credential="c", quantity="1"),
    ]
    ingested(covenant, write(folder / "events.jsonl", events))
    lower = candidate(folder, '"cap_u": 1000000000', '"cap_u": 700000000')
    whole = document(covenant("--format", "json", "backtest", lower))
    late = document(covenant("--format", "json", "backtest", lower, "--since", "2026-02-01"))
    early = document(covenant("--format", "json", "backtest", lower, "--until", "2026-02-01"))
    assert [len(said["rows"]) for said in (whole, late, early)] == [2, 1, 1]
    assert late["rows"][0]["sentence"].startswith("p-1 consumed 801 CCU")
    assert (late["since"], late["until"]) == ("2026-02-01T00:00:00Z", None)
    assert late["events"] + early["events"] == whole["events"]


def test_other_lengths_of_windows_can_be_tried_and_it_is_said_where_they_can_come_into_force(covenant: Run, folder: Path) -> None:
    """A cap over a shorter window, before anybody asks for it to be put in force."""
    ingested(covenant, consuming(folder))
    shorter = candidate(folder, '"consumption_window_us": 2592000000000', '"consumption_window_us": 86400000000')
    told = covenant("--format", "json", "backtest", shorter)
    assert document(told)["opened"] == 0
    assert (
        "folds with another consumption_window_us than this store: it comes into force only in a store of its own" in told.stderr
    )


def test_kept_inputs_give_what_a_refold_gives(covenant: Run, folder: Path) -> None:
    """The same bytes from a fresh refold, from inputs that were kept, and by one call at a time."""
    ingested(covenant, many(folder))
    lower = candidate(folder, '"cap_u": 1000000000', '"cap_u": 20000000')
    arguments = ("--format", "json", "backtest", lower, "--work")
    refolded = covenant(*arguments, "one").stdout_bytes
    kept = list((folder / "one").iterdir())
    assert [path.name.split("-")[0] for path in kept] == ["inputs"]
    changed = kept[0].stat().st_mtime_ns
    assert covenant(*arguments, "one").stdout_bytes == refolded
    assert kept[0].stat().st_mtime_ns == changed
    assert covenant(*arguments, "two", "--jobs", "1").stdout_bytes == refolded
    assert json.loads(refolded)["opened"] > 0


def test_inputs_are_made_anew_once_the_history_has_grown(covenant: Run, folder: Path) -> None:
    """What came in since is judged too, and what was kept for less of history is removed."""
    ingested(covenant, consuming(folder))
    lower = candidate(folder, '"cap_u": 1000000000', '"cap_u": 700000000')
    assert document(covenant("--format", "json", "backtest", lower))["opened"] == 1
    ingested(covenant, write(folder / "more.jsonl", [event("usage.inference", "2026-01-06", credential="b", quantity="500")]))
    assert document(covenant("--format", "json", "backtest", lower))["opened"] == 2
    assert len(list((folder / ".covenant" / "backtest").iterdir())) == 1


def test_damaged_inputs_are_said_to_be_and_made_anew(covenant: Run, folder: Path) -> None:
    """A flipped byte is an error, once; the next run refolds."""
    ingested(covenant, consuming(folder))
    lower = candidate(folder, '"cap_u": 1000000000', '"cap_u": 700000000')
    good = covenant("--format", "json", "backtest", lower).stdout_bytes
    (kept,) = (folder / ".covenant" / "backtest").iterdir()
    raw = bytearray(kept.read_bytes())
    raw[len(raw) // 2] ^= 1
    kept.write_bytes(raw)
    broken = covenant("backtest", lower)
    assert broken.exit_code == 1
    assert "are damaged" in broken.stderr
    assert covenant("--format", "json", "backtest", lower).stdout_bytes == good


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backtest", "nowhere"), "There is no policy folder nowhere"),
        (("backtest", "nowhere", "--since", "2026-02-01", "--until", "2026-01-01"), "--since isn't before --until"),
        (("--store", "sqlite:///none.db", "backtest", "nowhere"), "There is no store"),
    ],
)
def test_what_is_given_wrongly_is_said(covenant: Run, folder: Path, arguments: tuple[Any, ...], said: str) -> None:
    """A folder or store that isn't there, a window without an inside: one sentence, and no report."""
    ingested(covenant, consuming(folder))
    answer = covenant(*arguments)
    assert answer.exit_code > 0
    assert said in answer.stderr
    assert answer.stdout == ""


def test_a_store_without_decisions_says_what_to_do(covenant: Run, folder: Path) -> None:
    """There is nothing to compare with."""
    ingested(covenant, write(folder / "empty.jsonl", []))
    answer = covenant("backtest", POLICIES)
    assert answer.exit_code == 2
    assert "Nothing was decided in this store yet" in answer.stderr


def test_killed_anywhere_and_resumed_it_gives_the_same_report(
    covenant: Run, folder: Path, program: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """Kill -9 while it judges; resumed it asks only what is left, and the report is that of a run nobody disturbed."""
    ingested(covenant, many(folder))
    lower = candidate(folder, '"cap_u": 1000000000', '"cap_u": 20000000')
    arguments = ("--format", "json", "backtest", lower, "--jobs", "1", "--work")
    whole = covenant(*arguments, "whole").stdout_bytes
    process = program(*arguments, "killed")
    deadline = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < deadline and not answers(folder / "killed"):
        time.sleep(0.001)
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.communicate()
    for left in answers(folder / "killed"):  # and the last note was cut in the middle
        with left.open("ab") as file:
            file.write(os.urandom(7))
    assert covenant(*arguments, "killed", "--resume").stdout_bytes == whole
    assert answers(folder / "killed") == []


def answers(work: Path) -> list[Path]:
    """Notes of a run that hold something."""
    return [path for path in work.glob("answers-*") if path.stat().st_size] if work.is_dir() else []
