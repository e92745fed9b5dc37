"""Stories of grants that change hands: without approval, with one recorded late, with one for something else."""

from __future__ import annotations

from engine.domain.events import Event
from engine.domain.events.grants import GrantTransferred
from engine.domain.events.people import About, ApprovalGranted
from engine.domain.values import DAY_US, Instant
from examples.company.clock import after, at
from examples.company.expecting import Excuse, Finding, Story, opened, retracted
from examples.company.feed import Feed, cause_of
from examples.company.grants import issue, own
from examples.company.people import Member, member
from examples.company.reference import word
from examples.company.usage import call


def _hand_over(feed: Feed, giver: Member, taker: Member, when: Instant) -> tuple[Event, str]:
    """A second grant goes from one person to another, who uses it. Gives the transfer and the grant."""
    grant = f"G-{giver.name}-second"
    issue(feed, giver, own(giver, "500", grant))
    moved = feed.say(when, GrantTransferred(grant, giver.id, to=taker.id))
    for day in (1, 3):
        feed.say(after(when, days=day, hours=2), call(taker, "claude-x-4", (300, 30)))
    return moved, grant


def _approve(feed: Feed, decided: Instant, grant: str, ident: str, *, since: Instant | None = None, late: int = 0) -> None:
    data = ApprovalGranted(About("grant", grant), ident, "transfer", "p-yves-58", from_=since, reason="change of project")
    feed.say(decided, data, late=late)


def unapproved_transfer(feed: Feed) -> Story:
    """Ivo hands his second grant to Runa; nobody approved it."""
    ivo, runa = member("ivo"), member("runa")
    with feed.scope("unapproved-transfer"):
        moved, grant = _hand_over(feed, ivo, runa, at("2026-04-08 13:20"))
    return Story(
        "unapproved-transfer",
        "A transfer nobody approved",
        f"Ivo transfers the grant {grant} to Runa on April 8 without any approval. The breach is his; what Runa uses "
        "afterwards is covered. It is judged on May 12, when legal says that it has told of all approvals of April.",
        findings=(Finding("FU-006", ivo.id, ivo.about, (cause_of(moved),)),),
        corrections=(opened(Finding("FU-006", ivo.id, ivo.about, (cause_of(moved),)), word("approvals", 5)),),
    )


def approval_recorded_late(feed: Feed) -> Story:
    """Wanda's transfer had been agreed to; the record of it was made six weeks later."""
    wanda, tilo = member("wanda"), member("tilo")
    with feed.scope("approval-recorded-late"):
        moved, grant = _hand_over(feed, wanda, tilo, at("2026-06-10 10:05"))
        _approve(feed, at("2026-07-20 16:00"), grant, "ap-transfer-wanda", since=at("2026-06-09"))
    return Story(
        "approval-recorded-late",
        "An approval recorded late",
        f"Wanda transfers the grant {grant} to Tilo on June 10, which is alleged once legal has told of June. The approval is "
        "decided only on July 20, back to June 9: what had been alleged is retracted, and the excuse is flagged as back-dated.",
        excuses=(Excuse("FU-006", wanda.about, "approved_late", by=("ap-transfer-wanda",), back_dated=True),),
        corrections=(
            opened(Finding("FU-006", wanda.id, wanda.about, (cause_of(moved),)), word("approvals", 7)),
            retracted(Finding("FU-006", wanda.id, wanda.about, (cause_of(moved),)), "/acme/legal approval-recorded-late-005"),
        ),
    )


def approved_transfer(feed: Feed) -> Story:
    """Edda asked first; the approval of the very second of the transfer comes to us two months later."""
    edda, gero = member("edda"), member("gero")
    with feed.scope("approved-transfer"):
        when = at("2026-07-03 09:00")
        moved, grant = _hand_over(feed, edda, gero, when)
        _approve(feed, when, grant, "ap-transfer-edda", late=60 * DAY_US)
    return Story(
        "approved-transfer",
        "A transfer approved in the same second",
        "Edda's transfer to Gero and its approval bear the same time, to the second: the approval comes first. It is told "
        "two months late, after legal had said that it had told of July; what had been alleged is retracted, and nothing "
        "needs an excuse.",
        corrections=(
            opened(Finding("FU-006", edda.id, edda.about, (cause_of(moved),)), word("approvals", 8)),
            retracted(Finding("FU-006", edda.id, edda.about, (cause_of(moved),)), "/acme/legal approved-transfer-005"),
        ),
    )


def approval_without_effect(feed: Feed) -> Story:
    """Jaro's transfer is approved afterwards, from then on."""
    jaro, hugo = member("jaro"), member("hugo")
    with feed.scope("approval-without-effect"):
        when = at("2026-08-19 11:30")
        moved, grant = _hand_over(feed, jaro, hugo, when)
        _approve(feed, Instant(when + 2 * DAY_US), grant, "ap-transfer-jaro")
    return Story(
        "approval-without-effect",
        "An approval that doesn't reach back",
        "Jaro's transfer to Hugo on August 19 is approved on August 21, in force from that day on: it doesn't cover the "
        "transfer, which stays a breach.",
        findings=(Finding("FU-006", jaro.id, jaro.about, (cause_of(moved),)),),
        corrections=(opened(Finding("FU-006", jaro.id, jaro.about, (cause_of(moved),)), word("approvals", 9)),),
    )


def approval_of_another_grant(feed: Feed) -> Story:
    """What was approved for Leon is the transfer of another grant."""
    leon, ida = member("leon"), member("ida")
    with feed.scope("approval-of-another-grant"):
        data = ApprovalGranted(About("person", leon.id), "ap-transfer-leon", "transfer", "p-yves-58", scope="G-leon")
        feed.say(at("2026-02-16 09:00"), data)
        moved, grant = _hand_over(feed, leon, ida, at("2026-02-18 17:45"))
    return Story(
        "approval-of-another-grant",
        "An approval for another grant",
        f"Leon may transfer G-leon, and transfers {grant} to Ida instead.",
        findings=(Finding("FU-006", leon.id, leon.about, (cause_of(moved),)),),
        corrections=(opened(Finding("FU-006", leon.id, leon.about, (cause_of(moved),)), word("approvals", 3)),),
    )
