"""The source `bitbucket`: what deliveries of Cloud and of Data Center become, and why some are refused."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.values import instant
from tests.intake.host_samples import (
    BITBUCKET_UUID,
    RECEIVED,
    bitbucket,
    bitbucket_branch,
    bitbucket_push,
    data_center,
    line,
)
from tests.intake.samples import arrivals, encoded, events, refusal


def one(row: dict[str, Any]) -> Any:
    """Give the one event of one line."""
    (event,) = events(arrivals("bitbucket", encoded(row)))
    return event


def refused(row: Any) -> tuple[str, str]:
    """Give the code and field of the one refusal of one line."""
    found = refusal(arrivals("bitbucket", encoded(row)))
    return found.code, found.field


def test_each_branch_of_a_push_is_a_push() -> None:
    """With ids of its own; a person is known by their account id, an author by address, else by it too."""
    tag = {"new": {"type": "tag", "name": "v1"}}
    gone = {"new": None, "old": {"type": "branch", "name": "dev"}}
    push = bitbucket_push(bitbucket_branch("main", "x", "y\n\nSigned-off-by: Ann <ann@else.org>"), tag, gone)
    found = events(arrivals("bitbucket", encoded(line(push, "repo:push", delivery="g-1"))))
    assert [event.id for event in found] == ["g-1", "g-1/pushed-2", "g-1/pushed-3"]
    assert [(event.data.ref, event.data.commits) for event in found] == [
        ("refs/heads/main", 2),
        ("refs/tags/v1", 0),
        ("refs/heads/dev", 0),
    ]
    first = found[0].data
    assert (first.repository, first.name) == (f"bitbucket.org#{BITBUCKET_UUID}", "octo/engine")
    assert (first.owner, first.owner_kind, first.private) == ("bitbucket.org/octo", "organisation", True)
    assert (first.actor.value, first.authors, first.signed_off) == ("bitbucket.org/557058:c0de", ("ann@else.org",), 1)


COPY = {"uuid": "{00000000-0000-0000-0000-00000000000f}", "full_name": "ann/engine", "owner": {"type": "user"}}
ACTS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("repo:created", {}, "created", {}),
    ("repo:deleted", {}, "deleted", {}),
    ("repo:fork", {"fork": COPY}, "forked", {"to_owner": "bitbucket.org/ann", "to_owner_kind": "user"}),
    (
        "repo:transfer",
        {"previous_owner": {"username": "ann", "type": "user"}},
        "transferred",
        {"owner": "bitbucket.org/ann", "owner_kind": "user", "to_owner": "bitbucket.org/octo"},
    ),
    (
        "repo:updated",
        {"changes": {"is_private": {"old": True, "new": False}}},
        "visibility_changed",
        {"to": "public", "private": True},
    ),
    ("repo:updated", {"changes": {"name": {"old": "a", "new": "b"}}}, "observed", {"kind": "repo:updated"}),
    (
        "pullrequest:fulfilled",
        {"pullrequest": {"id": 3, "source": {"branch": {"name": "fix"}, "repository": {"full_name": "ann/engine"}}}},
        "pull_request",
        {"number": 3, "action": "merged", "merged": True, "head": "bitbucket.org/ann:fix"},
    ),
    ("pullrequest:rejected", {"pullrequest": {"id": 3}}, "pull_request", {"action": "closed", "merged": False}),
    ("pullrequest:approved", {"pullrequest": {"id": 3}}, "observed", {"kind": "pullrequest:approved"}),
]


@pytest.mark.parametrize(("event", "payload", "verb", "said"), ACTS)
def test_each_act_has_an_event_of_its_own(event: str, payload: dict[str, Any], verb: str, said: dict[str, Any]) -> None:
    """By the header's key."""
    found = one(line(bitbucket(**payload), event))
    assert found.type == f"compute.repository.{verb}.v1"
    assert {key: getattr(found.data, key) for key in said} == said


