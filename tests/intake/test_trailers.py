"""Trailers of commit messages."""

from __future__ import annotations

import pytest

from engine.intake.trailers import by_tool, declared, of_message


def test_trailers_stand_in_the_last_paragraph() -> None:
    """What looks like one in the subject or the body is prose."""
    message = "Fix: a subject\n\nCompute-Job: in the body\n\nSigned-off-by: A <a@x.org>\r\nnot a trailer\nReviewed-By : B\n"
    assert of_message(message) == [("signed-off-by", "A <a@x.org>"), ("reviewed-by", "B")]


@pytest.mark.parametrize("message", ["", "Signed-off-by: A <a@x.org>", "Subject\nSigned-off-by: A <a@x.org>", "A\n\n"])
def test_a_message_of_one_paragraph_has_no_trailers(message: str) -> None:
    """As `git interpret-trailers` reads it."""
    assert of_message(message) == []


@pytest.mark.parametrize(
    "person",
    [
        "Claude Opus <noreply@anthropic.com>",
        "Cursor <CursorAgent@cursor.com>",
        "Copilot <223556219+Copilot@users.noreply.github.com>",
        "copilot-swe-agent[bot] <198982749+copilot-swe-agent[bot]@users.noreply.github.com>",
        "gemini-code-assist[bot] <176961590+gemini-code-assist[bot]@users.noreply.github.com>",
        "google-labs-jules[bot] <161369871+google-labs-jules[bot]@users.noreply.github.com>",
    ],
)
def test_a_tool_is_known_by_its_address(person: str) -> None:
    """Tools sign with an address of their own."""
    assert by_tool(person)


@pytest.mark.parametrize(
    "person",
    [
        "Claude Monet <claude@monet.fr>",
        "An engineer <someone@anthropic.com>",
        "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>",
        "Copilot fan <1+copilotfan@users.noreply.github.com>",
        "Devin",
    ],
)
def test_a_person_is_not_a_tool_because_of_a_name(person: str) -> None:
    """People are called Claude and Devin, and work at the tools' makers; other bots aren't AI."""
    assert not by_tool(person)


def test_a_push_declares_what_its_commits_do() -> None:
    """Commits are counted, not lines; the last session and job count; digests once, 32 at most."""
    signed = "A\n\nSigned-off-by: A <a@x.org>\nSigned-off-by: B <b@x.org>\nCompute-Job: 1"
    linked = "B\n\nCompute-Job: 2\nCompute-Session: s\n" + "\n".join(f"Artifact-Digest: sha256:{n % 40}" for n in range(80))
    found = declared([signed, linked])
    assert (found.signed_off, found.ai_coauthored, found.job_id, found.session) == (1, 0, "2", "s")
    assert found.artifacts == tuple(f"sha256:{n}" for n in range(32))
