"""Reference data: one ordered log read by every worker, with effect from a date. Source: the organisation's own settings."""

from __future__ import annotations

from typing import Literal

from engine.domain.events.base import Data, Key, Name, Rank, event
from engine.domain.events.grants import Unit
from engine.domain.values import Instant, Quantity


class Reference(Data, frozen=True):
    """Base of reference data: the organisation's, with effect from `effective_from` (else the event's time)."""

    effective_from: Instant | None = None

    def about(self) -> Key:
        """Give the organisation itself."""
        return ("organisation", "")

    def effective(self, time: int) -> int:
        """Give the date it has effect from."""
        return time if self.effective_from is None else self.effective_from


@event("organisation.configured.v1", Rank.REFERENCE, "reference")
class OrganisationConfigured(Reference, frozen=True, kw_only=True):
    """Which owners of repositories are the organisation's own, such as `github.com/acme`."""

    owners: tuple[Name, ...] = ()


@event("rate.published.v1", Rank.REFERENCE, "reference")
class RatePublished(Reference, frozen=True, kw_only=True):
    """How many units one `per` of a meter costs, from a date: 2.5 CCU per 1,000,000 input tokens."""

    meter: Literal["input_tokens", "cached_tokens", "output_tokens", "gpu_seconds"]
    units: Quantity
    per: Quantity = Quantity(1_000_000_000_000)
    """How much of the meter the units are for; 1,000,000 unless it says otherwise."""
    unit: Unit = "CCU"
    model: Name | None = None
    """Only this model; a rate of a model precedes a rate of all."""

    def problem(self, time: int) -> str:  # noqa: ARG002
        """Refuse negative rates and a rate per nothing."""
        if self.units < 0:
            return "data.units is negative: a rate can't give units back."
        return "" if self.per > 0 else "data.per must be more than 0."
