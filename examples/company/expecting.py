"""What a story must lead to: findings, excuses, open questions and refusals. Only shapes; the stories fill them.

Everything is stated by the story itself, never computed by the engine, so that comparing the two means something.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A violation that must stand at the end."""

    rule: str
    holder: str
    about: str
    """The aggregate: `person/<id>` or `repository/<id>`."""
    parts: tuple[str, ...]
    """The discriminator: what tells it from other violations of the same rule and aggregate."""
    count: int = 1
    """How many events it was seen in."""


@dataclass(frozen=True)
class Excuse:
    """A breach that a guard excuses: events that would have been a violation, and why they aren't."""

    rule: str
    about: str
    guard: str
    by: tuple[str, ...] = ()
    """Ids of the approvals that excuse it."""
    back_dated: bool = False
    """An approval was decided after the act and says so."""
    count: int = 1


@dataclass(frozen=True)
class OpenQuestion:
    """What can't be judged because a fact is missing: nobody is accused."""

    rule: str
    about: str
    fact: str
    count: int = 1


@dataclass(frozen=True)
class Refused:
    """Lines that must not be taken in."""

    code: str
    field: str = ""
    count: int = 1


@dataclass(frozen=True)
class Story:
    """One story of the example, for people and for the test."""

    key: str
    title: str
    tale: str
    """What happened and what should come of it, in a sentence or two."""
    findings: tuple[Finding, ...] = ()
    excuses: tuple[Excuse, ...] = ()
    questions: tuple[OpenQuestion, ...] = ()
    refused: tuple[Refused, ...] = ()
    corrected: tuple[Finding, ...] = ()
    """What is alleged first and retracted weeks later, when a late fact arrives; never part of what stands."""
    duplicates: int = 0
    """Lines that only repeat an event."""

    @property
    def innocent(self) -> bool:
        """Whether nobody stands accused at its end."""
        return not self.findings
