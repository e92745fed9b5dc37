"""What records of GitHub's audit log become, by their action; what has no event of its own is observed. Pure.

The log names logins, not people. So a token that is granted or used is a key that was seen (`credential.seen`), never
one that was created: that event would make its owner answer for it, and whom a login stands for is not GitHub's to say.
"""

from __future__ import annotations

import re
from typing import Any, Final

from engine.intake.github_acts import whole_organisation
from engine.intake.github_repository import GITHUB
from engine.intake.hosting import NAME_MAX, Made, login, named, numbered, observed, owner_of
from engine.intake.picking import Fields

_DOWNLOADS: Final = {"git.clone": "clone", "git.fetch": "fetch", "repo.download_zip": "archive"}
_PLAIN: Final[dict[str, Made]] = {
    "git.push": ("pushed", {}),
    "repo.archived": ("archived", {"archived": True}),
    "repo.destroy": ("deleted", {}),
    "repo.unarchived": ("archived", {"archived": False}),
}
_CHANGES: Final = {"add_member": "added", "remove_member": "removed", "update_member": "edited"}
_OUTSIDE: Final = {"org.add_outside_collaborator": "added", "org.remove_outside_collaborator": "removed"}
_REQUESTS: Final = {
    "pull_request.close": "closed",
    "pull_request.create": "opened",
    "pull_request.merge": "merged",
    "pull_request.reopen": "reopened",
}
_PACKAGES: Final = frozenset({"packages.package_published", "packages.package_version_published"})
_NUMBER: Final = re.compile(r"/pull/([0-9]{1,12})(?:\D|$)")
_VISIBLE: Final = frozenset({"public", "private", "internal"})
_SEEN: Final = frozenset(
    {
        "oauth_access.create",
        "org_credential_authorization.grant",
        "personal_access_token.access_granted",
        "personal_access_token.create",
        "public_key.create",
    }
)
_REVOKED: Final = frozenset(
    {
        "oauth_access.destroy",
        "oauth_access.revoke",
        "org_credential_authorization.deauthorized",
        "org_credential_authorization.revoke",
        "personal_access_token.access_revoked",
        "personal_access_token.destroy",
        "public_key.delete",
    }
)


def acts(action: str, fields: Fields, data: dict[str, Any]) -> list[Made]:
    """Give the events of a record about a repository, at least one."""
    how = _DOWNLOADS.get(action)
    if how is not None:
        return [("downloaded", {"how": how})]
    if action in _PLAIN:
        return [_PLAIN[action]]
    if action == "repo.create":
        return [("created", {}), *_forked(fields, data)]
    if action in _REQUESTS:
        return [_request(_REQUESTS[action], fields)]
    entity, _, verb = action.partition(".")
    if entity == "repo" and verb in _CHANGES:
        return [("member_changed", _member(_CHANGES[verb], fields))]
    if action in _PACKAGES:
        name = f"{fields.text('package') or 'unknown'}@{fields.text('version') or 'unknown'}"[:NAME_MAX]
        return [("artifact_published", {"artifact": name, "registry": fields.text("ecosystem", cut_to=NAME_MAX)})]
    told = _access(fields) if action == "repo.access" else _transfer(fields, data) if action == "repo.transfer" else None
    return [told or observed(action, None)]


def member_of_organisation(action: str, fields: Fields) -> dict[str, Any] | None:
    """Say who was given or lost access to all an organisation owns; None for any other action."""
    entity, _, verb = action.partition(".")
    change = _CHANGES.get(verb) if entity == "org" else None
    change = change or _OUTSIDE.get(action)
    if change is None:
        return None
    return {**whole_organisation(GITHUB, fields.need("org")), **_member(change, fields)}


def credentials(action: str, fields: Fields) -> list[Made]:
    """Give what a record says of a key: that it was seen, used to act or newly granted, or withdrawn."""
    if action in _SEEN or action in _REVOKED:
        known = fields.text("managed_hashed_token") or fields.text("fingerprint") or _granted(fields)
        if known is None:
            return []
        said: dict[str, Any] = {"credential": f"{GITHUB}/{known}"[:NAME_MAX]}
        return [("revoked", said)] if action in _REVOKED else [("seen", said)]
    used = fields.text("hashed_token") if action in _DOWNLOADS or action == "git.push" else None
    return (
        []
        if used is None
        else [("seen", {"credential": f"{GITHUB}/{used}"[:NAME_MAX], "network": fields.text("actor_ip", cut_to=NAME_MAX)})]
    )


def _granted(fields: Fields) -> str | None:
    """Give the number of a fine-grained token, whose grants name it by that."""
    number = fields.text("user_programmatic_access_id")
    return None if number is None else f"token/{number}"


def _member(change: str, fields: Fields) -> dict[str, Any]:
    permission = fields.text("permission", cut_to=NAME_MAX)
    return {"member": login(GITHUB, fields.need("user")), "change": change, "permission": permission}


def _access(fields: Fields) -> Made | None:
    """A change of visibility says what it was and is; a record of old that doesn't is only observed."""
    now, before = fields.text("visibility"), fields.text("previous_visibility")
    if now not in _VISIBLE:
        return None
    private = before != "public" if before in _VISIBLE else now == "public"
    return "visibility_changed", {"to": now, "private": private}


def _transfer(fields: Fields, data: dict[str, Any]) -> Made | None:
    """The repository's name is the one after the act, `old_user` owned it before; without it, it is only observed."""
    before = fields.text("old_user")
    if before is None:
        return None
    to = {f"to_{key}": data[key] for key in ("owner", "owner_kind")}
    return "transferred", {"owner": f"{GITHUB}/{before}", "owner_kind": "unknown", **to}


def _forked(fields: Fields, data: dict[str, Any]) -> list[Made]:
    """A repository that was created as a fork is a fork of its parent too: an event of the parent."""
    parent = fields.text("fork_parent")
    if parent is None:
        return []
    number = fields.whole("fork_parent_id")
    origin: dict[str, Any] = {
        "repository": named(GITHUB, parent) if number is None else numbered(GITHUB, number, "fork_parent_id"),
        "name": parent,
        "owner": f"{GITHUB}/{owner_of(parent, 'fork_parent')}",
        "owner_kind": "unknown",
        "private": None,
    }
    to = {f"to_{key}": data[key] for key in ("owner", "owner_kind", "repository")}
    return [("forked", {**origin, **to})]


def _request(action: str, fields: Fields) -> Made:
    match = _NUMBER.search(fields.text("pull_request_url") or "")
    return "pull_request", {"number": int(match[1]) if match else 0, "action": action, "merged": action == "merged"}
