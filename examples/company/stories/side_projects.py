"""Stories of work outside the company that granted compute may have built: traced, declared, on other terms, or not at all."""

from __future__ import annotations

from typing import Literal, NamedTuple

from msgspec.structs import replace

from engine.domain.events import Event
from engine.domain.events.agreements import DisclosureDecided, DisclosureSubmitted
from engine.domain.events.aliases import AliasLinked
from engine.domain.events.people import About, DeterminationRecorded
from engine.domain.values import DAY_US, Instant
from examples.company.clock import after, at
from examples.company.expecting import Excuse, Finding, Story, opened, retracted
from examples.company.feed import Feed
from examples.company.grants import issue, own
from examples.company.people import Member, member, person_target
from examples.company.reference import word
from examples.company.repositories import Repo, outside, push
from examples.company.usage import call, training


class Project(NamedTuple):
    """A side project: whose, where, and what its work would be traced by."""

    who: Member
    place: Repo
    session: str
    artifact: str

    def use(self, feed: Feed, when: Instant) -> None:
        """Use a model in the project's session, with an artefact as its product."""
        data = replace(call(self.who, "claude-x-5", (900, 120), session=self.session), artifacts=(self.artifact,))
        feed.say(when, data)

    def push(self, feed: Feed, when: Instant, *, traced: bool = True) -> Event:
        """Push to the project's repository; the commits' trailers name session and artefact."""
        data = push(self.place, self.who.login, 4)
        return feed.say(when, replace(data, session=self.session, artifacts=(self.artifact,)) if traced else data)

    def finding(self, count: int) -> Finding:
        """What is alleged of it."""
        return Finding("IP-001", self.who.id, self.who.about, (self.place.id,), count)


def _project(feed: Feed, name: str, title: str, number: int, terms: Literal["company", "holder"] = "company") -> Project:
    who = member(name)
    issue(feed, who, replace(own(who, "3000"), ip_terms=terms))
    digest = f"sha256:{number:02d}" + f"{name}{title}".encode().hex().ljust(62, "0")[:62]
    return Project(who, outside(who, title, number), f"s-{title}", digest)


def trained_on_granted_gpus(feed: Feed) -> Story:
    """Falk trains a model of his own on the company's cluster and publishes it."""
    with feed.scope("trained-on-granted-gpus"):
        project = _project(feed, "falk", "birdsong", 1)
        started = at("2026-04-14 19:00")
        job = replace(training(project.who, "24", job="falk-birdsong", session=project.session), artifacts=(project.artifact,))
        feed.say(after(started, hours=3), replace(job, started_at=started))
        project.push(feed, at("2026-04-15 21:10"))
        project.push(feed, at("2026-04-16 22:30"))
        project.push(feed, at("2026-04-17 22:01"))
        project.push(feed, at("2026-04-18 12:00"), traced=False)
    return Story(
        "trained-on-granted-gpus",
        "A side project trained on granted GPUs",
        "Falk trains a model on the company's cluster on April 14 (known by his Unix user alone) and pushes it to his own "
        "repository on the 15th and 16th; session and artefact tie both pushes to the training. A third push comes a "
        "minute after the 72 hours, a fourth bears no trace. It is judged on May 12, when legal says that it has told of "
        "all that was disclosed in April.",
        findings=(project.finding(2),),
        corrections=(opened(project.finding(2), word("disclosures", 5)),),
    )


def holder_terms(feed: Feed) -> Story:
    """Greta does the same on a grant whose terms leave the work to her."""
    with feed.scope("holder-terms"):
        project = _project(feed, "greta", "verses", 2, terms="holder")
        project.use(feed, at("2026-05-12 20:00"))
        project.push(feed, at("2026-05-12 21:00"))
        project.push(feed, at("2026-05-13 21:00"))
    return Story(
        "holder-terms",
        "A holder-terms grant",
        "Greta's side project is tied to granted compute by session and artefact, but her grant's terms leave what is made "
        "with it to the holder: nothing is alleged.",
    )


