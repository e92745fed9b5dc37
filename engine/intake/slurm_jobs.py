"""What a job of Slurm becomes, however it was told: its start, its end, its GPU time. Pure.

A job that ended and held GPUs is one settled usage, metered at its end. One that still runs is provisional: each hour,
then each doubling of hours, that it has completed is a usage of its own, so that asking again later says the same and
more, and never more than was used. Once the job has ended these are withdrawn by corrections. Times are µs UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from engine.domain.errors import Refusal
from engine.domain.values import HOUR_US, LIMIT, MICRO, SECOND_US, instant_text, quantity_text
from engine.domain.wording import cut
from engine.intake.picking import unlike, wrong
from engine.intake.records import Draft

ENDED: Final[dict[str, Literal["completed", "failed", "cancelled", "timeout"]]] = {
    "COMPLETED": "completed",
    "FAILED": "failed",
    "BOOT_FAIL": "failed",
    "NODE_FAIL": "failed",
    "OUT_OF_MEMORY": "failed",
    "LAUNCH_FAILED": "failed",
    "CANCELLED": "cancelled",
    "PREEMPTED": "cancelled",
    "REVOKED": "cancelled",
    "DEADLINE": "timeout",
    "TIMEOUT": "timeout",
}
"""Base states of jobs that are over. Whatever a job's outcome, it held its GPUs until then."""
RUNNING: Final = frozenset({"RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "RESIZING", "STAGE_OUT", "SIGNALING", "STOPPED"})
WAITING: Final = frozenset(
    {"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT", "REVOKED_FED", "POWER_UP_NODE"}
)
_STATE: Final = re.compile(r"([A-Z_]+)\b.*", re.DOTALL)
_MIG: Final = re.compile(r"(?:.*[_.])?[0-9]+g\.[0-9]+gb.*")
_SLICES_MAX: Final = 24


class Job(msgspec.Struct, gc=False):
    """One job as one of Slurm's answers tells it."""

    id: str
    cluster: str
    user: str
    state: str
    start: int
    end: int
    """0 while it runs."""
    elapsed_s: int
    """Seconds it has run, without those it was suspended for."""
    limit_s: int
    gpus: int
    gpu_model: str | None


def base_state(states: list[str], field: str) -> str:
    """Give the base state among a job's states; the others are flags, such as COMPLETING beside COMPLETED."""
    found = [match[1] for one in states if (match := _STATE.fullmatch(one))]
    for known in (ENDED, RUNNING, WAITING):
        for state in found:
            if state in known:
                return state
    raise unlike(field, "one of Slurm's job states, such as COMPLETED or RUNNING", ", ".join(states))


def gpus_of(tres: dict[str, int]) -> tuple[int, str | None]:
    """Count GPUs in trackable resources by name (gres/gpu, gres/gpu:a100), and give their model where there is one."""
    typed = {name.partition(":")[2]: count for name, count in tres.items() if name.startswith("gres/gpu:")}
    total = tres.get("gres/gpu", sum(typed.values()))
    return total, next(iter(typed)) if len(typed) == 1 else None


def drafts(job: Job) -> Iterator[Draft]:
    """Give the events of a job; a job that never ran is refused, saying so."""
    ended = job.state in ENDED
    _check_ran(job)
    if min(job.start, job.end, job.elapsed_s) < 0 or max(job.start, job.end, job.elapsed_s * SECOND_US) > LIMIT:
        wrong("start", "a time after 1970 and before 2255, and a duration within it", job.start // SECOND_US)
    end = job.end if ended else job.start + job.elapsed_s * SECOND_US
    if ended and end < job.start:
        wrong("end", "a time after the job's start", instant_text(end))
    one = f"{job.id}@{job.start // SECOND_US}"
    about = {"job_id": job.id, "user": _user(job), "cluster": job.cluster}
    source = f"slurm/{job.cluster}"
    yield Draft("job.started", source, f"{one}/started", job.start, {**about, "limit_seconds": job.limit_s or None})
    if ended:
        yield Draft("job.ended", source, f"{one}/ended", end, {**about, "outcome": ENDED[job.state]})
    elif job.elapsed_s:
        yield Draft("job.heartbeat", source, f"{one}/seen@{end // SECOND_US}", end, about)
    if not job.gpus:
        return
    slices = list(_slices(job))
    if ended:
        yield Draft("usage.gpu", source, one, end, _gpu(job, job.start, job.elapsed_s, "settled"))
        yield from (_withdrawn(job, source, f"{one}/running-{number}", metered, end) for number, _, metered in slices)
        return
    for number, since, metered in slices:
        data = _gpu(job, since, (metered - since) // SECOND_US, "provisional")
        yield Draft("usage.gpu", source, f"{one}/running-{number}", metered, data)
    if not slices:
        yield Draft("usage.gpu", source, f"{one}/running", job.start, _gpu(job, job.start, 0, "provisional"))


def _check_ran(job: Job) -> None:
    """Refuse a job that hasn't begun, and one cancelled before it did, which Slurm says to have begun when it ended."""
    if job.state in WAITING or (job.state in RUNNING and not job.start):
        msg, do = f"Job {cut(job.id)} waits to run: it has used nothing.", "Send it again once it runs."
    elif not job.start or (ENDED.get(job.state) == "cancelled" and not job.elapsed_s):
        msg, do = f"Job {cut(job.id)} was cancelled before it ran: it has used nothing.", "Nothing is to be done about it."
    else:
        return
    raise Refusal(msg, do, code="not-started", field="state")


def _slices(job: Job) -> Iterator[tuple[int, int, int]]:
    """Give number, begin and end of what has been completed: the first hour, the second, then 2, 4, 8 … hours."""
    begin, length = 0, HOUR_US
    for number in range(1, _SLICES_MAX):
        if begin + length > job.elapsed_s * SECOND_US:
            return
        yield number, job.start + begin, job.start + begin + length
        begin += length
        length = begin


def _gpu(job: Job, since: int, seconds: int, state: str) -> dict[str, Any]:
    return {
        "user": _user(job),
        "state": state,
        "job_id": job.id,
        "started_at": instant_text(since),
        "gpu_seconds": quantity_text(seconds * job.gpus * MICRO),
        "gpus": job.gpus,
        "gpu_model": job.gpu_model,
        "cluster": job.cluster,
        "provider": f"slurm/{job.cluster}",
        "attribution": "mig" if job.gpu_model and _MIG.fullmatch(job.gpu_model) else "gpu",
        "interactive": False,
    }


def _withdrawn(job: Job, source: str, usage: str, metered: int, end: int) -> Draft:
    """Say that a provisional usage is replaced by the job's settled one."""
    data = {
        "usage": {"source": source, "id": usage},
        "occurred_at": instant_text(metered),
        "state": "failed",
        "user": _user(job),
        "reason": f"job {job.id} ended"[:256],
    }
    return Draft("usage.corrected", source, f"{usage}/withdrawn", max(end, metered), data)


def _user(job: Job) -> dict[str, str]:
    return {"kind": "unix_user", "value": f"{job.cluster}/{job.user}"}
