"""What GitHub's deliveries become: one small function an act, and everything else observed. Pure.

Where GitHub reports one act by several deliveries, one of them counts: a release is its `published`, not the `created`
and `released` that come with it. A licence has no delivery of its own: it changes by a push to the default branch that
touches a licence file at the root, which is a second event of that push.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from engine.intake.deliveries import at
from engine.intake.github_repository import member_of, owner
from engine.intake.hosting import NAME_MAX, Made, licence_touched, numbered, observed, pushed
from engine.intake.picking import Fields, wrong

_DO: Final = "Send the delivery as GitHub sent it."
_MEMBERS: Final = {"organization.member_added": "added", "organization.member_removed": "removed"}


def made(kind: str, payload: dict[str, Any], data: dict[str, Any], host: str) -> list[Made]:
    """Give the events of a delivery about a repository, at least one; `kind` is the event and its action."""
    if kind == "push":
        return _push(payload, host)
    make = _ACTS.get(kind)
    return [observed(kind, payload.get("ref")) if make is None else make(payload, data, host)]


def membership(kind: str, payload: dict[str, Any], host: str) -> tuple[dict[str, Any], list[Made]] | None:
    """Give the event of a membership in an organisation, which is access to all it owns; None for any other delivery."""
    change = _MEMBERS.get(kind)
    if change is None:
        return None
    organisation = at(payload, "organization.login")
    if not isinstance(organisation, str) or not organisation:
        wrong("payload.organization.login", "the organisation's login", organisation, _DO)
    member = member_of(at(payload, "membership.user"), "payload.membership.user", host, _DO)
    role = at(payload, "membership.role")
    said = {"member": member, "change": change, "permission": role if isinstance(role, str) and role else None}
    return whole_organisation(host, organisation), [("member_changed", said)]


def whole_organisation(host: str, organisation: str) -> dict[str, Any]:
    """Stand for all repositories of an organisation, for what is said of it as a whole."""
    owned = f"{host}/{organisation}"
    return {"repository": f"{owned}/*".lower(), "name": f"{organisation}/*", "owner": owned, "owner_kind": "organisation"}


def _push(payload: dict[str, Any], host: str) -> list[Made]:
    """GitHub lists all commits of a push; Gitea lists some and counts all."""
    fields = Fields(payload, "payload")
    commits, ref = fields.objects("commits"), payload.get("ref")
    found: list[Made] = [("pushed", pushed(ref, commits, host, fields.count("total_commits")))]
    licence = licence_touched(ref, at(payload, "repository.default_branch"), commits)
    return found if licence is None else [*found, ("licence_changed", licence)]


def _forked(payload: dict[str, Any], _data: dict[str, Any], host: str) -> Made:
    copy = payload.get("forkee")
    to_repository = numbered(host, at(payload, "forkee.id"), "payload.forkee.id")
    to, kind = owner(copy.get("owner") if isinstance(copy, dict) else None, "payload.forkee.owner", host, _DO)
    return "forked", {"to_owner": to, "to_owner_kind": kind, "to_repository": to_repository}


def _created(_payload: dict[str, Any], _data: dict[str, Any], _host: str) -> Made:
    return "created", {}


def _deleted(_payload: dict[str, Any], _data: dict[str, Any], _host: str) -> Made:
    return "deleted", {}


def _archived(_payload: dict[str, Any], _data: dict[str, Any], _host: str) -> Made:
    return "archived", {"archived": True}


def _unarchived(_payload: dict[str, Any], _data: dict[str, Any], _host: str) -> Made:
    return "archived", {"archived": False}


def _publicized(_payload: dict[str, Any], _data: dict[str, Any], _host: str) -> Made:
    """What is made public wasn't; `private` is of the moment before the act."""
    return "visibility_changed", {"to": "public", "private": True}


def _privatized(payload: dict[str, Any], _data: dict[str, Any], _host: str) -> Made:
    internal = at(payload, "repository.visibility") == "internal"
    return "visibility_changed", {"to": "internal" if internal else "private", "private": False}


