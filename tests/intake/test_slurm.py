"""The sources `slurm` and `sacct`, by worked examples: states, resources, times, what runs and what has ended."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.events import Event
from engine.domain.values import MICRO, instant
from engine.intake.arrivals import Arrival
from tests.intake.samples import arrivals, encoded, events, refusal
from tests.intake.usage_samples import SACCT, answer, job

START = 1_772_600_400
HEADER = b"jobid|cluster|user|start|end|elapsed|state|alloctres\n"


def read(*jobs: dict[str, Any]) -> list[Arrival]:
    """Read an answer with these jobs."""
    return arrivals("slurm", encoded(answer(*jobs)))


def gpu(found: list[Arrival]) -> list[Event]:
    """Give the GPU usage of what was read."""
    return [event for event in events(found) if event.type == "compute.usage.gpu.v1"]


def running(elapsed: int, **changed: Any) -> dict[str, Any]:
    """Make a job with two GPUs that has run for some seconds."""
    times = {"elapsed": elapsed, "start": START, "end": 0, "limit": {"set": True, "infinite": False, "number": 1440}}
    return job(**{"state": "RUNNING", "time": times, **changed})


def test_a_job_that_ended_is_its_start_its_end_and_its_gpu_time() -> None:
    """Three and a half hours on two GPUs are 25,200 GPU-seconds, metered at the end, charged to its Unix user."""
    found = events(read(job()))
    assert [event.type.split(".", 1)[1] for event in found][:3] == ["job.started.v1", "job.ended.v1", "usage.gpu.v1"]
    started, ended, used = found[:3]
    assert (started.data.limit_seconds, ended.data.outcome) == (86_400, "completed")
    assert (used.data.gpu_seconds, used.data.gpus, used.data.gpu_model) == (25_200 * MICRO, 2, "v100")
    assert used.time == instant("2026-03-04T08:30:00Z")
    assert used.data.started_at == started.time == instant("2026-03-04T05:00:00Z")
    assert used.data.about() == ("alias", "unix_user:alpha/ann")
    assert used.data.state == "settled"


@pytest.mark.parametrize(
    "state", ["COMPLETED", ["COMPLETED"], ["COMPLETING", "COMPLETED"], {"current": ["COMPLETED"]}, {"current": "COMPLETED"}]
)
def test_a_state_is_a_word_a_list_or_an_object(state: Any) -> None:
    """All versions of Slurm say the same."""
    assert [event.data.state for event in gpu(read(job(state=state)))] == ["settled"]


@pytest.mark.parametrize(
    ("elapsed", "hours"),
    [
        (0, []),
        (3599, []),
        (3600, [1]),
        (7199, [1]),
        (7200, [1, 1]),
        (14_400, [1, 1, 2]),
        (35_000, [1, 1, 2, 4]),
        (90_000, [1, 1, 2, 4, 8]),
    ],
)
def test_what_runs_is_provisional_by_the_hour_and_then_by_doublings(elapsed: int, hours: list[int]) -> None:
    """Never more than it has used; before its first hour it is seen, and has used nothing yet."""
    found = gpu(read(running(elapsed)))
    assert {event.data.state for event in found} == {"provisional"}
    assert [event.data.gpu_seconds for event in found] == ([hour * 7200 * MICRO for hour in hours] or [0])
    for event in found[: len(hours)]:
        assert event.data.gpu_seconds == 2 * (event.time - event.data.started_at)


def test_asking_again_says_the_same_and_more() -> None:
    """So nothing conflicts: of two answers the later one holds every usage of the earlier, word for word."""
    earlier, later = gpu(read(running(8000))), gpu(read(running(40_000)))
    assert [event for event in earlier if event not in later] == []
    assert len(later) > len(earlier)


def test_the_end_withdraws_what_was_provisional_and_settles_the_whole() -> None:
    """Three slices were completed in three and a half hours: two of an hour; each is withdrawn at its own time."""
    slices = {(event.source, event.id): event.time for event in gpu(read(running(12_600)))}
    ended = events(read(job()))
    withdrawn = {
        (e.data.usage.source, e.data.usage.id): e.data.occurred_at for e in ended if e.type == "compute.usage.corrected.v1"
    }
    assert withdrawn == slices
    assert len(slices) == 2
    assert {e.data.state for e in ended if e.type == "compute.usage.corrected.v1"} == {"failed"}


def test_a_requeued_job_is_another_run() -> None:
    """Its number stays, its start doesn't."""
    again = job(
        time={
            "elapsed": 60,
            "start": START + 90_000,
            "end": START + 90_060,
            "limit": {"set": False, "infinite": True, "number": 0},
        }
    )
    first, second = gpu(read(job())), gpu(read(again))
    assert first[0].id != second[0].id
    assert first[0].data.job_id == second[0].data.job_id == "8"


def test_a_task_of_an_array_is_named_as_slurm_names_it() -> None:
    """17_3, as people write it in commits."""
    array = {"job_id": 17, "task_id": {"set": True, "infinite": False, "number": 3}}
    assert gpu(read(job(job_id=21, array=array)))[0].data.job_id == "17_3"


