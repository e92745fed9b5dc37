"""Events about people: employment, approvals, determinations and disclosures. Source: HRIS and legal systems.

Employment words follow the Open Cap Format's stakeholder relationship status.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from engine.domain.events.base import Data, Key, Name, Rank, Text, event
from engine.domain.values import Instant, Quantity


class Person(Data, frozen=True):
    """Base of an event about one person, named by the organisation's own stable id."""

    person: Name

    def about(self) -> Key:
        """Give the person."""
        return ("person", self.person)


@event("person.hired.v1", Rank.PEOPLE, "people")
class PersonHired(Person, frozen=True):
    """Employment began at the event's time."""

    jurisdiction: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = ""
    """ISO 3166 country or subdivision, such as US-CA; empty when the source doesn't say."""


@event("person.notice_given.v1", Rank.PEOPLE, "people")
class PersonNoticeGiven(Person, frozen=True):
    """Either side gave notice; employment goes on until `person.terminated`."""

    last_day: Instant | None = None


@event("person.terminated.v1", Rank.PEOPLE, "people")
class PersonTerminated(Person, frozen=True):
    """Employment ended at the event's time; the grants' termination windows run from it."""

    reason: Literal["voluntary", "involuntary", "retirement", "death", "disability", "other"] = "other"


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What an approval or determination is about: exactly one kind, by its id."""

    kind: Literal["person", "repository", "grant"]
    id: Name


class Decided(Data, frozen=True):
    """Base of a decision about a person, a repository or a grant."""

    about_: About = msgspec.field(name="about")

    def about(self) -> Key:
        """Give the aggregate; a grant is reached through the alias that names its holder."""
        if self.about_.kind == "grant":
            return ("alias", f"grant:{self.about_.id}")
        return (self.about_.kind, self.about_.id)


@event("approval.granted.v1", Rank.APPROVAL, "people")
class ApprovalGranted(Decided, frozen=True):
    """Somebody entitled to approved something; in force over [from, until).

    The event's time is when it was decided. `from` may lie earlier: such an approval is back-dated, excuses, and
    is shown as back-dated.
    """

    approval_id: Name
    kind: Literal[
        "cap_uplift", "transfer", "release", "fork", "launch", "travel", "divestiture", "licence", "handover", "board"
    ]
    approver: Name
    from_: Instant | None = msgspec.field(name="from", default=None)
    until: Instant | None = None
    amount: Quantity = Quantity(0)
    """Units added to a cap (`cap_uplift` only)."""
    scope: Name | None = None
    """What exactly is permitted: a grant id for a transfer, a repository for a fork; empty permits any."""
    reason: Text = ""

    def effective(self, time: int) -> int:
        """Give the earlier of decided and in force."""
        return min(time, time if self.from_ is None else self.from_)

    def problem(self, time: int) -> str:
        """Refuse a period that ends before it begins."""
        start = time if self.from_ is None else self.from_
        if self.until is not None and self.until <= start:
            return "data.until is not after data.from: an approval must be in force for some time."
        if self.amount < 0:
            return "data.amount is negative: an uplift adds units."
        return ""


@event("approval.revoked.v1", Rank.APPROVAL, "people")
class ApprovalRevoked(Decided, frozen=True):
    """An approval ended at the event's time, earlier than it would have."""

    approval_id: Name
    reason: Text = ""


@event("determination.recorded.v1", Rank.APPROVAL, "people")
class DeterminationRecorded(Decided, frozen=True):
    """A named human settled a question: who owns a work, whether it is related to the company's business."""

    determination_id: Name
    question: Literal["ownership", "relatedness", "own_time", "workload"]
    answer: Literal["holder", "company", "shared", "unrelated", "related", "yes", "no"]
    decided_by: Name
    repository: Name | None = None
    """The repository concerned, by the host's id, where `about` is a person."""
    from_: Instant | None = msgspec.field(name="from", default=None)
    reason: Text = ""

    def effective(self, time: int) -> int:
        """Give the earlier of recorded and in force."""
        return min(time, time if self.from_ is None else self.from_)


@event("disclosure.submitted.v1", Rank.PEOPLE, "people")
class DisclosureSubmitted(Person, frozen=True):
    """A person disclosed a prior invention or an outside activity."""

    disclosure_id: Name
    kind: Literal["prior_invention", "outside_activity"]
    repository: Name | None = None
    """The repository it covers, by the host's id."""
    made_on: Instant | None = None
    """When the invention was made; a prior invention counts from its submission, whenever it was made."""
    text: Text = ""


@event("disclosure.decided.v1", Rank.PEOPLE, "people")
class DisclosureDecided(Person, frozen=True):
    """The company accepted or rejected a disclosure."""

    disclosure_id: Name
    decision: Literal["accepted", "rejected"]
    decided_by: Name
    reason: Text = ""
