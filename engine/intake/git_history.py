"""The source `git`: commits of a repository's history, one a line, as evidence of who wrote what. Pure.

A line is `{"repo", "sha", "author", "committer", "committed", "authored"?, "trailers"?, "subject"?, …}`: `repo` is a path
such as octo-org/engine, on github.com unless it begins with its host; people are addresses, hashed or plain; trailers are
`{"k", "id"?, "name"?}` or texts such as `Signed-off-by: Name <address>`. Unknown keys are ignored.

A history knows no pushes, so each commit is a push of one commit that nobody made: no actor, so no person is charged by
it. Its time is the committer's: when the commit was made as it stands, by the server's clock where the server merged it,
else by the clock of whoever committed. The author's time survives every rebase and is older by up to years. A history
comes in once, by its commits' hashes: the same commit in two repositories is two events.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from engine.intake.deliveries import moment
from engine.intake.github_repository import GITHUB
from engine.intake.hosting import NAME_MAX, named, owner_of
from engine.intake.picking import Fields, wrong
from engine.intake.records import Draft, Record, Records
from engine.intake.trailers import COAUTHORS_MAX, by_tool, coauthor

_SHA: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HASHED: Final = re.compile(r"[0-9a-f]{16,64}")
_NAMES: Final = {"cursor": "cursoragent"}
"""Tools whose address isn't their name."""
_SCHEME: Final = re.compile(r"^(?:https?|ssh|git)://(?:[^@/]+@)?")
_SSH: Final = re.compile(r"^[A-Za-z0-9_-]+@([A-Za-z0-9.-]+):")


class GitHistory(Records):
    """A Git history, one commit a line."""

    name = "git"
    what = "a commit"

    def records(self, document: Any) -> Iterable[Record]:
        """Give the one commit of a line."""
        return [("", document)]

    def drafts(self, record: Any) -> Iterable[Draft]:
        """Give a commit's event."""
        commit = Fields(record)
        sha = commit.need("sha").lower()
        if not _SHA.fullmatch(sha):
            wrong("sha", "a commit's hash of 40 or 64 hexadecimal digits", sha)
        host, path = _place(commit.need("repo"))
        if not commit.has("committed"):
            wrong("committed", "the committer's time", commit.value.get("committed"))
        signed_off, ai_coauthored, declared = _trailers(commit)
        data: dict[str, Any] = {
            "repository": named(host, path),
            "name": path,
            "owner": f"{host}/{owner_of(path, 'repo')}",
            "commits": 1,
            "authors": [commit.need("author")[:NAME_MAX]],
            "committers": [commit.need("committer")[:NAME_MAX]],
            "signed_off": signed_off,
            "ai_coauthored": ai_coauthored,
            **declared,
        }
        time = moment(record["committed"], "committed", "Write the time as git log --format=%cI does.")
        yield Draft("repository.pushed", f"{host}/history", f"{named(host, path)}@{sha}", time, data)


def _place(repo: str) -> tuple[str, str]:
    """Tell host and path apart: octo-org/engine, git.octo.org/octo-org/engine, or the address to clone from."""
    bare = _SSH.sub(r"\1/", _SCHEME.sub("", repo)).removesuffix(".git").strip("/")
    first, _, rest = bare.partition("/")
    if "/" in rest and ("." in first or ":" in first):
        return first.lower(), rest
    return GITHUB, bare


def _trailers(commit: Fields) -> tuple[int, int, dict[str, Any]]:
    """Count one sign-off and one AI tool at most, as a commit counts once, and read the links to compute."""
    signed, tool, declared = 0, 0, dict[str, Any]()
    artifacts: dict[str, None] = {}
    coauthors: dict[str, None] = {}
    for index, item in enumerate(commit.items("trailers")):
        key, value = _trailer(item, f"trailers[{index}]")
        signed |= key == "signed-off-by"
        tool |= key == "co-authored-by" and by_tool(value)
        if address := coauthor(key, value):
            coauthors[address] = None
        if key in {"compute-session", "compute-job"}:
            declared["session" if key == "compute-session" else "job_id"] = value[:NAME_MAX]
        elif key == "artifact-digest":
            artifacts[value[:NAME_MAX]] = None
    return int(signed), int(tool), {**declared, "artifacts": list(artifacts)[:32], "coauthors": list(coauthors)[:COAUTHORS_MAX]}


def _trailer(item: Any, field: str) -> tuple[str, str]:
    """Give a trailer's key in small letters and its value, a person as Name <address>."""
    if isinstance(item, str):
        key, _, value = item.partition(":")
        return key.strip().lower(), value.strip()
    one = Fields(item, field)
    name, known = one.text("name") or "", one.text("id") or ""
    value = f"{name} <{_plain(name, known)}>".strip() if "@" in known else known or name
    return one.need("k").lower(), value


def _plain(name: str, address: str) -> str:
    """Give a tool's address where it was hashed: at its maker's domain its name stands for it, so who it is can be told."""
    local, _, domain = address.partition("@")
    if not name or not _HASHED.fullmatch(local):
        return address
    word = name.replace(" ", "").lower()
    return f"{_NAMES.get(word, word)}@{domain}"
