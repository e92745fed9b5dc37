"""Stories of plans and clusters: more promised than there is, all drawn of one provider, one person on a busy cluster."""

from __future__ import annotations

from msgspec.structs import replace

from engine.domain.events.people import About, ApprovalGranted
from engine.domain.events.pools import PoolPlanned, PoolResized
from engine.domain.values import quantity
from examples.company.clock import after, at
from examples.company.expecting import Excuse, Finding, Story, opened
from examples.company.feed import Feed
from examples.company.grants import own
from examples.company.people import Member, member
from examples.company.reference import word
from examples.company.usage import call, training

_LABS, _SUMMER = "plan-labs", "plan-summer"


def _grant(feed: Feed, day: str, who: Member, units: str, pool: str) -> None:
    feed.say(after(at(day), hours=10), replace(own(who, units, f"G-{who.name}-{pool}"), pool=pool))


def over_the_plan(feed: Feed) -> Story:
    """The labs' plan holds 6,000 units; 7,000 are granted from it."""
    lotte, malte = member("lotte"), member("malte")
    with feed.scope("over-the-plan"):
        feed.say(at("2026-05-01"), PoolPlanned(_LABS, quantity("6000")))
        _grant(feed, "2026-05-10", lotte, "4000", _LABS)
        _grant(feed, "2026-05-11", malte, "3000", _LABS)
        feed.say(at("2026-05-20 09:00"), PoolResized(_LABS, quantity("8000")))
    return Story(
        "over-the-plan",
        "More granted than planned",
        "The labs' plan holds 6,000 CCU. Lotte gets 4,000 from it on May 10 and Malte 3,000 on the 11th; the plan becomes "
        "large enough only on the 20th.",
        findings=(Finding("FU-017", "", f"pool/{_LABS}", ("2026-05",)),),
        corrections=(opened(Finding("FU-017", "", f"pool/{_LABS}", ("2026-05",)), word("approvals", 6)),),
    )


def board_approved(feed: Feed) -> Story:
    """The summer's plan is exceeded on purpose."""
    nele, xaver = member("nele"), member("xaver")
    with feed.scope("board-approved"):
        feed.say(at("2026-05-28"), PoolPlanned(_SUMMER, quantity("3000")))
        board = ApprovalGranted(About("pool", _SUMMER), "ap-board-summer", "board", "p-yves-58", until=at("2026-07-01"))
        feed.say(at("2026-06-02 15:00"), board)
        _grant(feed, "2026-06-05", nele, "2000", _SUMMER)
        _grant(feed, "2026-06-06", xaver, "2000", _SUMMER)
        feed.say(at("2026-06-09 10:00"), training(nele, "90"))
        feed.say(at("2026-06-29 10:00"), call(nele, "claude-x-4", (100_000, 12_500)))
        feed.say(at("2026-07-20 10:00"), call(nele, "sparrow-2", (200_000, 25_000)))
    return Story(
        "board-approved",
        "A plan exceeded with the board's approval",
        "4,000 CCU are granted from the summer's plan of 3,000, as the board had approved on June 2. Nele spends hers on "
        "three providers, none of which gets four fifths.",
        excuses=(Excuse("FU-017", f"pool/{_SUMMER}", "board_approval", by=("ap-board-summer",)),),
    )


def leans_on_one(feed: Feed) -> Story:
    """Lotte spends the labs' compute on the cluster alone."""
    lotte = member("lotte")
    with feed.scope("leans-on-one"):
        for moment, hours in (("2026-06-10 12:00", "200"), ("2026-07-12 12:00", "250"), ("2026-07-14 12:00", "10")):
            feed.say(at(moment), training(lotte, hours))
    return Story(
        "leans-on-one",
        "A plan that leans on one provider",
        "All that is drawn from the labs' plan is drawn of the cluster's provider. From July 12 on it is more than 1,000 CCU "
        "in 90 days, enough to say so.",
        findings=(Finding("FU-018", "", f"pool/{_LABS}", ("2026-07",), 2),),
    )


def _job(feed: Feed, who: Member, cluster: str, span: tuple[str, int], gpus: int) -> None:
    """A job of so many whole hours, metered when it ends."""
    started = at(span[0])
    data = replace(training(who, str(span[1] * gpus), gpus), started_at=started, cluster=cluster)
    feed.say(after(started, hours=span[1]), data)


def busy_cluster(feed: Feed) -> Story:
    """Malte takes all of a small cluster for a day."""
    malte = member("malte")
    with feed.scope("busy-cluster"):
        feed.say(at("2026-06-01"), PoolPlanned("cluster-b", gpus=2))
        _job(feed, malte, "cluster-b", ("2026-06-16 07:00", 9), 2)
        _job(feed, malte, "cluster-b", ("2026-06-16 20:00", 3), 2)
    return Story(
        "busy-cluster",
        "A cluster for one",
        "Malte holds both GPUs of cluster-b for nine hours on June 16 and for three in the evening. From the tenth hour in "
        "which the cluster is full on, that is more than three tenths of it.",
        findings=(Finding("FU-019", malte.id, "pool/cluster-b", (malte.id, "2026-06"), 3),),
    )


def equal_shares(feed: Feed) -> Story:
    """Four people fill a cluster, each with a quarter; one of them has it alone on a Sunday."""
    with feed.scope("equal-shares"):
        feed.say(at("2026-06-01"), PoolPlanned("cluster-c", gpus=4))
        for name in ("lotte", "malte", "nele", "xaver"):
            _job(feed, member(name), "cluster-c", ("2026-06-17 07:00", 12), 1)
        _job(feed, member("nele"), "cluster-c", ("2026-06-21 07:00", 14), 3)
    return Story(
        "equal-shares",
        "A full cluster, shared",
        "Cluster-c is full on June 17, with a quarter for each of four people. Nele has three of its four GPUs on a Sunday: "
        "hours in which a cluster isn't full don't count.",
    )
