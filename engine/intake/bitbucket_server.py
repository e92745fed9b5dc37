"""Deliveries of Bitbucket Data Center (once Server): numbered repositories, projects for owners, and the time of the act. Pure.

Such a payload names its kind (`eventKey`) and its server's time (`date`), so it needs no line around it but for the host
where no link stands in it. A push lists no commits before version 8; a personal project's key is its user's login.
"""

from __future__ import annotations

from typing import Any, Final

from engine.domain.errors import Refusal
from engine.intake.deliveries import Act, Delivery, at, elsewhere, said_time
from engine.intake.hosting import NAME_MAX, Made, host_of, login, numbered, observed, pushed
from engine.intake.picking import Fields, wrong

_DO: Final = "Send the delivery as Bitbucket sent it."
_REQUESTS: Final = {"pr:opened": "opened", "pr:merged": "merged", "pr:declined": "closed"}


def act(delivery: Delivery) -> Act:
    """Say what a delivery is; `Refusal` where it says too little or is about no repository."""
    payload, kind = delivery.payload, delivery.event
    repository = payload.get("repository") or at(payload, "pullRequest.toRef.repository") or payload.get("new")
    if not isinstance(repository, dict) or "slug" not in repository:
        raise elsewhere(kind, "a project", "Leave such events out of the webhook to be rid of these lines.")
    host = delivery.host or _host(repository) or _host(payload.get("actor"))
    if not host:
        msg = "host: missing, and the payload holds no link; numbers and logins count on their own server only."
        raise Refusal(msg, "Give the server's name as the line's `host`, such as git.example.com.", code="no-host", field="host")
    data = _repository(repository, host)
    actor = at(payload, "actor.name")
    if isinstance(actor, str) and actor:
        data["actor"] = login(host, actor)
    made = _made(kind, payload, data, host)
    time = said_time(payload, ("date",), kind) if delivery.received is None else delivery.received
    return Act(host, time, data, made)


def _host(value: Any) -> str:
    links = at(value, "links.self")
    first = links[0] if isinstance(links, list) and links else None
    return host_of(at(first, "href"))


def _repository(repository: dict[str, Any], host: str) -> dict[str, Any]:
    key, slug = at(repository, "project.key"), repository.get("slug")
    if not isinstance(key, str) or not key or not isinstance(slug, str) or not slug:
        wrong("payload.repository.project.key", "the project's key and the repository's slug", key, _DO)
    user = at(repository, "project.type") == "PERSONAL"
    data: dict[str, Any] = {
        "repository": numbered(host, repository.get("id"), "payload.repository.id"),
        "name": f"{key}/{slug}",
        "owner": f"{host}/{key.removeprefix('~').lower() if user else key}",
        "owner_kind": "user" if user else "organisation",
    }
    public = repository.get("public")
    return {**data, "private": not public} if isinstance(public, bool) else data


def _made(kind: str, payload: dict[str, Any], data: dict[str, Any], host: str) -> list[Made]:
    """A fork is reported by the copy; the event is of what was copied, so `data` is turned to it."""
    if kind == "repo:refs_changed":
        return _push(payload, host)
    if kind in _REQUESTS:
        request = Fields(payload, "payload").inner("pullRequest")
        source, branch = at(request.value, "fromRef.repository.project.key"), at(request.value, "fromRef.displayId")
        head = f"{host}/{source}:{branch}"[:NAME_MAX] if source and branch else None
        action = _REQUESTS[kind]
        return [("pull_request", {"number": request.count("id"), "action": action, "merged": action == "merged", "head": head})]
    origin = at(payload, "repository.origin")
    if kind == "repo:forked" and isinstance(origin, dict):
        to = {f"to_{key}": data[key] for key in ("owner", "owner_kind", "repository")}
        return [("forked", {**_repository(origin, host), **to})]
    return [observed(kind, None)]


def _push(payload: dict[str, Any], host: str) -> list[Made]:
    fields = Fields(payload, "payload")
    changes = fields.objects("changes")
    if not changes:
        wrong("payload.changes", "the branches and tags that were pushed", payload.get("changes"), _DO)
    found: list[Made] = []
    for change in changes:
        own = [Fields(_as_git(one.value), one.at) for one in fields.objects("commits")] if len(changes) == 1 else []
        found.append(("pushed", pushed(at(change.value, "ref.id"), own, host)))
    return found


def _as_git(commit: dict[str, Any]) -> dict[str, Any]:
    roles = {role: at(commit, role) for role in ("author", "committer")}
    people = {role: {"email": at(one, "emailAddress"), "username": at(one, "name")} for role, one in roles.items()}
    return {**commit, **people}
