"""Stories of how compute is used: in bursts, from many networks, around the clock, from abroad, idly, for nothing."""

from __future__ import annotations

from msgspec.structs import replace

from engine.domain.events.people import About, ApprovalGranted, DeterminationRecorded, PersonTravelRecorded
from engine.domain.events.usage import UsageInference
from engine.domain.values import DAY_US, Instant, Quantity
from examples.company.clock import after, at
from examples.company.expecting import Excuse, Finding, Story, opened, retracted
from examples.company.feed import Feed
from examples.company.people import Member, member
from examples.company.reference import word
from examples.company.usage import call, training

_SMALL = (200, 20)
"""Thousands of input and output tokens: 0.56 CCU of claude-x-4."""


def _small(who: Member) -> UsageInference:
    return call(who, "claude-x-4", _SMALL)


def _habit(feed: Feed, who: Member) -> None:
    """Nine hours a day over five days of March, and on the sixth an hour of 100 CCU."""
    for day in range(5):
        for hour in range(9):
            feed.say(after(at("2026-03-09 08:30"), days=day, hours=hour), _small(who))
    feed.say(at("2026-03-16 10:30"), call(who, "claude-x-4", (40_000, 2_500)))


def burst(feed: Feed) -> Story:
    """Xaver's loop calls a model as fast as it can."""
    xaver = member("xaver")
    with feed.scope("burst"):
        _habit(feed, xaver)
    return Story(
        "burst",
        "A burst",
        "Xaver uses half a CCU in each of 45 hours of March, and 100 CCU in one on the 16th, through a loop that got away.",
        findings=(Finding("FU-002", xaver.id, xaver.about, ("2026-03",)),),
        corrections=(opened(Finding("FU-002", xaver.id, xaver.about, ("2026-03",)), word("approvals", 4)),),
    )


def launch(feed: Feed) -> Story:
    """Dario launches a product."""
    dario = member("dario")
    with feed.scope("launch"):
        about = About("person", dario.id)
        feed.say(
            at("2026-03-10 09:00"),
            ApprovalGranted(about, "ap-launch", "launch", "p-yves-58", from_=at("2026-03-16"), until=at("2026-03-17")),
        )
        _habit(feed, dario)
    return Story(
        "launch",
        "A launch on the calendar",
        "Dario does exactly the same, but on the day of a launch that the calendar knew of.",
        excuses=(Excuse("FU-002", dario.about, "launch", by=("ap-launch",)),),
    )


def _meet(feed: Feed, who: Member, day: str, networks: tuple[str, str, str]) -> None:
    """Sessions on three networks, each of three calls, that have five minutes in common."""
    for minute in (0, 8, 16):
        for number, network in enumerate(networks):
            moment = after(at(f"{day} 10:00"), minutes=minute + number)
            feed.say(moment, replace(_small(who), network=network))


def many_networks(feed: Feed) -> Story:
    """Malte's key has got about."""
    malte = member("malte")
    with feed.scope("many-networks"):
        _meet(feed, malte, "2026-04-07", ("203.0.113.7", "AS64501", "2001:db8:1::5"))
        for minute, network in ((0, "AS64501"), (11, "AS64502"), (22, "AS64503")):
            feed.say(after(at("2026-04-08 10:00"), minutes=minute), replace(_small(malte), network=network))
    return Story(
        "many-networks",
        "A key on three networks at once",
        "Malte's key is in use on three networks at the same time on April 7: from 10:08 on their sessions overlap. On the "
        "8th it is used on three networks too, one after the other, as one who travels does.",
        findings=(Finding("FU-003", malte.id, malte.about, (malte.key, "2026-04"), 5),),
    )


def listed_network(feed: Feed) -> Story:
    """Xaver works from home and office, and through the company's VPN."""
    xaver = member("xaver")
    with feed.scope("listed-network"):
        _meet(feed, xaver, "2026-04-07", ("203.0.113.7", "198.51.100.20", "AS64501"))
    return Story(
        "listed-network",
        "A key behind a VPN",
        "Xaver's key is on three networks at once as well, but one of them is the company's VPN, which is listed.",
        excuses=(Excuse("FU-003", xaver.about, "listed_network", count=5),),
    )


def _around_the_clock(feed: Feed, who: Member) -> None:
    for day in range(5):
        for hour in range(20):
            feed.say(after(at("2026-04-20 00:10"), days=day, hours=hour), replace(_small(who), interactive=True))


def never_sleeps(feed: Feed) -> Story:
    """Malte's key works in three shifts."""
    malte = member("malte")
    with feed.scope("never-sleeps"):
        _around_the_clock(feed, malte)
    return Story(
        "never-sleeps",
        "A key that never sleeps",
        "Malte's key is used interactively in twenty hours of each day from April 20 to 24. The twentieth hour of the fifth "
        "day makes it a breach.",
        findings=(Finding("FU-005", malte.id, malte.about, ("2026-W17",)),),
    )


