"""The sources `gitea` and `forgejo`: what each delivery becomes, bare or in its line, and why some are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.domain.values import instant
from tests.intake.host_samples import RECEIVED, gitea, gitea_push, line
from tests.intake.samples import arrivals, encoded, events, refusal


def one(row: dict[str, Any], source: str = "gitea") -> Any:
    """Give the one event of one line."""
    (event,) = events(arrivals(source, encoded(row)))
    return event


def refused(row: Any) -> tuple[str, str]:
    """Give the code and field of the one refusal of one line."""
    found = refusal(arrivals("gitea", encoded(row)))
    return found.code, found.field


@pytest.mark.parametrize("source", ["gitea", "forgejo"])
def test_a_push_says_who_pushed_what_to_which_repository(source: str) -> None:
    """The repository is numbered on its own server; commits are counted by the host where it lists fewer."""
    event = one(line(gitea_push(total_commits=40), "push", delivery="g-1"), source)
    assert (event.type, event.id, event.source) == ("compute.repository.pushed.v1", "g-1", "git.octo.org")
    assert event.time == instant(RECEIVED)
    assert (event.data.repository, event.data.name, event.data.owner) == (
        "git.octo.org#61",
        "octo-org/engine",
        "git.octo.org/octo-org",
    )
    assert (event.data.owner_kind, event.data.private) == ("unknown", True)
    assert event.data.actor.value == "git.octo.org/mona"
    assert (event.data.ref, event.data.commits, event.data.signed_off) == ("refs/heads/main", 40, 1)
    assert event.data.authors == event.data.committers == ("mona@octo.org",)


SHAPES: list[tuple[dict[str, Any], str]] = [
    ({"ref": "dev", "ref_type": "branch", "sha": "c1"}, "create"),
    ({"ref": "dev", "ref_type": "branch", "pusher_type": "user"}, "delete"),
    ({"action": "opened", "issue": {"number": 1}}, "issues.opened"),
    ({"action": "created", "issue": {"number": 1}, "comment": {"id": 2}}, "issue_comment.created"),
    ({"action": "reviewed", "pull_request": {"number": 1}, "review": {}}, "pull_request.reviewed"),
    ({"action": "edited", "page": "Home"}, "wiki.edited"),
    ({"action": "completed", "workflow_run": {"id": 1}}, "workflow_run.completed"),
]


@pytest.mark.parametrize(("payload", "kind"), SHAPES)
def test_a_bare_payload_shows_its_kind_by_what_it_holds(payload: dict[str, Any], kind: str) -> None:
    """Its header is gone; in a line the header's word counts."""
    event = one(line(gitea(**payload)))
    assert (event.type, event.data.kind, event.data.ref) == ("compute.repository.observed.v1", kind, payload.get("ref"))
    assert one(line(gitea(**payload), "told")).data.kind == f"told.{payload['action']}" if "action" in payload else "told"


ACTS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"action": "created", "organization": {"login": "octo-org"}}, "created", {}),
    ({"action": "deleted", "organization": {"login": "octo-org"}}, "deleted", {}),
    (
        {"forkee": {"id": 62, "owner": {"login": "ann"}}},
        "forked",
        {"to_owner": "git.octo.org/ann", "to_repository": "git.octo.org#62"},
    ),
    ({"action": "published", "release": {"tag_name": "v1"}}, "released", {"tag": "v1", "prerelease": False}),
    (
        {"action": "created", "package": {"name": "engine", "version": "1.2", "type": "container"}},
        "artifact_published",
        {"artifact": "engine@1.2", "registry": "container"},
    ),
    (
        {
            "action": "closed",
            "number": 4,
            "pull_request": {"merged": True, "head": {"label": "fix", "ref": "fix", "repo": {"owner": {"login": "ann"}}}},
        },
        "pull_request",
        {"number": 4, "action": "merged", "merged": True, "head": "git.octo.org/ann:fix"},
    ),
]


@pytest.mark.parametrize(("payload", "verb", "said"), ACTS)
def test_acts_become_events_as_github_s_do(payload: dict[str, Any], verb: str, said: dict[str, Any]) -> None:
    """Gitea's payloads follow GitHub's."""
    found = one(line(gitea(**payload)))
    assert found.type == f"compute.repository.{verb}.v1"
    assert {key: getattr(found.data, key) for key in said} == said


EARLY, LATE = "2026-01-02T00:00:00Z", "2026-01-09T01:00:00+01:00"
NEVER = "0001-01-01T00:00:00Z"
TIMES: list[tuple[dict[str, Any], str]] = [
    ({"action": "opened", "issue": {"created_at": EARLY, "updated_at": LATE}}, EARLY),
    ({"action": "closed", "issue": {"created_at": EARLY, "updated_at": LATE, "closed_at": None}}, LATE),
    ({"action": "closed", "pull_request": {"merged_at": NEVER, "closed_at": LATE, "updated_at": EARLY}}, LATE),
    ({"action": "created", "organization": {"login": "octo-org"}}, "2026-01-01"),
]


@pytest.mark.parametrize(("payload", "expected"), TIMES)
def test_a_bare_payload_is_timed_by_the_server(payload: dict[str, Any], expected: str) -> None:
    """What Go writes for no time is no time."""
    assert one(gitea(**payload)).time == instant(expected)


@pytest.mark.parametrize(
    "payload",
    [
        gitea_push(),
        gitea(ref="dev", ref_type="branch"),
        gitea(action="deleted", issue={"updated_at": EARLY}, comment={"updated_at": EARLY}),
        gitea(action="synchronized", pull_request={"updated_at": EARLY}),
        gitea(action="created", issue={}, comment={"created_at": NEVER}),
    ],
)
def test_a_bare_payload_without_a_time_of_its_act_is_refused(payload: dict[str, Any]) -> None:
    """The repository's times are those before the act, a commit's are its author's."""
    assert refused(payload)[0] == "no-time"


WRONG: list[tuple[Any, tuple[str, str]]] = [
    ([], ("not-an-object", "")),
    (line(gitea(repository=None), "push"), ("no-repository", "payload.repository")),
    (line(gitea(repository=None, package={"name": "x"}, action="created")), ("no-repository", "payload.repository")),
    (line(gitea()), ("missing", "event")),
    (line(gitea(repository={"id": 1, "full_name": "a/b"}), "push"), ("no-host", "payload.repository.html_url")),
    (line(gitea_push(ref=None), "push"), ("missing", "payload.ref")),
    (line(gitea_push(), "push", host="no host"), ("invalid", "host")),
]


@pytest.mark.parametrize(("row", "expected"), WRONG)
def test_a_line_that_says_too_little_is_refused(row: Any, expected: tuple[str, str]) -> None:
    """Naming the field."""
    assert refused(row) == expected


def test_the_line_s_host_counts_where_the_payload_s_address_is_another() -> None:
    """A server behind a proxy writes its inner address."""
    assert one(line(gitea_push(), host="https://code.octo.org")).data.repository == "code.octo.org#61"


def test_a_payload_laid_out_for_people_is_one_delivery() -> None:
    """As files of payloads are."""
    content = json.dumps(line(gitea_push()), indent=2).encode()
    assert [event.data.commits for event in events(arrivals("gitea", content))] == [1]
