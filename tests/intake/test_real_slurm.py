"""Other people's Slurm, whole: every job is told or refused; seconds, GPU time and states agree with counts of our own."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine.domain.codec import identity
from engine.domain.events import Event
from engine.domain.values import MICRO, SECOND_US
from engine.intake.arrivals import Arrival
from engine.intake.sources import open_source
from tests.intake.samples import ACME

FOLDER = Path("slurm")
LINES = FOLDER / "xdmod_pozidriv_sacct.log.gz"
SNAPSHOTS = tuple(f"fromage_{second}.json" for second in (1706227200, 1708819200, 1711411200, 1714003200, 1716595200))
OVER = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY"}


def read(name: str, path: Path) -> list[Arrival]:
    """Read a file by one of the project's sources."""
    with path.open("rb") as stream:
        return list(open_source(name).arrivals(stream, path.name, ACME))


def of_type(found: list[Arrival], name: str) -> list[Event]:
    """Give the events of one type."""
    return [one.event for one in found if one.event is not None and one.event.type == f"compute.{name}.v1"]


def codes(found: list[Arrival]) -> Counter[str]:
    """Count refusals by their code."""
    return Counter(one.refusal.code for one in found if one.refusal is not None)


def gpus(job: dict[str, Any]) -> int:
    """Count a job's GPUs without the project's code."""
    return sum(one["count"] for one in job["tres"]["allocated"] if one["type"] == "gres" and one["name"].startswith("gpu"))


def completed_hours(seconds: int) -> int:
    """Give the largest 1, 2, 4, 8 … hours within some seconds."""
    hours = seconds // 3600
    return 1 << (hours.bit_length() - 1) if hours else 0


@pytest.fixture(scope="module")
def lines(real_data: Path) -> tuple[list[list[str]], list[Arrival]]:
    """The lines of sacct as they are, and as arrivals."""
    with gzip.open(real_data / LINES, "rt", encoding="utf-8") as text:
        return [line.rstrip("\n").split("|") for line in text], read("sacct", real_data / LINES)


@pytest.fixture(scope="module")
def snapshots(real_data: Path) -> list[tuple[list[dict[str, Any]], list[Arrival]]]:
    """The answers of `sacct --json`, one a month, as they are and as arrivals."""
    folder = real_data / FOLDER / "sacct_json_sarc"
    return [(json.loads((folder / name).read_text())["jobs"], read("slurm", folder / name)) for name in SNAPSHOTS]


def test_every_line_of_sacct_is_a_job_that_ran_or_is_refused(lines: tuple[list[list[str]], list[Arrival]]) -> None:
    """11,704 jobs of 18 users; 419 were cancelled before they ran; each of the others began and ended."""
    rows, found = lines
    never = [row for row in rows if row[16].startswith("CANCELLED") and row[14] == "00:00:00"]
    assert len(rows) == 11_704
    assert codes(found) == {"not-started": len(never)} == {"not-started": 419}
    ended = of_type(found, "job.ended")
    assert len(of_type(found, "job.started")) == len(ended) == len(rows) - len(never)
    assert len({event.data.user.value for event in ended}) == len({row[8] for row in rows if row not in never}) == 18
    assert len({identity(event) for event in ended}) == len(ended)


def test_outcomes_agree_with_the_states_of_sacct(lines: tuple[list[list[str]], list[Arrival]]) -> None:
    """CANCELLED by somebody and PREEMPTED both end in a cancellation."""
    rows, found = lines
    words = {
        "COMPLETED": "completed",
        "FAILED": "failed",
        "TIMEOUT": "timeout",
        "CANCELLED": "cancelled",
        "PREEMPTED": "cancelled",
    }
    expected = Counter(words[row[16].split()[0]] for row in rows)
    expected["cancelled"] -= 419
    assert Counter(event.data.outcome for event in of_type(found, "job.ended")) == expected
    assert expected["completed"] == 10_134


def test_jobs_run_as_long_as_sacct_says(lines: tuple[list[list[str]], list[Arrival]]) -> None:
    """From start to end in UTC, job by job, and in all."""
    rows, found = lines
    started = {event.data.job_id: event.time for event in of_type(found, "job.started")}
    ended = {event.data.job_id: event.time for event in of_type(found, "job.ended")}
    total = 0
    for row in rows:
        if row[0] not in started:
            continue
        begin, end = (dt.datetime.fromisoformat(cell).replace(tzinfo=dt.UTC) for cell in row[12:14])
        assert started[row[0]] == int(begin.timestamp()) * SECOND_US
        assert ended[row[0]] == int(end.timestamp()) * SECOND_US
        days, _, clock = row[14].rpartition("-")
        hours, minutes, seconds = map(int, clock.split(":"))
        total += int(days or 0) * 86_400 + hours * 3600 + minutes * 60 + seconds
    assert sum(ended[job] - started[job] for job in started) == total * SECOND_US > 0


