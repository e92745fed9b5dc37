"""Stories of what is signed, attested and decided, or should have been: by people, and by the company towards them."""

from __future__ import annotations

from typing import Final

from engine.domain.events import agreements as a
from engine.domain.events.people import PersonJurisdictionChanged, PersonOnLeave
from engine.domain.values import DAY_US
from examples.company.clock import START, after, at
from examples.company.expecting import Excuse, Finding, OpenQuestion, Story, opened, retracted
from examples.company.feed import Feed
from examples.company.people import ASSIGNMENT, Member, member
from examples.company.reference import word

_USE: Final = "acceptable_use"
_OLD, _NEW = "2025-1", "2026-1"
_LEGAL: Final = "p-yves-58"


def signature_that_does_not_bind(feed: Feed) -> Story:
    """Bela's old signature is void, and he signs no other."""
    bela = member("bela")
    with feed.scope("signature-void"):
        void = a.AgreementInvalidated(bela.id, "ip_assignment", ASSIGNMENT, _LEGAL, "signed by somebody else")
        feed.say(at("2026-03-09 10:00"), void)
        feed.say(at("2026-03-09 11:00"), a.AgreementSent(bela.id, "ip_assignment", "2026-1"))
    return Story(
        "signature-void",
        "A signature that doesn't bind",
        "Bela's signature of years ago turns out on March 9 not to be his. The assignment is sent to him the same day; two "
        "weeks later he has signed none, and uses granted compute.",
        findings=(Finding("IP-005", bela.id, bela.about, (ASSIGNMENT,)),),
        corrections=(opened(Finding("IP-005", bela.id, bela.about, (ASSIGNMENT,)), word("agreements", 4)),),
    )


def never_sent(_: Feed) -> Story:
    """Nobody puts the assignment to Tilo, who joins in April."""
    tilo = member("tilo")
    return Story(
        "assignment-never-sent",
        "An assignment nobody sent",
        "Tilo joins on April 30 and works from the first days. Nobody sends him the assignment: two weeks later that is the "
        "company's breach, not his.",
        findings=(Finding("IP-005", "", tilo.about, ("first",)),),
        corrections=(opened(Finding("IP-005", "", tilo.about, ("first",)), word("agreements", 6)),),
    )


def signed_and_recorded_late(feed: Feed) -> Story:
    """Karl signs in time; his signature lies in a drawer for months."""
    karl = member("karl")
    found = Finding("IP-005", karl.id, karl.about, ("first",))
    with feed.scope("signed-late"):
        signed_on = after(karl.hired, days=3)
        feed.say(after(karl.hired, hours=2), a.AgreementSent(karl.id, "ip_assignment", ASSIGNMENT))
        signed = a.AgreementSigned(karl.id, "ip_assignment", ASSIGNMENT, signed_on, notice_given=False)
        feed.say(at("2026-05-20 10:00"), signed)
    return Story(
        "signed-late",
        "A signature recorded late",
        "Karl joins on March 7 and signs the assignment on his fourth day. Legal records it on May 20, when the feed of "
        "agreements had long said that it was complete: what was alleged meanwhile is taken back.",
        corrections=(opened(found, word("agreements", 4)), retracted(found, "/acme/legal signed-late-002")),
    )


def _superseded(feed: Feed, who: Member, *, sent: bool = True) -> None:
    feed.say(at("2026-03-02 09:00"), a.AgreementSuperseded(who.id, _USE, _OLD, _NEW))
    if sent:
        feed.say(at("2026-03-02 09:30"), a.AgreementSent(who.id, _USE, _NEW))


def new_version_unsigned(feed: Feed) -> Story:
    """The rules of acceptable use get a new text; Rita leaves it unsigned, Uwe never sees it."""
    rita, uwe, kira = member("rita"), member("uwe"), member("kira")
    with feed.scope("new-version"):
        _superseded(feed, rita)
        _superseded(feed, uwe, sent=False)
        _superseded(feed, kira)
        feed.say(at("2026-04-01 08:59"), a.AgreementSigned(kira.id, _USE, _NEW))
        feed.say(at("2026-04-02 12:00"), a.AgreementSigned(rita.id, _USE, _NEW))
    about = (f"{_USE} {_NEW}",)
    found = (Finding("IP-006", rita.id, rita.about, about), Finding("IP-006", "", uwe.about, about))
    return Story(
        "new-version",
        "A new version left unsigned",
        "From March 2 a new text says what use is acceptable. Kira signs it in the last minute of the thirty days, Rita a day "
        "late; to Uwe nobody sent it, which is the company's breach.",
        findings=found,
        corrections=tuple(opened(finding, word("agreements", 5)) for finding in found),
    )


def superseded_on_leave(feed: Feed) -> Story:
    """Gesa is away when the new text comes."""
    gesa = member("gesa")
    with feed.scope("superseded-on-leave"):
        feed.say(at("2026-02-16 09:00"), PersonOnLeave(gesa.id, "medical", at("2026-04-20")))
        _superseded(feed, gesa)
        feed.say(at("2026-04-21 10:00"), a.AgreementSigned(gesa.id, _USE, _NEW))
    return Story(
        "superseded-on-leave",
        "A new version during a leave",
        "Gesa is on leave from February 16 to April 19 and signs the new text the day after she is back.",
        excuses=(Excuse("IP-006", gesa.about, "on_leave"),),
    )


