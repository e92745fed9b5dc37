"""Which project a GitLab payload is about, on which server, in which group, how visible: it says so in five ways. Pure.

A project hook carries `project`, a system hook `project_id` and `path_with_namespace` at the top, a job `repository` with
its address, a vulnerability nothing but an address; a group's merge request has the number within `object_attributes`.
"""

from __future__ import annotations

from typing import Any, Final

from engine.domain.errors import Refusal
from engine.intake.deliveries import Delivery, at
from engine.intake.hosting import host_of, named, numbered, owner_of
from engine.intake.picking import wrong

_ADDRESSES: Final = (
    "project.web_url",
    "project.homepage",
    "repository.homepage",
    "repository.git_http_url",
    "object_attributes.url",
    "commit.url",
)
_NUMBERS: Final = ("project.id", "project_id", "object_attributes.project_id", "object_attributes.target_project_id")
_PATHS: Final = ("project.path_with_namespace", "path_with_namespace", "project_path_with_namespace")
_LEVELS: Final = {0: "private", 10: "internal", 20: "public"}
_HOST: Final = "Give the X-Gitlab-Instance header as the line's `host`, such as https://gitlab.example.com."


def server(delivery: Delivery) -> str:
    """Give the server a delivery came from; `Refusal` where neither its line nor its payload names it."""
    host = delivery.host or next(filter(None, (host_of(at(delivery.payload, path)) for path in _ADDRESSES)), "")
    if not host:
        msg = "host: missing, and the payload holds no address; numbers and logins count on their own server only."
        raise Refusal(msg, _HOST, code="no-host", field="host")
    return host


def project(payload: dict[str, Any], host: str, do: str) -> dict[str, Any] | None:
    """Say which project it is and whose; None where the payload is about none. Group hooks of old give no number."""
    number = next((found for path in _NUMBERS if (found := at(payload, path)) is not None), None)
    path = _path(payload)
    if number is None and not isinstance(payload.get("project"), dict):
        return None
    if path is None:
        wrong("payload.project.path_with_namespace", "the project's path, such as octo-org/engine", path, do)
    owner = owner_of(path, "payload.project.path_with_namespace")
    known = named(host, path) if number is None else numbered(host, number, "payload.project.id")
    data: dict[str, Any] = {"repository": known, "name": path, "owner": f"{host}/{owner}"}
    visibility = visible(payload)
    return data if visibility is None else {**data, "private": visibility != "public"}


def visible(payload: dict[str, Any]) -> str | None:
    """Give the visibility: a level, a word, or a word behind `visibilitylevel|`."""
    for path in ("project.visibility_level", "repository.visibility_level"):
        level = at(payload, path)
        if isinstance(level, int) and level in _LEVELS:
            return _LEVELS[level]
    said = payload.get("project_visibility") or at(payload, "project.visibility")
    word = said.rpartition("|")[2] if isinstance(said, str) else ""
    return word if word in _LEVELS.values() else None


def _path(payload: dict[str, Any]) -> str | None:
    for where in _PATHS:
        path = at(payload, where)
        if isinstance(path, str) and path:
            return path
    for where in _ADDRESSES:
        address = at(payload, where)
        if host_of(address):
            path = "".join(address.split("/", 3)[3:]).partition("/-/")[0].removesuffix(".git").strip("/")
            return path or None
    return None
