"""Stories of work outside the company that people go on with: untold, told, listed, trivial, or cleared as their own."""

from __future__ import annotations

from msgspec.structs import replace

from engine.domain.events.agreements import DisclosureDecided, DisclosureSubmitted
from engine.domain.events.people import About, DeterminationRecorded, PersonJurisdictionChanged
from examples.company.clock import after, at
from examples.company.expecting import Excuse, Finding, OpenQuestion, Story, opened
from examples.company.feed import Feed
from examples.company.people import HOST, Member, member
from examples.company.reference import word
from examples.company.repositories import Repo, outside, push


def _pushes(feed: Feed, who: Member, place: Repo, first: str, days: tuple[int, ...], commits: int = 4) -> None:
    """Push so many commits on some days after a first one, in the evening."""
    for day in days:
        feed.say(after(at(first), days=day, hours=21), push(place, who.login, commits))


def undisclosed(feed: Feed) -> Story:
    """Wanda's herbarium grows, and nobody at the company knows of it."""
    wanda = member("wanda")
    place = outside(wanda, "herbarium", 31)
    with feed.scope("undisclosed"):
        _pushes(feed, wanda, place, "2026-02-02", (0, 8, 15, 22, 29, 30, 55))
    return Story(
        "undisclosed",
        "A side project nobody was told of",
        "Wanda pushes to her herbarium seven times from February 2 to March 29. The fifth push, on March 3, is the fifth in "
        "thirty days, and so is the sixth a day later, when the first has left the window; the seventh comes after a pause.",
        findings=(Finding("IP-007", wanda.id, wanda.about, (place.id,), 2),),
        corrections=(opened(Finding("IP-007", wanda.id, wanda.about, (place.id,), 2), word("disclosures", 4)),),
    )


def disclosed(feed: Feed) -> Story:
    """Leon told of his in January; the company didn't like it."""
    leon = member("leon")
    place = outside(leon, "orrery", 32)
    with feed.scope("disclosed"):
        told = DisclosureSubmitted(leon.id, "d-leon-1", "outside_activity", place.id, text="a model of the planets")
        feed.say(at("2026-01-20 09:00"), told)
        feed.say(at("2026-01-28 09:00"), DisclosureDecided(leon.id, "d-leon-1", "rejected", "p-yves-58", "not in this form"))
        _pushes(feed, leon, place, "2026-02-02", (0, 7, 14, 21, 28))
    return Story(
        "disclosed",
        "A side project that was disclosed",
        "Leon pushes as often, but disclosed his repository in January. The company rejected it; disclosed it was.",
        excuses=(Excuse("IP-007", leon.about, "disclosed"),),
    )


def open_source(feed: Feed) -> Story:
    """Bela helps a project that the company lists; Hugo hardly does anything at all."""
    bela, hugo = member("bela"), member("hugo")
    listed = Repo(f"{HOST}#990001", "lane-tools", f"{HOST}/lane-project", private=False)
    small = outside(hugo, "dotfiles", 33)
    with feed.scope("open-source"):
        _pushes(feed, bela, listed, "2026-04-06", (0, 2, 4, 7, 9))
        _pushes(feed, hugo, small, "2026-04-06", (0, 2, 4, 7, 9), commits=2)
    return Story(
        "open-source",
        "Open source, and next to nothing",
        "Bela contributes to a listed open-source project five times in ten days. Hugo's five pushes hold two commits each, "
        "ten in all: too little to speak of.",
        excuses=(Excuse("IP-007", bela.about, "open_source"), Excuse("IP-007", hugo.about, "trivial")),
    )


def own_affair(feed: Feed) -> Story:
    """What Gero does in his evenings was settled before."""
    gero = member("gero")
    place = outside(gero, "accordion", 34)
    with feed.scope("own-affair"):
        for number, (question, answer) in enumerate((("own_time", "yes"), ("relatedness", "unrelated")), 1):
            settled = DeterminationRecorded(
                About("person", gero.id), f"det-gero-{number}", "own_time", "yes", "p-yves-58", place.id
            )  # fmt: skip
            feed.say(at("2026-05-04 10:00"), replace(settled, question=question, answer=answer))
        _pushes(feed, gero, place, "2026-05-11", (0, 2, 4, 7, 9))
    return Story(
        "own-affair",
        "One's own affair",
        "Gero's repository was determined to be done in his own time and to be unrelated to the business, and no compute on "
        "company terms was ever tied to it: IP-017 clears what IP-007 would ask.",
        excuses=(Excuse("IP-007", gero.about, "IP-017"),),
    )


def disclosures_incomplete(feed: Feed) -> Story:
    """Whether Kira disclosed hers can't be known yet."""
    kira = member("kira")
    place = outside(kira, "tangram", 35)
    with feed.scope("disclosures-incomplete"):
        _pushes(feed, kira, place, "2026-09-20", (0, 2, 4, 6, 9))
    return Story(
        "disclosures-incomplete",
        "A disclosure that may be on its way",
        "Kira pushes to a repository of her own for the fifth time on September 29. Disclosures are known to be complete up "
        "to the 28th only: the question stays open.",
        questions=(OpenQuestion("IP-007", kira.about, "facts.outside.disclosure"),),
    )


def not_enabled_there(feed: Feed) -> Story:
    """Ida does in Lyon what Wanda does in Berlin."""
    ida = member("ida")
    place = outside(ida, "sundial", 36)
    with feed.scope("not-enabled-there"):
        feed.say(at("2026-04-01"), PersonJurisdictionChanged(ida.id, "FR"))
        _pushes(feed, ida, place, "2026-05-04", (0, 1, 2, 3, 4, 5))
        feed.say(at("2026-06-01"), PersonJurisdictionChanged(ida.id, "DE"))
        _pushes(feed, ida, place, "2026-06-02", (0, 1, 2, 3))
    return Story(
        "not-enabled-there",
        "Where a rule isn't enabled",
        "Ida works in France from April to June, where no record enables the rule about outside work: her six pushes of May are "
        "neither judged nor counted. Back in Germany she pushes four times, which is less than five.",
    )
