"""The source `gharchive`: what GitHub's public events become."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.values import instant
from tests.intake.host_samples import RECEIVED, public_event
from tests.intake.samples import arrivals, encoded, events, refusal


def one(row: Any) -> Any:
    """Give the one event of one line."""
    (event,) = events(arrivals("gharchive", encoded(row)))
    return event


def test_a_push_says_who_pushed_what_and_when_by_githubs_clock() -> None:
    """It lists up to 20 commits and counts all; addresses are hashed by the archive."""
    commit = {"message": "x", "author": {"email": "c67a0d7e@gmail.com"}}
    event = one(public_event("PushEvent", payload={"ref": "refs/heads/main", "size": 30, "commits": [commit]}))
    assert (event.type, event.source, event.id) == ("compute.repository.pushed.v1", "github.com/events", "4243622490")
    assert event.time == instant(RECEIVED)
    assert (event.data.repository, event.data.name) == ("github.com#17", "octo-org/engine")
    assert (event.data.owner, event.data.owner_kind, event.data.private) == ("github.com/octo-org", "organisation", False)
    assert (event.data.actor.value, event.data.commits, event.data.authors) == ("github.com/mona", 30, ("c67a0d7e@gmail.com",))


ACTS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("CreateEvent", {"ref_type": "repository", "ref": None}, "created", {}),
    ("CreateEvent", {"ref_type": "branch", "ref": "dev"}, "observed", {"kind": "create", "ref": "dev"}),
    ("PublicEvent", {}, "visibility_changed", {"to": "public", "private": True}),
    ("ForkEvent", {"forkee": {"id": 18, "owner": {"login": "ann"}}}, "forked", {"to_owner": "github.com/ann"}),
    ("MemberEvent", {"action": "added", "member": {"login": "ann"}}, "member_changed", {"change": "added"}),
    ("ReleaseEvent", {"action": "published", "release": {"tag_name": "v1"}}, "released", {"tag": "v1"}),
    (
        "PullRequestEvent",
        {"action": "closed", "number": 3, "pull_request": {"merged": True}},
        "pull_request",
        {"number": 3, "action": "merged"},
    ),
    ("PullRequestReviewCommentEvent", {"action": "created"}, "observed", {"kind": "pull_request_review_comment.created"}),
    ("NewKindEvent", {}, "observed", {"kind": "new_kind"}),
]


@pytest.mark.parametrize(("word", "payload", "verb", "said"), ACTS)
def test_acts_become_events_as_those_of_webhooks_do(word: str, payload: dict[str, Any], verb: str, said: dict[str, Any]) -> None:
    """Under the names webhooks have for them."""
    found = one(public_event(word, payload=payload))
    assert found.type == f"compute.repository.{verb}.v1"
    assert {key: getattr(found.data, key) for key in said} == said


def test_whose_a_repository_is_stays_unknown_unless_an_organisations() -> None:
    """Its name says the owner, `org` says that it is an organisation."""
    event = one(public_event("WatchEvent", org=None, repo={"id": 17, "name": "ann/engine"}))
    assert (event.data.owner, event.data.owner_kind) == ("github.com/ann", "unknown")


def test_a_page_of_the_events_api_is_read_as_its_events() -> None:
    """A list in one document; one wrong event costs itself alone."""
    found = arrivals("gharchive", encoded([public_event("WatchEvent", "1"), {}, public_event("WatchEvent", "2")]))
    assert [one.event.id for one in found if one.event] == ["1", "2"]
    assert [one.where for one in found if one.refusal] == ["file:1 [1]"]


WRONG: list[tuple[Any, tuple[str, str]]] = [
    ("x", ("invalid", "the record")),
    (public_event("Push"), ("invalid", "type")),
    (public_event("PushEvent", id=None), ("missing", "id")),
    (public_event("PushEvent", created_at=None), ("invalid-time", "created_at")),
    (public_event("PushEvent", repo={"id": 17}), ("missing", "repo.name")),
    (public_event("PushEvent", repo={"id": 17, "name": "engine"}), ("invalid", "repo.name")),
    (public_event("PushEvent", repo={"id": "17", "name": "a/b"}), ("invalid", "repo.id")),
    (public_event("PushEvent"), ("missing", "payload.ref")),
]


@pytest.mark.parametrize(("row", "expected"), WRONG)
def test_an_event_that_says_too_little_is_refused(row: Any, expected: tuple[str, str]) -> None:
    """Naming the field."""
    found = refusal(arrivals("gharchive", encoded(row)))
    assert (found.code, found.field) == expected