def test_every_job_of_every_answer_is_told_or_refused(snapshots: list[tuple[list[dict[str, Any]], list[Arrival]]]) -> None:
    """53 reports of jobs in five answers: those that wait are refused, the others begin, and end or are seen to run."""
    states: Counter[str] = Counter()
    for jobs, found in snapshots:
        now = Counter(job["state"]["current"][0] for job in jobs)
        states += now
        assert codes(found) == ({"not-started": now["PENDING"]} if now["PENDING"] else {})
        assert len(of_type(found, "job.started")) == len(jobs) - now["PENDING"]
        assert len(of_type(found, "job.heartbeat")) == now["RUNNING"]
        assert len(of_type(found, "job.ended")) == sum(now[state] for state in OVER)
    assert states == {"COMPLETED": 28, "RUNNING": 11, "PENDING": 6, "FAILED": 4, "OUT_OF_MEMORY": 2, "CANCELLED": 1, "TIMEOUT": 1}


def test_ended_jobs_are_settled_and_their_gpu_seconds_agree(snapshots: list[tuple[list[dict[str, Any]], list[Arrival]]]) -> None:
    """Elapsed seconds × GPUs, answer by answer; a job without GPUs used none."""
    for jobs, found in snapshots:
        expected = sum(job["time"]["elapsed"] * gpus(job) for job in jobs if job["state"]["current"][0] in OVER)
        settled = [event for event in of_type(found, "usage.gpu") if event.data.state == "settled"]
        assert sum(event.data.gpu_seconds for event in settled) == expected * MICRO > 0
        assert {event.data.gpu_model for event in settled} == {"v100"}
        assert all(event.data.gpu_seconds == (event.time - event.data.started_at) * event.data.gpus for event in settled)


def test_running_jobs_stay_provisional_and_never_exceed_what_was_used(
    snapshots: list[tuple[list[dict[str, Any]], list[Arrival]]],
) -> None:
    """1, 2, 4, 8 … whole hours × GPUs of each job that runs; nothing of it is settled."""
    for jobs, found in snapshots:
        running = [job for job in jobs if job["state"]["current"] == ["RUNNING"]]
        expected = sum(completed_hours(job["time"]["elapsed"]) * 3600 * gpus(job) for job in running)
        provisional = [event for event in of_type(found, "usage.gpu") if event.data.state == "provisional"]
        assert sum(event.data.gpu_seconds for event in provisional) == expected * MICRO
        assert {event.data.job_id for event in provisional} == {str(job["job_id"]) for job in running if gpus(job)}
        assert expected <= sum(job["time"]["elapsed"] * gpus(job) for job in running)


def test_what_was_provisional_is_withdrawn_once_its_job_has_ended(
    snapshots: list[tuple[list[dict[str, Any]], list[Arrival]]],
) -> None:
    """Job 8 runs in January's answer and is over in February's: the corrections there name each provisional usage of it."""
    january, february = snapshots[0][1], snapshots[1][1]
    provisional = [event for event in of_type(january, "usage.gpu") if event.data.state == "provisional"]
    withdrawn = {
        (event.data.usage.source, event.data.usage.id): event.data.occurred_at
        for event in of_type(february, "usage.corrected")
        if event.data.state == "failed"
    }
    assert {event.data.job_id for event in provisional} == {"8"}
    assert all(withdrawn[event.source, event.id] == event.time for event in provisional)
    assert len(provisional) == 4


def test_each_answer_of_slurmrestd_goes_in_or_is_refused_for_a_reason(real_data: Path) -> None:
    """Jobs of slurmctld and slurmdbd; accounts, associations and QoS carry limits without a date, and say so."""
    folder = real_data / FOLDER / "slurmrestd_24.05_0.0.41"
    limits: Counter[str] = Counter()
    for path in sorted(folder.glob("*.json")):
        answer, found = json.loads(path.read_text()), read("slurm", path)
        if "jobs" not in answer:
            limits[next(key for key in ("accounts", "associations", "qos") if key in answer)] += len(found)
            assert codes(found) == {"not-usage": len(found)}
            continue
        states = [(job.get("job_state") or job["state"]["current"])[0] for job in answer["jobs"]]
        assert len(of_type(found, "job.started")) == sum(state != "PENDING" for state in states)
        assert len(of_type(found, "job.ended")) == sum(state in OVER for state in states)
        assert codes(found)["not-started"] == states.count("PENDING")
    assert limits == {"accounts": 7, "associations": 18, "qos": 2}


def test_slurmctld_and_slurmdbd_tell_the_same_of_the_same_job(real_data: Path) -> None:
    """Job 649717 ran out of time: both name the same identity, times, user and limit."""
    folder = real_data / FOLDER / "slurmrestd_24.05_0.0.41"
    one = {event.id: event for event in of_type(read("slurm", folder / "slurm-jobs.json"), "job.ended")}
    (other,) = of_type(read("slurm", folder / "slurmdb-job-timeout.json"), "job.ended")
    assert one[other.id] == other
