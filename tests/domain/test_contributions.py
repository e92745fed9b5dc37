"""Readings before and after notice, whose names commits carry, and memberships: what the rules are asked of them."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.aggregates import alias, authorship, person, reading
from engine.domain.events import Event
from engine.domain.events.derived import AliasHeld
from engine.domain.order import place
from engine.domain.reference import Reference
from engine.domain.values import DAY_US, instant, instant_text
from tests.domain.make import event
from tests.domain.test_person import WINDOWS, grant

LOGIN = {"kind": "login", "value": "github.com/a"}
MAIL = {"kind": "email", "value": "Ada@acme.example"}
LENGTH = 30
COMPLETE = [
    event("feed.completed_through", "2027-01-01", feed=feed, through="2027-01-01") for feed in ("people", "repositories")
]  # fmt: skip


def act(time: str, action: str = "downloaded", **more: Any) -> Event:
    """Something done in a private repository of ours."""
    data: dict[str, Any] = {"actor": LOGIN, "action": action, "repository": "r1", "name": "n", "in_org": True, "private": True}
    return event("contribution.attributed", time, **data | more)


def asked(events: list[Event], reference: Reference) -> list[tuple[dict[str, Any], dict[str, Any], dict[str, str]]]:
    """Fold events in their order; give each question: its event, its facts, what is unknown."""
    state, found = person.start("p-1", WINDOWS), []
    for one in sorted(events, key=place):
        effects = person.fold(state, one, place(one).time, reference)
        if effects.question is not None:
            found.append((effects.question.event, effects.question.facts, effects.question.unknown))
    return found


@given(gaps=st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["r1", "r2"])), max_size=120))
@settings(max_examples=60, deadline=None)
def test_the_windows_count_what_counting_again_does(gaps: list[tuple[int, str]]) -> None:
    """Of the repository alone, each half-open; the median is of those that lie after the person was first heard of."""
    state, done, at = reading.Reading(LENGTH), [], 0
    for gap, repository in gaps:
        at += gap
        reading.heard(state, at)
        reading.read(state, act("2026-01-01", repository=repository).data, at)
        done.append((at, repository))
        counts = [
            sum(where == repository and at - (n + 1) * LENGTH < when <= at - n * LENGTH for when, where in done) for n in range(4)
        ]  # fmt: skip
        whole = [counts[n] for n in range(1, 4) if done[0][0] <= at - (n + 1) * LENGTH]
        said = reading.facts(state, repository, at)
        assert (said["window"], said["windows"]) == (counts[0], len(whole))
        assert said["usual"] == (sorted(whole)[len(whole) // 2] if whole else 0)


def test_notice_has_what_was_read_lately_looked_at_again() -> None:
    """Each repository read in the window before it, once, at its very instant and after it; what is older isn't."""
    state = person.start("p-1", WINDOWS)
    notice = event("person.notice_given", "2026-06-01", person="p-1")
    for one in (act("2026-04-30", repository="old"), act("2026-05-20"), act("2026-05-21"), act("2026-05-22", repository="r2")):
        person.fold(state, one, one.time, Reference())
    derived = person.fold(state, notice, notice.time, Reference()).derived
    assert [(d.target, d.event.data.repository) for d in derived] == [("acme/person/p-1", "r1"), ("acme/person/p-1", "r2")]
    assert all(place(d.event) > place(notice) and d.event.time == notice.time for d in derived)
    question = person.fold(state, derived[0].event, notice.time, Reference(COMPLETE)).question
    assert question is not None
    assert question.facts["exit"]["state"] == "notice"
    assert question.facts["downloads"] == {"window": 2, "usual": 0, "windows": 0}


def test_the_usual_is_known_only_where_the_feed_is_complete_up_to_the_window() -> None:
    """An instant less, and it isn't; without notice nobody looks at it."""
    hired, notice = event("person.hired", "2026-01-01", person="p-1"), event("person.notice_given", "2026-06-01", person="p-1")
    start = instant("2026-06-10T00:00:00Z") - 30 * DAY_US
    for through, known in ((start, False), (start + 1, True)):
        said = event("feed.completed_through", "2026-07-01", feed="repositories", through=instant_text(through))
        (_, facts, unknown) = asked([hired, notice, act("2026-06-10")], Reference([said]))[-1]
        assert ("usual" in facts["downloads"], "facts.downloads.usual" in unknown) == (known, not known)
    assert "usual" in asked([hired, act("2026-06-10")], Reference())[-1][1]["downloads"]


def test_a_handover_covers_its_repository_and_its_time() -> None:
    """From its record to its end, of the repository it names or of any."""
    for named, until, agreed in (
        ("r1", "2026-06-11", True),
        (None, None, True),
        ("r2", None, False),
        ("r1", "2026-06-10", False),
    ):
        more = {"repository": named, "until": until}
        given_ = event("person.handover_recorded", "2026-06-01", person="p-1", **{k: v for k, v in more.items() if v})
        assert asked([given_, act("2026-06-10")], Reference())[-1][1]["handover"] == ("agreed" if agreed else "none")


