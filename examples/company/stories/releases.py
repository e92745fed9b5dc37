"""Stories of work that becomes public: repositories opened, licences changed, releases published."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from engine.domain.events import Event
from engine.domain.events.people import About, ApprovalGranted, DeterminationRecorded
from engine.domain.events.repositories import RepositoryLicenceChanged, RepositoryReleased, RepositoryVisibilityChanged
from engine.domain.values import Instant
from examples.company.clock import at
from examples.company.expecting import Excuse, Finding, OpenQuestion, Story, opened, retracted
from examples.company.feed import Feed, cause_of
from examples.company.people import Member, member
from examples.company.reference import word
from examples.company.repositories import Repo, outside, repo
from examples.company.usage import call


def _show(feed: Feed, when: Instant, place: Repo, who: Member, to: Literal["public", "private"] = "public") -> Event:
    data = RepositoryVisibilityChanged(
        place.id, place.name, place.owner, place.owner_kind, to == "public", who.login, to=to
    )  # fmt: skip
    return feed.say(when, data)


def _approve(feed: Feed, when: Instant, place: Repo, kind: Literal["release", "licence"], since: Instant | None = None) -> str:
    ident = f"ap-{kind}-{place.name}"
    feed.say(when, ApprovalGranted(About("repository", place.id), ident, kind, "p-yves-58", since))
    return ident


def made_public(feed: Feed) -> Story:
    """Hugo makes a repository public to show it to a customer."""
    hugo, place = member("hugo"), repo("kestrel")
    with feed.scope("made-public"):
        _show(feed, at("2026-04-08 20:00"), place, hugo)
        _show(feed, at("2026-04-08 20:15"), place, hugo, "private")
    return Story(
        "made-public",
        "A repository made public",
        "Hugo makes kestrel public on April 8 at 20:00 and closes it a quarter of an hour later. By then it is judged, and "
        "nobody had approved it.",
        findings=(Finding("IP-002", hugo.id, place.about, (place.id,)),),
        corrections=(opened(Finding("IP-002", hugo.id, place.about, (place.id,)), word("approvals", 5)),),
    )


def public_by_mistake(feed: Feed) -> Story:
    """Clea notices at once."""
    with feed.scope("public-by-mistake"):
        _show(feed, at("2026-05-06 20:00"), repo("yarrow"), member("clea"))
        _show(feed, at("2026-05-06 20:14"), repo("yarrow"), member("clea"), "private")
    return Story(
        "public-by-mistake",
        "Public by mistake",
        "Clea makes yarrow public by mistake and closes it 14 minutes later: nothing is asked.",
    )


def released_in_either_order(feed: Feed) -> Story:
    """The approval of a release is a few minutes younger than the release."""
    place = repo("meadow")
    with feed.scope("either-order"):
        _show(feed, at("2026-04-15 20:00"), place, member("bela"))
        ident = _approve(feed, at("2026-04-15 20:08"), place, "release")
    return Story(
        "either-order",
        "A release in either order",
        "Bela makes meadow public, as agreed; the approval is recorded eight minutes later.",
        excuses=(Excuse("IP-002", place.about, "release", by=(ident,)),),
    )


def released_with_a_late_approval(feed: Feed) -> Story:
    """Legal had said yes, and writes it down six weeks later."""
    rita, place = member("rita"), repo("nimbus")
    found = Finding("IP-002", rita.id, place.about, (place.id,))
    with feed.scope("late-release-approval"):
        _show(feed, at("2026-06-10 20:00"), place, rita)
        ident = _approve(feed, at("2026-07-20 10:00"), place, "release", at("2026-06-09"))
    return Story(
        "late-release-approval",
        "A release approved on paper later",
        "Rita makes nimbus public on June 10. The approval is recorded on July 20, back to June 9: what had been alleged is "
        "retracted, and the excuse is flagged as back-dated.",
        excuses=(Excuse("IP-002", place.about, "release", by=(ident,), back_dated=True),),
        corrections=(opened(found, word("approvals", 7)), retracted(found, "/acme/legal late-release-approval-002")),
    )


def public_at_the_end(feed: Feed) -> Story:
    """Whether harbor's release was approved can't be known yet."""
    place = repo("harbor")
    with feed.scope("public-at-the-end"):
        _show(feed, at("2026-09-29 20:00"), place, member("uwe"))
    return Story(
        "public-at-the-end",
        "A release of the last days",
        "Uwe makes harbor public on September 29. Approvals are known to be complete up to the 28th only: the question stays "
        "open.",
        questions=(OpenQuestion("IP-002", place.about, "facts.approvals"),),
    )


def _relicense(feed: Feed, when: Instant, place: Repo, who: Member, licences: tuple[str, str]) -> None:
    before, now = licences
    data = RepositoryLicenceChanged(
        place.id, place.name, place.owner, place.owner_kind, place.private, who.login, before, now
    )  # fmt: skip
    feed.say(when, data)


def copyleft(feed: Feed) -> Story:
    """Gero changes a licence, and Kira deletes one."""
    gero, kira, first, second = member("gero"), member("kira"), repo("forge"), repo("juniper")
    with feed.scope("copyleft"):
        _relicense(feed, at("2026-03-11 15:00"), first, gero, ("Apache-2.0", "AGPL-3.0-only"))
        _relicense(feed, at("2026-03-12 15:00"), second, kira, ("MIT", "none"))
    return Story(
        "copyleft",
        "A licence changed, and one removed",
        "Gero puts forge under the AGPL on March 11, and Kira deletes the licence of juniper the day after. Nobody approved "
        "either.",
        findings=(
            Finding("IP-014", gero.id, first.about, (first.id,)),
            Finding("IP-014", kira.id, second.about, (second.id,)),
        ),
        corrections=(
            opened(Finding("IP-014", gero.id, first.about, (first.id,)), word("approvals", 4)),
            opened(Finding("IP-014", kira.id, second.about, (second.id,)), word("approvals", 4)),
        ),
    )


def licence_approved(feed: Feed) -> Story:
    """Arno may do what Gero did."""
    place = repo("lattice")
    with feed.scope("licence-approved"):
        ident = _approve(feed, at("2026-03-16 09:00"), place, "licence")
        _relicense(feed, at("2026-03-17 15:00"), place, member("arno"), ("Apache-2.0", "GPL-3.0"))
        _relicense(feed, at("2026-03-18 15:00"), repo("willow"), member("arno"), ("BSD-3-Clause", "MIT"))
    return Story(
        "licence-approved",
        "An approved change of licence",
        "Arno puts lattice under the GPL, as approved the day before, and willow under another licence that needs no approval.",
        excuses=(Excuse("IP-014", place.about, "licence", by=(ident,)),),
    )


def licence_unknown(feed: Feed) -> Story:
    """The host saw that a licence's file changed, not to what."""
    place = repo("indigo")
    with feed.scope("licence-unknown"):
        _relicense(feed, at("2026-03-19 15:00"), place, member("dora"), ("unknown", "unknown"))
    return Story(
        "licence-unknown",
        "A licence nobody can tell",
        "Dora's push changes the file that holds indigo's licence; the source can't tell to what. The question stays open.",
        questions=(OpenQuestion("IP-014", place.about, "event.licence"),),
    )


