"""The repository aggregate: what is asked of a publication, a release and a change of licence."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.aggregates import repository
from engine.domain.effects import Question
from engine.domain.events import Event
from engine.domain.events.derived import DeadlineReached
from engine.domain.order import place
from engine.domain.reference import Reference
from engine.domain.values import MICRO, instant
from tests.domain.make import event

PLACE = {"repository": "r1", "name": "core", "owner": "github.com/acme"}
ABOUT = {"kind": "repository", "id": "r1"}
OURS = event("organisation.configured", "2025-01-01", owners=["github.com/acme"])
COMPLETE = event("feed.completed_through", "2026-12-31", feed="approvals", through="2026-12-31")
PUBLIC = event("repository.visibility_changed", "2026-03-01T10:00:00Z", **PLACE, to="public", private=True)


def asked(events: list[Event], *said: Event) -> list[Question]:
    """Fold events, and the deadlines they set, in their order; give what was asked."""
    state, reference = repository.State(release_us=15 * 60 * MICRO), Reference([OURS, *said])
    waiting, found = sorted(events, key=place), []
    while waiting:
        one = waiting.pop(0)
        effects = repository.fold(state, one, place(one).time, reference)
        due = [derived.event for derived in effects.derived if isinstance(derived.event.data, DeadlineReached)]
        waiting = sorted([*waiting, *due], key=place)
        if effects.question is not None:
            found.append(effects.question)
    return found


def approval(time: str, **more: Any) -> Event:
    """An approval of a release, from a time on."""
    data = {"approval_id": "a1", "about": ABOUT, "kind": "release", "approver": "p-9"} | more
    return event("approval.granted", time, **data)


def published(*events: Event, said: tuple[Event, ...] = (COMPLETE,)) -> list[Question]:
    """What is asked when the time to approve a publication is over."""
    return [one for one in asked([PUBLIC, *events], *said) if one.event.get("kind") == "release_approval"]


@pytest.mark.parametrize(
    ("granted", "known"),
    [
        (approval("2026-02-01"), True),
        (approval("2026-03-01T10:14:59Z"), True),
        (approval("2026-03-01T10:15:01Z"), False),
        (approval("2026-03-05", **{"from": "2026-03-01T10:15:00Z"}), False),
        (approval("2026-03-05", **{"from": "2026-03-01T10:14:59Z"}), True),
        (approval("2026-02-01", until="2026-03-01T10:00:00Z"), False),
        (approval("2026-02-01", until="2026-03-01T10:00:01Z"), True),
    ],
)
def test_an_approval_counts_that_was_in_force_between_publication_and_deadline(granted: Event, known: bool) -> None:
    """In any order, and back-dated as well; one that had ended, or begins later, doesn't."""
    (question,) = published(granted)
    assert [a["id"] for a in question.facts["approvals"]] == (["a1"] if known else [])
    assert question.facts["published_at"] == instant("2026-03-01T10:00:00Z")


def test_an_approval_revoked_before_the_publication_was_never_in_force_then() -> None:
    """One that is revoked only afterwards was."""
    for time, held in (("2026-02-28", 0), ("2026-03-01T10:05:00Z", 1)):
        (question,) = published(approval("2026-02-01"), event("approval.revoked", time, approval_id="a1", about=ABOUT))
        assert len(question.facts["approvals"]) == held


def test_a_repository_closed_within_the_time_is_asked_nothing() -> None:
    """A second too late is too late."""
    for time, count in (("2026-03-01T10:14:59Z", 0), ("2026-03-01T10:15:01Z", 1)):
        closed = event("repository.visibility_changed", time, **PLACE, to="private", private=False)
        assert len(published(closed)) == count


def test_while_approvals_may_be_missing_they_are_unknown() -> None:
    """A feed that isn't complete up to the deadline, or never spoke, accuses nobody."""
    short = event("feed.completed_through", "2026-03-02", feed="approvals", through="2026-03-01T10:14:59Z")
    for said in ((), (short,)):
        (question,) = published(said=said)
        assert "approvals" not in question.facts
        assert "facts.approvals" in question.unknown


def exposed(units: str, terms: str = "company", holder: str = "p-7") -> Event:
    """Compute used for the repository on a day."""
    return event(
        "repository.exposed", "2026-03-02", repository="r1", holder=holder, day="2026-03-01", ip_terms=terms, units=units
    )


def determined(answer: str, time: str = "2026-03-01") -> Event:
    """Whose the work is."""
    return event(
        "determination.recorded", time, determination_id="d", about=ABOUT, question="ownership", answer=answer, decided_by="p-9"
    )


RELEASED = event("repository.released", "2026-03-03", **PLACE | {"owner": "github.com/jdoe"}, tag="v1")


