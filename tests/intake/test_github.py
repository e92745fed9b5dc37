"""The source `github`: what each delivery becomes, when it happened, and why some are refused."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.values import instant
from engine.intake.contract import Options
from tests.intake.samples import NOW, arrivals, delivery, encoded, events, refusal, repository

RECEIVED = instant("2026-03-04T05:06:07Z")


def one(row: dict[str, Any]) -> Any:
    """Give the one event of one delivery."""
    (event,) = events(arrivals("github", encoded(row)))
    return event


def refused(row: Any) -> tuple[str, str]:
    """Give the code and field of the one refusal of one line."""
    found = refusal(arrivals("github", encoded(row)))
    return found.code, found.field


def commit(message: str, author: str = "mona@octo.org", committer: str = "noreply@github.com") -> dict[str, Any]:
    """Make a commit with a date of its author's choosing."""
    return {
        "message": message,
        "timestamp": "1999-01-01T00:00:00Z",
        "author": {"email": author, "username": "mona"},
        "committer": {"email": committer},
    }


def test_a_push_says_who_pushed_what_and_what_its_commits_declare() -> None:
    """Sender, authors and committers are kept apart; trailers are counted; the links to compute are read."""
    signed = "Train\n\nSigned-off-by: Mona <mona@octo.org>\nCo-authored-by: Claude <noreply@anthropic.com>\n"
    linked = "Ship\n\nCompute-Session: s-9\nCompute-Job: 42\nArtifact-Digest: sha256:ab\nArtifact-Digest: sha256:cd"
    row = delivery("push", ref="refs/heads/main", commits=[commit(signed), commit(linked, author="ann@else.org"), commit("Fix")])
    event = one(row)
    assert event.type == "compute.repository.pushed.v1"
    assert event.time == RECEIVED
    assert event.data.repository == "github.com#17"
    assert (event.data.name, event.data.owner, event.data.owner_kind) == (
        "octo-org/engine",
        "github.com/octo-org",
        "organisation",
    )
    assert event.data.private is True
    assert event.data.actor.id == "login:github.com/mona"
    assert (event.data.ref, event.data.branch, event.data.commits) == ("refs/heads/main", "main", 3)
    assert event.data.authors == ("mona@octo.org", "ann@else.org")
    assert event.data.committers == ("noreply@github.com",)
    assert (event.data.signed_off, event.data.ai_coauthored) == (1, 1)
    assert (event.data.session, event.data.job_id) == ("s-9", "42")
    assert event.data.artifacts == ("sha256:ab", "sha256:cd")


def test_an_author_without_an_address_is_named_by_login() -> None:
    """And one without either isn't named."""
    nameless = [{"message": "x", "author": {"username": "ann", "email": ""}, "committer": None}, {"message": 5}]
    event = one(delivery("push", ref="refs/heads/main", commits=nameless))
    assert (event.data.authors, event.data.committers, event.data.commits) == (("github.com/ann",), (), 2)


def test_a_fork_goes_to_the_owner_of_the_copy() -> None:
    """The repository is the one forked; the copy is named."""
    copy = {"id": 18, "owner": {"login": "ann", "type": "User"}}
    event = one(delivery("fork", forkee=copy))
    assert event.type == "compute.repository.forked.v1"
    assert (event.data.repository, event.data.to_repository) == ("github.com#17", "github.com#18")
    assert (event.data.to_owner, event.data.to_owner_kind) == ("github.com/ann", "user")


@pytest.mark.parametrize(
    ("event", "action", "changed", "to", "before"),
    [
        ("public", None, {"private": False}, "public", True),
        ("repository", "publicized", {"private": False}, "public", True),
        ("repository", "privatized", {}, "private", False),
        ("repository", "privatized", {"visibility": "internal"}, "internal", False),
    ],
)
def test_a_change_of_visibility_says_what_was_before(
    event: str, action: str | None, changed: Any, to: str, *, before: bool
) -> None:
    """The payload shows the repository after the act; `private` is of the moment before it."""
    found = one(delivery(event, action, repository=repository(**changed)))
    assert found.type == "compute.repository.visibility_changed.v1"
    assert (found.data.to, found.data.private) == (to, before)