def test_a_slice_of_a_gpu_is_attributed_as_such() -> None:
    """A MIG profile is no whole GPU."""
    tres = {
        "allocated": [{"type": "gres", "name": "gpu:a100_1g.5gb", "count": 1}, {"type": "gres", "name": "gpumem", "count": 9}]
    }
    (used,) = [event for event in gpu(read(job(tres=tres))) if event.data.state == "settled"]
    assert (used.data.attribution, used.data.gpus) == ("mig", 1)


def test_the_whole_count_goes_before_its_kinds() -> None:
    """Slurm may say both gres/gpu and gres/gpu:a100; they are the same GPUs."""
    text = "cpu=64,mem=32G,gres/gpu=4,gres/gpu:a100=4"
    found = gpu(read(job(tres=None, tres_alloc_str=text)))
    assert (found[0].data.gpus, found[0].data.gpu_model) == (4, "a100")


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"state": ["PENDING"]}, "not-started", "waits to run"),
        ({"state": "CANCELLED", "time": {"elapsed": 0, "start": START, "end": START}}, "not-started", "cancelled before it ran"),
        ({"state": "DANCING"}, "invalid", "job states"),
        ({"state": None}, "missing", "state"),
        ({"user": None}, "missing", "user"),
        ({"job_id": 0}, "invalid", "job_id"),
        ({"tres": None, "tres_alloc_str": "gres/gpu=many"}, "invalid", "resources"),
        ({"time": {"elapsed": 10**12, "start": START, "end": 0}, "state": "RUNNING"}, "invalid", "before 2255"),
        ({"time": {"elapsed": 9, "start": START, "end": START - 9}}, "invalid", "after the job's start"),
    ],
)
def test_a_job_that_says_too_little_is_refused(changed: dict[str, Any], code: str, words: str) -> None:
    """With a sentence that names what is wrong; its neighbours are taken in."""
    found = read(job(job_id=7), job(**changed))
    wrong = refusal(found)
    assert wrong.code == code
    assert words in wrong.message
    assert len([one for one in found if one.event]) == 5


def test_what_a_refusal_keeps_can_be_read_again() -> None:
    """The one job, with what its answer said of all, so that it can be redriven."""
    (kept,) = [one.raw for one in read(job(state="DANCING", cluster=None)) if one.refusal]
    again = gpu(arrivals("slurm", kept.replace(b"DANCING", b"COMPLETED")))
    assert again[0].data.cluster == "alpha"


def test_lines_of_sacct_say_what_its_json_says() -> None:
    """The same job, told in both ways, is the same events; a job's name may hold the sign that parts."""
    told = {event.id: event for event in events([one for one in arrivals("sacct", SACCT) if one.event])}
    for event in events(read(job())):
        assert told[event.id] == event


def test_lines_of_sacct_are_read_by_their_header() -> None:
    """Whichever fields, in whichever order; without a header the 26 fields of XDMoD are expected."""
    row = b"9|alpha|ann|2026-03-04T05:00:00|2026-03-05T06:00:00|1-01:00:00|TIMEOUT|gres/gpu:h100=8\n"
    found = events(arrivals("sacct", HEADER + row))
    assert [event.data.gpu_seconds for event in found if event.type == "compute.usage.gpu.v1"] == [90_000 * 8 * MICRO]
    wrong = refusal(arrivals("sacct", row))
    assert (wrong.code, "26 are expected" in wrong.message) == ("ragged-row", True)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (b"9.batch|alpha||2026-03-04T05:00:00|2026-03-04T06:00:00|01:00:00|COMPLETED|", "job-step"),
        (b"9|alpha|ann|yesterday|2026-03-04T06:00:00|01:00:00|COMPLETED|", "invalid"),
        (b"9|alpha|ann|2026-03-04T05:00:00|2026-03-04T06:00:00|an hour|COMPLETED|", "invalid"),
        (b"9|alpha||2026-03-04T05:00:00|2026-03-04T06:00:00|01:00:00|COMPLETED|", "missing"),
        (b"9|alpha|ann|Unknown|Unknown|00:00:00|PENDING|", "not-started"),
        (b"9|alpha|ann\xff|Unknown|Unknown|00:00:00|PENDING|", "not-text"),
    ],
)
def test_a_line_of_sacct_that_is_no_job_is_refused(row: bytes, code: str) -> None:
    """Steps are parts of jobs, whose own lines count."""
    assert refusal(arrivals("sacct", HEADER + row + b"\n")).code == code


def test_a_header_without_what_is_needed_names_it() -> None:
    """And no row is read by a guess."""
    wrong = refusal(arrivals("sacct", b"JobID|Start|End|Elapsed|State\n"))
    assert (wrong.code, "user" in wrong.message) == ("wrong-columns", True)


@pytest.mark.parametrize("document", [{"nodes": []}, {"hello": 1}, {}, [1]])
def test_an_answer_without_jobs_is_refused(document: Any) -> None:
    """Whatever else it holds."""
    assert refusal(arrivals("slurm", encoded(document))).code in {"no-jobs", "invalid"}
