"""Stories of people who leave: one who goes on, and several who only seem to."""

from __future__ import annotations

from msgspec.structs import replace

from engine.domain.events.aliases import AliasLinked, AliasUnlinked
from engine.domain.events.people import PersonHired, PersonNoticeGiven, PersonTerminated
from engine.domain.events.usage import JobEnded, JobStarted
from engine.domain.values import DAY_US, Instant
from examples.company.clock import after, at
from examples.company.expecting import Excuse, Finding, Story
from examples.company.feed import Feed
from examples.company.grants import issue, own
from examples.company.people import CLUSTER, Member, member, person_target
from examples.company.repositories import push, repo
from examples.company.usage import call, training


def _leaves(feed: Feed, who: Member, when: Instant, window: int) -> None:
    """A grant with a termination window (days), and the end of the engagement."""
    issue(feed, who, replace(own(who, "4000"), termination_window_days=window))
    feed.say(Instant(when - 28 * DAY_US), PersonNoticeGiven(who.id, when))
    feed.say(when, PersonTerminated(who.id, "voluntary"))


def keeps_using(feed: Feed) -> Story:
    """Marlo leaves and goes on as if nothing had happened."""
    marlo, place = member("marlo"), repo("ember")
    gone = at("2026-06-15 17:00")
    with feed.scope("keeps-using"):
        _leaves(feed, marlo, gone, 30)
        for day, hour in ((5, 9), (16, 10), (30, -1), (30, 0), (34, 9), (35, 9), (49, 11)):
            feed.say(after(gone, days=day, hours=hour), call(marlo, "claude-x-5", (500, 50)))
        for hours in (20, 24, 60, 24 * 17):
            feed.say(after(gone, hours=hours), push(place, marlo.login, 2))
        feed.say(after(gone, days=9), push(repo("prism"), marlo.login, 1))
    return Story(
        "keeps-using",
        "A leaver who keeps using",
        "Marlo leaves on June 15; the grant may be used for 30 days more. Three usages in July from the very end of those "
        "days on, and one in August, are alleged. Marlo also pushes to the private repository ember: within a day of "
        "leaving that is the company's lag, twice later it is a breach; pushing to the public prism is none.",
        findings=(
            Finding("FU-007", marlo.id, marlo.about, (marlo.key, "2026-07"), 3),
            Finding("FU-007", marlo.id, marlo.about, (marlo.key, "2026-08"), 1),
            Finding("IP-012", marlo.id, marlo.about, (place.id,), 2),
        ),
    )


def job_started_before(feed: Feed) -> Story:
    """Nora's last training ends a night after she left."""
    nora = member("nora")
    gone = at("2026-05-29 18:00")
    with feed.scope("job-started-before"):
        _leaves(feed, nora, gone, 0)
        started, ended = at("2026-05-29 10:00"), at("2026-05-30 02:00")
        feed.say(started, JobStarted("nora-last", user=nora.unix, cluster=CLUSTER, limit_seconds=86_400))
        feed.say(ended, replace(training(nora, "128", job="nora-last"), started_at=started))
        feed.say(ended, JobEnded("nora-last", user=nora.unix, cluster=CLUSTER, outcome="completed"))
    return Story(
        "job-started-before",
        "A job that ended after its owner had left",
        "Nora's access ends on May 29, 18:00, without a window. A training that she had started that morning is metered the "
        "next night: excused.",
        excuses=(Excuse("FU-007", nora.about, "job_started_before"),),
    )


def within_the_window(feed: Feed) -> Story:
    """Olaf uses what he may still use."""
    olaf = member("olaf")
    gone = at("2026-04-30 17:00")
    with feed.scope("within-the-window"):
        _leaves(feed, olaf, gone, 90)
        for day in (2, 20, 60, 89):
            feed.say(after(gone, days=day), call(olaf, "claude-x-4", (500, 50)))
        feed.say(after(gone, hours=23), push(repo("cobalt"), olaf.login, 1))
    return Story(
        "within-the-window",
        "A leaver within the window",
        "Olaf's grant may be used for 90 days after he left on April 30, and he does. His last push, 23 hours after, falls "
        "into the day that the company has to withdraw access.",
    )


def metered_late(feed: Feed) -> Story:
    """What Pia used on her last day is reported when she is gone."""
    pia = member("pia")
    gone = at("2026-07-31 17:00")
    with feed.scope("metered-late"):
        _leaves(feed, pia, gone, 0)
        for hour in range(4):
            feed.say(at(f"2026-07-31 1{hour}:15"), call(pia, "claude-x-5", (400, 40)), late=(4 + hour) * DAY_US)
    return Story(
        "metered-late",
        "Usage reported after the exit",
        "The gateway was cut off on Pia's last day: four calls of July 31 arrive four to seven days after she left. What "
        "counts is when they happened.",
    )


def comes_back(feed: Feed) -> Story:
    """Quin leaves, and is hired again five weeks later."""
    quin = member("quin")
    with feed.scope("comes-back"):
        _leaves(feed, quin, at("2026-03-31 17:00"), 0)
        feed.say(at("2026-05-04 08:00"), PersonHired(quin.id, jurisdiction="DE"))
        for day in (4, 5, 6):
            feed.say(at(f"2026-05-0{day} 10:00"), call(quin, "claude-x-5", (400, 40)))
            feed.say(at(f"2026-05-0{day} 12:00"), push(repo("delta"), quin.login, 1))
        feed.say(at("2026-05-04 08:30"), own(quin, "5000", "G-quin-again"))
    return Story(
        "comes-back",
        "A leaver who came back",
        "Quin leaves on March 31 and is hired again on May 4, with a grant of his own: the old one ran out while he was away. "
        "What follows is an employee's.",
    )


def login_passed_on(feed: Feed) -> Story:
    """Rolf's login for releases goes to Sina."""
    rolf, sina = member("rolf"), member("sina")
    with feed.scope("login-passed-on"):
        _leaves(feed, rolf, at("2026-04-30 17:00"), 0)
        feed.say(at("2026-04-30 18:00"), AliasUnlinked(rolf.login))
        feed.say(at("2026-05-06 09:00"), AliasLinked(rolf.login, person_target(sina), verified=True, valid_from=at("2026-05-04")))
        for day in ("04", "05", "07"):
            feed.say(at(f"2026-05-{day} 10:00"), push(repo("ember"), rolf.login, 1))
    return Story(
        "login-passed-on",
        "A login passed on",
        "Rolf leaves on April 30 and his login is unlinked; from May 4 it is Sina's, which is recorded on May 6. Her pushes "
        "with it to a private repository aren't the leaver's.",
    )
