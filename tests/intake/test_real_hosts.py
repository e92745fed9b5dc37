"""Other people's payloads, archives and histories of code hosts, whole: totals agree with a count made without us."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.domain.codec import identity
from engine.domain.events import Event
from engine.domain.values import SECOND_US
from engine.intake.arrivals import Arrival
from engine.intake.sources import open_source
from tests.intake.samples import ACME, events

RECEIVED = "2026-01-01T00:00:00Z"
PUSHED = "compute.repository.pushed.v1"
AI_NAMES = {"Copilot", "copilot-swe-agent[bot]", "gemini-code-assist[bot]", "chatgpt-codex-connector[bot]"}


def rows(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines without the project's code."""
    with gzip.open(path, "rt", encoding="utf-8") as text:
        return [json.loads(line) for line in text]


def read(source: str, path: Path) -> list[Arrival]:
    """Read a file by one of the project's sources."""
    with path.open("rb") as stream:
        return list(open_source(source).arrivals(stream, path.name, ACME))


def received(source: str, payload: dict[str, Any], **top: str) -> Arrival:
    """Read a payload as a gateway would have written it down."""
    line = json.dumps({"received": RECEIVED, **top, "payload": payload}).encode()
    (arrival,) = open_source(source).arrivals(io.BytesIO(line), "line", ACME)
    return arrival


def payloads(folder: Path) -> dict[Path, dict[str, Any]]:
    """Read a folder's payloads without the project's code."""
    return {path: json.loads(path.read_bytes()) for path in sorted(folder.rglob("*.json"))}


def verbs(found: list[Event]) -> Counter[str]:
    """Count events by the verb of their type."""
    return Counter(event.type.split(".")[2] for event in found)


@pytest.fixture(scope="module")
def archive(real_data: Path) -> tuple[list[dict[str, Any]], list[Event]]:
    """Public events as they are, and as events."""
    path = real_data / "github_events" / "gharchive_2016-07-07_2000.jsonl.gz"
    return rows(path), events(read("gharchive", path))


@pytest.fixture(scope="module")
def commits(real_data: Path) -> tuple[list[dict[str, Any]], list[Event]]:
    """The commits of all histories as they are, and as events."""
    paths = sorted((real_data / "git_history").glob("*.jsonl.gz"))
    assert len(paths) == 4
    return [row for path in paths for row in rows(path)], [event for path in paths for event in events(read("git", path))]


def test_every_public_event_is_an_event_of_its_kind(archive: tuple[list[dict[str, Any]], list[Event]]) -> None:
    """2,000 by 1,271 people: acts have types of their own, the rest is observed under the names webhooks have for it."""
    raw, found = archive
    kinds = Counter(row["type"] for row in raw)
    created = sum(row["payload"].get("ref_type") == "repository" and row["type"] == "CreateEvent" for row in raw)
    typed = {
        "pushed": kinds["PushEvent"],
        "forked": kinds["ForkEvent"],
        "pull_request": kinds["PullRequestEvent"],
        "member_changed": kinds["MemberEvent"],
        "released": kinds["ReleaseEvent"],
        "visibility_changed": kinds["PublicEvent"],
        "created": created,
    }
    assert len(found) == len(raw) == 2_000
    assert len(kinds) == 14
    assert verbs(found) == {**typed, "observed": len(raw) - sum(typed.values())}
    assert len({event.data.actor.value for event in found}) == 1_271
    observed = Counter(event.data.kind for event in found if event.type == "compute.repository.observed.v1")
    assert (observed["watch.started"], observed["gollum"], observed["issues.closed"]) == (
        kinds["WatchEvent"],
        kinds["GollumEvent"],
        39,
    )
    assert len({identity(event) for event in found}) == len(raw)