def _transferred(payload: dict[str, Any], data: dict[str, Any], host: str) -> Made:
    """The payload's repository is as it is after the act, so its owner is the new one."""
    organisation, user = at(payload, "changes.owner.from.organization"), at(payload, "changes.owner.from.user")
    before, kind = owner(organisation or user, "payload.changes.owner.from", host, _DO)
    if kind == "unknown":
        kind = "organisation" if organisation else "user"
    return "transferred", {"owner": before, "owner_kind": kind, "to_owner": data["owner"], "to_owner_kind": data["owner_kind"]}


def _edited(payload: dict[str, Any], _data: dict[str, Any], _host: str) -> Made:
    """A licence is edited where `changes` says which it was; anything else is observed."""
    before = at(payload, "changes.license")
    if before is None:
        return observed("repository.edited", None)
    return "licence_changed", {"before": _licence(at(before, "from")), "after": _licence(at(payload, "repository.license"))}


def _licence(value: Any) -> str:
    """Give a licence's SPDX identifier from GitHub's object: `none` where there is none, unknown where GitHub can't tell."""
    if value is None:
        return "none"
    name = value.get("spdx_id") or value.get("key") if isinstance(value, dict) else value
    return name[:NAME_MAX] if isinstance(name, str) and name and name != "NOASSERTION" else "unknown"


def _member(change: str) -> Callable[[dict[str, Any], dict[str, Any], str], Made]:
    def make(payload: dict[str, Any], _data: dict[str, Any], host: str) -> Made:
        now = at(payload, "changes.permission.to") or at(payload, "changes.role_name.to")
        member = member_of(payload.get("member"), "payload.member", host, _DO)
        return "member_changed", {"member": member, "change": change, "permission": now}

    return make


def _pull_request(action: str) -> Callable[[dict[str, Any], dict[str, Any], str], Made]:
    """Make a pull request's event: what was closed is merged where it was."""

    def make(payload: dict[str, Any], _data: dict[str, Any], host: str) -> Made:
        request = Fields(payload, "payload").inner("pull_request")
        merged = action == "closed" and request.value.get("merged") is True
        said = {"number": payload.get("number") or request.count("number"), "commits": request.count("commits")}
        head = at(request.value, "head.label")
        if not isinstance(head, str) or ":" not in head:
            source, branch = at(request.value, "head.repo.owner.login"), at(request.value, "head.ref")
            head = f"{source}:{branch}" if source and branch else ""
        whole = f"{host}/{head}"[:NAME_MAX] if head else None
        return "pull_request", said | {"action": "merged" if merged else action, "merged": merged, "head": whole}

    return make


def _released(payload: dict[str, Any], _data: dict[str, Any], _host: str) -> Made:
    release = Fields(payload, "payload").inner("release")
    return "released", {"tag": release.text("tag_name", cut_to=NAME_MAX), "prerelease": release.value.get("prerelease") is True}


def _package(key: str) -> Callable[[dict[str, Any], dict[str, Any], str], Made]:
    """Make the event of a published package: a digest where it has one, else its name and version."""

    def make(payload: dict[str, Any], _data: dict[str, Any], _host: str) -> Made:
        package = Fields(payload, "payload").inner(key)
        version = package.inner("package_version")
        digest = at(version.value, "container_metadata.tag.digest")
        if not isinstance(digest, str) or not digest:
            digest = f"{package.need('name')}@{version.text('version') or 'unknown'}"
        registry = package.inner("registry").text("url") or package.text("ecosystem") or package.text("package_type")
        return "artifact_published", {"artifact": digest[:NAME_MAX], "registry": registry and registry[:NAME_MAX]}

    return make


_ACTS: Final[dict[str, Callable[[dict[str, Any], dict[str, Any], str], Made]]] = {
    "fork": _forked,
    "member.added": _member("added"),
    "member.edited": _member("edited"),
    "member.removed": _member("removed"),
    "package.published": _package("package"),
    "public": _publicized,
    "pull_request.closed": _pull_request("closed"),
    "pull_request.opened": _pull_request("opened"),
    "pull_request.reopened": _pull_request("reopened"),
    "registry_package.published": _package("registry_package"),
    "release.published": _released,
    "repository.archived": _archived,
    "repository.created": _created,
    "repository.deleted": _deleted,
    "repository.edited": _edited,
    "repository.privatized": _privatized,
    "repository.publicized": _publicized,
    "repository.transferred": _transferred,
    "repository.unarchived": _unarchived,
}
"""The acts that have an event of their own, and how each becomes it; all others are observed."""
