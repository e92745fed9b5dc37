"""The source `bitbucket`: deliveries of webhooks of Bitbucket Cloud, and of Data Center, which name their kind and time. Pure.

Lines are `{"event", "delivery"?, "received"?, "payload"}`: `event` is the X-Event-Key header, `delivery` X-Request-UUID. A
Cloud repository is known by its UUID, a person by their account id (nicknames aren't unique and user names are gone), so
that is what a login's link must name. Of a push, Cloud lists up to five commits of each branch, and no committers.
"""

from __future__ import annotations

import re
from typing import Any, Final

from engine.intake import bitbucket_server
from engine.intake.deliveries import Act, Deliveries, Delivery, at, elsewhere, said_time
from engine.intake.hosting import NAME_MAX, Made, login, observed, owner_of, pushed
from engine.intake.picking import Fields, wrong

_CLOUD: Final = "bitbucket.org"
_DO: Final = "Send the delivery as Bitbucket sent it."
_UUID: Final = re.compile(r"\{?([0-9a-fA-F-]{36})\}?")
_ADDRESS: Final = re.compile(r"<([^<>]+)>\s*$")
_OWNERS: Final = {"user": "user", "team": "organisation", "workspace": "organisation"}
_REQUESTS: Final = {"pullrequest:created": "opened", "pullrequest:fulfilled": "merged", "pullrequest:rejected": "closed"}
_TIMES: Final[dict[str, tuple[str, ...]]] = {
    "issue:created": ("issue.created_on",),
    "issue:updated": ("issue.updated_on",),
    "pullrequest:approved": ("approval.date",),
    "pullrequest:changes_request_created": ("changes_request.date",),
    "pullrequest:comment_created": ("comment.created_on",),
    "pullrequest:comment_updated": ("comment.updated_on",),
    "pullrequest:created": ("pullrequest.created_on",),
    "pullrequest:fulfilled": ("pullrequest.updated_on",),
    "pullrequest:rejected": ("pullrequest.updated_on",),
    "pullrequest:updated": ("pullrequest.updated_on",),
    "repo:commit_comment_created": ("comment.created_on",),
    "repo:commit_status_created": ("commit_status.created_on",),
    "repo:commit_status_updated": ("commit_status.updated_on",),
    "repo:created": ("repository.created_on",),
    "repo:fork": ("fork.created_on",),
}
"""Times Bitbucket wrote; a push has none but its commits'."""


class Bitbucket(Deliveries):
    """Bitbucket's webhook deliveries."""

    name = "bitbucket"
    what = "a Bitbucket delivery"
    header = "the X-Event-Key header, such as repo:push (the payload alone doesn't show it)"
    do = _DO

    def bare(self, payload: dict[str, Any]) -> str | None:
        """Data Center's payloads name their kind; Cloud's pushes and forks show it."""
        named = payload.get("eventKey")
        if isinstance(named, str):
            return named
        return next((event for key, event in (("push", "repo:push"), ("fork", "repo:fork")) if key in payload), None)

    def act(self, delivery: Delivery) -> Act:
        """Say what a delivery is; `Refusal` where it says too little or is about no repository."""
        kind, payload = delivery.event, delivery.payload
        if "eventKey" in payload:
            return bitbucket_server.act(delivery)
        repository = payload.get("repository")
        if repository is None:
            raise elsewhere(kind, "no one repository", "Leave such events out of the webhook to be rid of these lines.")
        data = _repository(repository, "payload.repository")
        actor = _account(payload.get("actor"))
        if actor:
            data["actor"] = login(_CLOUD, actor)
        time = said_time(payload, _TIMES.get(kind, ()), kind) if delivery.received is None else delivery.received
        return Act(_CLOUD, time, data, _made(kind, payload, data))


