"""A repository and its owner as GitHub's payloads describe them, and Gitea's, which follow them. Pure."""

from __future__ import annotations

from typing import Any, Final

from engine.intake.hosting import login, numbered
from engine.intake.picking import wrong

GITHUB: Final = "github.com"
_KINDS: Final = {"User": "user", "Organization": "organisation"}


def described(repository: Any, field: str, host: str, do: str) -> dict[str, Any]:
    """Say which repository it is, whose, and how visible; `Refusal` where it lacks its id, its name or its owner."""
    number = repository.get("id") if isinstance(repository, dict) else None
    data: dict[str, Any] = {"repository": numbered(host, number, f"{field}.id")}
    name = repository.get("full_name") or repository.get("name")
    if not isinstance(name, str) or not name:
        wrong(f"{field}.full_name", "the repository's name, such as octo-org/octo-repo", name, do)
    data["name"] = name
    data["owner"], data["owner_kind"] = owner(repository.get("owner"), f"{field}.owner", host, do)
    if isinstance(repository.get("private"), bool):
        data["private"] = repository["private"]
    return data


def owner(value: Any, field: str, host: str, do: str) -> tuple[str, str]:
    """Give who owns it and what they are; old pushes call the login `name`."""
    name = (value.get("login") or value.get("username") or value.get("name")) if isinstance(value, dict) else None
    if not isinstance(name, str) or not name:
        wrong(f"{field}.login", "the owner's login", name, do)
    kind = value.get("type")
    return f"{host}/{name}", _KINDS.get(kind, "unknown") if isinstance(kind, str) else "unknown"


def member_of(value: Any, field: str, host: str, do: str) -> dict[str, str]:
    """Give the login of somebody a payload names, such as a member."""
    name = value.get("login") if isinstance(value, dict) else None
    if not isinstance(name, str) or not name:
        wrong(f"{field}.login", "a login", name, do)
    return login(host, name)
