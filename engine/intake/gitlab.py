"""The source `gitlab`: deliveries of GitLab's project, group and system hooks, in lines or bare (they name their kind). Pure.

Lines are `{"event"?, "delivery"?, "received"?, "host"?, "payload"}`: `delivery` is the X-Gitlab-Event-UUID header, `host`
the X-Gitlab-Instance header, needed where a payload holds no address of its server. A push carries no time of its own,
so it needs `received`. GitLab reports no change of visibility by itself: `project_update` doesn't say what changed.
"""

from __future__ import annotations

from typing import Any, Final

from engine.intake.deliveries import Act, Deliveries, Delivery, at, elsewhere, said_time
from engine.intake.gitlab_project import project, server
from engine.intake.hosting import NAME_MAX, Made, licence_touched, login, observed, owner_of, pushed
from engine.intake.picking import Fields, wrong

_DO: Final = "Send the delivery as GitLab sent it."
_ABOUT: Final = {"user": "an account", "group": "a group", "subgroup": "a group", "key": "an account's key"}
_REQUESTS: Final = {"open": "opened", "close": "closed", "reopen": "reopened", "merge": "merged"}
_MEMBERS: Final = {
    "user_add_to_group": "added",
    "user_add_to_team": "added",
    "user_remove_from_group": "removed",
    "user_remove_from_team": "removed",
    "user_update_for_group": "edited",
    "user_update_for_team": "edited",
}
_TIMES: Final[dict[str, tuple[str, ...]]] = {
    "build": ("build_finished_at", "build_started_at", "build_created_at"),
    "deployment": ("status_changed_at",),
    "emoji.award": ("object_attributes.created_at",),
    "issue": ("object_attributes.updated_at",),
    "issue.close": ("object_attributes.closed_at", "object_attributes.updated_at"),
    "issue.open": ("object_attributes.created_at",),
    "merge_request": ("object_attributes.updated_at",),
    "merge_request.open": ("object_attributes.created_at",),
    "milestone": ("object_attributes.updated_at",),
    "milestone.create": ("object_attributes.created_at",),
    "note": ("object_attributes.updated_at", "object_attributes.created_at"),
    "note.create": ("object_attributes.created_at",),
    "pipeline": ("object_attributes.finished_at", "object_attributes.created_at"),
    "project_create": ("created_at",),
    "project_rename": ("updated_at",),
    "project_transfer": ("updated_at",),
    "project_update": ("updated_at",),
    "release.create": ("created_at",),
    "user_add_to_group": ("created_at",),
    "user_add_to_team": ("created_at",),
    "user_update_for_group": ("updated_at",),
    "user_update_for_team": ("updated_at",),
    "vulnerability": ("object_attributes.updated_at",),
}
"""Times the server wrote; `released_at` is the author's word, what is gone was last updated before."""


class GitLab(Deliveries):
    """GitLab's webhook deliveries."""

    name = "gitlab"
    what = "a GitLab delivery"
    header = "a payload that names its kind as object_kind or event_name"
    do = _DO

    def bare(self, payload: dict[str, Any]) -> str | None:
        """Give the payload's own word for its kind; older system hooks have `event_name` alone."""
        kind = payload.get("object_kind") or payload.get("event_name")
        return kind if isinstance(kind, str) else None

    def act(self, delivery: Delivery) -> Act:
        """Say what a delivery is; the header's event (Push Hook) says less than the payload, which counts."""
        payload = delivery.payload
        event = self.bare(payload) or delivery.event
        action = at(payload, "object_attributes.action") or payload.get("action")
        kind = f"{event}.{action}" if isinstance(action, str) and action else event
        about = None if event in _MEMBERS else _ABOUT.get(event.partition("_")[0])
        host = "" if about else server(delivery)
        data = None if about else project(payload, host, _DO)
        if data is None and event in _MEMBERS:
            data = _group(payload, host)
        if data is None:
            do = "Leave such events out of the hook to be rid of these deliveries."
            raise elsewhere(kind, about or "no one project", do, "payload.project")
        actor = payload.get("user_username") if event in {"push", "tag_push"} else at(payload, "user.username")
        if isinstance(actor, str) and actor:
            data["actor"] = login(host, actor)
        time = delivery.received
        if time is None:
            time = said_time(payload, _TIMES.get(kind) or ("." in kind and _TIMES.get(event)) or (), kind)
        return Act(host, time, data, _made(event, kind, payload, data, host))


def _made(event: str, kind: str, payload: dict[str, Any], data: dict[str, Any], host: str) -> list[Made]:
    if event in {"push", "tag_push"}:
        return _push(payload, host)
    if event in _MEMBERS:
        return [_member(event, payload, host)]
    if event == "merge_request" and kind.partition(".")[2] in _REQUESTS:
        return [_request(_REQUESTS[kind.partition(".")[2]], payload, host)]
    if kind == "release.create":
        return [("released", {"tag": Fields(payload, "payload").text("tag", cut_to=NAME_MAX)})]
    if event in {"project_create", "project_destroy"}:
        return [("created" if event == "project_create" else "deleted", {})]
    if event == "project_transfer":
        return [_transferred(payload, data, host)]
    return [observed(kind, payload.get("ref"))]


def _push(payload: dict[str, Any], host: str) -> list[Made]:
    """GitLab lists at most 20 commits and counts all; a commit names its author, not its committer."""
    fields = Fields(payload, "payload")
    commits, ref = fields.objects("commits"), payload.get("ref")
    found: list[Made] = [("pushed", pushed(ref, commits, host, fields.count("total_commits_count")))]
    licence = licence_touched(ref, at(payload, "project.default_branch"), commits)
    return found if licence is None else [*found, ("licence_changed", licence)]


def _request(action: str, payload: dict[str, Any], host: str) -> Made:
    request = Fields(payload, "payload").inner("object_attributes")
    source, branch = at(request.value, "source.path_with_namespace"), request.text("source_branch")
    head = f"{host}/{source.rpartition('/')[0]}:{branch}"[:NAME_MAX] if isinstance(source, str) and branch else None
    merged = action == "merged"
    return "pull_request", {"number": request.count("iid"), "action": action, "merged": merged, "head": head}


def _transferred(payload: dict[str, Any], data: dict[str, Any], host: str) -> Made:
    """The path is the one after the act."""
    before = Fields(payload, "payload").need("old_path_with_namespace")
    owner = owner_of(before, "payload.old_path_with_namespace")
    return "transferred", {"owner": f"{host}/{owner}", "to_owner": data["owner"]}


def _member(event: str, payload: dict[str, Any], host: str) -> Made:
    name = payload.get("user_username")
    if not isinstance(name, str) or not name:
        wrong("payload.user_username", "the member's login", name, _DO)
    permission = payload.get("access_level") or payload.get("project_access") or payload.get("group_access")
    said = {"member": login(host, name), "change": _MEMBERS[event]}
    return "member_changed", {**said, "permission": permission if isinstance(permission, str) else None}


def _group(payload: dict[str, Any], host: str) -> dict[str, Any]:
    """Stand for all projects of a group: its members have access to each."""
    path = payload.get("group_path")
    if not isinstance(path, str) or not path:
        wrong("payload.group_path", "the group's path", path, _DO)
    return {
        "repository": f"{host}/{path}/*".lower(),
        "name": f"{path}/*",
        "owner": f"{host}/{path}",
        "owner_kind": "organisation",
    }