@pytest.mark.parametrize(
    ("before", "owner", "kind"),
    [
        ({"user": {"login": "ann", "type": "User"}}, "github.com/ann", "user"),
        ({"organization": {"login": "old-org"}}, "github.com/old-org", "organisation"),
    ],
)
def test_a_transfer_goes_from_the_owner_before_to_the_owner_now(before: Any, owner: str, kind: str) -> None:
    """The payload's repository is already the new owner's."""
    event = one(delivery("repository", "transferred", changes={"owner": {"from": before}}))
    assert event.type == "compute.repository.transferred.v1"
    assert (event.data.owner, event.data.owner_kind) == (owner, kind)
    assert (event.data.to_owner, event.data.to_owner_kind) == ("github.com/octo-org", "organisation")


def test_a_transfer_that_names_no_owner_before_is_refused() -> None:
    """Whose it was is what the transfer is judged by."""
    assert refused(delivery("repository", "transferred")) == ("missing", "payload.changes.owner.from.login")


@pytest.mark.parametrize(
    ("event", "action", "kind"),
    [
        ("issues", "opened", "issues.opened"),
        ("repository", "renamed", "repository.renamed"),
        ("create", None, "create"),
        ("new_kind", "x", "new_kind.x"),
    ],
)
def test_other_acts_on_a_repository_are_observed(event: str, action: str | None, kind: str) -> None:
    """Kinds GitHub adds later too: nothing about a repository is lost."""
    found = one(delivery(event, action))
    assert (found.type, found.data.kind) == ("compute.repository.observed.v1", kind)


def test_a_created_repository_is_created() -> None:
    """With the time it came to be where the line has none."""
    event = one(delivery("repository", "created", top={}))
    assert (event.type, event.time) == ("compute.repository.created.v1", instant("2020-01-01"))


ACTS: list[tuple[str, str, dict[str, Any], str, dict[str, Any]]] = [
    ("member", "added", {"member": {"login": "ann"}}, "member_changed", {"change": "added", "permission": None}),
    (
        "member",
        "edited",
        {"member": {"login": "ann"}, "changes": {"permission": {"from": "read", "to": "admin"}}},
        "member_changed",
        {"change": "edited", "permission": "admin"},
    ),
    ("member", "removed", {"member": {"login": "ann"}}, "member_changed", {"change": "removed"}),
    (
        "release",
        "published",
        {"release": {"tag_name": "v1", "prerelease": True}},
        "released",
        {"tag": "v1", "prerelease": True},
    ),
    ("repository", "archived", {}, "archived", {"archived": True}),
    ("repository", "unarchived", {}, "archived", {"archived": False}),
    ("repository", "deleted", {}, "deleted", {"repository": "github.com#17"}),
    (
        "repository",
        "edited",
        {"changes": {"license": {"from": {"spdx_id": "MIT"}}}},
        "licence_changed",
        {"before": "MIT", "after": "none"},
    ),
    (
        "package",
        "published",
        {"package": {"name": "engine", "ecosystem": "npm", "package_version": {"version": "1.2"}}},
        "artifact_published",
        {"artifact": "engine@1.2", "registry": "npm"},
    ),
    (
        "registry_package",
        "published",
        {
            "registry_package": {
                "name": "engine",
                "registry": {"url": "https://ghcr.io"},
                "package_version": {"container_metadata": {"tag": {"digest": "sha256:ab"}}},
            }
        },
        "artifact_published",
        {"artifact": "sha256:ab", "registry": "https://ghcr.io"},
    ),
    (
        "pull_request",
        "opened",
        {"number": 7, "pull_request": {"commits": 2, "head": {"label": "ann:fix"}}},
        "pull_request",
        {"number": 7, "action": "opened", "merged": False, "commits": 2, "head": "github.com/ann:fix"},
    ),
    (
        "pull_request",
        "closed",
        {"pull_request": {"number": 7, "merged": True}},
        "pull_request",
        {"number": 7, "action": "merged", "merged": True, "head": None},
    ),
    (
        "pull_request",
        "closed",
        {"pull_request": {"number": 7, "merged": False}},
        "pull_request",
        {"action": "closed", "merged": False},
    ),
]


@pytest.mark.parametrize(("event", "action", "payload", "verb", "said"), ACTS)
def test_each_act_has_an_event_of_its_own(
    event: str, action: str, payload: dict[str, Any], verb: str, said: dict[str, Any]
) -> None:
    """With what GitHub says of it; who acted is the sender, whom it concerns stands beside."""
    found = one(delivery(event, action, **payload))
    assert found.type == f"compute.repository.{verb}.v1"
    assert {key: getattr(found.data, key) for key in said} == said
    assert found.data.actor.value == "github.com/mona"
    if event == "member":
        assert found.data.member.value == "github.com/ann"


