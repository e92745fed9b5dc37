"""Stories of repositories that leave: transferred out or forked to a person, with approval, without, or by nobody known."""

from __future__ import annotations

from typing import Literal

from engine.domain.events import Alias, Event
from engine.domain.events.aliases import AliasLinked
from engine.domain.events.people import About, ApprovalGranted, ApprovalRevoked
from engine.domain.events.repositories import RepositoryCreated, RepositoryForked, RepositoryTransferred
from engine.domain.values import Instant
from examples.company.clock import after, at
from examples.company.expecting import Excuse, Finding, OpenQuestion, Story, opened
from examples.company.feed import Feed, cause_of
from examples.company.people import HOST, member, person_target
from examples.company.reference import word
from examples.company.repositories import Repo, repo


def _transfer(feed: Feed, when: Instant, place: Repo, actor: Alias, to: str) -> Event:
    data = RepositoryTransferred(place.id, place.name, place.owner, place.owner_kind, place.private, actor, to, "organisation")
    return feed.say(when, data)


def _fork(feed: Feed, when: Instant, place: Repo, actor: Alias, to: str, kind: Literal["user", "organisation"] = "user") -> Event:
    data = RepositoryForked(place.id, place.name, place.owner, place.owner_kind, place.private, actor, to, kind)
    return feed.say(when, data)


def _approve(feed: Feed, when: Instant, place: Repo, kind: Literal["fork", "divestiture"], ident: str) -> None:
    feed.say(when, ApprovalGranted(About("repository", place.id), ident, kind, "p-yves-58"))


def transferred_out(feed: Feed) -> Story:
    """Zeno moves a repository of the company to another organisation."""
    zeno, place = member("zeno"), repo("slate")
    with feed.scope("transferred-out"):
        moved = _transfer(feed, at("2026-05-19 16:40"), place, zeno.login, f"{HOST}/slate-tools")
    return Story(
        "transferred-out",
        "A repository transferred out",
        "Zeno transfers slate to the organisation slate-tools on May 19; nobody approved it.",
        findings=(Finding("IP-003", zeno.id, place.about, (cause_of(moved),)),),
        corrections=(opened(Finding("IP-003", zeno.id, place.about, (cause_of(moved),)), word("approvals", 6)),),
    )


def divestiture(feed: Feed) -> Story:
    """The company sold a product; its repository goes with it."""
    arno, place = member("arno"), repo("umber")
    with feed.scope("divestiture"):
        _approve(feed, at("2026-06-22 09:00"), place, "divestiture", "ap-divest-umber")
        _transfer(feed, at("2026-06-24 11:00"), place, arno.login, f"{HOST}/umber-holding")
    return Story(
        "divestiture",
        "An approved divestiture",
        "Umber was sold; Arno hands its repository over with the approval of June 22.",
        excuses=(Excuse("IP-003", place.about, "divestiture", by=("ap-divest-umber",)),),
    )


def moved_within(feed: Feed) -> Story:
    """A repository moves from one of the company's own owners to another."""
    with feed.scope("moved-within"):
        _transfer(feed, at("2026-07-09 10:00"), repo("vertex"), member("sven").login, f"{HOST}/Acme-Labs")
    return Story(
        "moved-within",
        "A move within the company",
        "Sven moves vertex to the company's other owner, Acme-Labs (hosts don't mind the case of letters): it stays ours.",
    )


def forked_to_a_person(feed: Feed) -> Story:
    """Bruno forks a private repository to his own account; his login is linked to him six days later."""
    bruno, place = member("bruno"), repo("onyx")
    when = at("2026-03-17 18:20")
    with feed.scope("forked-to-a-person"):
        fork = _fork(feed, when, place, bruno.login, f"{HOST}/bruno-at-home")
        link = AliasLinked(bruno.login, person_target(bruno), verified=True, valid_from=bruno.hired)
        feed.say(after(when, days=6), link)
    return Story(
        "forked-to-a-person",
        "A private repository forked to a person",
        "A login forks the private onyx to a personal account on March 17. Nobody is accused until the directory links the "
        "login to Bruno on March 23, and legal has told of all approvals of March.",
        findings=(Finding("IP-004", bruno.id, place.about, (cause_of(fork),)),),
        corrections=(opened(Finding("IP-004", bruno.id, place.about, (cause_of(fork),)), word("approvals", 4)),),
    )


