"""Stories of grants that had lapsed when they were used: expired, voided, suspended; and one whose resumption was told late."""

from __future__ import annotations

from msgspec.structs import replace

from engine.domain.events.aliases import AliasLinked
from engine.domain.events.grants import GrantResumed, GrantSuspended, GrantVoided
from engine.domain.values import DAY_US
from examples.company.clock import after, at
from examples.company.expecting import Finding, Story, opened, retracted
from examples.company.feed import Feed
from examples.company.grants import grant_of, issue, own, remind
from examples.company.people import Member, member, person_target
from examples.company.usage import call, training


def _use(feed: Feed, who: Member, *moments: str) -> None:
    for moment in moments:
        feed.say(at(moment), call(who, "claude-x-4", (300, 30)))


def _lapsed(who: Member, month: str, count: int) -> Finding:
    return Finding("FU-008", who.id, who.about, (who.key, month), count)


def expired(feed: Feed) -> Story:
    """Theo uses a grant after its date."""
    theo = member("theo")
    with feed.scope("expired"):
        issue(feed, theo, replace(own(theo, "3000"), expires_at=at("2026-05-01")))
        remind(feed, theo, "2026-03-25")
        _use(feed, theo, "2026-04-30 23:59", "2026-05-01 00:00", "2026-05-04 09:00", "2026-06-02 09:00")
    return Story(
        "expired",
        "An expired grant",
        "Theo's grant covers usage before May 1. A call in the last minute of April is covered; two in May, the first of "
        "them at midnight, and one in June aren't.",
        findings=(_lapsed(theo, "2026-05", 2), _lapsed(theo, "2026-06", 1)),
    )


def expired_on_the_cluster(feed: Feed) -> Story:
    """Tara's trainings name her Unix user alone, which the directory links only when they are over."""
    tara = member("tara")
    with feed.scope("expired-on-the-cluster"):
        issue(feed, tara, replace(own(tara, "3000"), expires_at=at("2026-09-01")))
        remind(feed, tara, "2026-07-30")
        for day in ("2026-08-31", "2026-09-02", "2026-09-03", "2026-09-04"):
            feed.say(after(at(day), hours=22), training(tara, "6"))
        link = AliasLinked(tara.unix, person_target(tara), verified=True, valid_from=tara.hired)
        feed.say(at("2026-09-16 09:00"), link)
    return Story(
        "expired-on-the-cluster",
        "An expired grant, used by a Unix user",
        "Tara's grant ends with August; three trainings of September bear only the name of her user on the cluster. They "
        "are charged to her when the directory links that name on September 16.",
        findings=(Finding("FU-008", tara.id, tara.about, (tara.unix.id, "2026-09"), 3),),
        corrections=(
            opened(
                Finding("FU-008", tara.id, tara.about, (tara.unix.id, "2026-09"), 3), "/acme/directory expired-on-the-cluster-007"
            ),
        ),
    )


def voided(feed: Feed) -> Story:
    """Ulla's grant is cancelled; the notice names the grant alone."""
    ulla = member("ulla")
    with feed.scope("voided"):
        issue(feed, ulla, own(ulla, "3000"))
        feed.say(at("2026-06-10 12:00"), GrantVoided(grant_of(ulla), reason="issued twice by mistake"))
        _use(feed, ulla, "2026-06-10 11:59", "2026-06-10 12:00", "2026-06-12 09:00")
    return Story(
        "voided",
        "A voided grant",
        "Ulla's grant is voided on June 10 at noon, by an event that names only the grant. Usage from that second on is alleged.",
        findings=(_lapsed(ulla, "2026-06", 2),),
    )


def suspended(feed: Feed) -> Story:
    """Vito's grant rests for three weeks."""
    vito = member("vito")
    with feed.scope("suspended"):
        issue(feed, vito, own(vito, "4000"))
        feed.say(at("2026-07-01"), GrantSuspended(grant_of(vito), vito.id, "under review"))
        feed.say(at("2026-07-20"), GrantResumed(grant_of(vito)))
        _use(feed, vito, "2026-06-30 18:00", "2026-07-08 09:00", "2026-07-15 09:00", "2026-07-20 00:00", "2026-07-22 09:00")
    return Story(
        "suspended",
        "A suspended grant",
        "Vito's grant is suspended from July 1 to 20; two calls in between are alleged, those before and after aren't.",
        findings=(_lapsed(vito, "2026-07", 2),),
    )


def resumed_late(feed: Feed) -> Story:
    """Wim's grant had been resumed; the notice came weeks later."""
    wim = member("wim")
    with feed.scope("resumed-late"):
        issue(feed, wim, own(wim, "4000"))
        feed.say(at("2026-07-01"), GrantSuspended(grant_of(wim), wim.id, "under review"))
        feed.say(at("2026-07-06"), GrantResumed(grant_of(wim), wim.id), late=21 * DAY_US)
        _use(feed, wim, "2026-07-07 09:00", "2026-07-08 09:00")
    return Story(
        "resumed-late",
        "A resumption told late",
        "Wim's grant is suspended on July 1 and resumed on the 6th, which is told only on the 27th. Two calls of July 7 and "
        "8 are alleged meanwhile; the allegation is retracted.",
        corrections=(retracted(_lapsed(wim, "2026-07", 2), "/acme/equity resumed-late-003"),),
    )
