"""Events of consumption. Token names follow OpenTelemetry's GenAI conventions, job words follow Slurm.

`quantity` is what the source says was consumed, in `unit`; without it the organisation's published rates turn
tokens or GPU-seconds into CCU. Times: the event's time is when the usage was metered; `started_at` when it began.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from engine.domain.events.base import Alias, Count, Data, Key, Name, Ppm, Problem, Rank, event
from engine.domain.events.grants import Unit
from engine.domain.values import Instant, Quantity

Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")]
"""ISO 4217."""
Tokens = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
"""A count of tokens; a trillion in one event is a mistake in what was counted."""
Gpus = Annotated[int, msgspec.Meta(ge=0, le=10**6)]
Artifacts = Annotated[tuple[Name, ...], msgspec.Meta(max_length=32)]


def charged_to(person: str | None, credential: str | None, user: Alias | None) -> Key:
    """Give the person where the source knows them, else the credential, else the user."""
    if person is not None:
        return ("person", person)
    if credential is not None:
        return ("alias", f"credential:{credential}")
    return ("alias", "unnamed:" if user is None else user.id)


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
    cost: Quantity | None = None
    """Effective cost in `currency` (FOCUS), where the source states one."""
    currency: Currency | None = None
    free: bool = False
    """The source itself says that this SKU costs nothing."""
    interactive: bool | None = None
    """Whether a person sat at it; unknown where the source doesn't tell people from agents."""

    @property
    def authenticated(self) -> str:
        """What it was authenticated by: the credential, else the user's alias, else none."""
        return self.credential or (self.user.id if self.user is not None else "none")

    def about(self) -> Key:
        """Give the person, else what the usage was authenticated by."""
        return charged_to(self.person, self.credential, self.user)

    def problem(self, time: int) -> Problem | None:
        """Refuse usage that names nobody and usage that began after it was metered."""
        if self.person is None and self.credential is None and self.user is None:
            return Problem("names-nobody", "data names nobody: give data.person, data.credential or data.user.")
        if self.quantity is not None and self.quantity < 0:
            return Problem("negative-quantity", "data.quantity is negative: send a compute.usage.corrected event instead.")
        if self.started_at is not None and self.started_at > time:
            return Problem(
                "dates-out-of-order", "data.started_at is after the event's time: usage is metered when or after it begins."
            )
        return None


@event("usage.inference.v1", Rank.USAGE, "usage")
class UsageInference(Usage, frozen=True):
    """Tokens of one call, or of several summed. `input_tokens` includes the cached ones (OpenTelemetry)."""

    operation: Name = "chat"
    input_tokens: Tokens = 0
    cached_tokens: Tokens = 0
    output_tokens: Tokens = 0
    reasoning_tokens: Tokens = 0

    def problem(self, time: int) -> Problem | None:
        """Refuse cached tokens that aren't among the input."""
        if self.cached_tokens > self.input_tokens:
            return Problem("cached-over-input", "data.cached_tokens is more than data.input_tokens, which includes them.")
        return super().problem(time)


@event("usage.gpu.v1", Rank.USAGE, "usage")
class UsageGpu(Usage, frozen=True):
    """GPU time: seconds × GPUs held."""

    gpu_seconds: Quantity = Quantity(0)
    gpus: Gpus = 1
    gpu_model: Name | None = None
    cluster: Name | None = None
    utilisation_ppm: Ppm | None = None
    attribution: Literal["gpu", "mig", "node"] = "gpu"

    def problem(self, time: int) -> Problem | None:
        """Refuse negative time."""
        if self.gpu_seconds < 0:
            return Problem("negative-quantity", "data.gpu_seconds is negative: send a compute.usage.corrected event instead.")
        return super().problem(time)


@event("usage.charged.v1", Rank.USAGE, "usage")
class UsageCharged(Usage, frozen=True):
    """A line of a provider's bill (FOCUS): what was consumed over a charge period, and what it cost.

    The event's time is the end of the charge period, `started_at` its start.
    """

    category: Literal["usage", "purchase", "tax", "credit", "adjustment"] = "usage"
    charge_class: Literal["", "correction"] = ""
    sku: Name | None = None
    service: Name | None = None
    consumed: Quantity | None = None
    """Consumed quantity in the provider's own `consumed_unit`."""
    consumed_unit: Name | None = None
    billed_cost: Quantity | None = None


class Corrected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which usage is corrected: its source and id."""

    source: Name
    id: Name


@event("usage.corrected.v1", Rank.ALIAS, "usage")
class UsageCorrected(Data, frozen=True):
    """What a usage really was: its quantity and state from now on, with effect when the usage occurred.

    Goes to whoever the usage went to: name the same person, credential or user.
    """

    usage: Corrected
    occurred_at: Instant
    """The corrected usage's own time."""
    quantity: Quantity | None = None
    state: Literal["settled", "provisional", "failed"] = "settled"
    person: Name | None = None
    credential: Name | None = None
    user: Alias | None = None
    reason: Name = "unknown"

    def about(self) -> Key:
        """Give the person, else what the usage was authenticated by."""
        return charged_to(self.person, self.credential, self.user)

    def effective(self, time: int) -> int:  # noqa: ARG002 - one signature for all
        """Give the corrected usage's time."""
        return self.occurred_at

    def problem(self, time: int) -> Problem | None:
        """Refuse a correction of nobody's usage, of the future's, or to less than nothing."""
        if self.person is None and self.credential is None and self.user is None:
            return Problem("names-nobody", "data names nobody: give data.person, data.credential or data.user as the usage did.")
        if self.occurred_at > time:
            return Problem(
                "dates-out-of-order", "data.occurred_at is after the event's time: a correction follows what it corrects."
            )
        if (self.quantity or 0) < 0:
            return Problem("negative-quantity", "data.quantity is negative: state what was really used, 0 or more.")
        return None


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

    def problem(self, time: int) -> Problem | None:  # noqa: ARG002
        """Refuse a job that names nobody."""
        if self.person is None and self.user is None:
            return Problem("names-nobody", "data names nobody: give data.person or data.user.")
        return None


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