def test_authors_are_the_sender_where_a_link_says_so() -> None:
    """In any case of letters, while it holds; bots are told by their host, and stand last."""
    own = authorship.Authorship()
    authorship.learn(own, event("alias.held", "2026-01-01", alias=MAIL, person="p-1", held=True).data)
    push = act(
        "2026-02-01", "pushed", authors=["x[bot]@b.example", "ADA@acme.example", "eve@b.example"], committers=["ada@acme.example"]
    )
    assert authorship.facts(own, push.data, 5) == {
        "foreign": ["eve@b.example", "x[bot]@b.example"], "bots": ["x[bot]@b.example"], "committed": True, "coauthor": False,
    }  # fmt: skip
    authorship.learn(own, event("alias.held", "2026-03-01", alias=MAIL, person="p-1", held=False).data)
    said = authorship.facts(
        own, act("2026-03-02", "pushed", authors=["ada@acme.example"], coauthors=["ada@acme.example"]).data, 5
    )
    assert (said["foreign"], said["committed"], said["coauthor"]) == (["ada@acme.example"], False, False)


def test_whose_a_foreign_name_is_isnt_known_while_the_directory_may_be_silent() -> None:
    """A push without foreign names needs no feed; one with them needs it beyond the push."""
    for authors, through, known in (
        ([], "2026-01-01", True),
        (["e@b.example"], "2026-02-01", False),
        (["e@b.example"], "2026-02-02", True),
    ):
        reference = Reference([event("feed.completed_through", "2026-07-01", feed="people", through=through)])
        (_, facts, unknown) = asked([act("2026-02-01", "pushed", authors=authors)], reference)[-1]
        assert ("authorship" in facts, "facts.authorship" in unknown) == (known, not known)


def test_an_alias_tells_whoever_it_is_verified_to_be_of() -> None:
    """And whoever it was of before; from when the link is valid, until its end. Keys and Unix users are nobody's address."""
    state, said = alias.State(), []
    steps: tuple[tuple[str, str, dict[str, Any]], ...] = (
        (
            "2026-01-01",
            "alias.linked",
            {"target": {"kind": "person", "id": "p-1"}, "verified": True, "valid_until": "2026-12-01"},
        ),
        ("2026-02-01", "alias.linked", {"target": {"kind": "person", "id": "p-2"}, "verified": True, "valid_from": "2026-01-15"}),
        ("2026-03-01", "alias.unlinked", {}),
        ("2026-04-01", "alias.unlinked", {}),
    )
    for time, kind, more in steps:
        one = event(kind, time, alias=MAIL, **more)
        for derived in alias.fold(state, one, place(one).time).derived:
            data = derived.event.data
            assert isinstance(data, AliasHeld)
            said.append((derived.target[-3:], data.held, derived.event.time == place(one).time, data.until is not None))
    assert said == [
        ("p-1", True, True, True),
        ("p-1", False, True, False),
        ("p-2", True, True, False),
        ("p-2", False, True, False),
    ]
    user = event(
        "alias.linked",
        "2026-01-01",
        alias={"kind": "unix_user", "value": "u"},
        target={"kind": "person", "id": "p"},
        verified=True,
    )
    assert alias.fold(alias.State(), user, user.time).derived == []


def test_a_membership_is_asked_of_as_it_is_told() -> None:
    """In small letters, whether it goes on, and whether a grant is in force."""
    told = event("person.membership_recorded", "2026-03-01", person="p-1", member_of="GitHub.com/Rival", basis="declared")
    over = event(
        "person.membership_recorded", "2026-03-02", person="p-1", member_of="r", basis="supplied", until="2026-03-02"
    )  # fmt: skip
    (first, holding, _), (_, ended, _) = asked([grant("2026-01-01"), told, over], Reference())
    assert (first["member_of"], first["basis"], holding["membership"], holding["grant_holder"]) == (
        "github.com/rival", "declared", "current", True,
    )  # fmt: skip
    assert ended["membership"] == "ended"
    assert asked([told], Reference())[0][1]["grant_holder"] is False


def test_who_may_have_left_and_not_been_told_of_is_no_member_of_anything() -> None:
    """Whether the engagement goes on isn't known before the feed of people has said so; that it ended is."""
    told = event("person.membership_recorded", "2026-03-01", person="p-1", member_of="r", basis="declared")
    left = event("person.terminated", "2026-02-01", person="p-1")
    people = event("feed.completed_through", "2026-07-01", feed="people", through="2026-07-01")
    for events, said, known in (([told], [], False), ([told], [people], True), ([left, told], [], True)):
        _, facts, unknown = asked(events, Reference(said))[-1]
        assert ("exit" in facts, "facts.exit" in unknown) == (known, not known)


def test_a_handover_may_not_have_been_told_yet() -> None:
    """Of somebody on notice it waits for the feeds of people and of approvals; of nobody else."""
    hired, notice = event("person.hired", "2026-01-01", person="p-1"), event("person.notice_given", "2026-06-01", person="p-1")
    said = [event("feed.completed_through", "2026-07-01", feed=one, through="2026-07-01") for one in ("people", "approvals")]
    silent = {"facts.handover", "facts.approvals"}
    assert silent.isdisjoint(asked([hired, act("2026-06-10")], Reference())[-1][2])
    assert silent <= asked([hired, notice, act("2026-06-10")], Reference())[-1][2].keys()
    assert silent.isdisjoint(asked([hired, notice, act("2026-06-10")], Reference(said))[-1][2])