@pytest.mark.parametrize(
    ("ref", "files", "after"),
    [
        ("refs/heads/main", {"removed": ["LICENSE"]}, "none"),
        ("refs/heads/main", {"removed": ["LICENSE"], "added": ["LICENCE.md"]}, "unknown"),
        ("refs/heads/main", {"modified": ["COPYING"]}, "unknown"),
        ("refs/heads/other", {"removed": ["LICENSE"]}, ""),
        ("refs/heads/main", {"removed": ["src/LICENSE", "licensed.py"]}, ""),
    ],
)
def test_a_push_that_touches_the_licence_is_a_change_of_licence_too(ref: str, files: Any, after: str) -> None:
    """On the default branch, at the root; the second event is told apart from the push by its verb."""
    main = repository(default_branch="main")
    row = delivery("push", top={"delivery": "g-1", "received": "2026-03-04"}, ref=ref, repository=main, commits=[files])
    found = events(arrivals("github", encoded(row)))
    changed = [(event.id, event.data.before, event.data.after) for event in found[1:]]
    assert found[0].id == "g-1"
    assert changed == ([("g-1/licence_changed", "unknown", after)] if after else [])


def test_membership_of_an_organisation_is_access_to_all_it_owns() -> None:
    """It names no repository, and counts for all of them."""
    about: dict[str, Any] = {"organization": {"login": "Octo-Org"}, "membership": {"role": "admin", "user": {"login": "ann"}}}
    event = one(delivery("organization", "member_added", repository=None, **about))
    assert (event.data.repository, event.data.owner) == ("github.com/octo-org/*", "github.com/Octo-Org")
    assert (event.data.member.value, event.data.change, event.data.permission) == ("github.com/ann", "added", "admin")


EARLY, LATE = "2026-01-02T00:00:00Z", "2026-01-09T01:00:00+01:00"
TIMES: list[tuple[str, str | None, dict[str, Any], str]] = [
    ("push", None, {"ref": "refs/heads/main"}, "2026-03-04T05:06:07Z"),
    ("fork", None, {"forkee": {"id": 1, "owner": {"login": "a"}, "created_at": EARLY}}, EARLY),
    ("public", None, {}, "2026-03-04T05:06:08Z"),
    ("issues", "opened", {"issue": {"created_at": EARLY, "updated_at": LATE}}, EARLY),
    ("issues", "labeled", {"issue": {"created_at": EARLY, "updated_at": LATE}}, "2026-01-09"),
    ("issue_comment", "deleted", {"issue": {"updated_at": LATE}, "comment": {"updated_at": EARLY}}, LATE),
    ("release", "published", {"release": {"created_at": "1999-01-01T00:00:00Z", "published_at": EARLY}}, EARLY),
    ("workflow_job", "completed", {"workflow_job": {"started_at": EARLY, "completed_at": LATE}}, LATE),
]


@pytest.mark.parametrize(("event", "action", "payload", "expected"), TIMES)
def test_without_received_the_servers_own_time_for_the_act_counts(
    event: str, action: str | None, payload: dict[str, Any], expected: str
) -> None:
    """Created for what creates, updated for what changes; seconds since 1970 or RFC 3339."""
    assert one(delivery(event, action, top={}, **payload)).time == instant(expected)


NO_TIMES: list[tuple[str, str | None, dict[str, Any]]] = [
    ("member", "added", {"member": {"login": "ann"}}),
    ("issues", "deleted", {"issue": {"updated_at": "2026-01-09T00:00:00Z"}}),
    ("release", "edited", {"release": {"created_at": "1999-01-01T00:00:00Z", "published_at": "2026-01-02T00:00:00Z"}}),
    ("release", "created", {"release": {"created_at": "1999-01-01T00:00:00Z", "published_at": None}}),
    ("repository", "deleted", {}),
    ("new_kind", "made", {"new_kind": {"created_at": "2026-01-02T00:00:00Z"}}),
]


@pytest.mark.parametrize(("event", "action", "payload"), NO_TIMES)
def test_an_act_without_a_time_of_the_server_is_refused(event: str, action: str | None, payload: dict[str, Any]) -> None:
    """A deleted object's times are those before; a draft's date is its commit's."""
    assert refused(delivery(event, action, top={}, **payload))[0] == "no-time"
    assert one(delivery(event, action, **payload)).time == RECEIVED


def test_a_commits_own_dates_are_never_the_time() -> None:
    """Whoever commits writes them."""
    row = delivery("push", top={}, ref="refs/heads/main", commits=[commit("x")], repository=repository(pushed_at=None))
    assert refused(row) == ("no-time", "payload.repository.pushed_at")