def registered_agent(feed: Feed) -> Story:
    """Dario's client says that somebody sits at it; it is an agent, and registered."""
    dario = member("dario")
    with feed.scope("registered-agent"):
        agent = ApprovalGranted(About("person", dario.id), "ap-agent", "agent", "p-yves-58", scope=dario.key)
        feed.say(at("2026-04-16 09:00"), agent)
        _around_the_clock(feed, dario)
    return Story(
        "registered-agent",
        "A registered agent",
        "Dario's key works just as long, through an agent that is registered: its hours aren't counted.",
    )


def prohibited_country(feed: Feed) -> Story:
    """Somebody uses Xaver's key from where it must not be used."""
    xaver = member("xaver")
    with feed.scope("prohibited-country"):
        for region, moment in (("KP", "2026-04-14 09:00"), ("KP", "2026-04-14 11:00"), ("FR", "2026-04-15 09:00")):
            feed.say(at(moment), replace(_small(xaver), region=region))
    return Story(
        "prohibited-country",
        "Use from a prohibited country",
        "Two calls of April 14 come from KP, as the gateway says; one from France on the 15th is none of the rule's business.",
        findings=(Finding("FU-011", xaver.id, xaver.about, (xaver.key, "KP", "2026-04"), 2),),
        corrections=(opened(Finding("FU-011", xaver.id, xaver.about, (xaver.key, "KP", "2026-04")), word("people", 5)),),
    )


def recorded_journey(feed: Feed) -> Story:
    """Dario is abroad with the company's knowledge."""
    dario = member("dario")
    with feed.scope("recorded-journey"):
        journey = PersonTravelRecorded(dario.id, "IR", at("2026-05-04"), at("2026-05-09"))
        feed.say(at("2026-04-29 12:00"), journey)
        feed.say(at("2026-05-06 09:00"), replace(_small(dario), region="IR"))
    return Story(
        "recorded-journey",
        "A recorded journey",
        "Dario's call of May 6 comes from IR, where he was recorded to travel from the 4th to the 8th.",
        excuses=(Excuse("FU-011", dario.about, "travel_recorded"),),
    )


def idle_gpus(feed: Feed) -> Story:
    """Malte keeps GPUs he doesn't use; what is known of a node alone says nothing of Xaver."""
    malte, xaver = member("malte"), member("xaver")
    with feed.scope("idle-gpus"):
        feed.say(at("2026-05-12 18:00"), replace(training(malte, "40"), utilisation_ppm=100_000))
        feed.say(at("2026-05-12 18:00"), replace(training(xaver, "40"), utilisation_ppm=100_000, attribution="node"))
        feed.say(at("2026-05-13 18:00"), training(xaver, "40"))
    return Story(
        "idle-gpus",
        "GPUs left idle",
        "Malte holds 40 GPU-hours on May 12 and leaves 36 of them idle. Xaver's were on a node of which only the whole is "
        "measured, and on the next day on one that nobody measures: he isn't judged.",
        findings=(Finding("FU-012", malte.id, malte.about, ("2026-W20",)),),
    )


def counted_at_nothing(feed: Feed) -> Story:
    """The gateway counts tokens of Malte's at nothing; a model that is free is another matter."""
    malte, dario = member("malte"), member("dario")
    with feed.scope("counted-at-nothing"):
        feed.say(at("2026-05-18 10:00"), replace(_small(malte), quantity=Quantity(0)))
        feed.say(at("2026-05-18 10:00"), replace(_small(dario), quantity=Quantity(0), free=True))
    return Story(
        "counted-at-nothing",
        "Tokens counted at nothing",
        "The gateway counts 220,000 tokens of Malte's at no units. That is a fault in the data and held against nobody. "
        "Dario's call costs nothing either, as its source says.",
        findings=(Finding("FU-014", "", malte.about, ("anthropic", "claude-x-4", "2026-05")),),
        excuses=(Excuse("FU-014", dario.about, "free"),),
    )


def prohibited_workload(feed: Feed) -> Story:
    """Malte mines on the cluster; Xaver's tag was copied from an example."""
    malte, xaver = member("malte"), member("xaver")
    found = Finding("FU-015", xaver.id, xaver.about, (xaver.unix.id, "mining", "2026-05"))
    with feed.scope("prohibited-workload"):
        feed.say(at("2026-05-20 22:00"), replace(training(malte, "2"), workload="mining"))
        feed.say(at("2026-05-20 22:00"), replace(training(xaver, "2"), workload="mining"))
        told = DeterminationRecorded(
            About("person", xaver.id), "det-mining", "workload", "no", "p-yves-58", workload="mining",
            from_=Instant(at("2026-05-20") - DAY_US), reason="mining of data sets",
        )  # fmt: skip
        feed.say(at("2026-06-09 15:00"), told)
    return Story(
        "prohibited-workload",
        "A prohibited workload",
        "Two jobs of May 20 bear the tag mining. Malte's mines coins; Xaver's mines data, as a determination of June 9 says, "
        "back to the 19th: what had been alleged of him is retracted.",
        findings=(Finding("FU-015", malte.id, malte.about, (malte.unix.id, "mining", "2026-05")),),
        excuses=(Excuse("FU-015", xaver.about, "determined"),),
        corrections=(retracted(found, "/acme/legal prohibited-workload-003"),),
    )