def prior_invention(feed: Feed) -> Story:
    """Hilde declared her project when she joined."""
    with feed.scope("prior-invention"):
        project = _project(feed, "hilde", "knots", 3)
        declared = DisclosureSubmitted(
            project.who.id, "d-hilde-1", "prior_invention", project.place.id, at("2021-05-01"), "a library of knots"
        )
        feed.say(at("2026-01-19 09:00"), declared)
        feed.say(at("2026-01-26 15:00"), DisclosureDecided(project.who.id, "d-hilde-1", "accepted", "p-yves-58"))
        project.use(feed, at("2026-06-02 19:00"))
        project.push(feed, at("2026-06-03 20:00"))
    return Story(
        "prior-invention",
        "A prior invention",
        "Hilde had declared her library before; the push tied to company-terms compute is excused.",
        excuses=(Excuse("IP-001", project.who.about, "prior_invention"),),
    )


def rejected_disclosure(feed: Feed) -> Story:
    """What Ines declared was rejected: it had begun at the company."""
    with feed.scope("rejected-disclosure"):
        project = _project(feed, "ines", "tides", 4)
        declared = DisclosureSubmitted(project.who.id, "d-ines-1", "prior_invention", project.place.id)
        feed.say(at("2026-05-20 09:00"), declared)
        refused = DisclosureDecided(project.who.id, "d-ines-1", "rejected", "p-yves-58", "begun in the company's time")
        feed.say(at("2026-06-01 09:00"), refused)
        project.use(feed, at("2026-06-16 20:00"))
        project.push(feed, at("2026-06-16 23:00"))
    return Story(
        "rejected-disclosure",
        "A disclosure that was rejected",
        "Ines declared her project as a prior invention; the company rejected that on June 1. The push of June 16 is alleged "
        "once legal has told of all of June.",
        findings=(project.finding(1),),
        corrections=(opened(project.finding(1), word("disclosures", 7)),),
    )


def determined_hers(feed: Feed) -> Story:
    """A named human settles, six weeks later, that Jule's project is her own."""
    with feed.scope("determined-hers"):
        project = _project(feed, "jule", "looms", 5)
        project.use(feed, at("2026-07-07 20:00"))
        project.push(feed, at("2026-07-08 20:00"))
        settled = DeterminationRecorded(
            About("person", project.who.id), "det-jule-1", "ownership", "holder", "p-yves-58", project.place.id,
            at("2026-07-01"), "made for the sailing club",
        )  # fmt: skip
        feed.say(at("2026-08-20 10:00"), settled)
    return Story(
        "determined-hers",
        "A determination in her favour",
        "Jule's push of July 8 is alleged on August 12, when legal has told of all of July; on August 20 it is determined that "
        "the repository is hers, from July 1 on. The allegation is retracted.",
        excuses=(Excuse("IP-001", project.who.about, "determination"),),
        corrections=(
            opened(project.finding(1), word("disclosures", 8)),
            retracted(project.finding(1), "/acme/legal determined-hers-004"),
        ),
    )


def one_trace_only(feed: Feed) -> Story:
    """Karl's own project shares nothing with his work but the name of a branch."""
    with feed.scope("one-trace-only"):
        project = _project(feed, "karl", "kites", 6)
        data = replace(call(project.who, "claude-x-5", (900, 120), session="s-karl-work"), branch="main")
        feed.say(at("2026-07-21 18:00"), data)
        project.push(feed, at("2026-07-21 22:00"))
    return Story(
        "one-trace-only",
        "One trace is none",
        "Karl's project and his work both have a branch called main. One trace isn't enough: nothing is alleged.",
    )


def linked_late(feed: Feed) -> Story:
    """Lars's login is linked to him only nine days after the pushes."""
    with feed.scope("linked-late"):
        project = _project(feed, "lars", "lanterns", 7)
        project.use(feed, at("2026-08-04 20:00"))
        project.push(feed, at("2026-08-05 20:00"))
        project.push(feed, at("2026-08-06 20:00"))
        link = AliasLinked(project.who.login, person_target(project.who), verified=True, valid_from=project.who.hired)
        feed.say(Instant(at("2026-08-05 12:00") + 9 * DAY_US), link)
    return Story(
        "linked-late",
        "A login linked late",
        "Nobody knows whose login pushed on August 5 and 6 until the directory links it to Lars on August 14, back to his "
        "first day. Everything it did since then is his, the two traced pushes among it; they are judged when legal has told "
        "of all of August.",
        findings=(project.finding(2),),
        corrections=(opened(project.finding(2), word("disclosures", 9)),),
    )