def test_a_release_tells_whose_company_terms_compute_went_into_the_repository() -> None:
    """Summed over holders; what other terms gave, or what was taken back, doesn't count."""
    events = [
        exposed("5"),
        exposed("2", holder="p-8"),
        exposed("9", "holder"),
        exposed("4", holder="p-9"),
        exposed("-4", holder="p-9"),
    ]
    (question,) = asked([*events, RELEASED], COMPLETE)
    assert question.facts["exposure"] == {"ccu_u": 7 * MICRO, "holders": ["p-7", "p-8"]}
    assert question.facts["ownership"] == "undetermined"


@pytest.mark.parametrize("answer", ["holder", "company", "shared"])
def test_a_determination_settles_ownership_from_its_day_on(answer: str) -> None:
    """One of a later day doesn't."""
    assert [q.facts["ownership"] for q in asked([determined(answer), RELEASED])] == [answer]
    assert [q.facts["ownership"] for q in asked([determined(answer, "2026-03-04"), RELEASED])] == ["undetermined"]


def test_work_in_the_organisations_own_repository_is_its_own_unless_determined_otherwise() -> None:
    """Where nobody has said which owners are its own, it is unknown; a determination is known all the same."""
    inside = event("repository.released", "2026-03-03", **PLACE, tag="v1")
    assert [q.facts["ownership"] for q in asked([inside])] == ["company"]
    assert [q.facts["ownership"] for q in asked([determined("holder"), inside])] == ["holder"]
    early = event("repository.released", "2024-03-03", **PLACE, tag="v1")
    (question,) = asked([early])
    assert "ownership" not in question.facts
    assert {"facts.ownership", "facts.in_org"} <= set(question.unknown)


def test_licences_are_compared_in_small_letters_and_what_nobody_can_tell_is_unknown() -> None:
    """The one before is only evidence."""
    changed = [
        event("repository.licence_changed", "2026-03-03", **PLACE, before="MIT", after="AGPL-3.0-only"),
        event("repository.licence_changed", "2026-03-04", **PLACE),
    ]
    known, unknown = asked(changed)
    assert (known.event["licence_before"], known.event["licence"]) == ("mit", "agpl-3.0-only")
    assert ("licence" in unknown.event, "event.licence" in unknown.unknown) == (False, True)


@pytest.mark.parametrize(
    ("verb", "kind", "more"),
    [
        ("forked", "fork", {"to_owner": "github.com/x", "to_owner_kind": "user"}),
        ("transferred", "divestiture", {"to_owner": "github.com/x"}),
        ("licence_changed", "licence", {"before": "MIT", "after": "none"}),
    ],
)
def test_that_nobody_approved_an_act_is_known_once_approvals_are_complete(verb: str, kind: str, more: dict[str, Any]) -> None:
    """Beyond its very instant; an approval that is known is known, and outside the organisation nobody asks."""
    act = event(f"repository.{verb}", "2026-03-03", **PLACE, **more)
    short = event("feed.completed_through", "2026-03-04", feed="approvals", through="2026-03-03")
    given = approval("2026-03-01", kind=kind)
    for events, said, known in (
        ([act], (), False),
        ([act], (short,), False),
        ([act], (COMPLETE,), True),
        ([given, act], (), True),
    ):
        (question,) = asked(events, *said)
        assert ("approvals" in question.facts, "facts.approvals" in question.unknown) == (known, not known)
    outside = event(f"repository.{verb}", "2026-03-03", **PLACE | {"owner": "github.com/else"}, **more)
    assert "facts.approvals" not in asked([outside])[0].unknown


def test_whether_a_copy_is_a_persons_is_unknown_where_the_host_does_not_say() -> None:
    """Nobody is accused, and it isn't passed over."""
    for said, kind in (("user", "user"), ("organisation", "organisation"), (None, None)):
        more = {"to_owner_kind": said} if said else {}
        (question,) = asked([event("repository.forked", "2026-03-03", **PLACE, to_owner="github.com/x", **more)])
        assert question.event.get("to_owner_kind") == kind
        assert ("event.to_owner_kind" in question.unknown) == (kind is None)


def test_that_nobody_determined_whose_a_work_is_is_known_once_the_feed_is_complete() -> None:
    """Only where there is exposure is it asked; what is determined is known all the same."""
    for events, said, known in (
        ([exposed("5"), RELEASED], (), False),
        ([exposed("5"), RELEASED], (COMPLETE,), True),
        ([exposed("5"), determined("holder"), RELEASED], (), True),
        ([RELEASED], (), True),
    ):
        (question,) = asked(events, *said)
        assert ("ownership" in question.facts, "facts.ownership" in question.unknown) == (known, not known)
