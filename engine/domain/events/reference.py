"""Reference data: one ordered log read by every worker, with effect from a date. Source: the organisation's own settings."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from engine.domain.events.base import Data, Key, Name, Problem, Rank, event
from engine.domain.events.grants import Unit
from engine.domain.events.people import Jurisdiction
from engine.domain.events.usage import Currency
from engine.domain.values import Instant, Quantity

RuleCode = Annotated[str, msgspec.Meta(pattern=r"^(FU|IP)-[0-9]{3}$")]


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


@event("price.published.v1", Rank.REFERENCE, "reference")
class PricePublished(Reference, frozen=True, kw_only=True):
    """What one unit is worth in money, from a date: 1 CCU = USD 1.00."""

    price: Quantity
    unit: Unit = "CCU"
    currency: Currency = "USD"

    def problem(self, time: int) -> Problem | None:  # noqa: ARG002 - one signature for all
        """Refuse a negative price."""
        return (
            Problem("negative-quantity", "data.price is negative: a unit is worth nothing or more.") if self.price < 0 else None
        )


@event("period.closed.v1", Rank.REFERENCE, "reference")
class PeriodClosed(Reference, frozen=True, kw_only=True):
    """An accounting period [from, until) was closed: later facts about it post to the open one, as corrections."""

    period: Name
    from_: Instant = msgspec.field(name="from")
    until: Instant

    def problem(self, time: int) -> Problem | None:  # noqa: ARG002 - one signature for all
        """Refuse a period that ends before it begins."""
        return (
            Problem("dates-out-of-order", "data.until is not after data.from: a period must last.")
            if self.until <= self.from_
            else None
        )


@event("feed.completed_through.v1", Rank.REFERENCE, "reference")
class FeedCompletedThrough(Data, frozen=True, kw_only=True):
    """A source says that it has delivered everything that happened before `through`: no absence is judged beyond it."""

    feed: Literal["people", "agreements", "approvals", "grants", "usage", "repositories", "pools", "disclosures"]
    """What is complete: the entity, as in the event types."""
    through: Instant

    def about(self) -> Key:
        """Give the organisation itself."""
        return ("organisation", "")

    def problem(self, time: int) -> Problem | None:
        """Refuse a word about the future: nobody has delivered what hasn't happened."""
        return (
            Problem("dates-out-of-order", "data.through is after the event's time: a feed can't be complete beyond now.")
            if self.through > time
            else None
        )


@event("policy.activated.v1", Rank.REFERENCE, "reference")
class PolicyActivated(Reference, frozen=True, kw_only=True):
    """A bundle is in force from `effective_from`: it judges what occurs from then on."""

    bundle: Name
    """SHA-256 of the bundle, hex."""
    author: Name
    approver: Name
    backtest: Name = ""
    """SHA-256 of the backtest's report that the approver saw, hex."""
    opens: int | None = None
    """How many findings it would open by that backtest."""
    confirmed: int | None = None
    """The same number, confirmed by the approver where it is high."""

    def problem(self, time: int) -> Problem | None:  # noqa: ARG002 - one signature for all
        """Refuse an author who approves their own policy, and numbers below nothing."""
        if self.approver == self.author:
            return Problem("own-approval", "data.approver is the author: somebody else must approve a policy.")
        if (self.opens or 0) < 0:
            return Problem("negative-count", "data.opens is negative: a backtest opens none or more.")
        return None


@event("policy.shadowed.v1", Rank.REFERENCE, "reference")
class PolicyShadowed(Reference, frozen=True, kw_only=True):
    """A bundle is evaluated beside the active one from a date: recorded, not enforced."""

    bundle: Name
    author: Name
    until: Instant | None = None


@event("policy.retired.v1", Rank.REFERENCE, "reference")
class PolicyRetired(Reference, frozen=True, kw_only=True):
    """A shadowed bundle is evaluated no longer."""

    bundle: Name
    author: Name


@event("rule.enabled.v1", Rank.REFERENCE, "reference")
class RuleEnabled(Reference, frozen=True, kw_only=True):
    """Rules may be used somewhere from a date on, on a legal basis; said again of the same record, it replaces what was said."""

    record: Name
    """The record's own id."""
    rules: tuple[RuleCode, ...]
    jurisdictions: tuple[Jurisdiction, ...] = ()
    """ISO 3166 countries or subdivisions; US holds for US-CA as well. None: everywhere, of whomever."""
    legal_basis: Name
    works_agreement: Name | None = None
    """The agreement with the employees' representatives, where one is needed."""
    until: Instant | None = None

    def problem(self, time: int) -> Problem | None:
        """Refuse a record that enables nothing or ends before it begins; one that ends as it begins withdraws itself."""
        if not self.rules:
            return Problem("nothing-enabled", "data.rules is empty: a record enables at least one rule.")
        if self.until is not None and self.until < self.effective(time):
            return Problem("dates-out-of-order", "data.until is before the record begins: it must not end before that.")
        return None


@event("clock.ticked.v1", Rank.REFERENCE, "reference")
class ClockTicked(Data, frozen=True):
    """Time passed without anything happening: deadlines up to the event's time may be spoken of."""

    def about(self) -> Key:
        """Give the organisation itself."""
        return ("organisation", "")


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

    def problem(self, time: int) -> Problem | None:  # noqa: ARG002
        """Refuse negative rates and a rate per nothing."""
        if self.units < 0:
            return Problem("negative-quantity", "data.units is negative: a rate can't give units back.")
        if self.per > 0:
            return None
        return Problem("no-quantity", "data.per must be more than 0.")
