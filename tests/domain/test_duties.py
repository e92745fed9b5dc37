"""Duties of people, and of the company towards them: when each falls due, and what is said of it then."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.aggregates import person
from engine.domain.effects import Question
from engine.domain.events import Event
from engine.domain.events.derived import DeadlineReached, GrantReceived
from engine.domain.order import place
from engine.domain.reference import Reference
from engine.domain.values import DAY_US, instant
from tests.domain.make import event
from tests.domain.test_person import WINDOWS, grant, run, usage

ME = {"person": "p-1"}
USE = {**ME, "kind": "acceptable_use", "version": "1"}
NEXT = {**ME, "kind": "acceptable_use", "version": "2"}


def complete(through: str = "2028-01-01") -> list[Event]:
    """Legal says how far its feeds are complete."""
    return [
        event("feed.completed_through", "2028-01-02", feed=feed, through=through)
        for feed in ("people", "agreements", "disclosures", "usage", "grants")
    ]


def asked(events: list[Event], kind: str, reference: Reference | None = None) -> list[Question]:
    """Fold events and the deadlines they set, each in its place; give what was asked at deadlines of a kind."""
    state, reference = person.start("p-1", WINDOWS), reference or Reference(complete())
    waiting, found = sorted(events, key=place), []
    while waiting:
        one = waiting.pop(0)
        effects = person.fold(state, one, place(one).time, reference)
        due = [derived.event for derived in effects.derived if isinstance(derived.event.data, DeadlineReached)]
        waiting = sorted([*waiting, *due], key=place)
        if effects.question is not None and effects.question.event.get("kind") == kind:
            found.append(effects.question)
    return found


def due(events: list[Event], kind: str) -> list[dict[str, Any]]:
    """What was due."""
    return [question.facts["due"] for question in asked(events, kind)]


def test_an_assignment_is_due_two_weeks_after_the_first_day() -> None:
    """Sent or not is told, and so is whether compute was used."""
    events = [
        event("person.hired", "2026-01-01", **ME),
        event("agreement.sent", "2026-01-02", **ME, kind="ip_assignment", version="1"),
    ]
    (question,) = asked([*events, grant(), usage("2026-01-03")], "ip_assignment")
    assert question.facts["due"]["at"] == instant("2026-01-15")
    assert (question.facts["due"]["sent_at"], question.facts["due"]["met"]) == (instant("2026-01-02"), False)
    assert question.facts["consuming"]


@pytest.mark.parametrize(("day", "met"), [("2026-01-14T23:59:59Z", True), ("2026-01-15", False)])
def test_a_signature_counts_until_the_day_it_is_due(day: str, met: bool) -> None:
    """The last instant before it is early enough, the instant itself isn't."""
    signed = event("agreement.signed", day, **ME, kind="ip_assignment", version="1")
    (found,) = due([event("person.hired", "2026-01-01", **ME), signed], "ip_assignment")
    assert found["met"] is met


@pytest.mark.parametrize("kind", ["ip_assignment", "reacceptance", "attestation"])
def test_who_left_before_the_day_owes_nothing(kind: str) -> None:
    """Neither a signature nor a statement; who comes back does again."""
    events = [
        event("person.hired", "2026-01-01", **ME),
        event("agreement.superseded", "2026-01-01", **USE, by="2"),
        event("agreement.attested", "2025-01-20", **ME, kind="attestation", version="2025"),
    ]
    left = event("person.terminated", "2026-01-10", **ME)
    assert len(asked(events, kind)) == 1
    assert asked([*events, left], kind) == []
    assert len(asked([*events, left, event("person.hired", "2026-01-11", **ME)], kind)) == (2 if kind == "ip_assignment" else 1)


def test_a_version_that_was_replaced_in_turn_is_owed_by_nobody() -> None:
    """Its deadline finds it met; that of the newest one finds it unsigned."""
    events = [
        event("agreement.superseded", "2026-01-01", **USE, by="2"),
        event("agreement.superseded", "2026-01-20", **NEXT, by="3"),
    ]
    assert [(one["about"], one["met"]) for one in due(events, "reacceptance")] == [
        ("acceptable_use 2", True), ("acceptable_use 3", False),
    ]  # fmt: skip


def test_any_document_that_is_attested_again_is_met() -> None:
    """Not only statements; and a reminder of another document is none of this one."""
    first = event("agreement.attested", "2026-01-01", **USE)
    again = event("agreement.attested", "2026-12-01", **NEXT)
    other = event("agreement.reminded", "2026-12-01", **ME, kind="attestation", version="2026")
    assert [(one["about"], one["met"]) for one in due([first, again], "attestation")] == [
        ("acceptable_use 1", True), ("acceptable_use 2", False),
    ]  # fmt: skip
    (found,) = due([first, other], "attestation")
    assert (found["met"], found["asked"]) == (False, 0)
    (found,) = due([first, event("agreement.reminded", "2026-12-01", **NEXT)], "attestation")
    assert (found["met"], found["asked"]) == (False, instant("2026-12-01"))


