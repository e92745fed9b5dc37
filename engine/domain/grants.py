"""A grant's life and its balances, in micro-units of its own unit. Pure arithmetic; exact.

Identity, always: granted + transferred in = consumed + expired + forfeited + voided + transferred out + vested
outstanding + unvested. Only vested units can be consumed; a natural expiry is a date, not a posting.
"""

from __future__ import annotations

import sys

import msgspec
from msgspec import structs

from engine.domain.effects import Posting
from engine.domain.events.grants import Filters, GrantAmended, GrantIssued, GrantRolledOver
from engine.domain.events.usage import Usage
from engine.domain.values import DAY_US, FOREVER, Instant, Quantity


class Grant(msgspec.Struct):
    """One grant in its holder's hands."""

    id: str
    unit: str
    outstanding: int
    """Vested and not yet consumed or lost."""
    unvested: int
    since: int
    until: int
    priority: int
    personal: bool
    models: tuple[str, ...]
    providers: tuple[str, ...]
    ip_terms: str
    agreement: str
    terms: GrantIssued
    window_days: int = 0
    """Termination window where the agreement tells no reasons apart; may be amended."""
    vesting_since: int = -1
    """When its schedule began to run; −1 where it has none or hasn't begun."""
    installed_by: str = ""
    """The event whose installments count: a grant that was here before and came back left others behind."""
    state: str = "live"
    """live | suspended | voided | revoked | expired | transferred | rolled_over."""
    returned: int = 0
    """How much of what is left its pool has back, as it ran out by its date or its window."""
    runs_out: int = -1
    """Until when its pool was told that it is committed; −1 for none or for ever."""

    def live(self, at: int) -> bool:
        """Whether it covers usage at a moment."""
        return self.state == "live" and self.since <= at < self.until

    def admits(self, model: str, provider: str) -> bool:
        """Whether its filters permit a model of a provider."""
        return (not self.models or model in self.models) and (not self.providers or provider in self.providers)

    def standing(self, at: int) -> str:
        """Say why it covers nothing: suspended, voided, expired or transferred; live if it does."""
        if self.state != "live":
            return self.state
        return "live" if at < self.until else "expired"

    def window(self, reason: str) -> int:
        """Give the termination window (µs) for a reason of the end of employment."""
        days: int = self.terms.termination_windows.get(reason, self.window_days)  # type: ignore[call-overload]
        return days * DAY_US

    def ends(self, ended_at: int, reason: str) -> int:
        """Give when what is left is lost: at its expiry, or earlier where employment ended and this grant's window ran out.

        Vested units that are pay outlast employment.
        """
        if ended_at < 0 or self.terms.legal_character == "pay":
            return self.until
        return min(self.until, ended_at + self.window(reason))

    def now(self) -> GrantIssued:
        """Give its terms as amendments left them."""
        return structs.replace(
            self.terms,
            priority=self.priority,
            expires_at=None if self.until == FOREVER else Instant(self.until),
            filters=Filters(self.models, self.providers),
            ip_terms=sys.intern(self.ip_terms),
            agreement_version=sys.intern(self.agreement),  # msgspec leaves a default out if it is the very same object
            termination_window_days=self.window_days,
        )

    def post(self, kind: str, amount: int) -> Posting:
        """Make a posting of this grant."""
        return Posting(self.id, self.unit, kind, amount)


def issue(data: GrantIssued, at: int) -> tuple[Grant, list[Posting]]:
    """Make a grant of its terms; one that vests at once does so when it takes effect."""
    immediate = data.vesting == "immediate" and (data.effective_at is None or data.effective_at <= at)
    grant = Grant(
        id=data.grant_id,
        unit=data.unit,
        outstanding=int(data.quantity) if immediate else 0,
        unvested=0 if immediate else int(data.quantity),
        since=at if data.effective_at is None else int(data.effective_at),  # plain: facts are compared as numbers
        until=FOREVER if data.expires_at is None else int(data.expires_at),
        priority=data.priority,
        personal=data.personal,
        models=data.filters.models,
        providers=data.filters.providers,
        ip_terms=data.ip_terms,
        agreement=data.agreement_version,
        window_days=data.termination_window_days,
        terms=data,
    )
    kinds = ("granted", "outstanding", "vested") if immediate else ("granted", "unvested")
    return grant, [grant.post(kind, data.quantity) for kind in kinds]


