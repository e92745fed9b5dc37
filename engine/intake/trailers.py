"""Trailers of commit messages: sign-offs, AI co-authors, and the links to compute that a commit declares. Pure.

A trailer is a line `Key: value` in a message's last paragraph, as `git interpret-trailers` reads it; a message of one
paragraph has none. What a trailer says is its author's claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

_TRAILER: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)[ \t]*:[ \t]*(\S.*)")
_ADDRESS: Final = re.compile(r"<([^<>]+)>")
_NAME_MAX: Final = 256
_ARTIFACTS_MAX: Final = 32
"""As many as a push event carries."""
COAUTHORS_MAX: Final = 32
_AI_ADDRESSES: Final = frozenset(
    {
        "amp@ampcode.com",
        "codex@openai.com",
        "copilot@github.com",
        "cursoragent@cursor.com",
        "noreply@aider.chat",
        "noreply@anthropic.com",
        "noreply@openai.com",
        "openhands@all-hands.dev",
    }
)
"""Tools sign with these; a person's name says nothing (people are called Claude and Devin), so only addresses count."""
_AI_LOGIN: Final = re.compile(
    r"(?:\d+\+)?(?:copilot|github-copilot\[bot\]|copilot-swe-agent\[bot\]|claude\[bot\]|cursor\[bot\]|openhands-agent"
    r"|chatgpt-codex-connector\[bot\]|gemini-code-assist\[bot\]|google-labs-jules\[bot\]|devin-ai-integration\[bot\])"
    r"@users\.noreply\.github\.com"
)


class Declared(msgspec.Struct):
    """What the trailers of one push declare, commits in their order."""

    signed_off: int = 0
    """Commits with a sign-off."""
    ai_coauthored: int = 0
    """Commits with an AI tool among the co-authors."""
    coauthors: tuple[str, ...] = ()
    """Addresses of co-authors, each once, in small letters."""
    session: str = ""
    job_id: str = ""
    """The last ones named; a push has room for one."""
    artifacts: tuple[str, ...] = ()


def declared(messages: Iterable[str]) -> Declared:
    """Read the trailers of a push's commits."""
    found = Declared()
    artifacts: dict[str, None] = {}
    coauthors: dict[str, None] = {}
    for message in messages:
        trailers = of_message(message)
        found.signed_off += any(key == "signed-off-by" for key, _ in trailers)
        found.ai_coauthored += any(key == "co-authored-by" and by_tool(value) for key, value in trailers)
        coauthors.update(dict.fromkeys(address for key, value in trailers if (address := coauthor(key, value))))
        for key, value in trailers:
            if key == "compute-session":
                found.session = value
            elif key == "compute-job":
                found.job_id = value
            elif key == "artifact-digest":
                artifacts[value] = None
    found.artifacts = tuple(artifacts)[:_ARTIFACTS_MAX]
    found.coauthors = tuple(coauthors)[:COAUTHORS_MAX]
    return found


def of_message(message: str) -> list[tuple[str, str]]:
    """Give a message's trailers, keys in small letters, values cut to what an event can carry."""
    _, gap, last = message.replace("\r\n", "\n").rstrip().rpartition("\n\n")
    if not gap:
        return []
    found = (_TRAILER.fullmatch(line.strip()) for line in last.split("\n"))
    return [(match[1].lower(), match[2][:_NAME_MAX]) for match in found if match]


def coauthor(key: str, value: str) -> str:
    """Give the address of a co-author; empty where the trailer names none."""
    match = _ADDRESS.search(value) if key == "co-authored-by" else None
    return match[1].strip().lower() if match else ""


def by_tool(person: str) -> bool:
    """Whether `Name <address>` is an AI tool."""
    match = _ADDRESS.search(person)
    address = match[1].strip().lower() if match else ""
    return address in _AI_ADDRESSES or bool(_AI_LOGIN.fullmatch(address))