def superseded_twice(feed: Feed) -> Story:
    """The new text is itself replaced before anybody had to sign it."""
    ida = member("ida")
    with feed.scope("superseded-twice"):
        _superseded(feed, ida)
        feed.say(at("2026-03-20 09:00"), a.AgreementSuperseded(ida.id, _USE, _NEW, "2026-2"))
        feed.say(at("2026-03-20 09:30"), a.AgreementSent(ida.id, _USE, "2026-2"))
        feed.say(at("2026-04-10 09:30"), a.AgreementSigned(ida.id, _USE, "2026-2"))
    return Story(
        "superseded-twice",
        "A version that was replaced in turn",
        "Ida never signs the text of March 2: the one of March 20 replaces it, and she signs that in time.",
    )


def _attested(feed: Feed, who: Member) -> None:
    last = at("2025-04-15 10:00")
    feed.say(last, a.AgreementAttested(who.id, "attestation", "2025"), late=START - last)


def attestation_lapsed(feed: Feed) -> Story:
    """Two yearly statements lapse; only Hugo had been reminded of his."""
    hugo, arno, clea = member("hugo"), member("arno"), member("clea")
    with feed.scope("attestation-lapsed"):
        for who in (hugo, arno, clea):
            _attested(feed, who)
        feed.say(at("2026-04-01 09:00"), a.AgreementReminded(hugo.id, "attestation", "2026"))
        feed.say(at("2026-04-15 09:59"), a.AgreementAttested(clea.id, "attestation", "2026"))
    about = ("attestation 2025",)
    found = (Finding("IP-008", hugo.id, hugo.about, about), Finding("IP-008", "", arno.about, about))
    return Story(
        "attestation-lapsed",
        "Statements that lapsed",
        "Hugo, Arno and Clea stated their outside work on April 15, 2025. Clea does so again a minute before the year is "
        "over. Hugo was reminded and doesn't; nobody reminded Arno, which is the company's breach.",
        findings=found,
        corrections=tuple(opened(finding, word("agreements", 5)) for finding in found),
    )


def disclosure_undecided(feed: Feed) -> Story:
    """Sven waits for an answer."""
    sven = member("sven")
    with feed.scope("disclosure-undecided"):
        feed.say(at("2026-05-04 09:00"), a.DisclosureSubmitted(sven.id, "d-sven-1", "outside_activity", text="a choir's website"))
        feed.say(at("2026-06-20 15:00"), a.DisclosureDecided(sven.id, "d-sven-1", "accepted", _LEGAL))
    return Story(
        "disclosure-undecided",
        "A disclosure left lying",
        "Sven discloses an outside activity on May 4; it is decided on June 20, not within thirty days. The company's breach.",
        findings=(Finding("IP-009", "", sven.about, ("d-sven-1",)),),
        corrections=(opened(Finding("IP-009", "", sven.about, ("d-sven-1",)), word("disclosures", 7)),),
    )


def disclosure_questioned(feed: Feed) -> Story:
    """Runa is asked something, and takes her time to answer."""
    runa = member("runa")
    submitted = at("2026-05-04 09:00")
    with feed.scope("disclosure-questioned"):
        feed.say(submitted, a.DisclosureSubmitted(runa.id, "d-runa-1", "outside_activity", text="lectures"))
        feed.say(after(submitted, days=16), a.DisclosureQuestioned(runa.id, "d-runa-1", "which ones?"))
        feed.say(after(submitted, days=37), a.DisclosureAnswered(runa.id, "d-runa-1", "on statistics"))
        decided = a.DisclosureDecided(runa.id, "d-runa-1", "accepted", _LEGAL)
        feed.say(after(submitted, days=50), decided, late=2 * DAY_US)
    return Story(
        "disclosure-questioned",
        "A clock that stood still",
        "Runa's disclosure of May 4 is decided after fifty days. For three weeks of them the company waited for her answer, "
        "and those don't count.",
    )


def _moves(feed: Feed, who: Member, place: str, *, notice: bool | None) -> None:
    feed.say(at("2026-02-02 08:00"), PersonJurisdictionChanged(who.id, place))
    feed.say(at("2026-02-09 10:00"), a.AgreementSigned(who.id, "ip_assignment", "2026-US", notice_given=notice))


def notice_forgotten(feed: Feed) -> Story:
    """Ada moves to California and signs there."""
    ada, dora = member("ada"), member("dora")
    with feed.scope("notice-forgotten"):
        _moves(feed, ada, "US-CA", notice=False)
        _moves(feed, dora, "US-WA", notice=True)
    return Story(
        "notice-forgotten",
        "A notice that was forgotten",
        "Ada moves to California and signs the assignment again, without the notice that the law there asks for: the "
        "company's breach. Dora moves to Washington and gets it. What people signed in Germany needs none.",
        findings=(Finding("IP-016", "", ada.about, ("2026-US",)),),
    )


def notice_unsaid(feed: Feed) -> Story:
    """Of Wanda's signature nobody knows whether the notice came with it."""
    wanda = member("wanda")
    with feed.scope("notice-unsaid"):
        _moves(feed, wanda, "US-IL", notice=None)
    return Story(
        "notice-unsaid",
        "A notice nobody speaks of",
        "Wanda signs in Illinois; the signing system doesn't say whether the notice was given. The question stays open.",
        questions=(OpenQuestion("IP-016", wanda.about, "event.notice_given"),),
    )
