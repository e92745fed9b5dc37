"""What the company says of itself: which owners of repositories are its own, and what a unit of each meter costs."""

from __future__ import annotations

from typing import Final, Literal

from engine.domain.events.reference import FeedCompletedThrough, OrganisationConfigured, RatePublished, RuleEnabled
from engine.domain.values import DAY_US, Instant, quantity
from examples.company.clock import START, at
from examples.company.feed import FEEDS, Feed

_Source = Literal["people", "approvals", "agreements", "disclosures", "usage", "grants", "repositories"]
_COMPLETE: Final[tuple[_Source, ...]] = ("people", "approvals", "agreements", "disclosures", "usage", "grants", "repositories")
Meter = Literal["input_tokens", "cached_tokens", "output_tokens"]

WATCHING: Final = ("FU-003", "FU-005", "IP-007", "IP-010", "IP-011")
"""Rules that watch how people work, and where: enabled only where the employees' representatives agreed."""
OWNERS: Final = ("github.com/acme", "github.com/acme-labs")
GPU_MODELS: Final = ("h100", "a100")
CLUSTER_PROVIDER: Final = "cluster-a"
RATES: Final[dict[str, tuple[str, str, str]]] = {
    "claude-x-5": ("2.5", "0.25", "10"),
    "claude-x-4": ("2", "0.2", "8"),
    "claude-x-latest": ("2.5", "0.25", "10"),
    "sparrow-2": ("1", "0.1", "4"),
    "lane-large": ("1.5", "0.15", "6"),
}
"""CCU for a million input, cached and output tokens of each model."""
PROVIDERS: Final = {
    "claude-x-5": "anthropic",
    "claude-x-4": "anthropic",
    "claude-x-latest": "anthropic",
    "sparrow-2": "sparrow",
    "sparrow-3": "sparrow",
    "lane-large": "openlane",
    "lane-preview": "openlane",
}
"""Whose model it is. `sparrow-3` gets its rate late, `lane-preview` never: see the stories of the caps."""


def publish(feed: Feed) -> None:
    """Say what is ours and what things cost; GPU time becomes cheaper in July, which is announced in June."""
    with feed.scope("settings"):
        feed.say(START - DAY_US, OrganisationConfigured(owners=OWNERS))
        for model in RATES:
            publish_rates(feed, START - DAY_US, model, RATES[model])
        feed.say(START - DAY_US, RatePublished(meter="gpu_seconds", units=quantity("3"), per=quantity("3600")))
        cheaper = RatePublished(at("2026-07-01"), meter="gpu_seconds", units=quantity("2.4"), per=quantity("3600"))
        feed.say(at("2026-06-15 09:00"), cheaper)


def enable(feed: Feed) -> None:
    """Record on what the use of the rules rests: most hold for everybody, those that watch people where it was agreed."""
    everywhere = tuple(f"FU-{n:03d}" for n in range(1, 20)) + tuple(f"IP-{n:03d}" for n in range(1, 17))
    watching = tuple(code for code in everywhere if code in WATCHING)
    others = tuple(code for code in everywhere if code not in WATCHING)
    with feed.scope("records"):
        feed.say(START - DAY_US, RuleEnabled(record="LB-1", rules=others, legal_basis="the employment contract"))
        agreed = RuleEnabled(
            record="LB-2",
            rules=watching,
            jurisdictions=("DE", "NL", "US"),
            legal_basis="legitimate interest",
            works_agreement="BV-7",
        )
        feed.say(START - DAY_US, agreed)


def complete(feed: Feed) -> None:
    """Have each system say, on the 12th, that it has delivered all of the month before; the host falls silent, then equity."""
    with feed.scope("complete"):
        for month in range(2, 10):
            for name in _COMPLETE[: 7 if month < 9 else 6]:
                feed.say(at(f"2026-{month:02d}-12 06:00"), FeedCompletedThrough(feed=name, through=at(f"2026-{month:02d}-01")))
        for name in _COMPLETE[:5]:
            feed.say(at("2026-09-30 20:00"), FeedCompletedThrough(feed=name, through=at("2026-09-28")))


def word(feed: _Source, month: int) -> str:
    """Name the event in which a feed said, in a month, that all of the month before was delivered."""
    return f"{FEEDS[feed]} complete-{(month - 2) * len(_COMPLETE) + _COMPLETE.index(feed) + 1:03d}"


def publish_rates(feed: Feed, time: int, model: str, rates: tuple[str, str, str], since: Instant | None = None) -> None:
    """Publish a model's three rates, in force from `since` (else from `time`)."""
    meters: tuple[Meter, ...] = ("input_tokens", "cached_tokens", "output_tokens")
    for meter, units in zip(meters, rates, strict=True):
        feed.say(time, RatePublished(since, meter=meter, units=quantity(units), model=model))
