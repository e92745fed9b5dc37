"""The source `gitlab`: what project, group and system hooks become, and why some are refused."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.values import instant
from tests.intake.host_samples import gitlab, gitlab_push, line
from tests.intake.samples import arrivals, encoded, events, refusal

SYSTEM = {"project_id": 74, "path_with_namespace": "octo/engine", "project_visibility": "internal", "user": None, "project": None}
SPOKEN = {"project": None, "user": None}


def one(row: dict[str, Any]) -> Any:
    """Give the one event of one line."""
    (event,) = events(arrivals("gitlab", encoded(row)))
    return event


def refused(row: Any) -> tuple[str, str]:
    """Give the code and field of the one refusal of one line."""
    found = refusal(arrivals("gitlab", encoded(row)))
    return found.code, found.field


def test_a_push_says_who_pushed_what_to_which_project() -> None:
    """The owner is the group with the groups above it; all commits are counted, the listed ones name their authors."""
    event = one(line(gitlab_push(), "Push Hook", delivery="g-1"))
    assert (event.type, event.id, event.source) == ("compute.repository.pushed.v1", "g-1", "gitlab.octo.org")
    assert (event.data.repository, event.data.name) == ("gitlab.octo.org#15", "octo/tools/engine")
    assert (event.data.owner, event.data.owner_kind, event.data.private) == ("gitlab.octo.org/octo/tools", "unknown", True)
    assert event.data.actor.value == "gitlab.octo.org/mona"
    assert (event.data.ref, event.data.commits, event.data.authors) == ("refs/heads/main", 3, ("ann@else.org",))


def test_a_push_that_removes_the_licence_changes_it() -> None:
    """Told apart from the push by its verb."""
    row = line(gitlab_push(commits=[{"removed": ["LICENSE"]}]), delivery="g-1")
    pushed, changed = events(arrivals("gitlab", encoded(row)))
    assert (pushed.id, changed.id, changed.data.after) == ("g-1", "g-1/licence_changed", "none")


ACTS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"object_kind": "tag_push", "ref": "refs/tags/v1", "user_username": "mona"}, "pushed", {"ref": "refs/tags/v1"}),
    (
        {
            "object_kind": "merge_request",
            "object_attributes": {
                "iid": 9,
                "action": "merge",
                "source_branch": "fix",
                "source": {"path_with_namespace": "ann/engine"},
            },
        },
        "pull_request",
        {"number": 9, "action": "merged", "merged": True, "head": "gitlab.octo.org/ann:fix"},
    ),
    ({"object_kind": "merge_request", "object_attributes": {"iid": 9, "action": "open"}}, "pull_request", {"action": "opened"}),
    (
        {"object_kind": "merge_request", "object_attributes": {"action": "approved"}},
        "observed",
        {"kind": "merge_request.approved"},
    ),
    ({"object_kind": "release", "action": "create", "tag": "v1"}, "released", {"tag": "v1"}),
    ({"object_kind": "release", "action": "delete", "tag": "v1"}, "observed", {"kind": "release.delete"}),
    ({"object_kind": "pipeline", "object_attributes": {"id": 1}}, "observed", {"kind": "pipeline"}),
    ({"event_name": "project_create", **SYSTEM}, "created", {"repository": "gitlab.octo.org#74", "private": True}),
    ({"event_name": "project_destroy", **SYSTEM}, "deleted", {"owner": "gitlab.octo.org/octo"}),
    ({"event_name": "project_update", **SYSTEM}, "observed", {"kind": "project_update"}),
    (
        {"event_name": "project_transfer", "old_path_with_namespace": "ann/engine", **SYSTEM},
        "transferred",
        {"owner": "gitlab.octo.org/ann", "to_owner": "gitlab.octo.org/octo"},
    ),
    (
        {
            "event_name": "user_add_to_team",
            "user_username": "ann",
            "access_level": "Maintainer",
            "project_id": 74,
            "project_path_with_namespace": "octo/engine",
            "project_visibility": "visibilitylevel|private",
            **SPOKEN,
        },
        "member_changed",
        {"change": "added", "permission": "Maintainer", "actor": None, "private": True},
    ),
    (
        {"event_name": "user_remove_from_group", "user_username": "ann", "group_path": "octo", "group_access": "Guest", **SPOKEN},
        "member_changed",
        {"change": "removed", "repository": "gitlab.octo.org/octo/*", "owner": "gitlab.octo.org/octo"},
    ),
]


@pytest.mark.parametrize(("payload", "verb", "said"), ACTS)
def test_each_act_has_an_event_of_its_own(payload: dict[str, Any], verb: str, said: dict[str, Any]) -> None:
    """Hooks of projects, groups and the system; whose login a membership names is the member's, not the actor's."""
    found = one(line(gitlab(**payload), host="https://gitlab.octo.org/"))
    assert found.type == f"compute.repository.{verb}.v1"
    assert {key: getattr(found.data, key) for key in said} == said
    if verb == "member_changed":
        assert found.data.member.value == "gitlab.octo.org/ann"


def test_a_project_is_found_where_the_payload_has_it() -> None:
    """A job has its repository's address, a vulnerability its own, and a group's request of old no number."""
    job = {
        "object_kind": "build",
        "project_id": 7,
        "repository": {"homepage": "https://gitlab.octo.org/octo/engine", "visibility_level": 20},
    }
    event = one(line(gitlab(project=None, **job)))
    assert (event.data.repository, event.data.name, event.data.private) == ("gitlab.octo.org#7", "octo/engine", False)
    flaw = {"url": "https://gitlab.octo.org/octo/engine/-/security/vulnerabilities/1", "project_id": 7}
    event = one(line(gitlab(project=None, object_kind="vulnerability", object_attributes=flaw)))
    assert (event.data.repository, event.data.name, event.data.private) == ("gitlab.octo.org#7", "octo/engine", None)
    old = {"web_url": "https://gitlab.octo.org/Octo/Engine", "path_with_namespace": "Octo/Engine", "visibility": "public"}
    event = one(line(gitlab(project=old, object_kind="merge_request")))
    assert (event.data.repository, event.data.name, event.data.private) == ("gitlab.octo.org/octo/engine", "Octo/Engine", False)


EARLY, LATE = "2026-01-02 00:00:00 UTC", "2026-01-09T00:00:00Z"
TIMES: list[tuple[dict[str, Any], str]] = [
    ({"object_kind": "issue", "object_attributes": {"action": "open", "created_at": EARLY, "updated_at": LATE}}, "2026-01-02"),
    ({"object_kind": "issue", "object_attributes": {"action": "update", "created_at": EARLY, "updated_at": LATE}}, "2026-01-09"),
    ({"object_kind": "build", "build_created_at": EARLY, "build_finished_at": None}, "2026-01-02"),
    ({"object_kind": "release", "action": "create", "created_at": EARLY, "released_at": LATE}, "2026-01-02"),
]


@pytest.mark.parametrize(("payload", "expected"), TIMES)
def test_a_bare_payload_is_timed_by_the_server(payload: dict[str, Any], expected: str) -> None:
    """In either of the forms GitLab writes; when a release is dated is its author's word."""
    assert one(gitlab(**payload)).time == instant(expected)


