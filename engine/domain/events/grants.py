"""Events in a grant's life. Names follow the Open Cap Format; priority and filters follow OpenMeter.

Quantities are in the grant's unit (CCU, compute credit units, unless it says otherwise), micro-scaled.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from engine.domain.events.base import Data, Key, Name, Rank, Text, event
from engine.domain.values import DAY_US, Instant, Quantity

Unit = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,15}$")]


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
    vesting: Literal["immediate", "by_event"] = "by_event"
    """`immediate`: all units vest at `effective_at`; `by_event`: each `grant.vested` vests its quantity."""
    priority: Annotated[int, msgspec.Meta(ge=0, le=255)] = 100
    """Lower burns first (OpenMeter)."""
    effective_at: Instant | None = None
    expires_at: Instant | None = None
    """The grant covers usage before this instant."""
    filters: Filters = Filters()
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

    def about(self) -> Key:
        """Give the holder."""
        return ("person", self.holder)

    def effective(self, time: int) -> int:
        """Give the start of the grant; a back-filled grant covers what was used since."""
        return time if self.effective_at is None else min(time, self.effective_at)

    def problem(self, time: int) -> str:
        """Refuse a grant of nothing and one that expires before it begins."""
        if self.quantity <= 0:
            return "data.quantity must be more than 0: a grant gives something."
        start = time if self.effective_at is None else self.effective_at
        if self.expires_at is not None and self.expires_at <= start:
            return "data.expires_at is not after the grant's start: give a later time or leave it out."
        return ""

    def window_us(self) -> int:
        """Give the termination window in µs."""
        return self.termination_window_days * DAY_US


@event("grant.vested.v1", Rank.GRANT, "grants")
class GrantVested(GrantEvent, frozen=True):
    """A tranche vested at the event's time; never more than what is left unvested counts."""

    quantity: Quantity = Quantity(0)

    def problem(self, time: int) -> str:  # noqa: ARG002
        """Refuse an empty tranche."""
        return "" if self.quantity > 0 else "data.quantity must be more than 0: a tranche vests something."


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

    to: Name = ""

    def problem(self, time: int) -> str:  # noqa: ARG002
        """Refuse a transfer to nobody or to oneself."""
        if not self.to:
            return "data.to is missing: name the person who received the grant."
        return "data.to is the holder: a transfer needs another person." if self.to == self.holder else ""
