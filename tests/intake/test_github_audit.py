"""The source `github-audit`: what records of GitHub's audit log become, and why some are refused."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.values import instant
from tests.intake.host_samples import audit
from tests.intake.samples import arrivals, encoded, events, refusal


def one(row: Any) -> Any:
    """Give the one event of one line."""
    (event,) = events(arrivals("github-audit", encoded(row)))
    return event


def test_a_clone_is_a_download_by_the_actor() -> None:
    """Of the repository with its number, at the milliseconds of GitHub's clock."""
    event = one(audit("git.clone"))
    assert (event.type, event.source, event.id) == ("compute.repository.downloaded.v1", "github.com/audit", "d-1")
    assert event.time == instant("2026-03-04T05:06:07Z")
    assert (event.data.repository, event.data.name, event.data.how) == ("github.com#17", "octo-org/engine", "clone")
    assert (event.data.owner, event.data.owner_kind, event.data.private) == ("github.com/octo-org", "organisation", True)
    assert event.data.actor.value == "github.com/mona"


ACTS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("git.fetch", {}, "downloaded", {"how": "fetch"}),
    ("repo.download_zip", {}, "downloaded", {"how": "archive"}),
    ("git.push", {"visibility": None, "repository_public": False}, "pushed", {"ref": "", "commits": 0, "private": True}),
    ("repo.create", {"visibility": "public"}, "created", {"private": False}),
    ("repo.destroy", {}, "deleted", {}),
    ("repo.archived", {}, "archived", {"archived": True}),
    ("repo.unarchived", {}, "archived", {"archived": False}),
    (
        "repo.access",
        {"visibility": "public", "previous_visibility": "internal"},
        "visibility_changed",
        {"to": "public", "private": True},
    ),
    ("repo.access", {"visibility": "private"}, "visibility_changed", {"to": "private", "private": False}),
    ("repo.access", {"visibility": None}, "observed", {"kind": "repo.access"}),
    (
        "repo.transfer",
        {"old_user": "ann"},
        "transferred",
        {"owner": "github.com/ann", "owner_kind": "unknown", "to_owner": "github.com/octo-org"},
    ),
    ("repo.transfer", {}, "observed", {"kind": "repo.transfer"}),
    ("repo.transfer_outgoing", {}, "observed", {"kind": "repo.transfer_outgoing"}),
    ("repo.add_member", {"user": "ann", "permission": "admin"}, "member_changed", {"change": "added", "permission": "admin"}),
    ("repo.remove_member", {"user": "ann"}, "member_changed", {"change": "removed", "repository": "github.com#17"}),
    ("org.add_member", {"user": "ann", "repo": None}, "member_changed", {"repository": "github.com/octo-org/*"}),
    ("org.remove_outside_collaborator", {"user": "ann", "repo": None}, "member_changed", {"change": "removed"}),
    (
        "pull_request.merge",
        {"pull_request_url": "https://github.com/octo-org/engine/pull/12"},
        "pull_request",
        {"number": 12, "action": "merged", "merged": True},
    ),
    (
        "packages.package_version_published",
        {"package": "engine", "version": "1.2", "ecosystem": "npm"},
        "artifact_published",
        {"artifact": "engine@1.2", "registry": "npm"},
    ),
    ("protected_branch.destroy", {"repo_id": None}, "observed", {"repository": "github.com/octo-org/engine"}),
]


@pytest.mark.parametrize(("action", "changed", "verb", "said"), ACTS)
def test_each_action_has_an_event_of_its_own(action: str, changed: dict[str, Any], verb: str, said: dict[str, Any]) -> None:
    """What a record doesn't say isn't guessed: it is observed."""
    found = one(audit(action, **changed))
    assert found.type == f"compute.repository.{verb}.v1"
    assert {key: getattr(found.data, key) for key in said} == said


def test_a_repository_created_as_a_fork_is_a_fork_of_its_parent_too() -> None:
    """Two events of one record, with ids of their own; the second is the parent's."""
    row = audit("repo.create", repo="ann/engine", org=None, repo_id=18, fork_parent="octo-org/engine", fork_parent_id=17)
    created, forked = events(arrivals("github-audit", encoded(row)))
    assert (created.data.repository, forked.data.repository, forked.data.to_repository) == (
        "github.com#18",
        "github.com#17",
        "github.com#18",
    )
    assert (forked.id, forked.data.to_owner, forked.data.private) == ("d-1/repository.forked", "github.com/ann", None)


