"""Events in a grant's life. Names follow the Open Cap Format; priority and filters follow OpenMeter.

Quantities are in the grant's unit (CCU, compute credit units, unless it says otherwise), micro-scaled.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

import msgspec

from engine.domain import units
from engine.domain.events.base import Data, Key, Name, Problem, Rank, Text, event
from engine.domain.values import DAY_US, Instant, Quantity

Reason = Literal["voluntary", "involuntary", "retirement", "death", "disability", "other"]
"""Why employment ended (OCF)."""
Days = Annotated[int, msgspec.Meta(ge=0, le=3650)]
Unit = Annotated[str, msgspec.Meta(pattern=units.PATTERN)]


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Installments of equal share: `occurrences` of them, one `every` so many days or months after the one before."""

    occurrences: Annotated[int, msgspec.Meta(ge=1, le=600)]
    every: Annotated[int, msgspec.Meta(ge=0, le=3660)] = 1
    unit: Literal["days", "months"] = "months"
    numerator: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    denominator: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    """Each installment's share of the grant."""
    cliff: Annotated[int, msgspec.Meta(ge=0, le=600)] = 0
    """Installments up to and with this one vest together on its date (OCF `cliff_installment`)."""


class Vesting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A vesting schedule as the Open Cap Format writes them: segments one after the other from a start."""

    segments: Annotated[tuple[Segment, ...], msgspec.Meta(min_length=1, max_length=64)]
    starts_at: Instant | None = None
    """Start of vesting; without it the grant's start."""
    on_event: bool = False
    """Vesting begins with `grant.vesting_started` and not before."""
    allocation: Literal["cumulative_rounding", "cumulative_round_down", "front_loaded", "back_loaded", "fractional"] = (
        "cumulative_rounding"
    )
    """How whole units are shared out over installments (OCF allocation types)."""


class Filters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What a grant may be spent on; an empty list permits everything of its kind."""

    models: tuple[Name, ...] = ()
    providers: tuple[Name, ...] = ()


class GrantEvent(Data, frozen=True):
    """Base of an event about a grant: its holder's, or through the grant's alias where the holder isn't named."""

    grant_id: Name
    holder: Name | None = None

    def about(self) -> Key:
        """Give the holder, else the grant's alias."""
        return ("alias", f"grant:{self.grant_id}") if self.holder is None else ("person", self.holder)


@event("grant.issued.v1", Rank.GRANT, "grants")
class GrantIssued(Data, frozen=True):
    """A grant was made to its holder. Only vested units can be consumed."""

    grant_id: Name
    holder: Name
    quantity: Quantity
    unit: Unit = "CCU"
    vesting: Literal["immediate", "by_event", "scheduled"] = "by_event"
    """`immediate`: all units vest at `effective_at`; `by_event`: each `grant.vested` vests its quantity; `scheduled`:
    each installment of `schedule` vests on its date."""
    schedule: Vesting | None = None
    priority: Annotated[int, msgspec.Meta(ge=0, le=255)] = 100
    """Lower burns first (OpenMeter)."""
    effective_at: Instant | None = None
    expires_at: Instant | None = None
    """The grant covers usage before this instant."""
    filters: Filters = Filters()
    pool: Name | None = None
    """The plan it was made from, or the cluster it may be spent on."""
    personal: bool = True
    """Granted for one person's own use; a team's or a service's grant is not."""
    purpose: Text = ""
    ip_terms: Literal["company", "holder", "shared"] = "company"
    legal_character: Literal["pay", "benefit", "licence"] = "benefit"
    transferable: bool = False
    agreement_version: Name = "default"
    """Names the parameter set the holder's usage is judged by."""
    termination_window_days: Annotated[int, msgspec.Meta(ge=0, le=3650)] = 0
    """Days after the end of employment in which vested units may still be used."""
    termination_windows: dict[Reason, Days] = msgspec.field(default_factory=dict)
    """The same by reason of the end, where the agreement tells reasons apart (OCF `termination_exercise_windows`)."""
    recurrence: Literal["none", "monthly", "quarterly", "yearly"] = "none"
    rollover_min: Quantity = Quantity(0)
    rollover_max: Quantity = Quantity(0)
    """What a `grant.rolled_over` carries on: min(max, max(balance, min)) (OpenMeter)."""

    def about(self) -> Key:
        """Give the holder."""
        return ("person", self.holder)

    def effective(self, time: int) -> int:
        """Give the start of the grant; a back-filled grant covers what was used since."""
        return time if self.effective_at is None else min(time, self.effective_at)

    def problem(self, time: int) -> Problem | None:
        """Refuse a grant of nothing and one that expires before it begins."""
        if self.quantity <= 0:
            return Problem("no-quantity", "data.quantity must be more than 0: a grant gives something.")
        start = time if self.effective_at is None else self.effective_at
        if self.expires_at is not None and self.expires_at <= start:
            return Problem(
                "dates-out-of-order", "data.expires_at is not after the grant's start: give a later time or leave it out."
            )
        if (self.vesting == "scheduled") != (self.schedule is not None):
            return Problem("vesting-terms", "data.schedule belongs to a grant whose data.vesting is scheduled, and to no other.")
        if self.schedule is not None and (share := shares(self.schedule)) != 1:
            return Problem(
                "vesting-sum", f"data.schedule doesn't add up: its installments come to {share} of the grant, not to all of it."
            )
        if self.rollover_min < 0:
            return Problem("negative-quantity", "data.rollover_min is negative: a rollover carries nothing or more.")
        if self.rollover_min > self.rollover_max:
            return Problem(
                "rollover-bounds", "data.rollover_min is more than data.rollover_max: a rollover carries at most its maximum."
            )
        return None

    def window_us(self, reason: str = "other") -> int:
        """Give the termination window in µs for a reason of the end of employment."""
        return self.termination_windows.get(reason, self.termination_window_days) * DAY_US  # type: ignore[call-overload, no-any-return]