def test_the_companys_clock_stands_still_while_a_question_is_open() -> None:
    """Ten days of waiting for an answer make it due ten days later; one that is open at the end asks nothing."""
    told = {**ME, "disclosure_id": "d"}
    submitted = event("disclosure.submitted", "2026-01-01", **told, kind="outside_activity")
    questioned = event("disclosure.questioned", "2026-01-11", **told)
    answered = event("disclosure.answered", "2026-01-21", **told)
    assert asked([submitted, questioned], "disclosure_decision") == []
    (found,) = due([submitted, questioned, answered], "disclosure_decision")
    assert (found["at"], found["met"]) == (instant("2026-01-31") + 10 * DAY_US, False)
    (found,) = due([submitted, questioned, answered, event("disclosure.decided", "2026-02-09", **told, decision="accepted", decided_by="x")], "disclosure_decision")  # fmt: skip # noqa: E501
    assert found["met"]


def test_nothing_is_said_of_a_signature_while_its_feed_may_lack_it() -> None:
    """Complete up to the instant is enough; an instant less isn't, and a feed that never spoke isn't either."""
    hired = [event("person.hired", "2026-01-01", **ME)]
    for feed, known in (("2026-01-15", True), ("2026-01-14T23:59:59Z", False), (None, False)):
        reference = Reference(complete(feed) if feed else [])
        (question,) = asked(hired, "ip_assignment", reference)
        assert ("met" in question.facts["due"], "facts.due.met" in question.unknown) == (known, not known)


@pytest.mark.parametrize(
    ("again", "met"), [([], [False]), ([("01:00", 7200)], [True, False]), ([("01:00", 0)], [True]), ([("00:00", 3600)], [False])]
)
def test_a_job_that_was_started_anew_is_held_to_its_new_limit(again: list[tuple[str, int]], met: list[bool]) -> None:
    """What was due of the first start is nobody's any more; one without a limit owes nothing, and one instant is one start."""
    starts = [("00:00", 3600), *again]
    events = [
        event("job.started", f"2026-01-01T{at}:00Z", **ME, job_id="j", limit_seconds=limit, ident=f"s{number}")
        for number, (at, limit) in enumerate(starts)
    ]
    assert [one["met"] for one in due(events, "job_heartbeat")][: len(met)] == met


@pytest.mark.parametrize("silent", ["agreements", "grants", "people"])
def test_a_notice_of_expiry_is_missed_only_where_the_feeds_that_would_tell_of_it_are_complete(silent: str) -> None:
    """Equity may have amended the grant, legal have sent the notice; HR may have a leave to tell of, which excuses."""
    spoken = [one for one in complete() if one.data.feed != silent]
    (question,) = asked([grant(expires_at="2026-06-01")], "grant_expiring", Reference(spoken))
    missing = "facts.on_leave" if silent == "people" else "facts.due.met"
    assert list(question.unknown) == [missing]
    assert ("on_leave" in question.facts, "met" in question.facts["due"]) == (silent != "people", silent == "people")
    assert silent in question.unknown[missing]


def test_what_was_got_from_another_or_rolled_over_expires_with_a_word_as_well() -> None:
    """The company owes the notice whoever holds the grant, and however they came to it."""
    terms = {"rollover_max": "100", "expires_at": "2026-06-01"}
    rolled = event("grant.rolled_over", "2026-05-31", grant_id="G1", holder="p-1", to_grant="G2", expires_at="2026-12-01")
    assert [one["about"] for one in due([grant(**terms), rolled], "grant_expiring")] == ["G1", "G2"]
    given = event("grant.transferred", "2026-03-01", grant_id="G1", holder="p-1", to="p-2")
    _, effects = run([grant(**terms), given])
    (received,) = [one.event for one in effects[-1].derived if isinstance(one.event.data, GrantReceived)]
    assert [one["about"] for one in due([received], "grant_expiring")] == ["G1"]


def test_a_signing_says_where_and_with_which_notice() -> None:
    """What isn't said is unknown: the notice, and the place of work."""
    signed = {**ME, "kind": "ip_assignment", "version": "1"}
    state = person.start("p-1", WINDOWS)
    events = [
        event("agreement.signed", "2026-01-01", **signed),
        event("person.jurisdiction_changed", "2026-01-02", **ME, jurisdiction="US-CA"),
        event("agreement.signed", "2026-01-03", **signed, notice_given=False, signed_on="2026-01-03"),
    ]
    first, _, last = (person.fold(state, one, place(one).time, Reference()).question for one in events)
    assert first is not None
    assert last is not None
    assert set(first.unknown) == {"event.notice_given", "facts.jurisdiction"}
    assert (last.unknown, last.facts["jurisdiction"], last.event["notice_given"]) == ({}, "US-CA", False)
    assert type(last.event["at"]) is int
