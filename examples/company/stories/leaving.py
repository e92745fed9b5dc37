"""Stories of what is read before a last day, of whose names commits carry, and of memberships elsewhere."""

from __future__ import annotations

from msgspec.structs import replace

from engine.domain.events import Alias, Event
from engine.domain.events.aliases import AliasLinked
from engine.domain.events.people import (
    About,
    ApprovalGranted,
    PersonHandoverRecorded,
    PersonMembershipRecorded,
    PersonNoticeGiven,
)
from engine.domain.events.repositories import RepositoryDownloaded
from engine.domain.values import Instant
from examples.company.clock import MINUTE_US, at
from examples.company.expecting import Excuse, Finding, OpenQuestion, Story, opened, retracted
from examples.company.feed import Feed
from examples.company.people import Member, member, person_target
from examples.company.reference import word
from examples.company.repositories import Repo, push, repo

RIVAL = "github.com/rival-labs"
_BOT = "49699333+dependabot[bot]@users.noreply.github.com"


def _reads(feed: Feed, who: Member, place: Repo, first: Instant, count: int) -> None:
    """Clone a repository so many times, half an hour apart."""
    for number in range(count):
        data = RepositoryDownloaded(place.id, place.name, place.owner, place.owner_kind, place.private, who.login, how="clone")
        feed.say(Instant(first + number * 30 * MINUTE_US), data)


def _usual(feed: Feed, who: Member, place: Repo) -> None:
    """Four clones in each of the three months before April 20."""
    for first in ("2026-01-25 09:00", "2026-02-25 09:00", "2026-03-15 09:00"):
        _reads(feed, who, place, at(first), 4)


def _commits(feed: Feed, when: Instant, who: Member, place: Repo, *authors: str, by: str = "", with_: str = "") -> Event:
    data = replace(push(place, who.login, len(authors)), authors=authors, committers=(by or authors[0],))
    return feed.say(when, replace(data, coauthors=(with_,)) if with_ else data)


def copies_before_leaving(feed: Feed) -> Story:
    """Fabio copies lattice again and again, then gives notice and goes on."""
    fabio, place = member("fabio"), repo("lattice")
    first, later = (Finding("IP-011", fabio.id, fabio.about, (place.id, month)) for month in ("2026-04", "2026-05"))
    with feed.scope("copies-before-leaving"):
        _usual(feed, fabio, place)
        _reads(feed, fabio, place, at("2026-04-27 09:00"), 21)
        feed.say(at("2026-04-29 12:00"), PersonNoticeGiven(fabio.id, at("2026-07-31")))
        _reads(feed, fabio, place, at("2026-05-04 09:00"), 1)
    return Story(
        "copies-before-leaving",
        "Copies before leaving",
        "Fabio clones lattice four times in each of three months, and twenty-one times on April 27. That is asked of nobody "
        "who stays; on April 29 he gives notice, and what he read until then is looked at again. One more clone in May counts "
        "with those.",
        findings=(first, later),
        corrections=(opened(first, word("approvals", 5)), opened(later, word("approvals", 6))),
    )


def hands_over(feed: Feed) -> Story:
    """Finn and Gesa read as much, since they hand over."""
    finn, gesa, place = member("finn"), member("gesa"), repo("cobalt")
    with feed.scope("hands-over"):
        for who in (finn, gesa):
            _usual(feed, who, place)
            feed.say(at("2026-04-20 12:00"), PersonNoticeGiven(who.id, at("2026-07-31")))
        feed.say(at("2026-04-22 09:00"), PersonHandoverRecorded(finn.id, at("2026-05-15"), place.id))
        about = About("person", gesa.id)
        feed.say(
            at("2026-04-22 10:00"), ApprovalGranted(about, "ap-handover-gesa", "handover", "p-yves-58", until=at("2026-05-15"))
        )
        for who in (finn, gesa):
            _reads(feed, who, place, at("2026-04-27 09:00"), 21)
    return Story(
        "hands-over",
        "A handover",
        "Finn and Gesa are on notice and hand cobalt over: his handover is recorded, hers was approved. Their twenty-first "
        "clone of April 27 would be asked about.",
        excuses=(
            Excuse("IP-011", finn.about, "handover"),
            Excuse("IP-011", gesa.about, "handover_approved", by=("ap-handover-gesa",)),
        ),
    )


def reads_as_ever(feed: Feed) -> Story:
    """Hugo reads a lot on notice, as he always did; Ivo's month holds exactly five times the usual."""
    hugo, ivo, place = member("hugo"), member("ivo"), repo("nimbus")
    with feed.scope("reads-as-ever"):
        for first in ("2026-01-25 09:00", "2026-02-25 09:00", "2026-03-15 09:00"):
            _reads(feed, hugo, place, at(first), 12)
        _usual(feed, ivo, place)
        for who, count in ((hugo, 40), (ivo, 20)):
            feed.say(at("2026-04-20 12:00"), PersonNoticeGiven(who.id, at("2026-07-31")))
            _reads(feed, who, place, at("2026-04-27 09:00"), count)
    return Story(
        "reads-as-ever",
        "Somebody who reads as ever",
        "Hugo, on notice, clones nimbus forty times in a month, and twelve times in a usual one; Ivo twenty times, which is "
        "five times his usual and not more.",
    )


