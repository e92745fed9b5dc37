"""Events about people: employment, approvals, determinations and disclosures. Source: HRIS and legal systems.

Employment words follow the Open Cap Format's stakeholder relationship status.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from engine.domain.events.base import Data, Key, Name, Problem, Rank, Text, event, repository_key
from engine.domain.events.grants import Reason
from engine.domain.values import Instant, Quantity

Jurisdiction = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
"""ISO 3166 country or subdivision, such as US-CA."""


class Person(Data, frozen=True):
    """Base of an event about one person, named by the organisation's own stable id."""

    person: Name

    def about(self) -> Key:
        """Give the person."""
        return ("person", self.person)


@event("person.hired.v1", Rank.PEOPLE, "people")
class PersonHired(Person, frozen=True):
    """Employment began at the event's time."""

    jurisdiction: Jurisdiction = ""
    """ISO 3166 country or subdivision, such as US-CA; empty when the source doesn't say."""


@event("person.notice_given.v1", Rank.PEOPLE, "people")
class PersonNoticeGiven(Person, frozen=True):
    """Either side gave notice; employment goes on until `person.terminated`."""

    last_day: Instant | None = None


@event("person.terminated.v1", Rank.PEOPLE, "people")
class PersonTerminated(Person, frozen=True):
    """Employment ended at the event's time; the grants' termination windows run from it."""

    reason: Reason = "other"


@event("person.relationship_changed.v1", Rank.PEOPLE, "people")
class PersonRelationshipChanged(Person, frozen=True):
    """The kind of engagement changed (OCF stakeholder relationship)."""

    relationship: Literal["employee", "contractor", "advisor", "board_member", "founder", "former", "other"]


@event("person.on_leave.v1", Rank.PEOPLE, "people")
class PersonOnLeave(Person, frozen=True):
    """A leave began at the event's time (OCF stakeholder status); clocks that run against the person stand still."""

    kind: Literal["parental", "medical", "disability", "unpaid", "military", "sabbatical", "other"] = "other"
    until: Instant | None = None
    """When it ends; a further event of a later time replaces it."""

    def problem(self, time: int) -> Problem | None:
        """Refuse a leave that ends before it begins."""
        return (
            Problem("dates-out-of-order", "data.until is not after the event's time: a leave must last.")
            if self.until is not None and self.until <= time
            else None
        )


@event("person.jurisdiction_changed.v1", Rank.PEOPLE, "people")
class PersonJurisdictionChanged(Person, frozen=True):
    """The person is employed elsewhere from the event's time on."""

    jurisdiction: Jurisdiction


@event("person.travel_recorded.v1", Rank.PEOPLE, "people")
class PersonTravelRecorded(Person, frozen=True):
    """The person was, or will be, in a country over [from, until)."""

    country: Jurisdiction
    from_: Instant | None = msgspec.field(name="from", default=None)
    until: Instant | None = None

    def effective(self, time: int) -> int:
        """Give the start of the journey, which may lie before it was recorded."""
        return min(time, time if self.from_ is None else self.from_)

    def problem(self, time: int) -> Problem | None:
        """Refuse a journey that ends before it begins."""
        start = time if self.from_ is None else self.from_
        return (
            Problem("dates-out-of-order", "data.until is not after data.from: a journey must last.")
            if self.until is not None and self.until <= start
            else None
        )


@event("person.handover_recorded.v1", Rank.PEOPLE, "people")
class PersonHandoverRecorded(Person, frozen=True):
    """A handover was agreed: reading what is handed over is expected until then."""

    until: Instant | None = None
    repository: Name | None = None


@event("person.membership_recorded.v1", Rank.PEOPLE, "people")
class PersonMembershipRecorded(Person, frozen=True):
    """The person belongs to another organisation, as they declared or as the organisation itself supplied; never observed."""

    member_of: Name
    """The other organisation, as the policies list it: an owner on a code host, or a name."""
    basis: Literal["declared", "supplied"]
    """Who said so: the person declared it, or the organisation supplied it."""
    until: Instant | None = None
    """When it ended or will end; a further event replaces it."""


@event("person.replied.v1", Rank.PEOPLE, "people")
class PersonReplied(Person, frozen=True):
    """The holder's own answer to a finding."""

    violation: Name
    text: Text = ""


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What an approval or determination is about: exactly one kind, by its id."""

    kind: Literal["person", "repository", "grant", "pool"]
    id: Name


class Decided(Data, frozen=True):
    """Base of a decision about a person, a repository or a grant."""

    about_: About = msgspec.field(name="about")

    def about(self) -> Key:
        """Give the aggregate; a grant is reached through the alias that names its holder."""
        if self.about_.kind == "grant":
            return ("alias", f"grant:{self.about_.id}")
        if self.about_.kind == "repository":
            return repository_key(self.about_.id)
        return (self.about_.kind, self.about_.id)


@event("approval.granted.v1", Rank.APPROVAL, "people")
class ApprovalGranted(Decided, frozen=True):
    """Somebody entitled to approved something; in force over [from, until).

    The event's time is when it was decided. `from` may lie earlier: such an approval is back-dated, excuses, and
    is shown as back-dated.
    """

    approval_id: Name
    kind: Literal[
        "cap_uplift", "transfer", "release", "fork", "launch", "travel", "divestiture", "licence", "handover", "board", "agent"
    ]
    approver: Name
    from_: Instant | None = msgspec.field(name="from", default=None)
    until: Instant | None = None
    amount: Quantity = Quantity(0)
    """Units added to a cap (`cap_uplift` only)."""
    scope: Name | None = None
    """What exactly is permitted: a grant id for a transfer, a repository for a fork, an agent's credential; empty permits any."""
    reason: Text = ""

    def effective(self, time: int) -> int:
        """Give the earlier of decided and in force."""
        return min(time, time if self.from_ is None else self.from_)

    def problem(self, time: int) -> Problem | None:
        """Refuse a period that ends before it begins."""
        start = time if self.from_ is None else self.from_
        if self.until is not None and self.until <= start:
            return Problem("dates-out-of-order", "data.until is not after data.from: an approval must be in force for some time.")
        if self.amount < 0:
            return Problem("negative-quantity", "data.amount is negative: an uplift adds units.")
        return None


@event("approval.revoked.v1", Rank.APPROVAL, "people")
class ApprovalRevoked(Decided, frozen=True):
    """An approval ended at the event's time, earlier than it would have."""

    approval_id: Name
    reason: Text = ""


@event("approval.refused.v1", Rank.APPROVAL, "people")
class ApprovalRefused(Decided, frozen=True):
    """Somebody entitled refused to approve; a record, since a refusal permits nothing that wasn't permitted."""

    approval_id: Name
    kind: Name = "unknown"
    approver: Name = "unknown"
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
    workload: Name | None = None
    """The workload tag concerned, where the question is `workload`; without it whatever the person's tags are."""

    def effective(self, time: int) -> int:
        """Give the earlier of recorded and in force."""
        return min(time, time if self.from_ is None else self.from_)
