"""Valid lines of every code host's source, each with a line that is refused."""

from __future__ import annotations

from typing import Any

from tests.intake.samples import encoded

RECEIVED = "2026-03-04T05:06:07Z"


def line(payload: dict[str, Any], event: str | None = None, **top: Any) -> dict[str, Any]:
    """Put the line around a payload, as it was received."""
    whole = {"event": event, "received": RECEIVED, "payload": payload, **top}
    return {key: value for key, value in whole.items() if value is not None}


def without(whole: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """Change keys; a change of None takes the key away."""
    return {key: value for key, value in (whole | changed).items() if value is not None}


def gitea(**payload: Any) -> dict[str, Any]:
    """Make a Gitea payload about a private repository of octo-org by the login mona."""
    owner = {"id": 3, "login": "octo-org", "username": "octo-org"}
    repository = {
        "id": 61,
        "owner": owner,
        "full_name": "octo-org/engine",
        "private": True,
        "html_url": "https://git.octo.org/octo-org/engine",
        "default_branch": "main",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-02T00:00:00Z",
    }
    return without({"repository": repository, "sender": {"id": 1, "login": "mona"}}, **payload)


def gitea_push(**payload: Any) -> dict[str, Any]:
    """Make a push of one signed-off commit."""
    people = {"name": "Mona", "email": "mona@octo.org", "username": "mona"}
    message = "Fix\n\nSigned-off-by: Mona <mona@octo.org>\n"
    commit = {"id": "c1", "message": message, "author": people, "committer": people, "timestamp": "1999-01-01T00:00:00Z"}
    return gitea(**({"ref": "refs/heads/main", "before": "b0", "after": "c1", "commits": [commit]} | payload))


def gitlab(**payload: Any) -> dict[str, Any]:
    """Make a GitLab payload about a private project of the group octo by the login mona."""
    project = {
        "id": 15,
        "name": "Engine",
        "web_url": "https://gitlab.octo.org/octo/tools/engine",
        "visibility_level": 0,
        "path_with_namespace": "octo/tools/engine",
        "default_branch": "main",
    }
    return without({"project": project, "user": {"username": "mona"}}, **payload)


def gitlab_push(**payload: Any) -> dict[str, Any]:
    """Make a push of three commits of which one is listed."""
    commit = {"id": "c1", "message": "Fix", "author": {"name": "Ann", "email": "ann@else.org"}, "added": ["a.py"]}
    push = {"object_kind": "push", "ref": "refs/heads/main", "user_username": "mona", "commits": [commit]}
    return gitlab(**(push | {"total_commits_count": 3, "user": None} | payload))


BITBUCKET_ACTOR = {
    "type": "user",
    "nickname": "mona",
    "account_id": "557058:c0de",
    "uuid": "{d301aafa-d676-4ee0-88be-962be7417567}",
}
BITBUCKET_UUID = "673a6070-3421-46c9-9d48-90745f7bfe8e"


def bitbucket(**payload: Any) -> dict[str, Any]:
    """Make a payload of Bitbucket Cloud about a private repository of the workspace octo by Mona."""
    repository = {
        "type": "repository",
        "uuid": f"{{{BITBUCKET_UUID}}}",
        "full_name": "octo/engine",
        "is_private": True,
        "owner": {"type": "team", "username": "octo"},
    }
    return without({"actor": BITBUCKET_ACTOR, "repository": repository}, **payload)


def bitbucket_push(*changes: dict[str, Any]) -> dict[str, Any]:
    """Make a push."""
    return bitbucket(push={"changes": list(changes)})


def bitbucket_branch(name: str, *messages: str) -> dict[str, Any]:
    """Make the change of a branch by commits of Ann's."""
    author = {"raw": "Ann Else <ann@else.org>", "user": {"account_id": "557058:a11e"}}
    commits = [{"hash": f"c{number}", "message": text, "author": author} for number, text in enumerate(messages)]
    return {"old": None, "new": {"type": "branch", "name": name, "target": {"date": "1999-01-01T00:00:00Z"}}, "commits": commits}


def data_center(kind: str = "repo:refs_changed", **payload: Any) -> dict[str, Any]:
    """Make a payload of Bitbucket Data Center about a private repository of the project ENG by the login mona."""
    repository = {
        "slug": "engine",
        "id": 84,
        "project": {"key": "ENG", "type": "NORMAL"},
        "public": False,
        "links": {"self": [{"href": "https://bitbucket.octo.org/projects/ENG/repos/engine/browse"}]},
    }
    change = {"ref": {"id": "refs/heads/main", "type": "BRANCH"}, "fromHash": "b0", "toHash": "c1", "type": "UPDATE"}
    whole = {"eventKey": kind, "date": "2026-03-04T15:06:07+1000", "actor": {"name": "mona"}, "repository": repository}
    return without(whole | ({"changes": [change]} if kind == "repo:refs_changed" else {}), **payload)


def public_event(word: str, number: str = "4243622490", **changed: Any) -> dict[str, Any]:
    """Make a public event of GitHub about a repository of octo-org by the login mona."""
    whole = {
        "id": number,
        "type": word,
        "actor": {"id": 1, "login": "mona"},
        "repo": {"id": 17, "name": "octo-org/engine"},
        "org": {"id": 3, "login": "octo-org"},
        "public": True,
        "created_at": RECEIVED,
        "payload": {},
    }
    return without(whole, **changed)


def audit(action: str, **changed: Any) -> dict[str, Any]:
    """Make an audit record of GitHub about a private repository of octo-org by the login mona."""
    whole = {
        "@timestamp": 1_772_600_767_000,
        "_document_id": "d-1",
        "action": action,
        "actor": "mona",
        "org": "octo-org",
        "repo": "octo-org/engine",
        "repo_id": 17,
        "visibility": "private",
    }
    return without(whole, **changed)


def commit(number: int = 1, **changed: Any) -> dict[str, Any]:
    """Make a line of a history."""
    whole = {
        "repo": "octo-org/engine",
        "sha": f"{number:040x}",
        "author": "ann@else.org",
        "authored": "2020-01-01T00:00:00Z",
        "committer": "noreply@github.com",
        "committed": "2026-03-04T06:06:07+01:00",
        "trailers": [{"k": "Signed-off-by", "id": "ann@else.org", "name": "Ann"}],
    }
    return without(whole, **changed)


GITEA = encoded(
    line(gitea_push(), delivery="g-1"),
    line(gitea_push()),
    line(gitea_push()),
    gitea(action="opened", issue={"created_at": RECEIVED, "number": 1}),
    line(gitea(), "create"),
    gitea_push(),
)
GITLAB = encoded(
    line(gitlab_push(), delivery="g-1"),
    line(gitlab_push()),
    line(gitlab_push()),
    gitlab(object_kind="issue", object_attributes={"action": "open", "created_at": "2026-03-04 05:06:07 UTC"}),
    gitlab_push(),
)
BITBUCKET = encoded(
    line(bitbucket_push(bitbucket_branch("main", "x"), bitbucket_branch("dev")), "repo:push", delivery="g-1"),
    line(bitbucket_push(bitbucket_branch("main", "x"), bitbucket_branch("dev")), "repo:push"),
    line(bitbucket(fork=None), "repo:deleted"),
    data_center(),
    bitbucket_push(bitbucket_branch("main")),
)
GHARCHIVE = encoded(
    public_event("PushEvent", "1", payload={"ref": "refs/heads/main", "size": 1, "commits": [{"message": "x", "author": {}}]}),
    public_event("WatchEvent", "2", payload={"action": "started"}),
    public_event("PublicEvent", "3"),
    public_event("Push", "4"),
)
AUDIT = encoded(
    audit("git.clone", _document_id="a", hashed_token="h=", actor_ip="192.0.2.7"),
    audit("repo.create", _document_id=None, fork_parent="ann/engine"),
    audit("org.add_member", _document_id="c", repo=None, user="ann"),
    audit("ip_allow_list.disable", _document_id="d", repo=None),
)
HISTORY = encoded(commit(1), commit(2, trailers=None), commit(3, repo="https://git.octo.org/octo/engine.git"), commit(4, sha="x"))