def shares(schedule: Vesting) -> Fraction:
    """Add up what all installments give: 1 where the schedule gives the whole grant."""
    return sum((Fraction(s.numerator * s.occurrences, s.denominator) for s in schedule.segments), Fraction(0))


@event("grant.offered.v1", Rank.GRANT, "grants")
class GrantOffered(GrantEvent, frozen=True):
    """A grant was offered; nothing is owed until it is issued."""

    quantity: Quantity = Quantity(0)
    unit: Unit = "CCU"
    until: Instant | None = None

    def problem(self, time: int) -> Problem | None:
        """Refuse an offer of less than nothing, and one that is over before it is made."""
        if self.quantity < 0:
            return Problem("negative-quantity", "data.quantity is negative: an offer is of nothing or more.")
        if self.until is not None and self.until <= time:
            return Problem("dates-out-of-order", "data.until is not after the event's time: an offer must stand for some time.")
        return None


@event("grant.accepted.v1", Rank.GRANT, "grants")
class GrantAccepted(GrantEvent, frozen=True):
    """The holder accepted the grant and its agreement."""

    agreement_version: Name | None = None


@event("grant.vesting_started.v1", Rank.GRANT, "grants")
class GrantVestingStarted(GrantEvent, frozen=True):
    """The event that a schedule `on_event` waits for happened: vesting runs from `starts_at`, else the event's time."""

    starts_at: Instant | None = None

    def effective(self, time: int) -> int:
        """Give the start of vesting, which may lie before it was recorded."""
        return time if self.starts_at is None else min(time, self.starts_at)


@event("grant.accelerated.v1", Rank.GRANT, "grants")
class GrantAccelerated(GrantEvent, frozen=True):
    """Unvested units vest at once: `quantity` of them, the last installments first; all of them without it."""

    quantity: Quantity | None = None
    reason: Text = ""

    def problem(self, time: int) -> Problem | None:  # noqa: ARG002 - one signature for all
        """Refuse an acceleration of nothing."""
        return (
            Problem("no-quantity", "data.quantity must be more than 0, or left out for all.")
            if self.quantity is not None and self.quantity <= 0
            else None
        )


@event("grant.amended.v1", Rank.GRANT, "grants")
class GrantAmended(GrantEvent, frozen=True):
    """Terms changed with effect from the event's time; a field left out stays as it was."""

    expires_at: Instant | None = None
    filters: Filters | None = None
    priority: Annotated[int, msgspec.Meta(ge=0, le=255)] | None = None
    termination_window_days: Days | None = None
    agreement_version: Name | None = None
    ip_terms: Literal["company", "holder", "shared"] | None = None
    reason: Text = ""

    def problem(self, time: int) -> Problem | None:
        """Refuse an expiry in the past: that is what `grant.expired` says."""
        if self.expires_at is not None and self.expires_at < time:
            return Problem(
                "dates-out-of-order", "data.expires_at lies before the amendment: send compute.grant.expired.v1 to end a grant."
            )
        return None


