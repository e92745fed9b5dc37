"""Stories of facts that come late and take back what was alleged: a grant, a link that was wrong, a rate."""

from __future__ import annotations

from msgspec.structs import replace

from engine.domain.events import Alias
from engine.domain.events.aliases import AliasLinked
from engine.domain.events.reference import RatePublished
from engine.domain.values import quantity
from examples.company.clock import after, at
from examples.company.expecting import Finding, Story, opened, retracted
from examples.company.feed import Feed, cause_of
from examples.company.grants import own
from examples.company.people import CLUSTER, member, person_target
from examples.company.reference import word
from examples.company.usage import call, training

_LAB = Alias("unix_user", f"{CLUSTER}/lab-7")


def back_filled_too_late(feed: Feed) -> Story:
    """Malte's first grant is recorded when equity had said that it had told of all of them."""
    malte = member("malte")
    with feed.scope("back-filled-too-late"):
        for moment in ("2026-01-20 10:00", "2026-01-20 16:00"):
            feed.say(at(moment), call(malte, "claude-x-4", (300, 30)))
        grant = feed.say(at("2026-03-04 09:00"), replace(own(malte, "50", "G-malte-first"), effective_at=at("2026-01-15")))
    finding = Finding("FU-009", malte.id, malte.about, (malte.key, "2026-01-20"))
    return Story(
        "back-filled-too-late",
        "A grant recorded after the feed's word",
        "Malte uses his key on January 20 before any grant of his is known, which is alleged on February 12, when equity says "
        "that it has told of all grants of January. On March 4 it records one with effect from January 15: the allegation is "
        "retracted.",
        corrections=(opened(finding, word("grants", 2)), retracted(finding, cause_of(grant))),
    )


def corrected_link(feed: Feed) -> Story:
    """The cluster's user lab-7 is first said to be Theo's, and is Ulla's."""
    theo, ulla = member("theo"), member("ulla")
    with feed.scope("corrected-link"):
        feed.say(at("2026-06-01 09:00"), AliasLinked(_LAB, person_target(theo), verified=True, valid_from=at("2026-06-01")))
        for day in ("2026-06-15", "2026-06-16"):
            feed.say(after(at(day), hours=22), replace(training(theo, "2"), user=_LAB))
        right = AliasLinked(_LAB, person_target(ulla), verified=True, valid_from=at("2026-06-01"))
        link = feed.say(at("2026-07-06 09:00"), right)
    parts = (_LAB.id, "2026-06")
    wrong = Finding("FU-008", theo.id, theo.about, parts, 2)
    finding = Finding("FU-008", ulla.id, ulla.about, parts, 2)
    return Story(
        "corrected-link",
        "A name that was somebody else's",
        "The directory says that the cluster's user lab-7 is Theo's, whose grant has expired, and two trainings of June are "
        "alleged of him. On July 6 it corrects itself: lab-7 was Ulla's all along. Theo's finding is retracted; Ulla's grant "
        "is void, so hers is opened.",
        findings=(finding,),
        corrections=(retracted(wrong, cause_of(link)), opened(finding, cause_of(link))),
    )


def rated_anew(feed: Feed) -> Story:
    """Kuno's trainings on a new kind of GPU are counted at the common rate until its own is published."""
    kuno = member("kuno")
    with feed.scope("rated-anew"):
        for day in ("2026-06-12", "2026-06-15", "2026-06-17", "2026-06-19", "2026-06-22"):
            used = replace(training(kuno, "80"), model="b200", gpu_model="b200", user=None, credential=kuno.key)
            feed.say(after(at(day), hours=15), used)
        own_rate = RatePublished(
            at("2026-06-01"), meter="gpu_seconds", model="b200", units=quantity("1.5"), per=quantity("3600")
        )  # fmt: skip
        rate = feed.say(at("2026-06-29 09:00"), own_rate)
    finding = Finding("FU-001", kuno.id, kuno.about, ("2026-06",))
    return Story(
        "rated-anew",
        "A rate that came late",
        "Kuno trains five times on GPUs of a kind that has no rate of its own: at the common one that is 1,200 CCU by June 22, "
        "over the cap. On June 29 half the rate is published for them, with effect from the start of the month, and what was "
        "alleged is retracted.",
        corrections=(retracted(finding, cause_of(rate)),),
    )