def approved_fork(feed: Feed) -> Story:
    """Clea may fork a private repository."""
    clea, place = member("clea"), repo("raven")
    with feed.scope("approved-fork"):
        _approve(feed, at("2026-04-21 09:00"), place, "fork", "ap-fork-raven")
        _fork(feed, at("2026-04-22 10:00"), place, clea.login, f"{HOST}/clea-at-home")
    return Story(
        "approved-fork",
        "An approved fork",
        "Clea forks the private raven with an approval of the day before.",
        excuses=(Excuse("IP-004", place.about, "fork", by=("ap-fork-raven",)),),
    )


def revoked_approval(feed: Feed) -> Story:
    """Dora was allowed to fork, and then no longer."""
    dora, place = member("dora"), repo("quartz")
    with feed.scope("revoked-approval"):
        _approve(feed, at("2026-07-13 09:00"), place, "fork", "ap-fork-quartz")
        data = ApprovalRevoked(About("repository", place.id), "ap-fork-quartz", "the project was cancelled")
        feed.say(at("2026-07-27 09:00"), data)
        fork = _fork(feed, at("2026-07-28 20:00"), place, dora.login, f"{HOST}/dora-at-home")
    return Story(
        "revoked-approval",
        "An approval that had been revoked",
        "Dora may fork the private quartz until the approval is revoked on July 27. She forks it on the 28th.",
        findings=(Finding("IP-004", dora.id, place.about, (cause_of(fork),)),),
        corrections=(opened(Finding("IP-004", dora.id, place.about, (cause_of(fork),)), word("approvals", 8)),),
    )


def harmless_forks(feed: Feed) -> Story:
    """Forks that aren't what the rule speaks of."""
    with feed.scope("harmless-forks"):
        _fork(feed, at("2026-02-24 14:00"), repo("juniper"), member("ada").login, f"{HOST}/ada-at-home")
        _fork(feed, at("2026-02-25 14:00"), repo("atlas"), member("ada").login, f"{HOST}/acme-labs", "organisation")
    return Story(
        "harmless-forks",
        "Harmless forks",
        "Ada forks the public juniper to her own account, and the private atlas to the company's other owner.",
    )


def unlinked_login(feed: Feed) -> Story:
    """Somebody forks and transfers with a login that no directory knows."""
    login = Alias("login", f"{HOST}/ghost-4711")
    forked, moved = repo("garnet"), repo("tundra")
    with feed.scope("unlinked-login"):
        _fork(feed, at("2026-08-25 03:10"), forked, login, f"{HOST}/ghost-4711")
        _transfer(feed, at("2026-08-25 03:30"), moved, login, f"{HOST}/ghost-tools")
    return Story(
        "unlinked-login",
        "A login nobody knows",
        "A login that isn't linked to anybody forks the private garnet and transfers tundra out. Both are breaches of somebody; "
        "they stay open questions, and nobody is accused.",
        questions=(
            OpenQuestion("IP-004", forked.about, "facts.holder"),
            OpenQuestion("IP-003", moved.about, "facts.holder"),
        ),
    )


def unknown_visibility(feed: Feed) -> Story:
    """A fork of a repository whose visibility no source has stated."""
    hugo = member("hugo")
    place = Repo(f"{HOST}#72001", "archive-2019", f"{HOST}/acme", private=None)
    with feed.scope("unknown-visibility"):
        feed.say(at("2026-03-02"), RepositoryCreated(place.id, place.name, place.owner, place.owner_kind))
        _fork(feed, at("2026-03-04 12:00"), place, hugo.login, f"{HOST}/hugo-at-home")
    return Story(
        "unknown-visibility",
        "A repository of unknown visibility",
        "Hugo forks archive-2019, of which no source says whether it was private: an open question about the fork, and one "
        "about what his act in it means for access after an exit.",
        questions=(
            OpenQuestion("IP-004", place.about, "facts.was_private"),
            OpenQuestion("IP-012", hugo.about, "event.private"),
        ),
    )
