"""Grants: the standard one that most people hold, and short ways for a story to make its own. Units are CCU."""

from __future__ import annotations

from typing import Final

from engine.domain.events.agreements import AgreementSent
from engine.domain.events.grants import Filters, GrantIssued, GrantVested
from engine.domain.values import DAY_US, quantity
from examples.company.clock import START, after, at
from examples.company.feed import Feed
from examples.company.people import MEMBERS, Member
from examples.company.reference import CLUSTER_PROVIDER, GPU_MODELS, PROVIDERS, RATES

AGREEMENT: Final = "grant-2026.1"
MONTHLY: Final = {"research": "700", "data": "600"}
"""CCU that the standard grant vests each month, for teams that train models; others get 300."""
MODELS: Final = (*RATES, *GPU_MODELS, "b200", "sparrow-3", "lane-preview")
_FILTERS: Final = Filters(MODELS, (*sorted(set(PROVIDERS.values())), CLUSTER_PROVIDER))


def grant_of(who: Member) -> str:
    """Give the id of a person's standard grant."""
    return f"G-{who.name}"


def standard(feed: Feed) -> None:
    """Issue the standard grants; a twelfth vests at the start of each month, named by the grant's id alone."""
    for who in MEMBERS:
        if not who.standard:
            continue
        with feed.scope(f"grant-{who.name}"):
            start = max(START, who.hired)
            monthly = MONTHLY.get(who.team, "300")
            whole = quantity(str(int(monthly) * 12))
            terms = GrantIssued(
                grant_of(who), who.id, whole, priority=100, expires_at=at("2027-06-30"), filters=_FILTERS,
                purpose=f"work of {who.team}", agreement_version=AGREEMENT, termination_window_days=30,
            )  # fmt: skip
            feed.say(start, terms)
            for month in range(1, 10):
                first = max(at(f"2026-{month:02d}-01"), after(start, minutes=5))
                if month == 9 or first < at(f"2026-{month + 1:02d}-01"):
                    feed.say(first, GrantVested(grant_of(who), quantity=quantity(monthly)), late=(month % 4 == 0) * DAY_US)


def own(who: Member, units: str, ident: str = "") -> GrantIssued:
    """Give the terms of a story's own grant: all vested at once; the story replaces what differs."""
    return GrantIssued(
        ident or grant_of(who), who.id, quantity(units), vesting="immediate", filters=_FILTERS,
        purpose=f"work of {who.team}", agreement_version=AGREEMENT,
    )  # fmt: skip


def issue(feed: Feed, who: Member, terms: GrantIssued) -> None:
    """Have a story's own grant issued, at the start of the year or when its holder was hired."""
    feed.say(max(START, who.hired), terms)


def remind(feed: Feed, who: Member, day: str, grant: str = "") -> None:
    """Have a holder told, on a day, that a grant is about to expire."""
    feed.say(after(at(day), hours=9), AgreementSent(who.id, "grant_agreement", grant or grant_of(who)))