def carry(grant: Grant, data: GrantRolledOver, quantity: int, at: int) -> Grant:
    """Make the grant that a rollover goes on to: the same terms, all vested, another expiry."""
    terms = structs.replace(
        grant.now(), grant_id=data.to_grant, quantity=Quantity(quantity), vesting="immediate", schedule=None,
        effective_at=Instant(at), expires_at=data.expires_at,
    )  # fmt: skip
    carried = issue(terms, at)[0]
    carried.state = grant.state
    return carried


def vest(grant: Grant, amount: int) -> list[Posting]:
    """Vest a tranche; never more than what is left unvested."""
    amount = min(amount, grant.unvested)
    if not amount:
        return []
    grant.unvested -= amount
    grant.outstanding += amount
    return [grant.post("outstanding", amount), grant.post("unvested", -amount), grant.post("vested", amount)]


def forfeit(grant: Grant, amount: int | None = None, kind: str = "forfeited") -> list[Posting]:
    """Take away unvested units: `amount` of them, all without it."""
    amount = grant.unvested if amount is None else min(amount, grant.unvested)
    if not amount:
        return []
    grant.unvested -= amount
    return [grant.post(kind, amount), grant.post("unvested", -amount)]


def lose(grant: Grant, kind: str) -> list[Posting]:
    """Take away all that is left, vested as `kind`; unvested likewise, but what expires unvested is forfeited."""
    postings = take(grant, grant.outstanding, kind)
    return postings + forfeit(grant, kind="forfeited" if kind == "expired" else kind)


def take(grant: Grant, amount: int, kind: str) -> list[Posting]:
    """Take vested units out as `kind`."""
    if not amount:
        return []
    grant.outstanding -= amount
    return [grant.post(kind, amount), grant.post("outstanding", -amount)]


def amend(grant: Grant, data: GrantAmended) -> None:
    """Change the terms a `grant.amended` names."""
    if data.expires_at is not None:
        grant.until = int(data.expires_at)
    if data.filters is not None:
        grant.models, grant.providers = data.filters.models, data.filters.providers
    if data.priority is not None:
        grant.priority = data.priority
    if data.termination_window_days is not None:
        grant.window_days = data.termination_window_days
    if data.agreement_version is not None:
        grant.agreement = data.agreement_version
    if data.ip_terms is not None:
        grant.ip_terms = data.ip_terms


def burn_down(
    grants: dict[str, Grant], at: int, usage: Usage, amount: int, ended: tuple[int, str] = (-1, "other")
) -> tuple[Grant | None, list[Posting], int]:
    """Consume `amount`: priority ascending, expiry ascending (none last), effective date, id; vested units only.

    `ended` is when and why employment ended (−1: it didn't); each grant goes on for its own window after that. Gives
    the first grant drawn on (or the first that could have been, for an amount of 0), postings, and overage.
    """
    unit, wanted = usage.unit, usage.grant_id
    able = [
        grant
        for grant in grants.values()
        if grant.outstanding > 0
        and grant.unit == unit
        and (wanted is None or wanted == grant.id)
        and grant.live(at)
        and (ended[0] < 0 or at < grant.ends(*ended))
        and grant.admits(usage.model, usage.provider)
    ]
    if len(able) > 1:
        able.sort(key=lambda g: (g.priority, g.until, g.since, g.id))
    first: Grant | None = None
    postings: list[Posting] = []
    left = amount
    for grant in able:
        first = first or grant
        drawn = min(left, grant.outstanding)
        if drawn:
            grant.outstanding -= drawn
            left -= drawn
            postings += [grant.post("consumed", drawn), grant.post("outstanding", -drawn)]
        if not left:
            break
    return first, postings, left