def test_public_events_say_which_repository_who_and_when(archive: tuple[list[dict[str, Any]], list[Event]]) -> None:
    """Row by row; commits are those GitHub counted, not those it listed."""
    for row, event in zip(*archive, strict=True):
        assert event.data.repository == f"github.com#{row['repo']['id']}"
        assert event.data.name == row["repo"]["name"]
        assert event.data.actor.value == f"github.com/{row['actor']['login']}"
        assert event.time == int(dt.datetime.fromisoformat(row["created_at"]).timestamp()) * SECOND_US
        assert event.data.private is (row["type"] == "PublicEvent")
    raw, found = archive
    sizes = sum(row["payload"]["size"] for row in raw if row["type"] == "PushEvent")
    assert sum(event.data.commits for event in found if event.type == PUSHED) == sizes


def test_every_commit_is_a_push_of_one_by_nobody(commits: tuple[list[dict[str, Any]], list[Event]]) -> None:
    """6,351 of four repositories, at their committers' times; authors and committers are as the history says."""
    raw, found = commits
    assert len(found) == len(raw) == 6_351
    assert verbs(found) == {"pushed": 6_351}
    assert Counter(event.data.name for event in found) == Counter(row["repo"] for row in raw)
    assert {(event.data.actor, event.data.commits, event.data.private) for event in found} == {(None, 1, None)}
    for row, event in zip(raw, found, strict=True):
        assert (event.data.authors, event.data.committers) == ((row["author"],), (row["committer"],))
        assert event.time == int(dt.datetime.fromisoformat(row["committed"]).timestamp()) * SECOND_US
    assert len({identity(event) for event in found}) == len(raw)


def test_histories_tell_authors_from_committers_and_whose_addresses_they_are(
    commits: tuple[list[dict[str, Any]], list[Event]],
) -> None:
    """Most were committed by the host for their author; addresses keep their domain, corporate or not."""
    raw, found = commits
    apart = sum(row["author"] != row["committer"] for row in raw)
    assert sum(event.data.authors != event.data.committers for event in found) == apart
    assert 0 < apart < len(raw)
    domains = Counter(row["author"].rpartition("@")[2] for row in raw)
    assert Counter(event.data.authors[0].rpartition("@")[2] for event in found) == domains
    assert domains["gmail.com"] > 0
    assert domains["alibaba-inc.com"] > 0


def test_sign_offs_and_ai_co_authors_are_counted_once_a_commit(commits: tuple[list[dict[str, Any]], list[Event]]) -> None:
    """By repository; a tool is known by its address, and where that is hashed by its maker's domain and its name."""
    raw, found = commits
    signed, tools = Counter[str](), Counter[str]()
    for row in raw:
        signed[row["repo"]] += any(one["k"].lower() == "signed-off-by" for one in row["trailers"])
        tools[row["repo"]] += any(one["k"].lower() == "co-authored-by" and is_tool(one) for one in row["trailers"])
    assert sum(signed.values()) > 1_000
    assert sum(tools.values()) > 200
    for field, expected in (("signed_off", signed), ("ai_coauthored", tools)):
        counted = Counter[str]()
        for event in found:
            counted[event.data.name] += getattr(event.data, field)
        assert counted == expected


def is_tool(trailer: dict[str, Any]) -> bool:
    """Whether a co-author is an AI tool, as a person would tell."""
    address, name = trailer.get("id") or "", trailer.get("name") or ""
    if address == "noreply@anthropic.com":
        return True
    if address.endswith("@cursor.com"):
        return name in {"Cursor", "Cursor Agent"}
    if address.endswith("@github.com"):
        return name == "Copilot"
    return address.endswith("@users.noreply.github.com") and name in AI_NAMES


def test_every_audit_record_is_an_event_or_a_refusal_with_its_reason(real_data: Path) -> None:
    """105: of GitHub's 53, 27 with a time become events but for 5 about no repository; webhooks and others are refused."""
    path = real_data / "audit_logs" / "panther_github_anthropic.jsonl.gz"
    raw, found = rows(path), read("github-audit", path)
    assert len(found) == len(raw) == 105
    times = ("@timestamp", "created_at")
    expected: list[str] = []
    for row in raw:
        log = row["log"]
        ours = row["log_types"] == ["GitHub.Audit"]
        timed = any(log.get(key) for key in times)
        member = log.get("action") in {"org.add_member", "org.remove_member"}
        about = bool(log.get("repo")) or member
        expected.append("not-an-audit-record" if not ours else "no-time" if not timed else "" if about else "no-repository")
    assert [one.refusal.code if one.refusal else "" for one in found] == expected
    for row, one in zip(raw, found, strict=True):
        if one.event is not None:
            actor = one.event.data.actor.value if one.event.data.actor else "github.com/"
            assert actor == f"github.com/{row['log']['actor']}"
            assert one.event.data.name == (row["log"].get("repo") or f"{row['log']['org']}/*")


