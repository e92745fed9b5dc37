"""A person's pushes outside the organisation: how many to each repository, and what bears on whether that is their own affair.

Part of the person aggregate. The window is incremental and bounded by its length, which is the bundle's; disclosures and
determinations are kept for as long as the person is. Nothing here is compared with a threshold.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from engine.domain.events.agreements import DisclosureSubmitted
from engine.domain.events.derived import ContributionAttributed
from engine.domain.events.people import DeterminationRecorded

PERIOD: Final = "outside_window_us"
"""The bundle's `data.facts`: length of the window (µs)."""
_COMPACT: Final = 64
_ANSWERS: Final = {"own_time": ("yes", "no"), "relatedness": ("unrelated", "related")}


class Outside(msgspec.Struct):
    """Pushes outside within the window, what the person disclosed, and what was determined."""

    length: int
    pushes: list[tuple[int, str, int]] = []
    """(Instant, repository, commits), in order of time."""
    gone: int = 0
    """How many of them, from the first on, have left the window."""
    counts: dict[str, tuple[int, int]] = {}
    """Repository → pushes and commits within the window."""
    granted_at: int = -1
    """When granted compute was used last; −1 for never."""
    linked: set[str] = set()
    """Repositories that company-terms compute was ever tied to, or used for as the usage itself said."""
    disclosed: set[str] = set()
    """Repositories the person told the company of, whatever it decided."""
    unnamed: bool = False
    """Whether a disclosure names no repository, so that it may be about any."""
    answers: dict[str, str] = {}
    """Question and repository → latest answer."""


def used(outside: Outside, at: int, repository: str | None, ip_terms: str) -> None:
    """Note that granted compute was used, for a repository where the usage says so."""
    outside.granted_at = at
    if repository is not None and ip_terms == "company":
        outside.linked.add(repository)


def disclosed(outside: Outside, data: DisclosureSubmitted) -> None:
    """Note a disclosure."""
    if data.repository is None:
        outside.unnamed = True
    else:
        outside.disclosed.add(data.repository)


def determined(outside: Outside, data: DeterminationRecorded) -> None:
    """Note what was determined of a repository: whether it is done in own time, whether it is related to the business."""
    if data.repository is not None and data.answer in _ANSWERS.get(data.question, ()):
        outside.answers[f"{data.question} {data.repository}"] = data.answer


def pushed(
    outside: Outside, at: int, data: ContributionAttributed, links: list[dict[str, Any]], since: int = -1
) -> dict[str, Any]:
    """Count a push in where it went outside for certain; gives the facts about its repository in (at − window, at].

    Pushes before `since` don't count: what is asked of them was lowered then.
    """
    repository = data.repository
    if any(link["ip_terms"] == "company" for link in links):
        outside.linked.add(repository)
    if data.in_org is False:
        outside.pushes.append((at, repository, data.commits))
        _count(outside, repository, 1, data.commits)
    _leave(outside, at)
    pushes, commits = outside.counts.get(repository, (0, 0))
    if since > at - outside.length:
        late = [commits for when, where, commits in outside.pushes[outside.gone :] if where == repository and when >= since]
        pushes, commits = len(late), sum(late)
    told = repository in outside.disclosed
    return {
        "pushes_30d": pushes,
        "commits_30d": commits,
        "granted": outside.granted_at >= 0 and at - outside.length < outside.granted_at,
        "disclosure": "made" if told else "unnamed" if outside.unnamed else "none",
        "own_time": outside.answers.get(f"own_time {repository}", "undetermined"),
        "related": outside.answers.get(f"relatedness {repository}", "undetermined"),
        "company_link": repository in outside.linked,
    }


def _count(outside: Outside, repository: str, pushes: int, commits: int) -> None:
    before = outside.counts.get(repository, (0, 0))
    after = (before[0] + pushes, before[1] + commits)
    if after[0]:
        outside.counts[repository] = after
    else:
        del outside.counts[repository]


def _leave(outside: Outside, at: int) -> None:
    """Let what is too long ago leave; its places are given back once they are most of the list."""
    while outside.gone < len(outside.pushes) and outside.pushes[outside.gone][0] <= at - outside.length:
        _, repository, commits = outside.pushes[outside.gone]
        _count(outside, repository, -1, -commits)
        outside.gone += 1
    if outside.gone > _COMPACT and outside.gone * 2 > len(outside.pushes):
        del outside.pushes[: outside.gone]
        outside.gone = 0