def test_a_delivery_is_known_by_its_guid() -> None:
    """Sent again with another time of receipt it is the same delivery."""
    first = delivery("push", top={"delivery": "g-1", "received": "2026-03-04"}, ref="refs/heads/main")
    again = first | {"received": "2026-03-05"}
    assert [event.id for event in events(arrivals("github", encoded(first, again)))] == ["g-1", "g-1"]


def test_lines_without_a_guid_are_known_by_content_and_ordinal() -> None:
    """Equal lines are distinct deliveries, the order of keys and of lines doesn't matter, unknown keys are ignored."""
    row, other = delivery("push", ref="refs/heads/main"), delivery("push", ref="refs/heads/other")
    turned = dict(reversed(list(row.items()))) | {"unknown": 1}
    first = [event.id for event in events(arrivals("github", encoded(row, other, turned)))]
    second = [event.id for event in events(arrivals("github", encoded(turned, row, other)))]
    assert first[0].endswith("-1")
    assert first[2] == first[0].removesuffix("-1") + "-2"
    assert sorted(first) == sorted(second)
    assert len(set(first)) == 3


def test_a_server_of_ones_own_has_repositories_of_its_own() -> None:
    """Numbers are unique on one host only."""
    event = one(
        delivery("push", ref="refs/heads/main", repository=repository(html_url="https://Git.Octo.org:8443/octo-org/engine"))
    )
    assert event.source == "git.octo.org:8443"
    assert (event.data.repository, event.data.owner) == ("git.octo.org:8443#17", "git.octo.org:8443/octo-org")
    assert event.data.actor.value == "git.octo.org:8443/mona"


WRONG: list[tuple[Any, tuple[str, str]]] = [
    ([], ("not-an-object", "")),
    ({"payload": {}}, ("missing", "event")),
    ({"event": "Push!", "payload": {}}, ("invalid", "event")),
    ({"event": "push"}, ("missing", "payload")),
    ({"event": "push", "payload": []}, ("invalid", "payload")),
    (delivery("issues", "Bad action"), ("invalid", "payload.action")),
    (delivery("push", top={"delivery": 5}), ("invalid", "delivery")),
    (delivery("push", top={"received": "yesterday"}, ref="r"), ("invalid-time", "received")),
    (delivery("push"), ("missing", "payload.ref")),
    (delivery("push", ref="r", commits=[1]), ("invalid", "payload.commits[0]")),
    (delivery("push", ref="r", commits={}), ("invalid", "payload.commits")),
    (delivery("push", repository={"id": "17"}), ("invalid", "payload.repository.id")),
    (delivery("push", repository=repository(full_name=None)), ("missing", "payload.repository.full_name")),
    (delivery("push", repository=repository(owner=None)), ("missing", "payload.repository.owner.login")),
    (
        delivery("push", top={}, ref="r", repository=repository(pushed_at="soon")),
        ("invalid-time", "payload.repository.pushed_at"),
    ),
    (
        delivery("push", top={}, ref="r", repository=repository(pushed_at=10**12)),
        ("invalid-time", "payload.repository.pushed_at"),
    ),
    (delivery("fork"), ("missing", "payload.forkee.id")),
    (delivery("membership", "added", repository=None), ("no-repository", "payload.repository")),
    (delivery("something_new", repository=None), ("no-repository", "payload.repository")),
]


@pytest.mark.parametrize(("row", "expected"), WRONG)
def test_a_line_that_says_too_little_is_refused(row: Any, expected: tuple[str, str]) -> None:
    """Naming the field."""
    assert refused(row) == expected


def test_a_delivery_about_no_repository_says_what_it_is_about() -> None:
    """And how to be rid of such lines."""
    found = refusal(arrivals("github", encoded(delivery("team", "created", repository=None))))
    assert str(found) == (
        "payload.repository: missing; team.created is about a team, and Covenant takes in acts on one repository. "
        "Leave team out of the webhook's events to be rid of these lines."
    )


def test_without_an_organisation_a_delivery_is_refused_saying_how_to_give_one() -> None:
    """GitHub names its own organisations, not the tenant."""
    found = refusal(arrivals("github", encoded(delivery("push", ref="r")), Options()))
    assert (found.code, found.field) == ("missing", "organisation")
    assert "--organisation" in found.do


def test_a_delivery_from_the_future_is_refused() -> None:
    """As any event is."""
    row = delivery("push", top={"received": "2026-06-02"}, ref="r")
    assert refusal(arrivals("github", encoded(row), Options(organisation="acme", now_us=NOW))).code == "in-the-future"