def _repository(repository: Any, field: str) -> dict[str, Any]:
    uuid, path = at(repository, "uuid"), at(repository, "full_name")
    match = _UUID.fullmatch(uuid) if isinstance(uuid, str) else None
    if match is None:
        wrong(f"{field}.uuid", "the repository's UUID", uuid, _DO)
    if not isinstance(path, str) or not path:
        wrong(f"{field}.full_name", "the repository's path, such as octo-org/engine", path, _DO)
    kind = at(repository, "owner.type")
    data: dict[str, Any] = {
        "repository": f"{_CLOUD}#{match[1].lower()}",
        "name": path,
        "owner": f"{_CLOUD}/{owner_of(path, f'{field}.full_name')}",
        "owner_kind": _OWNERS.get(kind, "unknown") if isinstance(kind, str) else "unknown",
    }
    private = repository.get("is_private")
    return {**data, "private": private} if isinstance(private, bool) else data


def _account(value: Any) -> str:
    """Give what is unique of an account: its id, else its UUID, else the user name of payloads from before 2019."""
    found = next(filter(None, (at(value, key) for key in ("account_id", "uuid", "username"))), "")
    return found.strip("{}") if isinstance(found, str) else ""


def _made(kind: str, payload: dict[str, Any], data: dict[str, Any]) -> list[Made]:
    if kind == "repo:push":
        return _push(payload)
    if kind in _REQUESTS:
        return [_request(_REQUESTS[kind], payload)]
    if kind in {"repo:created", "repo:deleted"}:
        return [(kind.removeprefix("repo:"), {})]
    if kind == "repo:fork":
        copy = _repository(payload.get("fork"), "payload.fork")
        return [("forked", {f"to_{key}": copy[key] for key in ("owner", "owner_kind", "repository")})]
    if kind == "repo:transfer":
        return [_transferred(payload, data)]
    private = at(payload, "changes.is_private.new")
    if kind == "repo:updated" and isinstance(private, bool):
        return [("visibility_changed", {"to": "private" if private else "public", "private": not private})]
    return [observed(kind, None)]


def _push(payload: dict[str, Any]) -> list[Made]:
    """Each branch or tag of a push is a push of its own; one that was deleted has no commits."""
    changes = Fields(payload, "payload").inner("push").objects("changes")
    if not changes:
        wrong("payload.push.changes", "the branches and tags that were pushed", payload.get("push"), _DO)
    return [("pushed", _change(change)) for change in changes]


def _change(change: Fields) -> dict[str, Any]:
    at_ref = change.inner("new") if change.has("new") else change.inner("old")
    part = "tags" if at_ref.text("type") == "tag" else "heads"
    commits = [Fields(_as_git(commit.value), commit.at) for commit in change.objects("commits")]
    return pushed(f"refs/{part}/{at_ref.need('name')}", commits, _CLOUD)


def _as_git(commit: dict[str, Any]) -> dict[str, Any]:
    """Bitbucket writes authors as Git does: Name <address>."""
    raw = at(commit, "author.raw")
    match = _ADDRESS.search(raw) if isinstance(raw, str) else None
    return {**commit, "author": {"email": match[1] if match else "", "username": _account(at(commit, "author.user"))}}


def _request(action: str, payload: dict[str, Any]) -> Made:
    request = Fields(payload, "payload").inner("pullrequest")
    source, branch = at(request.value, "source.repository.full_name"), at(request.value, "source.branch.name")
    owner = source.partition("/")[0] if isinstance(source, str) else ""
    head = f"{_CLOUD}/{owner}:{branch}"[:NAME_MAX] if owner and branch else None
    return "pull_request", {"number": request.count("id"), "action": action, "merged": action == "merged", "head": head}


def _transferred(payload: dict[str, Any], data: dict[str, Any]) -> Made:
    """The repository is as it is after the act."""
    before = payload.get("previous_owner") or payload.get("previous_workspace")
    name = next(filter(None, (at(before, key) for key in ("slug", "username", "nickname"))), None)
    if not isinstance(name, str):
        wrong("payload.previous_owner.username", "the owner before", name, _DO)
    kind = at(before, "type")
    owned = {"owner": f"{_CLOUD}/{name}", "owner_kind": _OWNERS.get(kind, "unknown") if isinstance(kind, str) else "unknown"}
    return "transferred", {**owned, "to_owner": data["owner"], "to_owner_kind": data["owner_kind"]}
