"""Pushes outside the organisation: what the fold keeps of them is what counting them all again gives."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.aggregates import outside, person
from engine.domain.events import Event
from engine.domain.order import place
from engine.domain.reference import Reference
from engine.domain.values import DAY_US, instant
from tests.domain.make import event
from tests.domain.test_person import WINDOWS, grant, usage

LOGIN = {"kind": "login", "value": "github.com/a"}
LENGTH = 30
ACTS = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from(["r1", "r2", "r3"]), st.integers(0, 5), st.sampled_from([True, False, None])),
    max_size=400,
)


def push(time: str, repository: str = "r1", **more: Any) -> Event:
    """A push outside with two commits."""
    data: dict[str, Any] = {
        "actor": LOGIN,
        "action": "pushed",
        "repository": repository,
        "name": "n",
        "in_org": False,
        "commits": 2,
    } | more
    return event("contribution.attributed", time, **data)


@given(acts=ACTS)
@settings(max_examples=60, deadline=None)
def test_the_window_counts_what_counting_again_does(acts: list[tuple[int, str, int, bool | None]]) -> None:
    """For every push, of its repository alone, inside the half-open window; and it keeps little more than the window."""
    state, done, at = outside.Outside(LENGTH), [], 0
    for gap, repository, commits, in_org in acts:
        at += gap
        data = push("2026-01-01", repository, commits=commits, in_org=in_org).data
        if in_org is False:
            done.append((at, repository, commits))
        within = [c for when, where, c in done if where == repository and at - LENGTH < when <= at]
        facts = outside.pushed(state, at, data, [])
        assert (facts["pushes_30d"], facts["commits_30d"]) == (len(within), sum(within))
        live = [one for one in done if at - LENGTH < one[0]]
        assert set(state.counts) == {where for _, where, _ in live}
        assert len(state.pushes) <= max(2 * len(live) + 2, len(live) + 66)


def asked(events: list[Event], reference: Reference | None = None) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """Fold events in their order; give what is said of the outside at each push, and what is unknown."""
    complete = event("feed.completed_through", "2027-01-01", feed="disclosures", through="2027-01-01")
    state, found = person.start("p-1", WINDOWS), []
    for one in sorted(events, key=place):
        question = person.fold(state, one, place(one).time, reference or Reference([complete])).question
        if question is not None and "outside" in question.facts:
            found.append((question.facts["outside"], question.unknown))
    return found


def outside_of(*events: Event) -> dict[str, Any]:
    """What is said at the last push."""
    return asked(list(events))[-1][0]


def test_granted_compute_counts_for_thirty_days() -> None:
    """An instant less than thirty days is within, thirty days aren't; what no grant covers isn't granted."""
    used = usage("2026-01-02")
    assert outside_of(grant(), used, push("2026-01-31T23:59:59Z"))["granted"]
    assert not outside_of(grant(), used, push("2026-02-01"))["granted"]
    assert not outside_of(used, push("2026-01-03"))["granted"]
    assert instant("2026-02-01") - instant("2026-01-02") == WINDOWS[outside.PERIOD] == 30 * DAY_US


def test_a_disclosure_is_one_whatever_the_company_decides() -> None:
    """By name for its repository alone; one without a name for any; and only from when it was made."""
    told = {"person": "p-1", "disclosure_id": "d", "kind": "outside_activity"}
    named = event("disclosure.submitted", "2026-01-02", **told, repository="r1")
    rejected = event("disclosure.decided", "2026-01-03", person="p-1", disclosure_id="d", decision="rejected", decided_by="x")
    assert outside_of(named, rejected, push("2026-01-04"))["disclosure"] == "made"
    assert outside_of(named, push("2026-01-04", "r2"))["disclosure"] == "none"
    assert outside_of(event("disclosure.submitted", "2026-01-02", **told), push("2026-01-04"))["disclosure"] == "unnamed"
    assert outside_of(named, push("2026-01-01"))["disclosure"] == "none"


def test_no_disclosure_is_known_while_its_feed_may_lack_one() -> None:
    """The feed must be complete beyond the push; a disclosure that is there is known anyway."""
    told = event("disclosure.submitted", "2026-01-02", person="p-1", disclosure_id="d", kind="outside_activity", repository="r1")
    for through, known in (("2026-01-04", False), ("2026-01-04T00:00:01Z", True)):
        reference = Reference([event("feed.completed_through", "2026-02-01", feed="disclosures", through=through)])
        ((facts, unknown),) = asked([push("2026-01-04")], reference)
        assert ("disclosure" in facts, "facts.outside.disclosure" in unknown) == (known, not known)
    ((facts, unknown),) = asked([told, push("2026-01-04")], Reference())
    assert (facts["disclosure"], "facts.outside.disclosure" in unknown) == ("made", False)


def test_determinations_answer_their_own_question() -> None:
    """Own time and relatedness are kept apart, for their repository, from their day on; ownership stays what it was."""
    settled: dict[str, Any] = {"about": {"kind": "person", "id": "p-1"}, "decided_by": "x", "repository": "r1"}
    events = [
        event("determination.recorded", "2026-01-01", determination_id="1", question="ownership", answer="holder", **settled),
        event("determination.recorded", "2026-01-02", determination_id="2", question="own_time", answer="yes", **settled),
        event(
            "determination.recorded", "2026-01-03", determination_id="3", question="relatedness", answer="unrelated", **settled
        ),
    ]
    own = outside_of(*events, push("2026-01-04"))
    assert (own["own_time"], own["related"]) == ("yes", "unrelated")
    other = outside_of(*events, push("2026-01-04", "r2"))
    assert (other["own_time"], other["related"]) == ("undetermined", "undetermined")
    state = person.start("p-1", WINDOWS)
    for one in events[:2]:
        person.fold(state, one, place(one).time, Reference())
    assert state.determinations == {"ownership r1": "holder"}


def test_a_tie_to_company_terms_compute_is_never_forgotten() -> None:
    """By a trace at any push, or by the usage's own word; compute on the holder's terms ties nothing."""
    traced = usage("2026-01-02", session="s1")
    pushes = [push("2026-01-03", session="s1"), push("2026-06-03")]
    assert [facts["company_link"] for facts, _ in asked([grant(), traced, *pushes])] == [True, True]
    assert outside_of(grant(), usage("2026-01-02", repository="r1"), push("2026-06-03"))["company_link"]
    assert not outside_of(grant(), usage("2026-01-02", repository="r2"), push("2026-06-03"))["company_link"]
    assert not outside_of(grant(ip_terms="holder"), traced, *pushes)["company_link"]