TOKENS: list[tuple[str, dict[str, Any], str, str]] = [
    ("personal_access_token.access_granted", {"user_programmatic_access_id": 41}, "seen", "github.com/token/41"),
    ("personal_access_token.access_revoked", {"user_programmatic_access_id": 41}, "revoked", "github.com/token/41"),
    ("org_credential_authorization.grant", {"managed_hashed_token": "h="}, "seen", "github.com/h="),
    ("org_credential_authorization.revoke", {"managed_hashed_token": "h="}, "revoked", "github.com/h="),
    ("public_key.create", {"fingerprint": "SHA256:f"}, "seen", "github.com/SHA256:f"),
]


@pytest.mark.parametrize(("action", "changed", "verb", "credential"), TOKENS)
def test_a_token_is_seen_or_revoked_never_created(action: str, changed: dict[str, Any], verb: str, credential: str) -> None:
    """The log names a login; who answers for a key is a person, whom the directory names."""
    event = one(audit(action, repo=None, hashed_token="the-actors-own", **changed))
    assert (event.type, event.data.credential) == (f"compute.credential.{verb}.v1", credential)


def test_a_token_that_cloned_is_seen_with_its_network() -> None:
    """A second event of the record."""
    _, seen = events(arrivals("github-audit", encoded(audit("git.clone", hashed_token="h=", actor_ip="192.0.2.7"))))
    assert (seen.type, seen.id) == ("compute.credential.seen.v1", "d-1/credential.seen")
    assert (seen.data.credential, seen.data.network) == ("github.com/h=", "192.0.2.7")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("@timestamp", 1_772_600_767_005),
        ("created_at", "2026-03-04 05:06:07.005"),
        ("at_sign_timestamp", "2026-03-04 05:06:07.005000999"),
        ("p_event_time", "2026-03-04T06:06:07.005+01:00"),
    ],
)
def test_the_time_is_read_in_every_form_it_is_kept_in(key: str, value: Any) -> None:
    """Milliseconds, RFC 3339, and text in UTC to the nanosecond."""
    assert one(audit("git.clone", **{"@timestamp": None, key: value})).time == instant("2026-03-04T05:06:07.005Z")


@pytest.mark.parametrize("envelope", ["log", "event", "_source"])
def test_a_record_is_taken_out_of_what_a_collector_put_around_it(envelope: str) -> None:
    """And out of a page of the API."""
    assert one([{"rule": "R-1", envelope: audit("git.clone")}]).id == "d-1"


WRONG: list[tuple[Any, tuple[str, str]]] = [
    ([5], ("invalid", "the record")),
    ({"type": "service_key_created", "actor": {}}, ("not-an-audit-record", "action")),
    ({"action": "opened", "repository": {"id": 1}}, ("not-an-audit-record", "action")),
    (audit("git.clone", **{"@timestamp": None}), ("no-time", "@timestamp")),
    (audit("git.clone", **{"@timestamp": "yesterday"}), ("invalid-time", "@timestamp")),
    (audit("ip_allow_list.disable", repo=None), ("no-repository", "repo")),
    (audit("public_key.create", repo=None), ("no-repository", "repo")),
    (audit("org.add_member", repo=None), ("missing", "user")),
    (audit("org.add_member", repo=None, org=None, user="ann"), ("missing", "org")),
    (audit("git.clone", repo="engine"), ("invalid", "repo")),
    (audit("git.clone", repo=["a/b"]), ("invalid", "repo")),
]


@pytest.mark.parametrize(("row", "expected"), WRONG)
def test_a_record_that_says_too_little_is_refused(row: Any, expected: tuple[str, str]) -> None:
    """Naming the field."""
    found = refusal(arrivals("github-audit", encoded(row)))
    assert (found.code, found.field) == expected


def test_a_webhooks_payload_is_sent_to_its_own_source() -> None:
    """It is no audit record, and the refusal says where it belongs."""
    assert "--from github" in refusal(arrivals("github-audit", encoded({"action": "opened", "repository": {}}))).do