def _release(feed: Feed, when: Instant, place: Repo, who: Member, tag: str) -> Event:
    data = RepositoryReleased(place.id, place.name, place.owner, place.owner_kind, place.private, who.login, tag=tag)
    return feed.say(when, data)


def _build(feed: Feed, when: Instant, place: Repo, who: Member) -> None:
    """Use granted compute for a repository, as the usage itself says."""
    feed.say(when, replace(call(who, "claude-x-5", (400, 40)), repository=place.id))


def released_undetermined(feed: Feed) -> Story:
    """Uwe publishes what granted compute helped to make."""
    uwe = member("uwe")
    place = outside(uwe, "sundial", 21)
    with feed.scope("released-undetermined"):
        _build(feed, at("2026-07-14 19:00"), place, uwe)
        _release(feed, at("2026-07-14 23:59"), place, uwe, "v0.1")
        told = _release(feed, at("2026-07-16 21:00"), place, uwe, "v0.2")
    return Story(
        "released-undetermined",
        "A release of nobody knows whose work",
        "Uwe uses his key for his own repository sundial on July 14, as the usage says itself, and releases it that evening "
        "and on the 16th. What a day used is known when it is over: the second release is alleged, since nobody has "
        "determined whose sundial is.",
        findings=(Finding("IP-015", uwe.id, place.about, (cause_of(told),)),),
        corrections=(opened(Finding("IP-015", uwe.id, place.about, (cause_of(told),)), word("approvals", 8)),),
    )


def released_determined(feed: Feed) -> Story:
    """Rita asks first; Ida's question is settled when she has released already."""
    rita, ida = member("rita"), member("ida")
    asked, late = outside(rita, "almanac", 22), outside(ida, "weathervane", 23)
    with feed.scope("released-determined"):
        for who, place in ((rita, asked), (ida, late)):
            _build(feed, at("2026-07-14 19:00"), place, who)
        hers = DeterminationRecorded(About("repository", asked.id), "det-almanac", "ownership", "holder", "p-yves-58")
        feed.say(at("2026-07-15 10:00"), hers)
        _release(feed, at("2026-07-16 21:00"), asked, rita, "v1.0")
        told = _release(feed, at("2026-07-16 21:00"), late, ida, "v1.0")
        ours = DeterminationRecorded(
            About("repository", late.id), "det-weathervane", "ownership", "company", "p-yves-58", from_=at("2026-07-01")
        )
        feed.say(at("2026-08-20 10:00"), ours)
        _build(feed, at("2026-07-14 11:00"), repo("atlas"), ida)
        _release(feed, at("2026-07-17 11:00"), repo("atlas"), ida, "v4.2")
    return Story(
        "released-determined",
        "Releases whose ownership is settled",
        "Rita's almanac is determined to be hers before she releases it. Ida's weathervane is determined to be the company's "
        "weeks after its release, with effect from before: the allegation, made when legal had "
        "told of July, is retracted. A release of the company's own atlas, which "
        "granted compute went into every day, raises no question.",
        corrections=(
            opened(Finding("IP-015", ida.id, late.about, (cause_of(told),)), word("approvals", 8)),
            retracted(Finding("IP-015", ida.id, late.about, (cause_of(told),)), "/acme/legal released-determined-006"),
        ),
    )