def readings_incomplete(feed: Feed) -> Story:
    """What Jaro used to read isn't known to be complete."""
    jaro, place = member("jaro"), repo("nimbus")
    with feed.scope("readings-incomplete"):
        feed.say(at("2026-09-24 12:00"), PersonNoticeGiven(jaro.id, at("2026-12-31")))
        _reads(feed, jaro, place, at("2026-09-28 09:00"), 2)
    return Story(
        "readings-incomplete",
        "Readings that may be on their way",
        "Jaro clones nimbus twice on notice in September. The host's feed of repositories is known to be complete up to "
        "August 1 only, so what is usual with him isn't known: an open question, though two clones are few.",
        questions=(OpenQuestion("IP-011", jaro.about, "facts.downloads.usual", 2),),
    )


def foreign_authors(feed: Feed) -> Story:
    """Edda pushes what somebody wrote of whom the directory knows nothing."""
    edda, place = member("edda"), repo("forge")
    found = Finding("IP-013", "", edda.about, (place.id, "2026-03"), 2)
    with feed.scope("foreign-authors"):
        feed.say(edda.hired, AliasLinked(Alias("email", "edda@acme.example"), person_target(edda), verified=True))
        _commits(feed, at("2026-03-11 10:00"), edda, place, "edda@acme.example")
        _commits(feed, at("2026-03-11 15:00"), edda, place, "eve@elsewhere.example", "edda@acme.example")
        _commits(feed, at("2026-03-12 15:00"), edda, place, "eve@elsewhere.example")
    return Story(
        "foreign-authors",
        "Commits of somebody unknown",
        "Edda's pushes of March 11 and 12 to forge carry commits of eve@elsewhere.example, which nobody verified to be hers. "
        "It is counted; nobody is accused.",
        findings=(found,),
        corrections=(opened(found, word("people", 4)),),
    )


def clean_authors(feed: Feed) -> Story:
    """Gero rebases, pairs, and lets a bot work; his second address is linked late."""
    gero, place = member("gero"), repo("forge")
    found = Finding("IP-013", "", gero.about, (place.id, "2026-03"))
    mine, home, other = "gero@acme.example", "gero@home.example", "eve@elsewhere.example"
    with feed.scope("clean-authors"):
        feed.say(gero.hired, AliasLinked(Alias("email", mine), person_target(gero), verified=True))
        _commits(feed, at("2026-03-17 10:00"), gero, place, other, by=mine)
        _commits(feed, at("2026-03-17 11:00"), gero, place, other, with_=mine)
        _commits(feed, at("2026-03-17 12:00"), gero, place, _BOT)
        _commits(feed, at("2026-03-17 13:00"), gero, place, "Gero@Home.example")
        linked = AliasLinked(Alias("email", home), person_target(gero), verified=True, valid_from=at("2026-03-01"))
        feed.say(at("2026-05-05 09:00"), linked)
    return Story(
        "clean-authors",
        "Rebased, paired, and a bot's",
        "Gero rebases somebody's commit, writes one together with them, and merges what a bot wrote. A commit under his private "
        "address is counted until the directory links it, in May, to him from March on.",
        excuses=tuple(Excuse("IP-013", gero.about, guard) for guard in ("rebase", "coauthor", "bot")),
        corrections=(opened(found, word("people", 4)), retracted(found, "/acme/directory clean-authors-006")),
    )


def seat_at_a_rival(feed: Feed) -> Story:
    """Runa holds a grant here and a seat elsewhere."""
    runa = member("runa")
    with feed.scope("seat-at-a-rival"):
        feed.say(at("2026-07-06 09:00"), PersonMembershipRecorded(runa.id, "GitHub.com/Rival-Labs", "declared"))
    return Story(
        "seat-at-a-rival",
        "A seat at a rival's",
        "Runa declares on July 6 that she belongs to Rival-Labs, which the company lists, and holds a grant.",
        findings=(Finding("IP-010", runa.id, runa.about, (RIVAL,)),),
        corrections=(opened(Finding("IP-010", runa.id, runa.about, (RIVAL,)), word("people", 8)),),
    )


def harmless_memberships(feed: Feed) -> Story:
    """Memberships that are over, or elsewhere, or nobody's business any more."""
    ada, arno = member("ada"), member("arno")
    with feed.scope("harmless-memberships"):
        feed.say(at("2026-07-07 09:00"), PersonMembershipRecorded(ada.id, "github.com/gardeners", "declared"))
        feed.say(at("2026-07-07 10:00"), PersonMembershipRecorded(arno.id, RIVAL, "supplied", at("2026-07-01")))
    return Story(
        "harmless-memberships",
        "Harmless memberships",
        "Ada belongs to the gardeners, which nobody lists. Arno was a member of Rival-Labs until the first of July; it is "
        "recorded on the seventh.",
    )