@event("grant.transfer_requested.v1", Rank.GRANT, "grants")
class GrantTransferRequested(GrantEvent, frozen=True):
    """The holder asked to transfer the grant; nothing moves by asking."""

    to: Name = ""
    quantity: Quantity | None = None


@event("grant.revoked.v1", Rank.GRANT, "grants")
class GrantRevoked(GrantEvent, frozen=True):
    """The company took back what was left, vested or not: forfeited, but for vested units that are pay."""

    reason: Text = ""


@event("grant.forfeited.v1", Rank.GRANT, "grants")
class GrantForfeited(GrantEvent, frozen=True):
    """Units were forfeited: `quantity` of the unvested ones, all of them without it."""

    quantity: Quantity | None = None
    reason: Text = ""

    def problem(self, time: int) -> Problem | None:  # noqa: ARG002 - one signature for all
        """Refuse a forfeiture of nothing."""
        if self.quantity is not None and self.quantity <= 0:
            return Problem("no-quantity", "data.quantity must be more than 0, or left out for all.")
        return None


@event("grant.rolled_over.v1", Rank.GRANT, "grants")
class GrantRolledOver(GrantEvent, frozen=True):
    """A period of a recurring grant ended: min(max, max(balance, min)) goes on to the next grant, the rest expires."""

    to_grant: Annotated[str, msgspec.Meta(max_length=256)] = ""
    expires_at: Instant | None = None
    """When the grant that receives it expires."""

    def problem(self, time: int) -> Problem | None:
        """Refuse a rollover to nowhere, to itself, or into the past."""
        if not self.to_grant or self.to_grant == self.grant_id:
            return Problem(
                "rollover-to-itself", "data.to_grant must name another grant: a rollover goes on to the next period's."
            )
        if self.expires_at is not None and self.expires_at <= time:
            return Problem("dates-out-of-order", "data.expires_at is not after the rollover.")
        return None


@event("grant.clawed_back.v1", Rank.GRANT, "grants")
class GrantClawedBack(GrantEvent, frozen=True):
    """The company claims back what was consumed: a receivable in money, never negative consumption."""

    amount: Quantity = Quantity(0)
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")] = "USD"
    reason: Text = ""

    def problem(self, time: int) -> Problem | None:  # noqa: ARG002 - one signature for all
        """Refuse a claim of nothing."""
        return (
            None if self.amount > 0 else Problem("no-quantity", "data.amount must be more than 0: a clawback claims something.")
        )


@event("grant.vested.v1", Rank.GRANT, "grants")
class GrantVested(GrantEvent, frozen=True):
    """A tranche vested at the event's time; never more than what is left unvested counts."""

    quantity: Quantity = Quantity(0)

    def problem(self, time: int) -> Problem | None:  # noqa: ARG002
        """Refuse an empty tranche."""
        return (
            None if self.quantity > 0 else Problem("no-quantity", "data.quantity must be more than 0: a tranche vests something.")
        )


@event("grant.suspended.v1", Rank.GRANT, "grants")
class GrantSuspended(GrantEvent, frozen=True):
    """The grant covers nothing until it is resumed."""

    reason: Text = ""


@event("grant.resumed.v1", Rank.GRANT, "grants")
class GrantResumed(GrantEvent, frozen=True):
    """A suspended grant covers usage again."""


@event("grant.expired.v1", Rank.GRANT, "grants")
class GrantExpired(GrantEvent, frozen=True):
    """The grant ended, by its date or earlier; what is left expires."""


@event("grant.voided.v1", Rank.GRANT, "grants")
class GrantVoided(GrantEvent, frozen=True):
    """The grant was cancelled; what is left, vested or not, is void."""

    reason: Text = ""


@event("grant.transferred.v1", Rank.GRANT, "grants")
class GrantTransferred(GrantEvent, frozen=True):
    """What was left of a grant went to another person, permitted or not: a fact, judged by FU-006."""

    to: Annotated[str, msgspec.Meta(max_length=256)] = ""

    def problem(self, time: int) -> Problem | None:  # noqa: ARG002
        """Refuse a transfer to nobody or to oneself."""
        if not self.to:
            return Problem("transfer-to-nobody", "data.to is missing: name the person who received the grant.")
        return (
            Problem("transfer-to-oneself", "data.to is the holder: a transfer needs another person.")
            if self.to == self.holder
            else None
        )