WRONG: list[tuple[Any, tuple[str, str]]] = [
    (gitlab_push(), ("no-time", "received")),
    (gitlab(object_kind="release", action="delete", created_at=EARLY), ("no-time", "received")),
    (gitlab(object_kind="wiki_page"), ("no-time", "received")),
    (gitlab(event_name="project_create", created_at=EARLY, **SYSTEM), ("no-host", "host")),
    (gitlab(event_name="user_create", created_at=EARLY, **SPOKEN), ("no-repository", "payload.project")),
    (line(gitlab(event_name="group_create", **SPOKEN)), ("no-repository", "payload.project")),
    (line(gitlab(object_kind="new_kind", **SPOKEN), host="gitlab.octo.org"), ("no-repository", "payload.project")),
    (line(gitlab()), ("missing", "event")),
    (line(gitlab_push(ref=None)), ("missing", "payload.ref")),
    (line(gitlab(object_kind="push", project={"id": "x", "web_url": "https://g.org/a/b"})), ("invalid", "payload.project.id")),
    (
        line(gitlab(object_kind="push", project={"id": 1, "web_url": "https://g.org"})),
        ("missing", "payload.project.path_with_namespace"),
    ),
    (
        line(gitlab(object_kind="push", project={"id": 1, "web_url": "https://g.org/a"})),
        ("invalid", "payload.project.path_with_namespace"),
    ),
    (
        line(gitlab(event_name="user_add_to_team", project_id=1, project_path_with_namespace="a/b", **SPOKEN), host="g"),
        ("missing", "payload.user_username"),
    ),
    (line(gitlab(event_name="user_add_to_group", user_username="ann", **SPOKEN), host="g"), ("missing", "payload.group_path")),
    (line(gitlab(event_name="project_transfer", **SYSTEM), host="g"), ("missing", "payload.old_path_with_namespace")),
]


@pytest.mark.parametrize(("row", "expected"), WRONG)
def test_a_delivery_that_says_too_little_is_refused(row: Any, expected: tuple[str, str]) -> None:
    """Naming the field."""
    assert refused(row) == expected