def test_without_received_the_servers_own_time_for_the_act_counts() -> None:
    """Created for what creates, updated for what changes."""
    times = {"created_on": "2026-01-02T00:00:00.5+00:00", "updated_on": "2026-01-09T00:00:00+00:00"}
    row = {"event": "pullrequest:created", "payload": bitbucket(pullrequest={"id": 1, **times})}
    assert one(row).time == instant("2026-01-02T00:00:00.5Z")
    assert one({**row, "event": "pullrequest:fulfilled"}).time == instant("2026-01-09")


def test_data_center_says_when_and_where_by_itself() -> None:
    """Its repositories are numbered, its projects are owners, its time has an offset."""
    event = one(
        data_center(commits=[{"message": "x", "author": {"emailAddress": "ann@else.org"}, "committer": {"name": "mona"}}])
    )
    assert (event.type, event.time) == ("compute.repository.pushed.v1", instant(RECEIVED))
    assert (event.data.repository, event.data.name) == ("bitbucket.octo.org#84", "ENG/engine")
    assert (event.data.owner, event.data.owner_kind, event.data.private) == ("bitbucket.octo.org/ENG", "organisation", True)
    assert (event.data.actor.value, event.data.ref, event.data.commits) == ("bitbucket.octo.org/mona", "refs/heads/main", 1)
    assert (event.data.authors, event.data.committers) == (("ann@else.org",), ("bitbucket.octo.org/mona",))


def test_a_fork_in_data_center_is_reported_by_the_copy_and_told_of_the_original() -> None:
    """Whose copy it is stands in the personal project's key."""
    original = data_center()["repository"]
    copy = {**original, "id": 85, "project": {"key": "~MONA", "type": "PERSONAL"}, "origin": original}
    event = one(data_center("repo:forked", repository=copy))
    assert (event.type, event.data.repository) == ("compute.repository.forked.v1", "bitbucket.octo.org#84")
    assert (event.data.to_owner, event.data.to_owner_kind, event.data.to_repository) == (
        "bitbucket.octo.org/mona",
        "user",
        "bitbucket.octo.org#85",
    )


def test_a_request_in_data_center_is_of_the_repository_it_goes_to() -> None:
    """And comes from a branch of another; what has no event of its own is observed."""
    to = data_center()["repository"]
    request = {"id": 5, "toRef": {"repository": to}, "fromRef": {"displayId": "fix", "repository": {"project": {"key": "~ANN"}}}}
    event = one(data_center("pr:merged", repository=None, pullRequest=request))
    assert (event.data.repository, event.data.action, event.data.head) == (
        "bitbucket.octo.org#84",
        "merged",
        "bitbucket.octo.org/~ANN:fix",
    )
    assert one(data_center("pr:comment:added", repository=None, pullRequest=request)).data.kind == "pr:comment:added"


WRONG: list[tuple[Any, tuple[str, str]]] = [
    (bitbucket_push(bitbucket_branch("main")), ("no-time", "received")),
    (line(bitbucket_push()), ("invalid", "payload.push.changes")),
    (line(bitbucket()), ("missing", "event")),
    (line(bitbucket(repository=None), "repo:push"), ("no-repository", "payload.repository")),
    (line(bitbucket(repository={"uuid": "x"}), "repo:push"), ("invalid", "payload.repository.uuid")),
    (line(bitbucket(fork={}), "repo:fork"), ("missing", "payload.fork.uuid")),
    (line(bitbucket(), "repo:transfer"), ("missing", "payload.previous_owner.username")),
    (data_center("project:modified", repository=None), ("no-repository", "payload.repository")),
    (data_center(changes=None), ("missing", "payload.changes")),
    (data_center(repository={"slug": "x"}), ("no-host", "host")),
    (data_center(date=None), ("no-time", "payload.date")),
]


@pytest.mark.parametrize(("row", "expected"), WRONG)
def test_a_delivery_that_says_too_little_is_refused(row: Any, expected: tuple[str, str]) -> None:
    """Naming the field."""
    assert refused(row) == expected
