"""Stories of the cap of 1,000 CCU in 30 days: gone over, covered by an uplift, and not to be judged for want of a price."""

from __future__ import annotations

from msgspec.structs import replace

from engine.domain.events.people import About, ApprovalGranted
from engine.domain.values import quantity
from examples.company.clock import after, at
from examples.company.expecting import Excuse, Finding, OpenQuestion, Story
from examples.company.feed import Feed
from examples.company.grants import issue, own
from examples.company.people import Member, member
from examples.company.reference import publish_rates
from examples.company.usage import call, training

_SPRING = ("2026-04-06", "2026-04-09", "2026-04-14", "2026-04-20", "2026-04-24", "2026-05-02", "2026-05-10")
"""Seven trainings of 240 CCU: the sum over 30 days is over 1,000 CCU on April 24 and on May 2 and 10."""


def _train(feed: Feed, who: Member) -> None:
    issue(feed, who, own(who, "6000"))
    for day in _SPRING:
        data = training(who, "80")
        if day == "2026-05-02":
            data = replace(data, state="provisional")
        feed.say(after(at(day), hours=15), replace(data, user=None, credential=who.key))
    feed.say(after(at("2026-04-15"), hours=9), replace(training(who, "500"), user=None, credential=who.key, state="failed"))


def _uplift(feed: Feed, who: Member, ident: str, until: str) -> None:
    data = ApprovalGranted(
        About("person", who.id), ident, "cap_uplift", "p-yves-58", from_=at("2026-04-01"), until=at(until),
        amount=quantity("500"), reason="spring training",
    )  # fmt: skip
    feed.say(at("2026-03-30 11:00"), data)


def over_the_cap(feed: Feed) -> Story:
    """Kuno trains as if there were no cap."""
    kuno = member("kuno")
    with feed.scope("over-the-cap"):
        _train(feed, kuno)
    return Story(
        "over-the-cap",
        "Over the cap",
        "Kuno's trainings of 240 CCU each add up to 1,200 CCU within 30 days on April 24, to 1,440 on May 2 (provisional "
        "usage counts towards the cap) and to 1,200 on May 10. A failed training of 500 GPU-hours used nothing.",
        findings=(
            Finding("FU-001", kuno.id, kuno.about, ("2026-04",)),
            Finding("FU-001", kuno.id, kuno.about, ("2026-05",), 2),
        ),
    )


def uplift(feed: Feed) -> Story:
    """Lena trains just as much, with an uplift in force."""
    lena = member("lena")
    with feed.scope("uplift"):
        _uplift(feed, lena, "ap-uplift-lena", "2026-06-01")
        _train(feed, lena)
    return Story(
        "uplift",
        "A cap that had been raised",
        "Lena trains exactly as Kuno does, but her cap had been raised by 500 CCU for April and May.",
        excuses=(Excuse("FU-001", lena.about, "cap_uplift", by=("ap-uplift-lena",), count=3),),
    )


def uplift_that_ended(feed: Feed) -> Story:
    """Nils trains on when his uplift has ended."""
    nils = member("nils")
    with feed.scope("uplift-that-ended"):
        _uplift(feed, nils, "ap-uplift-nils", "2026-05-01")
        _train(feed, nils)
    return Story(
        "uplift-that-ended",
        "An uplift that had ended",
        "Nils's cap had been raised for April alone: April is excused, the two trainings of May aren't.",
        findings=(Finding("FU-001", nils.id, nils.about, ("2026-05",), 2),),
        excuses=(Excuse("FU-001", nils.about, "cap_uplift", by=("ap-uplift-nils",)),),
    )


def no_price(feed: Feed) -> Story:
    """Enno tries a model that has no rate: what he consumed in the 30 days after can't be said."""
    enno = member("enno")
    with feed.scope("no-price"):
        issue(feed, enno, own(enno, "3000"))
        for day in ("2026-05-18", "2026-05-25", "2026-06-01"):
            feed.say(after(at(day), hours=10), call(enno, "claude-x-4", (200, 20)))
        feed.say(at("2026-05-20 10:00"), call(enno, "lane-preview", (200, 20)))
        feed.say(at("2026-06-19 09:59"), call(enno, "claude-x-4", (200, 20)))
        feed.say(at("2026-06-19 10:00"), call(enno, "claude-x-4", (200, 20)))
    return Story(
        "no-price",
        "A model without a price",
        "Enno calls lane-preview on May 20; no rate of it is ever published. Until June 19, 10:00, nobody can say how much "
        "he consumed in 30 days, so the cap isn't judged: four usages stay open and nothing is "
        "alleged. Nor can it be said whether an hour was a burst, or whether the call itself came to nothing.",
        questions=(
            OpenQuestion("FU-001", enno.about, "facts.use.ccu_30d_u", 4),
            OpenQuestion("FU-002", enno.about, "facts.use.ccu_1h_u"),
            OpenQuestion("FU-002", enno.about, "facts.use.p95_1h_28d_u", 2),
            OpenQuestion("FU-014", enno.about, "event.ccu_u"),
        ),
    )


def late_price(feed: Feed) -> Story:
    """The rate of a new model is published eleven days after its first use, with effect from its release."""
    finn = member("finn")
    with feed.scope("late-price"):
        for turn in range(5):
            feed.say(after(at("2026-08-03"), hours=9 + turn), call(finn, "sparrow-3", (300, 30)))
        publish_rates(feed, at("2026-08-14 09:00"), "sparrow-3", ("1", "0.1", "4"), since=at("2026-08-01"))
    return Story(
        "late-price",
        "A price published late",
        "Finn uses sparrow-3 from August 3; its rate is published on August 14 with effect from August 1. What was open "
        "meanwhile is judged then, and found in order.",
    )
