"""A grant's life and its balances, in micro-units of its own unit. Pure arithmetic; exact.

Identity, always: granted + transferred in = consumed + expired + forfeited + voided + transferred out + vested
outstanding + unvested. Only vested units can be consumed; a natural expiry is a date, not a posting.
"""

from __future__ import annotations

import msgspec

from engine.domain.effects import Posting
from engine.domain.events.grants import GrantIssued
from engine.domain.events.usage import Usage
from engine.domain.values import FOREVER


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
    window: int
    """Termination window in µs."""
    terms: GrantIssued
    state: str = "live"
    """live | suspended | voided | expired | transferred."""

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

    def post(self, kind: str, amount: int) -> Posting:
        """Make a posting of this grant."""
        return Posting(self.id, self.unit, kind, amount)


def issue(data: GrantIssued, at: int) -> tuple[Grant, list[Posting]]:
    """Make a grant of its terms."""
    immediate = data.vesting == "immediate"
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
        window=data.window_us(),
        terms=data,
    )
    postings = [grant.post("granted", data.quantity)]
    if immediate:
        postings.append(grant.post("outstanding", data.quantity))
    return grant, postings


def vest(grant: Grant, amount: int) -> list[Posting]:
    """Vest a tranche; never more than what is left unvested."""
    amount = min(amount, grant.unvested)
    grant.unvested -= amount
    grant.outstanding += amount
    return [grant.post("outstanding", amount)] if amount else []


def lose(grant: Grant, kind: str, *, unvested_too: bool) -> list[Posting]:
    """Take away what is left: `expired` and `forfeited` or `voided`; unvested units are forfeited when one expires."""
    postings = []
    if grant.outstanding:
        postings.append(grant.post(kind, grant.outstanding))
        postings.append(grant.post("outstanding", -grant.outstanding))
    if unvested_too and grant.unvested:
        postings.append(grant.post("forfeited" if kind == "expired" else kind, grant.unvested))
        grant.unvested = 0
    grant.outstanding = 0
    return postings


def burn_down(grants: dict[str, Grant], at: int, usage: Usage, amount: int) -> tuple[Grant | None, list[Posting], int]:
    """Consume `amount`: priority ascending, expiry ascending (none last), effective date, id; vested units only.

    Gives the first grant drawn on (or the first that could have been, for an amount of 0), postings, and overage.
    """
    able = [
        grant
        for grant in grants.values()
        if grant.unit == usage.unit
        and grant.live(at)
        and grant.admits(usage.model, usage.provider)
        and usage.grant_id in (None, grant.id)
    ]
    if len(able) > 1:
        able.sort(key=lambda g: (g.priority, g.until, g.since, g.id))
    first: Grant | None = None
    postings: list[Posting] = []
    left = amount
    for grant in able:
        if grant.outstanding <= 0:
            continue
        first = first or grant
        drawn = min(left, grant.outstanding)
        if drawn:
            grant.outstanding -= drawn
            left -= drawn
            postings += [grant.post("consumed", drawn), grant.post("outstanding", -drawn)]
        if not left:
            break
    return first, postings, left
