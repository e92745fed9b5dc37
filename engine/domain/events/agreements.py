"""Events about agreements and disclosures: what a person signed, attested and told. Source: contract and legal systems."""

from __future__ import annotations

from typing import Literal

from engine.domain.events.base import Name, Rank, Text, event
from engine.domain.events.people import Person
from engine.domain.values import Instant


class Agreement(Person, frozen=True):
    """Base of an event about one document put to one person."""

    kind: Literal["ip_assignment", "acceptable_use", "grant_agreement", "contributor_licence", "attestation"]
    version: Name
    """The document's version, such as 2026-1; of an attestation the year it is for."""


@event("agreement.sent.v1", Rank.PEOPLE, "people")
class AgreementSent(Agreement, frozen=True):
    """The document was put to the person; without it a missing signature is the company's own."""

    due: Instant | None = None
    """By when it is to be signed, where it says so itself; else the organisation's period runs."""


@event("agreement.reminded.v1", Rank.PEOPLE, "people")
class AgreementReminded(Agreement, frozen=True):
    """The person was reminded of an unsigned document."""


@event("agreement.signed.v1", Rank.PEOPLE, "people")
class AgreementSigned(Agreement, frozen=True):
    """The person signed, on `signed_on` where the source learnt of it later."""

    signed_on: Instant | None = None
    notice_given: bool | None = None
    """Whether the notice that some laws ask for at signing of an assignment was given; unknown where nobody says."""

    def effective(self, time: int) -> int:
        """Give the day of the signature, which may lie before it was recorded."""
        return time if self.signed_on is None else min(time, self.signed_on)


@event("agreement.attested.v1", Rank.PEOPLE, "people")
class AgreementAttested(Agreement, frozen=True):
    """The person confirmed a document for another year."""


@event("agreement.superseded.v1", Rank.PEOPLE, "people")
class AgreementSuperseded(Agreement, frozen=True):
    """A newer version replaces the one signed; the newer one is to be signed."""

    by: Name


@event("agreement.invalidated.v1", Rank.PEOPLE, "people")
class AgreementInvalidated(Agreement, frozen=True):
    """A signature turned out not to bind: as if the document had never been signed."""

    who: Name
    why: Text = ""


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


@event("disclosure.questioned.v1", Rank.PEOPLE, "people")
class DisclosureQuestioned(Person, frozen=True):
    """The company asked about a disclosure; the time it has to decide stands still until it is answered."""

    disclosure_id: Name
    text: Text = ""


@event("disclosure.answered.v1", Rank.PEOPLE, "people")
class DisclosureAnswered(Person, frozen=True):
    """The person answered; the company's time runs on."""

    disclosure_id: Name
    text: Text = ""
