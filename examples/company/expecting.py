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
class Correction:
    """A step in a violation's life that a late fact brings about."""

    rule: str
    about: str
    parts: tuple[str, ...]
    change: str
    """opened, recurred, superseded, retracted or reopened."""
    cause: str
    """The source and id of the late event: of what somebody sent, whatever was derived from it on the way."""


def opened(finding: Finding, cause: str) -> Correction:
    """Expect a finding to be opened by a late fact."""
    return Correction(finding.rule, finding.about, finding.parts, "opened", cause)


def retracted(finding: Finding, cause: str) -> Correction:
    """Expect a finding to be taken back by a late fact."""
    return Correction(finding.rule, finding.about, finding.parts, "retracted", cause)


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
    corrections: tuple[Correction, ...] = ()
    """What is found, changed or taken back because of a fact that comes late; what is retracted isn't part of what stands."""
    duplicates: int = 0
    """Lines that only repeat an event."""

    @property
    def innocent(self) -> bool:
        """Whether nobody stands accused at its end."""
        return not self.findings
