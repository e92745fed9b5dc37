"""The source `sacct`: lines of `sacct --parsable2` or `--parsable`, one job a line, parted by `|`. Pure.

A first line with sacct's own names of fields says which stand where; without one the 26 fields of XDMoD's export are
expected. A job's name may hold the sign that parts, so where it stands last it takes what is left. sacct writes local
times: export with `TZ=UTC` (or SLURM_TIME_FORMAT=%s), which this source expects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final

from engine.domain.errors import Refusal
from engine.domain.values import SECOND_US, instant
from engine.domain.wording import cut
from engine.intake.arrivals import Arrival
from engine.intake.contract import Options, admitted, refused
from engine.intake.identical import Identities
from engine.intake.json_text import check_utf8
from engine.intake.picking import listed, unlike, wrong
from engine.intake.reading import lines
from engine.intake.records import cloudevent
from engine.intake.slurm import tres_of
from engine.intake.slurm_jobs import ENDED, Job, base_state, drafts, gpus_of

_XDMOD: Final = """
jobid jobidraw cluster partition qos account group gid user uid submit eligible start end elapsed exitcode state
nnodes ncpus reqcpus reqmem reqtres alloctres timelimit nodelist jobname
"""
FIELDS: Final = tuple(_XDMOD.split())
"""The fields of XDMoD's export, in its order."""
NEEDED: Final = ("jobid", "user", "start", "elapsed", "state")
_DURATION: Final = re.compile(r"(?:([0-9]{1,7})-)?(?:([0-9]{1,4}):)?([0-9]{1,4}):([0-9]{2})(?:\.[0-9]+)?")
_UNKNOWN: Final = frozenset({"", "Unknown", "None", "None assigned", "N/A"})
_WHAT: Final = "a line of sacct"


class Sacct:
    """Jobs as `sacct` prints them for programs."""

    name = "sacct"

    def arrivals(self, stream: BinaryIO, where: str, options: Options) -> Iterator[Arrival]:
        """Read a whole stream, line by line."""
        identities = Identities()
        header: tuple[str, ...] | None = None
        named_by = b""
        for line in lines(stream):
            at = f"{where}:{line.number}"
            if line.refusal is not None:
                yield refused(line.refusal, line.text, at)
                continue
            try:
                cells = _cells(line.text)
                named = _header(cells) if header is None else None
                if named is not None:
                    header, named_by = named, line.text + b"\n"
                    continue
                header = header or FIELDS
                found = list(drafts(_job(_row(cells, header))))
            except Refusal as refusal:
                yield refused(refusal, named_by + line.text, at)
                continue
            for draft in found:
                try:
                    event = admitted(cloudevent(draft, cells, _WHAT, identities, options), options)
                except Refusal as refusal:
                    yield refused(refusal, named_by + line.text, at)
                else:
                    yield Arrival(event, None, named_by + line.text, at)


def _cells(raw: bytes) -> list[str]:
    check_utf8(raw)
    return raw.decode().removesuffix("\r").split("|")


def _header(cells: list[str]) -> tuple[str, ...] | None:
    """Give the names of a first line that names fields; a line with a job's number isn't one."""
    names = tuple(cell.strip().lower() for cell in cells)
    if not {"jobid", "jobidraw"} & set(names):
        return None
    names = names[:-1] if names[-1] == "" else names
    missing = [name for name in NEEDED if name not in names]
    if missing:
        msg = f"The first line names no field {', '.join(missing)}; it has {listed(names)}."
        raise Refusal(msg, f"Export at least --format={','.join(NEEDED)},cluster,end,alloctres.", code="wrong-columns")
    return names


def _row(cells: list[str], header: tuple[str, ...]) -> Mapping[str, str]:
    if len(cells) == len(header) + 1 and cells[-1] == "":
        cells = cells[:-1]
    if len(cells) > len(header) and header[-1] == "jobname":
        cells = [*cells[: len(header) - 1], "|".join(cells[len(header) - 1 :])]
    if len(cells) != len(header):
        msg = f"The line has {len(cells)} fields, and {len(header)} are expected."
        raise Refusal(msg, "Export with --parsable2 and without --noheader, so that the fields are named.", code="ragged-row")
    return dict(zip(header, cells, strict=True))


def _job(row: Mapping[str, str]) -> Job:
    job = row.get("jobid") or row.get("jobidraw") or ""
    if "." in job:
        msg = f"{cut(job)} is a step of a job, whose own line counts what it used."
        raise Refusal(msg, "Export with --allocations, so that steps are left out.", code="job-step", field="jobid")
    if not job:
        wrong("jobid", "the job's number", None)
    if not row["user"]:
        wrong("user", "the user who ran the job", None)
    state = base_state([row["state"]], "state")
    total, model = gpus_of(tres_of(row.get("alloctres", ""), "alloctres"))
    start, elapsed = _time(row, "start"), _duration(row, "elapsed")
    end = _time(row, "end")
    return Job(
        id=job,
        cluster=row.get("cluster") or "unknown",
        user=row["user"],
        state=state,
        start=start,
        end=(end or start + elapsed * SECOND_US) if state in ENDED else 0,
        elapsed_s=elapsed,
        limit_s=_limit(row),
        gpus=total,
        gpu_model=model,
    )


def _time(row: Mapping[str, str], field: str) -> int:
    """Read a time in UTC, with or without an offset, or seconds since 1970; 0 where there is none yet."""
    text = row.get(field, "").strip()
    if text in _UNKNOWN:
        return 0
    if text.isascii() and text.isdigit() and len(text) <= 10:
        return int(text) * SECOND_US
    for suffix in ("", "Z"):
        try:
            return int(instant(text + suffix))
        except Refusal:
            continue
    raise unlike(field, "a time such as 2026-01-31T08:00:00", text)


def _duration(row: Mapping[str, str], field: str) -> int:
    """Read days-hours:minutes:seconds as seconds."""
    match = _DURATION.fullmatch(row[field].strip())
    if match is None:
        wrong(field, "a duration such as 1-02:03:04", row[field])
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _limit(row: Mapping[str, str]) -> int:
    """Read the time limit; UNLIMITED and Partition_Limit are none."""
    text = row.get("timelimit", "").strip()
    return _duration(row, "timelimit") if text[:1].isdigit() else 0
