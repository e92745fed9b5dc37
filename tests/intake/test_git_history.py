"""The source `git`: what commits of a history become."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.values import instant
from tests.intake.host_samples import commit
from tests.intake.samples import arrivals, encoded, events, refusal


def one(row: Any) -> Any:
    """Give the one event of one line."""
    (event,) = events(arrivals("git", encoded(row)))
    return event


def test_a_commit_is_a_push_that_nobody_made() -> None:
    """At the committer's time; author and committer are evidence, and no person is charged by it."""
    event = one(commit())
    assert (event.type, event.source) == ("compute.repository.pushed.v1", "github.com/history")
    assert event.id == f"github.com/octo-org/engine@{1:040x}"
    assert event.time == instant("2026-03-04T05:06:07Z")
    assert (event.data.repository, event.data.name, event.data.owner) == (
        "github.com/octo-org/engine",
        "octo-org/engine",
        "github.com/octo-org",
    )
    assert event.data.actor is None
    assert (event.data.commits, event.data.signed_off, event.data.ai_coauthored) == (1, 1, 0)
    assert (event.data.authors, event.data.committers) == (("ann@else.org",), ("noreply@github.com",))


@pytest.mark.parametrize(
    ("repo", "repository"),
    [
        ("Octo-Org/Engine", "github.com/octo-org/engine"),
        ("git.octo.org/octo/tools/engine", "git.octo.org/octo/tools/engine"),
        ("https://git.octo.org/octo/engine.git", "git.octo.org/octo/engine"),
        ("git@git.octo.org:octo/engine.git", "git.octo.org/octo/engine"),
        ("ssh://git@localhost:2222/octo/engine", "localhost:2222/octo/engine"),
    ],
)
def test_a_repository_is_named_by_path_or_address(repo: str, repository: str) -> None:
    """A path alone is GitHub's."""
    assert one(commit(repo=repo)).data.repository == repository


@pytest.mark.parametrize(
    ("trailer", "tool"),
    [
        ({"k": "Co-authored-by", "id": "noreply@anthropic.com", "name": "Claude"}, 1),
        ("Co-authored-by: Copilot <198982749+Copilot@users.noreply.github.com>", 1),
        ({"k": "Co-Authored-By", "id": "f4b20da2f29090bc@cursor.com", "name": "Cursor Agent"}, 1),
        ({"k": "Co-authored-by", "id": "f4b20da2f29090bc@users.noreply.github.com", "name": "Copilot"}, 1),
        ({"k": "Co-authored-by", "id": "f4b20da2f29090bc@users.noreply.github.com", "name": "dependabot[bot]"}, 0),
        ({"k": "Co-authored-by", "id": "f4b20da2f29090bc@gmail.com", "name": "Copilot"}, 0),
        ({"k": "Co-authored-by", "id": "f4b20da2f29090bc@gmail.com"}, 0),
        ({"k": "Co-authored-by", "id": None}, 0),
        ({"k": "Signed-off-by", "id": "noreply@anthropic.com"}, 0),
    ],
)
def test_a_tool_among_the_co_authors_is_known_by_its_address(trailer: Any, tool: int) -> None:
    """Hashed or plain; a name alone says nothing."""
    assert one(commit(trailers=[trailer])).data.ai_coauthored == tool


def test_trailers_count_once_a_commit_and_carry_the_links_to_compute() -> None:
    """As those of a pushed message do."""
    texts = ["Signed-off-by: A <a@x.org>", "Signed-off-by: B <b@x.org>", "Compute-Session: s-9", "Compute-Job: 42"]
    data = one(commit(trailers=[*texts, "Artifact-Digest: sha256:ab", "Artifact-Digest: sha256:cd"])).data
    assert (data.signed_off, data.session, data.job_id, data.artifacts) == (1, "s-9", "42", ("sha256:ab", "sha256:cd"))


WRONG: list[tuple[Any, tuple[str, str]]] = [
    ([], ("invalid", "the record")),
    (commit(sha="abc"), ("invalid", "sha")),
    (commit(repo=None), ("missing", "repo")),
    (commit(repo="engine"), ("invalid", "repo")),
    (commit(author=None), ("missing", "author")),
    (commit(committer=None), ("missing", "committer")),
    (commit(committed=None), ("missing", "committed")),
    (commit(committed="2026-03-04 05:06"), ("invalid-time", "committed")),
    (commit(trailers=["Signed-off-by: A <a@x.org>", 5]), ("invalid", "trailers[1]")),
    (commit(trailers=[{"id": "a@x.org"}]), ("missing", "trailers[0].k")),
]


@pytest.mark.parametrize(("row", "expected"), WRONG)
def test_a_line_that_says_too_little_is_refused(row: Any, expected: tuple[str, str]) -> None:
    """Naming the field."""
    found = refusal(arrivals("git", encoded(row)))
    assert (found.code, found.field) == expected
