"""What may not have been told yet, or nobody has said, is unknown and accuses nobody; what is known is told as it is."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.events import Event
from engine.domain.reference import Reference
from tests.domain.make import event
from tests.domain.test_person import APPROVALS, grant, run, usage


def tied(*before: Event, said: tuple[Event, ...] = ()) -> tuple[dict[str, Any], dict[str, str]]:
    """Give facts, and what is unknown, of a push outside that company-terms usage is tied to."""
    reference = Reference([event("feed.completed_through", "2026-12-31", feed="disclosures", through="2026-12-31"), *said])
    push = event(
        "contribution.attributed", "2026-02-01T12:00:00Z", actor={"kind": "login", "value": "github.com/x"}, action="pushed",
        repository="r", name="n", in_org=False, session="s1", branch="main",
    )  # fmt: skip
    _, effects = run([grant(), usage("2026-02-01", session="s1", branch="main"), *before, push], reference)
    assert effects[-1].question is not None
    return effects[-1].question.facts, effects[-1].question.unknown


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ([("ownership", "holder"), ("relatedness", "related")], "holder"),
        ([("ownership", "shared")], "shared"),
        ([("relatedness", "unrelated"), ("ownership", "company")], "unrelated"),
        ([("relatedness", "unrelated"), ("relatedness", "related")], "none"),
        ([("ownership", "company"), ("relatedness", "related")], "company"),
        ([("own_time", "yes")], "none"),
    ],
)
def test_each_question_keeps_its_own_answer_and_the_better_one_counts(answers: list[tuple[str, str]], found: str) -> None:
    """What is determined about relatedness later doesn't take back whose the work is."""
    said = [
        event(
            "determination.recorded", f"2026-01-1{number}", determination_id=f"d{number}", question=question, answer=answer,
            about={"kind": "person", "id": "p-1"}, repository="r", decided_by="x",
        )
        for number, (question, answer) in enumerate(answers)
    ]  # fmt: skip
    assert tied(*said)[0]["determination"] == found


def test_a_prior_invention_that_names_no_repository_may_be_this_one() -> None:
    """Then it isn't known; neither while legal's feed may lack one. One that is rejected says nothing."""
    told = {"person": "p-1", "disclosure_id": "d1"}
    unnamed = event("disclosure.submitted", "2026-01-10", **told, kind="prior_invention")
    rejected = event("disclosure.decided", "2026-01-11", **told, decision="rejected", decided_by="x")
    named = event("disclosure.submitted", "2026-01-10", **told, kind="prior_invention", repository="r")
    assert tied()[0]["prior_invention"] is False
    assert tied(unnamed, rejected)[0]["prior_invention"] is False
    assert tied(named)[0]["prior_invention"] is True
    facts, unknown = tied(unnamed)
    assert ("prior_invention" in facts, "names no repository" in unknown["facts.prior_invention"]) == (False, True)


def test_usage_that_a_lapsed_grant_did_not_cover_was_not_on_its_terms() -> None:
    """It ties nothing, whatever it shares with a push; overage of a grant in force does."""
    assert tied(event("grant.suspended", "2026-01-31", grant_id="G1", holder="p-1"))[0]["links"] == []
    assert len(tied(usage("2026-01-31", "100"))[0]["links"]) == 1


def test_of_a_job_whose_start_nobody_told_it_isnt_known_whether_it_began_in_time() -> None:
    """The usage's own start says so where it lies within access: the job began then, or before."""
    left = event("person.terminated", "2026-01-31", person="p-1")
    started = event("job.started", "2026-01-30", person="p-1", job_id="j")
    gpu = {"person": "p-1", "quantity": "1", "gpu_seconds": "9", "cluster": "c"}
    cases: list[tuple[list[Event], dict[str, Any], str | None]] = [
        ([], {}, "none"),
        ([started], {"job_id": "j"}, "started"),
        ([], {"job_id": "j"}, None),
        ([], {"job_id": "j", "started_at": "2026-01-31"}, "started"),
        ([], {"job_id": "j", "started_at": "2026-01-31T00:00:00.000001Z"}, None),
    ]
    for before, more, state in cases:
        _, effects = run([grant(), left, *before, event("usage.gpu", "2026-02-01", **gpu, **more)])
        question = effects[-1].question
        assert question is not None
        assert question.facts["coverage"] == "access_ended"
        assert question.facts.get("job", {}).get("state") == state
        assert ("facts.job" in question.unknown) == (state is None)


