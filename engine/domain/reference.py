"""Reference data as the fold and the books see it: whose repositories are ours, rates of meters and prices, by date. Pure."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from typing import Final

from engine.domain.enablement import Enablement
from engine.domain.events import Event
from engine.domain.events.derived import PolicyHeld, PolicyReleased
from engine.domain.events.reference import (
    FeedCompletedThrough,
    OrganisationConfigured,
    PeriodClosed,
    PolicyActivated,
    PolicyRetired,
    PolicyShadowed,
    PricePublished,
    RatePublished,
    RuleEnabled,
)
from engine.domain.order import place
from engine.domain.schedule import Schedule
from engine.domain.values import FOREVER

WAITS_FOR: Final = "the feed of "
"""How a reason begins that names a feed; the feed's name follows it."""
_ELSEWHERE = (PricePublished, PeriodClosed, PolicyHeld, PolicyReleased, PolicyShadowed, PolicyRetired)
"""They change nothing that was folded: books are valued when they are read, what is held is judged all the same, and shadows
are of what is asked from then on."""


class Reference:
    """Immutable once built, but for a note of what was asked; `at` questions take the moment an event has effect."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        """Build from reference events in any order; later effect, then what was said later, wins."""
        self._owners: dict[str, tuple[list[int], list[frozenset[str]]]] = {}
        self._feeds: dict[tuple[str, str], int] = {}
        self.heard: list[str] = []
        """Feeds that weren't complete enough since whoever folds emptied this, each as often: what asked hears their news."""
        self._rates: dict[tuple[str, str, str, str], tuple[list[int], list[tuple[int, int]]]] = {}
        self._prices: dict[tuple[str, str, str], tuple[list[int], list[int]]] = {}
        self._policies: dict[str, Schedule] = {}
        events = list(events)
        self.enablement = Enablement(events)
        for event in sorted(events, key=lambda event: (place(event).time, event.time, place(event))):
            data, since = event.data, event.data.effective(event.time)
            if isinstance(data, OrganisationConfigured):
                times, owners = self._owners.setdefault(event.organisation, ([], []))
                times.append(since)
                owners.append(frozenset(owner.lower() for owner in data.owners))
            elif isinstance(data, FeedCompletedThrough):
                feed = (event.organisation, data.feed)
                self._feeds[feed] = max(self._feeds.get(feed, -1), int(data.through))
            elif isinstance(data, PricePublished):
                times, prices = self._prices.setdefault((event.organisation, data.unit, data.currency), ([], []))
                times.append(since)
                prices.append(int(data.price))
            elif isinstance(data, RatePublished):
                key = (event.organisation, data.unit, data.meter, data.model or "")
                times, rates = self._rates.setdefault(key, ([], []))
                times.append(since)
                rates.append((data.units, data.per))
            elif isinstance(data, PolicyActivated | PolicyShadowed | PolicyRetired):
                self._policies.setdefault(event.organisation, Schedule()).add(data, since)

    def complete_through(self, organisation: str, feed: str) -> int:
        """Give the moment up to which a feed has said to be complete (µs, not included); −1 when it never did."""
        return self._feeds.get((organisation, feed), -1)

    def incomplete(self, organisation: str, feed: str, at: int) -> str:
        """Say why no absence may be judged at a moment by what a feed has delivered; empty where one may."""
        through = self.complete_through(organisation, feed)
        if through >= at:
            return ""
        self.heard.append(feed)
        said = "has never said how far it is complete" if through < 0 else "is not complete up to then"
        return f"{WAITS_FOR}{feed} {said}"

    @property
    def policies(self) -> bool:
        """Whether any bundle was ever activated or shadowed."""
        return bool(self._policies)

    def in_force(self, organisation: str, at: int) -> str:
        """Give the digest of the bundle that judges what occurs at a moment; empty for the first one."""
        schedule = self._policies.get(organisation)
        return schedule.in_force(at) if schedule else ""

    def shadowed(self, organisation: str, at: int) -> list[str]:
        """Give the digests of the bundles that are evaluated at a moment and not enforced."""
        schedule = self._policies.get(organisation)
        return schedule.shadowed(at) if schedule else []

    def activations(self, organisation: str) -> list[tuple[int, str]]:
        """Give (from when, digest) of every bundle that was put in force, in that order."""
        schedule = self._policies.get(organisation)
        return schedule.activations if schedule else []

    def affected_since(self, event: Event) -> int:
        """Give the moment from which a further reference event changes what is folded or asked."""
        if isinstance(event.data, _ELSEWHERE):
            return FOREVER
        if isinstance(event.data, FeedCompletedThrough):
            return max(0, self._feeds.get((event.organisation, event.data.feed), -1))
        if isinstance(event.data, RuleEnabled):
            return self.enablement.affected_since(event)
        since: int = event.data.effective(event.time)
        return since

    def ours(self, organisation: str, owner: str, at: int) -> bool | None:
        """Whether an owner of repositories is the organisation itself; None when it never said."""
        times, owners = self._owners.get(organisation, ((), ()))
        index = bisect.bisect_right(times, at) - 1
        return None if index < 0 else owner.lower() in owners[index]

    def rate(self, organisation: str, unit: str, meter: str, model: str, at: int) -> tuple[int, int] | None:
        """Give (units, per) in force for a meter, the model's own before everybody's; None when none is published."""
        for wanted in (model, ""):
            known = self._rates.get((organisation, unit, meter, wanted))
            if known is not None and (index := bisect.bisect_right(known[0], at)):
                return known[1][index - 1]
        return None

    def price(self, organisation: str, unit: str, currency: str, at: int) -> int | None:
        """Give what a unit is worth at a moment, in micro-units of the currency; None when no price is in force."""
        times, prices = self._prices.get((organisation, unit, currency), ((), ()))
        index = bisect.bisect_right(times, at) - 1
        return None if index < 0 else prices[index]

    def currencies(self, organisation: str, unit: str) -> list[str]:
        """Give the currencies that a unit ever had a price in, by name."""
        return sorted(currency for org, known, currency in self._prices if (org, known) == (organisation, unit))

    def price_changes(self, organisation: str, unit: str, currency: str) -> list[int]:
        """Give the moments from which a unit has another price, in order."""
        times, _ = self._prices.get((organisation, unit, currency), ((), ()))
        return sorted(set(times))
