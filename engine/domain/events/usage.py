"""Events of consumption. Token names follow OpenTelemetry's GenAI conventions, job words follow Slurm.

`quantity` is what the source says was consumed, in `unit`; without it the organisation's published rates turn
tokens or GPU-seconds into CCU. Times: the event's time is when the usage was metered; `started_at` when it began.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from engine.domain.events.base import Alias, Count, Data, Key, Name, Ppm, Rank, event
from engine.domain.events.grants import Unit
from engine.domain.values import Instant, Quantity

Artifacts = Annotated[tuple[Name, ...], msgspec.Meta(max_length=32)]


class Usage(Data, frozen=True):
    """Base of a usage: who answers for it, who used it, on what, for what."""

    person: Name | None = None
    """The person charged, where the source knows them; else the credential or the user is asked."""
    credential: Name | None = None
    user: Alias | None = None
    """A Unix user or another name, where there is no credential."""
    consumer: Alias | None = None
    """Who the client says used it; counted only once verified (kind `person` is the source's own verification)."""
    grant_id: Name | None = None
    """The grant named by the source; else burn-down chooses."""
    state: Literal["settled", "provisional", "failed"] = "settled"
    """`failed` used nothing; `provisional` is not consumption yet but counts towards a cap."""
    quantity: Quantity | None = None
    unit: Unit = "CCU"
    provider: Name = "unknown"
    model: Name = "unknown"
    started_at: Instant | None = None
    session: Name | None = None
    job_id: Name | None = None
    repository: Name | None = None
    """The repository tagged by the client, by the host's id."""
    branch: Name | None = None
    artifacts: Artifacts = ()
    """Digests of what it produced, such as sha256:…"""
    region: Name | None = None
    network: Name | None = None
    workload: Name | None = None

    def about(self) -> Key:
        """Give the person, else what the usage was authenticated by."""
        if self.credential is not None and self.person is None:
            return ("alias", f"credential:{self.credential}")
        if self.person is not None:
            return ("person", self.person)
        if self.user is not None:
            return ("alias", self.user.id)
        return ("alias", "unnamed:")

    def problem(self, time: int) -> str:
        """Refuse usage that names nobody and usage that began after it was metered."""
        if self.person is None and self.credential is None and self.user is None:
            return "data names nobody: give data.person, data.credential or data.user."
        if self.quantity is not None and self.quantity < 0:
            return "data.quantity is negative: send a compute.usage.corrected event instead."
        if self.started_at is not None and self.started_at > time:
            return "data.started_at is after the event's time: usage is metered when or after it begins."
        return ""


@event("usage.inference.v1", Rank.USAGE, "usage")
class UsageInference(Usage, frozen=True):
    """Tokens of one call, or of several summed. `input_tokens` includes the cached ones (OpenTelemetry)."""

    operation: Name = "chat"
    input_tokens: Count = 0
    cached_tokens: Count = 0
    output_tokens: Count = 0
    reasoning_tokens: Count = 0

    def problem(self, time: int) -> str:
        """Refuse cached tokens that aren't among the input."""
        if self.cached_tokens > self.input_tokens:
            return "data.cached_tokens is more than data.input_tokens, which includes them."
        return super().problem(time)


@event("usage.gpu.v1", Rank.USAGE, "usage")
class UsageGpu(Usage, frozen=True):
    """GPU time: seconds × GPUs held."""

    gpu_seconds: Quantity = Quantity(0)
    gpus: Count = 1
    gpu_model: Name | None = None
    cluster: Name | None = None
    utilisation_ppm: Ppm | None = None
    attribution: Literal["gpu", "mig", "node"] = "gpu"

    def problem(self, time: int) -> str:
        """Refuse negative time."""
        if self.gpu_seconds < 0:
            return "data.gpu_seconds is negative: send a compute.usage.corrected event instead."
        return super().problem(time)


class Job(Data, frozen=True):
    """Base of an event about a batch job."""

    job_id: Name
    person: Name | None = None
    user: Alias | None = None
    cluster: Name | None = None

    def about(self) -> Key:
        """Give the person, else the user's alias."""
        if self.person is not None:
            return ("person", self.person)
        return ("alias", self.user.id if self.user is not None else "unnamed:")

    def problem(self, time: int) -> str:  # noqa: ARG002
        """Refuse a job that names nobody."""
        return "data names nobody: give data.person or data.user." if self.person is self.user is None else ""


@event("job.started.v1", Rank.USAGE, "usage")
class JobStarted(Job, frozen=True):
    """A job began to run at the event's time."""

    limit_seconds: Count = 0


@event("job.heartbeat.v1", Rank.USAGE, "usage")
class JobHeartbeat(Job, frozen=True):
    """A job said that it still runs."""


@event("job.ended.v1", Rank.USAGE, "usage")
class JobEnded(Job, frozen=True):
    """A job ended at the event's time."""

    outcome: Literal["completed", "failed", "cancelled", "timeout", "unknown"] = "unknown"