def test_what_all_grants_in_force_permit_is_told_where_a_usage_is_filtered_out() -> None:
    """Not only the newest's; the same filters once, and unknown where there are more than an input carries."""

    def limited(number: int, model: str) -> Event:
        return grant(grant_id=f"G{number:02d}", filters={"models": [model], "providers": []})

    def found(events: list[Event]) -> tuple[Any, dict[str, str]]:
        _, effects = run([*events, usage("2026-02-01", "1", model="other")])
        assert effects[-1].question is not None
        return effects[-1].question.facts.get("filters"), effects[-1].question.unknown

    assert found([limited(1, "a"), limited(2, "b"), limited(3, "a")])[0] == [
        {"models": ["a"], "providers": []}, {"models": ["b"], "providers": []},
    ]  # fmt: skip
    assert found([grant()])[0] == []
    assert len(found([limited(number, f"m{number}") for number in range(16)])[0]) == 16
    none, unknown = found([limited(number, f"m{number}") for number in range(17)])
    assert (none, list(unknown)) == (None, ["facts.filters"])


def test_those_who_share_a_grant_are_counted_grant_by_grant() -> None:
    """Two on one personal grant and one on another aren't three on either."""
    used = [
        usage("2026-02-01", "1", grant_id=name, consumer={"kind": "person", "value": who}, ident=f"u{number}")
        for number, (name, who) in enumerate((("G1", "p-2"), ("G1", "p-3"), ("G2", "p-4"), ("G1", "p-2")))
    ]
    _, effects = run([grant(), grant(grant_id="G2"), *used])
    counts = [one.question.facts["use"]["consumers_24h"] for one in effects[2:] if one.question]
    assert counts == [1, 2, 1, 2]


def unknown_of(events: list[Event], said: Reference) -> dict[str, str]:
    """What is unknown of the last event that is asked about."""
    _, effects = run(events, said)
    question = [one.question for one in effects if one.question is not None][-1]
    return question.unknown


def test_while_approvals_may_be_missing_no_act_is_without_one() -> None:
    """A transfer, until the feed is complete beyond its very instant; one that is known is known."""
    move = event("grant.transferred", "2026-03-05", grant_id="G1", holder="p-1", to="p-2")
    about = {"kind": "person", "id": "p-1"}
    given = event("approval.granted", "2026-03-05", approval_id="a", kind="transfer", approver="x", about=about)
    for through, known in ((None, False), ("2026-03-05T00:00:00Z", False), ("2026-03-05T00:00:00.000001Z", True)):
        said = [event("feed.completed_through", "2026-03-06", feed="approvals", through=through)] if through else []
        assert ("facts.transfer" in unknown_of([grant(), move], Reference(said))) is not known
        assert "facts.transfer" not in unknown_of([grant(), given, move], Reference(said))


def test_a_burst_waits_for_the_calendar_of_launches() -> None:
    """Only in an hour beyond what is usual: nothing else of a usage waits for approvals."""
    hours = [usage(f"2026-02-01T0{hour}:00:00Z", "10") for hour in range(3)]
    for amount, waits in (("10", False), ("11", True)):
        used = [grant(), *hours, usage("2026-02-01T05:00:00Z", amount)]
        assert ("facts.launches" in unknown_of(used, Reference())) is waits
        assert "facts.approvals" not in unknown_of(used, Reference())
        assert "facts.launches" not in unknown_of(used, APPROVALS)


def test_a_journey_may_not_have_been_told_where_the_country_is_another() -> None:
    """At home, where the source names no country, or where the journey is known nothing is waited for."""
    hired = event("person.hired", "2026-01-01", person="p-1", jurisdiction="DE-BE")
    there = event("person.travel_recorded", "2026-01-02", person="p-1", country="IR")
    people = event("feed.completed_through", "2026-12-31", feed="people", through="2026-12-31")
    for region, before, said, waits in (
        ("IR", [hired], [], True), ("IR", [], [], True), ("IR", [hired], [people], False), ("IR", [hired, there], [], False),
        ("DE", [hired], [], False), ("us-east-1", [hired], [], False), (None, [hired], [], False),
    ):  # fmt: skip
        used = usage("2026-02-01", "1", **({"region": region} if region else {}))
        assert ("facts.travel" in unknown_of([grant(), *before, used], Reference(said))) is waits


def test_of_more_approvals_than_an_input_carries_none_is_told() -> None:
    """The one that counts may be among those that are left out."""
    about = {"kind": "person", "id": "p-1"}
    given = [
        event("approval.granted", "2026-01-02", approval_id=f"a{number}", kind="launch", approver="x", about=about)
        for number in range(17)
    ]
    assert "facts.approvals" not in unknown_of([grant(), *given[:16], usage("2026-02-01")], APPROVALS)
    assert "facts.approvals" in unknown_of([grant(), *given, usage("2026-02-01")], APPROVALS)
