"""Stories of what should have been there by a date: a grant for what was used, a job's end, word of an expiry."""

from __future__ import annotations

from msgspec.structs import replace

from engine.domain.events.people import PersonOnLeave
from engine.domain.events.usage import JobEnded, JobHeartbeat, JobStarted
from engine.domain.values import DAY_US
from examples.company.clock import after, at
from examples.company.expecting import Excuse, Finding, OpenQuestion, Story, opened, retracted
from examples.company.feed import Feed
from examples.company.grants import grant_of, issue, own
from examples.company.people import CLUSTER, member
from examples.company.reference import word
from examples.company.usage import call


def without_a_grant(feed: Feed) -> Story:
    """Ciro has a key and no grant."""
    ciro = member("ciro")
    found = tuple(Finding("FU-009", ciro.id, ciro.about, (ciro.key, day)) for day in ("2026-05-04", "2026-05-05"))
    with feed.scope("without-a-grant"):
        for moment in ("2026-05-04 09:00", "2026-05-04 15:00", "2026-05-05 10:00"):
            feed.say(at(moment), call(ciro, "claude-x-4", (300, 30)))
    return Story(
        "without-a-grant",
        "A key and no grant",
        "Ciro uses his key on May 4 and 5; no grant of his covers it, then or a day later. That is judged on June 12, when "
        "equity says that it has told of all grants of May.",
        findings=found,
        corrections=tuple(opened(finding, word("grants", 6)) for finding in found),
    )


def back_filled(feed: Feed) -> Story:
    """Malte's grant is recorded when he has used it for weeks."""
    malte = member("malte")
    with feed.scope("back-filled"):
        for day in ("02-03", "02-04", "02-10"):
            feed.say(at(f"2026-{day} 11:00"), call(malte, "claude-x-4", (300, 30)))
        feed.say(at("2026-02-20 09:00"), replace(own(malte, "2000"), effective_at=at("2026-02-01")))
    return Story(
        "back-filled",
        "A grant recorded late",
        "Malte uses his key from February 3; the grant that covers it from February 1 is recorded on the 20th. Nobody was "
        "accused meanwhile, since the feed of grants hadn't said that it was complete.",
    )


def silent_feed(feed: Feed) -> Story:
    """Zita has no grant either, as far as anybody can tell."""
    zita = member("zita")
    with feed.scope("silent-feed"):
        for moment in ("2026-09-14 09:00", "2026-09-14 10:00"):
            feed.say(at(moment), call(zita, "claude-x-4", (300, 30)))
    return Story(
        "silent-feed",
        "A feed that fell silent",
        "Zita uses her key on September 14, and no grant of hers is known. Equity's last word was about August, so there "
        "may well be one: the question stays open and nothing is alleged.",
        questions=(OpenQuestion("FU-009", zita.about, "facts.due.met"),),
    )


def hung_job(feed: Feed) -> Story:
    """Edda's job hangs over a weekend."""
    edda = member("edda")
    with feed.scope("hung-job"):
        feed.say(at("2026-06-05 17:00"), JobStarted("edda-hung", user=edda.unix, cluster=CLUSTER, limit_seconds=14_400))
        feed.say(at("2026-06-08 08:30"), JobEnded("edda-hung", user=edda.unix, cluster=CLUSTER, outcome="cancelled"))
    return Story(
        "hung-job",
        "A job that hung",
        "Edda starts a job of four hours on Friday, June 5; it is found hanging and cancelled on Monday, without a word "
        "from it in between.",
        findings=(Finding("FU-013", edda.id, edda.about, ("edda-hung",)),),
        corrections=(opened(Finding("FU-013", edda.id, edda.about, ("edda-hung",)), word("usage", 7)),),
    )


def heartbeats(feed: Feed) -> Story:
    """Fabio's job takes longer than he thought, and says that it runs."""
    fabio = member("fabio")
    found = Finding("FU-013", fabio.id, fabio.about, ("fabio-long",))
    with feed.scope("heartbeats"):
        started = at("2026-05-27 10:00")
        feed.say(started, JobStarted("fabio-long", user=fabio.unix, cluster=CLUSTER, limit_seconds=14_400))
        for hours in range(1, 7):
            beat = JobHeartbeat("fabio-long", user=fabio.unix, cluster=CLUSTER)
            feed.say(after(started, hours=hours), beat, late=20 * DAY_US if hours == 4 else 0)
        feed.say(after(started, hours=7), JobEnded("fabio-long", user=fabio.unix, cluster=CLUSTER, outcome="completed"))
        for hour in ("10", "12"):
            moment = at(f"2026-05-28 {hour}:00")
            feed.say(moment, JobStarted("fabio-again", user=fabio.unix, cluster=CLUSTER, limit_seconds=14_400))
        feed.say(at("2026-05-28 15:30"), JobEnded("fabio-again", user=fabio.unix, cluster=CLUSTER, outcome="completed"))
    return Story(
        "heartbeats",
        "A long job that says so",
        "Fabio's job of May 27 runs three hours past its limit, with a heartbeat each hour; the one that counts is told on "
        "June 16, when the feed of usage had said that May was complete. What was alleged meanwhile is taken back. "
        "A job of May 28 is preempted and started anew two hours later: its limit is that of its second start.",
        corrections=(opened(found, word("usage", 6)), retracted(found, "/acme/cluster-a heartbeats-005")),
    )


def left_to_expire(feed: Feed) -> Story:
    """Nobody tells Xaver that his grant runs out."""
    xaver = member("xaver")
    with feed.scope("left-to-expire"):
        issue(feed, xaver, replace(own(xaver, "4000"), expires_at=at("2026-08-01")))
    return Story(
        "left-to-expire",
        "A grant left to expire",
        "Xaver's grant expires on August 1 with nearly all of it unspent, and nobody told him by July 2. That is the "
        "company's breach, not his. Theo and Tara were told of theirs.",
        findings=(Finding("FU-016", "", xaver.about, (grant_of(xaver),)),),
        corrections=(opened(Finding("FU-016", "", xaver.about, (grant_of(xaver),)), word("agreements", 8)),),
    )


def expires_on_leave(feed: Feed) -> Story:
    """Dario's grant runs out while he is away."""
    dario = member("dario")
    with feed.scope("expires-on-leave"):
        issue(feed, dario, replace(own(dario, "4000"), expires_at=at("2026-08-01")))
        feed.say(at("2026-06-01 08:00"), PersonOnLeave(dario.id, "parental", at("2026-12-01")))
    return Story(
        "expires-on-leave",
        "A grant that expires during a leave",
        "Dario's grant expires on August 1 as well, but he is on leave from June to November, which stops the clock.",
        excuses=(Excuse("FU-016", dario.about, "on_leave"),),
    )