def test_audit_records_become_what_they_say(real_data: Path) -> None:
    """By action; what lacks the new visibility or the owner before is observed under its own name."""
    path = real_data / "audit_logs" / "panther_github_anthropic.jsonl.gz"
    logs = [row["log"] for row in rows(path) if row["log_types"] == ["GitHub.Audit"]]
    timed = Counter(log["action"] for log in logs if any(log.get(key) for key in ("@timestamp", "created_at")))
    found = [one.event for one in read("github-audit", path) if one.event is not None]
    assert verbs(found) == {
        "pushed": timed["git.push"],
        "created": timed["repo.create"],
        "archived": timed["repo.archived"],
        "member_changed": timed["org.add_member"] + timed["org.remove_member"],
        "observed": 13,
    }
    observed = {event.data.kind for event in found if event.type == "compute.repository.observed.v1"}
    assert {"repo.access", "repo.transfer", "protected_branch.destroy"} <= observed
    changed = {event.data.member.value: event.data.change for event in found if hasattr(event.data, "member")}
    assert changed == {"github.com/cat": "added", "github.com/bob": "removed"}
    assert [event.data.private for event in found if event.type == PUSHED] == [
        not log["repository_public"] for log in logs if log["action"] == "git.push" and "@timestamp" in log
    ]


def test_every_gitlab_payload_is_an_event_or_a_refusal_with_its_reason(real_data: Path) -> None:
    """25: bare, 10 lack a time or the server's name; received, all are events but an account's and a group's."""
    found = payloads(real_data / "webhooks" / "gitlab_client-go_1.46.0")
    bare = [one for path in found for one in read("gitlab", path)]
    assert len(found) == len(bare) == 25
    codes = Counter(one.refusal.code if one.refusal else "" for one in bare)
    assert codes == {"": 15, "no-time": 5, "no-host": 3, "no-repository": 2}
    told = {path: received("gitlab", payload, host="https://gitlab.example.com") for path, payload in found.items()}
    assert {path.stem for path, one in told.items() if one.refusal} == {"user_create", "subgroup"}
    assert verbs([one.event for one in told.values() if one.event]) == {
        "pushed": 3,
        "created": 2,
        "pull_request": 2,
        "released": 1,
        "member_changed": 1,
        "observed": 14,
    }


def test_gitlab_payloads_agree_on_project_actor_visibility_and_commits(real_data: Path) -> None:
    """Counted from the payloads themselves, wherever they say it."""
    for path, payload in payloads(real_data / "webhooks" / "gitlab_client-go_1.46.0").items():
        one = received("gitlab", payload, host="gitlab.example.com").event
        if one is None or one.data.repository.endswith("/*"):
            continue
        project = payload.get("project") or {}
        number = project.get("id") or payload.get("project_id") or payload["object_attributes"].get("project_id")
        assert one.data.repository == (f"gitlab.example.com#{number}" if number else f"gitlab.example.com/{one.data.name}"), (
            path.name
        )
        assert one.data.name == (project.get("path_with_namespace") or payload.get("path_with_namespace") or one.data.name)
        actor = payload.get("user_username") or (payload.get("user") or {}).get("username")
        assert (one.data.actor.value if one.data.actor else None) == (f"gitlab.example.com/{actor}" if actor else None), path.name
        level = project.get("visibility_level", (payload.get("repository") or {}).get("visibility_level"))
        if level is not None:
            assert one.data.private is (level < 20)
        if one.type == PUSHED:
            assert (one.data.ref, one.data.commits) == (payload["ref"], payload["total_commits_count"])


