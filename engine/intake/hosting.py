"""What the payloads of code hosts share: hosts, repositories' names, logins, commits, licence files. Pure.

A host's numbers and logins are unique on it alone, so both carry it: `github.com#17`, `gitlab.com/mona`. A repository
is known by its number, which survives a rename; by its name, in small letters, only where the source gives no number.
Addresses and dates of commits are their authors' word: evidence, never the time or the author of an act.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from engine.intake.picking import Fields, wrong
from engine.intake.trailers import declared

NAME_MAX: Final = 256
"""As long as a name in an event may be."""
_URL: Final = re.compile(r"https?://([A-Za-z0-9.-]{1,200}(?::[0-9]{1,5})?)(?:/|$)")
_PATH: Final = re.compile(r"[^\s/]+(?:/[^\s/]+)+")
_LICENCE: Final = re.compile(r"(?:licen[cs]e|copying|unlicense)(?:[.-][a-z0-9.-]{1,40})?", re.IGNORECASE)

Made = tuple[str, dict[str, Any]]
"""An event's verb, such as pushed, and what it says beyond what every act on a repository says."""


def host_of(url: Any) -> str:
    """Give the host of a web address in small letters, its port with it; empty where there is none."""
    match = _URL.match(url) if isinstance(url, str) else None
    return match[1].lower() if match else ""


def login(host: str, name: str) -> dict[str, str]:
    """Give the alias of a login on a host."""
    return {"kind": "login", "value": f"{host}/{name}"}


def numbered(host: str, number: Any, field: str) -> str:
    """Give the id of a repository the host numbers; `Refusal` where it is no number."""
    if not isinstance(number, int) or isinstance(number, bool):
        wrong(field, "the repository's numeric id", number)
    return f"{host}#{number}"


def named(host: str, path: str) -> str:
    """Give the id of a repository known by its name alone; hosts take it in any case of letters."""
    return f"{host}/{path}".lower()


def owner_of(path: str, field: str) -> str:
    """Give all of a repository's path but its last part: the owner, or the group with the groups above it."""
    if not _PATH.fullmatch(path):
        wrong(field, "a repository's path, such as octo-org/engine", path)
    return path.rpartition("/")[0]


def pushed(ref: Any, commits: list[Fields], host: str, count: int = 0) -> dict[str, Any]:
    """Say what a push says: `count` where the host counts more commits than it lists. Every push names its ref."""
    if not isinstance(ref, str) or not ref:
        wrong("payload.ref", "the ref that was pushed, such as refs/heads/main", ref)
    messages = [commit.value["message"] for commit in commits if isinstance(commit.value.get("message"), str)]
    found = declared(messages)
    return {
        "ref": ref,
        "commits": max(count, len(commits)),
        "authors": people(commits, "author", host),
        "committers": people(commits, "committer", host),
        "signed_off": found.signed_off,
        "ai_coauthored": found.ai_coauthored,
        "coauthors": found.coauthors,
        "session": found.session or None,
        "job_id": found.job_id or None,
        "artifacts": found.artifacts,
    }


def observed(kind: str, ref: Any) -> Made:
    """Keep an act that has no event of its own, with the branch or tag it concerns."""
    return "observed", {"kind": kind[:NAME_MAX], "ref": ref[:NAME_MAX] if isinstance(ref, str) and ref else None}


def people(commits: Iterable[Fields], role: str, host: str) -> list[str]:
    """Give each author's or committer's address once, else their login; as Git records them, cut to a name's length."""
    found: dict[str, None] = {}
    for commit in commits:
        person = commit.value.get(role)
        if not isinstance(person, dict):
            continue
        address, name = person.get("email"), person.get("username")
        if isinstance(address, str) and address:
            found[address[:NAME_MAX]] = None
        elif isinstance(name, str) and name:
            found[f"{host}/{name}"[:NAME_MAX]] = None
    return list(found)


def licence_touched(ref: Any, branch: Any, commits: Iterable[Fields]) -> dict[str, str] | None:
    """Say what a push to the default branch did to the licence files at the root; None where it touched none.

    The files' names say that the licence changed, not to what: that is `none` once they are gone, else unknown.
    """
    if not branch or ref != f"refs/heads/{branch}":
        return None
    touched: dict[str, bool] = {}
    for commit in commits:
        for key in ("added", "modified", "removed"):
            paths = commit.value.get(key)
            for path in paths if isinstance(paths, list) else []:
                if isinstance(path, str) and _LICENCE.fullmatch(path):
                    touched[path] = key != "removed"
    if not touched:
        return None
    return {"before": "unknown", "after": "unknown" if any(touched.values()) else "none"}
