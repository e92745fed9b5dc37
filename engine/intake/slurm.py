"""The source `slurm`: answers of `sacct --json` and of slurmrestd (slurm and slurmdb, data_parser v0.0.3x to v0.0.4x). Pure.

Old and new answers differ: a job's state is a word or a list, times lie under `time` or beside the job as
`{"set", "infinite", "number"}`, resources are a list or a text such as cpu=4,gres/gpu:a100=2. Associations, QoS and
accounts carry limits but no date; they are refused, saying how a limit becomes a grant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from engine.domain.errors import Refusal
from engine.domain.values import SECOND_US
from engine.domain.wording import cut, shown
from engine.intake.picking import Fields, words, wrong
from engine.intake.records import Draft, Record, Records
from engine.intake.slurm_jobs import ENDED, Job, base_state, drafts, gpus_of

_LIMITS: Final = {"accounts": "an account", "associations": "an association", "qos": "a QoS", "users": "a user"}
_OTHERS: Final = ("clusters", "nodes", "partitions", "reservations", "licenses", "wckeys", "tres", "shares", "instances")
_COUNT: Final = re.compile(r"([0-9]{1,15})(?:\.[0-9]+)?")


class Slurm(Records):
    """Jobs as Slurm's programs answer in JSON; also one job by itself, as it is kept when refused."""

    name = "slurm"
    what = "an answer of Slurm"

    def records(self, document: Any) -> Iterable[Record]:
        """Give the jobs of an answer, each with what the answer says of all."""
        answer = Fields(document, "")
        if "jobs" in answer.value:
            jobs = answer.items("jobs")
            cluster = answer.inner("meta").inner("slurm").text("cluster")
            seen = _number(answer, "last_update")
            return [(f"jobs[{index}]", {"job": job, "cluster": cluster, "seen": seen}) for index, job in enumerate(jobs)]
        if "job" in answer.value or {"limit", "of"} <= answer.value.keys():
            return [("", document)]
        for key, one in _LIMITS.items():
            if key in answer.value:
                return [(f"{key}[{index}]", {"limit": one, "of": item}) for index, item in enumerate(answer.items(key))]
        held = next((f"{key} and no jobs" for key in _OTHERS if key in answer.value), "no jobs")
        msg = f"This answer of Slurm holds {held}."
        raise Refusal(msg, "Send what sacct --json or slurmrestd's /jobs answer.", code="no-jobs")

    def drafts(self, record: Any) -> Iterable[Draft]:
        """Give the events of one job."""
        if "of" in record:
            one, kind = record["of"], str(record.get("limit") or "a limit")
            name = (one.get("name") or one.get("user") or one.get("account")) if isinstance(one, dict) else None
            msg = f"{kind[:1].upper()}{kind[1:]} ({shown(name)}) isn't usage, and Slurm doesn't date its limits."
            do = "Grant what a limit permits with compute.grant.issued.v1, for instance by a mapping with its date."
            raise Refusal(msg, do, code="not-usage")
        return drafts(_job(record))


def _job(record: dict[str, Any]) -> Job:
    whole = Fields(record)
    job = whole.inner("job")
    if not job.value:
        wrong("job", "a job", record.get("job"))
    number = job.whole("job_id")
    if number is None or number <= 0:
        wrong(job.path("job_id"), "the job's number", job.value.get("job_id"))
    nested = isinstance(job.value.get("time"), dict)
    times = job.inner("time") if nested else job
    start, end = (_number(times, key) or 0 for key in (("start", "end") if nested else ("start_time", "end_time")))
    state = _state(job)
    seen = whole.whole("seen") or 0
    over = state in ENDED
    elapsed = times.count("elapsed") if nested else max(0, (end if over else seen) - start) if start else 0
    total, model = gpus_of(_tres(job))
    return Job(
        id=_array(job, number),
        cluster=job.text("cluster") or whole.text("cluster") or "unknown",
        user=_user(job),
        state=state,
        start=start * SECOND_US,
        end=end * SECOND_US if over else 0,
        elapsed_s=elapsed,
        limit_s=60 * (_number(times, "limit" if nested else "time_limit") or 0),
        gpus=total,
        gpu_model=model,
    )


def _user(job: Fields) -> str:
    return job.text("user") or job.text("user_name") or job.inner("association").need("user")


def _state(job: Fields) -> str:
    """Read `state` as a word, as a list, or as {"current": word or list}; slurmctld calls it `job_state`."""
    key = "state" if job.has("state") else "job_state"
    value = job.value.get(key)
    if isinstance(value, dict):
        value, key = value.get("current"), f"{key}.current"
    return base_state(words(value, job.path(key)), job.path(key))


def _array(job: Fields, number: int) -> str:
    """Name a job as Slurm does: a task of an array is 17_3, whatever its own number."""
    nested = isinstance(job.value.get("array"), dict)
    array = job.inner("array") if nested else job
    master = _number(array, "job_id" if nested else "array_job_id") or 0
    task = _number(array, "task_id" if nested else "array_task_id")
    return f"{master}_{task}" if master and task is not None else str(number)


def _number(fields: Fields, key: str) -> int | None:
    """Read a number as Slurm writes them: 60, or {"set": true, "infinite": false, "number": 60}; unset is none."""
    value = fields.value.get(key)
    if not isinstance(value, dict):
        return fields.whole(key)
    inner = fields.inner(key)
    return inner.whole("number") if value.get("set") is True and value.get("infinite") is not True else None


def _tres(job: Fields) -> dict[str, int]:
    """Read the resources a job holds, from a list of objects or from a text."""
    if isinstance(job.value.get("tres"), dict):
        held = job.inner("tres").objects("allocated")
        named = [(one, one.text("type") or "", one.text("name") or "") for one in held]
        return {f"{kind}/{name}": one.count("count") for one, kind, name in named if kind == "gres"}
    return tres_of(job.text("tres_alloc_str") or "", job.path("tres_alloc_str"))


def tres_of(text: str, field: str) -> dict[str, int]:
    """Read resources written as cpu=4,mem=8G,gres/gpu:a100=2; of those that aren't GPUs only the names matter."""
    found: dict[str, int] = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        if name != "gres/gpu" and not name.startswith("gres/gpu:"):
            continue
        count = _COUNT.fullmatch(value)
        if count is None:
            wrong(field, "resources such as cpu=4,gres/gpu=2", cut(text))
        found[name] = int(count[1])
    return found