@pytest.mark.parametrize("source", ["gitea", "forgejo"])
def test_every_gitea_payload_is_an_event_or_lacks_a_time(real_data: Path, source: str) -> None:
    """19 + 24: bare, 14 say when; received, all are events."""
    found = payloads(real_data / "webhooks" / "go-scm_gitea") | payloads(real_data / "webhooks" / "woodpecker_gitea")
    assert len(found) == 43
    codes = Counter(one.refusal.code if one.refusal else "" for path in found for one in read(source, path))
    assert codes == {"": 14, "no-time": 29}
    assert verbs(events([received(source, payload) for payload in found.values()])) == {
        "pushed": 4,
        "pull_request": 8,
        "released": 1,
        "observed": 30,
    }


def test_gitea_payloads_agree_on_repository_actor_visibility_and_commits(real_data: Path) -> None:
    """Counted from the payloads themselves."""
    found = payloads(real_data / "webhooks" / "go-scm_gitea") | payloads(real_data / "webhooks" / "woodpecker_gitea")
    for payload in found.values():
        (event,) = events([received("gitea", payload)])
        repository = payload["repository"]
        host = re.match(r"https?://([^/]+)/", repository["html_url"])
        assert host is not None
        assert event.data.repository == f"{host[1]}#{repository['id']}"
        assert event.data.actor.value == f"{host[1]}/{payload['sender']['login']}"
        assert event.data.private is repository.get("private")
        if event.type == PUSHED:
            assert event.data.commits == payload.get("total_commits", len(payload["commits"] or []))


def _push(event: Event, golden: dict[str, Any]) -> None:
    authors = dict.fromkeys(one["Author"]["Email"] for one in golden["Commits"])
    assert (event.data.ref, event.data.commits, event.data.authors) == (golden["Ref"], len(golden["Commits"]), tuple(authors))


def _branch(event: Event, golden: dict[str, Any]) -> None:
    assert event.data.ref == golden["Ref"]["Name"]
    assert {"create": "created", "delete": "deleted"}[event.data.kind] == golden["Action"]


def _request(event: Event, golden: dict[str, Any]) -> None:
    request = golden["PullRequest"]
    if event.type == "compute.repository.pull_request.v1":
        assert (event.data.number, event.data.merged) == (request["Number"], request["Merged"])
        assert event.data.head.endswith(f":{request['Source']}")
        assert golden["Action"] == ("closed" if event.data.merged else event.data.action)
    else:
        assert event.data.kind in {"pull_request.edited", "pull_request.synchronized", "issue_comment.created"}


def _issue(event: Event, golden: dict[str, Any]) -> None:
    assert event.data.kind == ("issue_comment.created" if "Comment" in golden else "issues.opened")
    assert event.data.kind.endswith(golden["Action"])


READINGS: tuple[tuple[str, Callable[[Event, dict[str, Any]], None]], ...] = (
    ("Commits", _push),
    ("Ref", _branch),
    ("PullRequest", _request),
    ("Issue", _issue),
)


def test_gitea_payloads_agree_with_another_parsers_reading_of_them(real_data: Path) -> None:
    """14 of the 19 have one: repository, actor, ref, commits, visibility, and the act."""
    folder = real_data / "webhooks" / "go-scm_gitea"
    golden = {path: json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json.golden"))}
    assert len(golden) == 14
    used: Counter[str] = Counter()
    for path, expected in golden.items():
        (event,) = events([received("gitea", json.loads(path.with_suffix("").read_bytes()))])
        repository = expected["Repo"]
        host = repository["Link"].split("/")[2]
        assert event.data.repository == f"{host}#{repository['ID']}"
        assert event.data.name == f"{repository['Namespace']}/{repository['Name']}"
        assert event.data.owner == f"{host}/{repository['Namespace']}"
        assert event.data.private is repository["Private"]
        assert event.data.actor.value == f"{host}/{expected['Sender']['Login']}"
        key, agree = next((key, agree) for key, agree in READINGS if key in expected)
        agree(event, expected)
        used[key] += 1
    assert used == {"Commits": 1, "Ref": 4, "PullRequest": 7, "Issue": 2}
