"""Facts one aggregate derives for another. They travel on `covenant.derived` and are never accepted from outside."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from engine.domain.events.aliases import Target
from engine.domain.events.base import Alias, Count, Data, Key, Name, Rank, Text, event, repository_key
from engine.domain.events.grants import GrantIssued, Unit
from engine.domain.values import Instant, Quantity


@event("contribution.attributed.v1", Rank.DERIVED)
class ContributionAttributed(Data, frozen=True):
    """A repository tells the login that acted what was done; the login's verified owner answers for it."""

    actor: Alias
    action: Name
    repository: Name
    name: Name
    in_org: bool | None = None
    """Whether the repository is the organisation's; unknown until the organisation has said which owners are its own."""
    private: bool | None = None
    commits: Count = 0
    authors: tuple[Name, ...] = ()
    committers: tuple[Name, ...] = ()
    coauthors: tuple[Name, ...] = ()
    branch: str = ""
    session: Name | None = None
    job_id: Name | None = None
    artifacts: tuple[Name, ...] = ()

    def about(self) -> Key:
        """Give the login's alias."""
        return ("alias", self.actor.id)


@event("contribution.reviewed.v1", Rank.DERIVED)
class ContributionReviewed(Data, frozen=True):
    """Somebody gave notice, or got it: what they read of one repository until then is looked at again."""

    person: Name
    repository: Name
    name: Name
    in_org: bool | None = None
    """As the last reading found it."""
    private: bool | None = None

    def about(self) -> Key:
        """Give the person."""
        return ("person", self.person)


@event("alias.held.v1", Rank.ALIAS)
class AliasHeld(Data, frozen=True):
    """A person learns which logins and addresses are verified to be theirs, and which no longer are."""

    alias: Alias
    person: Name
    held: bool
    until: Instant | None = None

    def about(self) -> Key:
        """Give the person."""
        return ("person", self.person)


@event("identity.asked.v1", Rank.USAGE)
class IdentityAsked(Data, frozen=True):
    """An aggregate asks an alias whom it stood for when `cause` happened."""

    alias: Alias
    asker_kind: Literal["person", "repository"]
    asker_id: Name
    cause: str
    in_org: bool | None = None
    """Whether it is about a repository of the organisation's; a name that is only asked for outside isn't kept for ever."""

    def about(self) -> Key:
        """Give the alias asked."""
        return ("alias", self.alias.id)


@event("identity.resolved.v1", Rank.ALIAS)
class IdentityResolved(Data, frozen=True):
    """The alias answers: the verified person behind it at that moment. Precedes, in order, what asked."""

    asker_kind: Literal["person", "repository"]
    asker_id: Name
    cause: str
    person: Name

    def about(self) -> Key:
        """Give the aggregate that asked."""
        return (self.asker_kind, self.asker_id)


@event("grant.assigned.v1", Rank.PEOPLE)
class GrantAssigned(Data, frozen=True):
    """A grant's alias learns its holder, from the issue, a transfer or a rollover on."""

    alias: Alias
    target: Target
    how: Literal["issued", "transferred", "rolled_over"] = "issued"
    """A rollover makes nobody the holder of a grant that another person has."""

    def about(self) -> Key:
        """Give the grant's alias."""
        return ("alias", self.alias.id)


@event("repository.named.v1", Rank.PEOPLE)
class RepositoryNamed(Data, frozen=True):
    """A repository that its host numbers goes by a name from now on, until another one does."""

    alias: Alias
    repository: Name

    def about(self) -> Key:
        """Give the alias of the name."""
        return ("alias", self.alias.id)


@event("grant.received.v1", Rank.DERIVED)
class GrantReceived(Data, frozen=True):
    """What was left of a grant when another person transferred it: its terms and its balances (micro-units)."""

    to: Name
    terms: GrantIssued
    vested: Quantity
    unvested: Quantity
    vesting_since: Instant | None = None
    """When its schedule began to run: what hasn't vested goes on vesting."""
    suspended: bool = False
    """Whether it covers nothing until it is resumed, as with whoever gave it."""

    def about(self) -> Key:
        """Give the person who received it."""
        return ("person", self.to)


@event("pool.committed.v1", Rank.DERIVED)
class PoolCommitted(Data, frozen=True):
    """A grant was made out of a pool, or what was left of it came back (negative)."""

    pool: Name
    grant_id: Name
    holder: Name
    quantity: Quantity
    unit: Unit

    def about(self) -> Key:
        """Give the pool."""
        return ("pool", self.pool)


@event("pool.drawn.v1", Rank.DERIVED)
class PoolDrawn(Data, frozen=True):
    """What a person drew from a pool in one clock hour (UTC), of one provider, in one unit; stands at the hour's end."""

    SUMMED: ClassVar[tuple[str, ...]] = ("units", "gpu_seconds")
    pool: Name
    holder: Name
    hour: Instant
    provider: Name
    unit: Unit
    units: Quantity = Quantity(0)
    gpu_seconds: Quantity = Quantity(0)

    def about(self) -> Key:
        """Give the pool."""
        return ("pool", self.pool)


@event("repository.exposed.v1", Rank.DERIVED)
class RepositoryExposed(Data, frozen=True):
    """How much granted compute a person used for a repository on one day (UTC), under which terms; stands at its end."""

    SUMMED: ClassVar[tuple[str, ...]] = ("units",)
    repository: Name
    holder: Name
    day: Instant
    ip_terms: Literal["company", "holder", "shared"]
    units: Quantity = Quantity(0)

    def about(self) -> Key:
        """Give the repository."""
        return repository_key(self.repository)


@event("deadline.reached.v1", Rank.DEADLINE)
class DeadlineReached(Data, frozen=True):
    """A moment an aggregate had been waiting for came: what was due, about what, since when the clock ran."""

    kind: Name
    """What was due, such as usage_uncovered or release_approval."""
    about_: Name = msgspec.field(name="about")
    """What it is about: the usage, the document's version, the job."""
    of_kind: Literal["person", "repository", "alias", "pool"]
    of_id: Name
    since: Instant
    """When the clock began to run."""
    quantity: Quantity = Quantity(0)
    """Units that vest, for an installment."""
    detail: str = ""
    """What else tells one from another: the credential of an uncovered usage."""

    def about(self) -> Key:
        """Give the aggregate that waits."""
        return (self.of_kind, self.of_id)


@event("policy.held.v1", Rank.REFERENCE)
class PolicyHeld(Data, frozen=True):
    """A rule opened more findings in an hour than it may: what it finds stays internal until a person releases it."""

    rule: Name
    opened: Count
    """Findings opened within the hour."""
    limit: Count
    """How many may be: 50, or five times the daily mean of 28 days."""

    def about(self) -> Key:
        """Give the organisation itself."""
        return ("organisation", "")


@event("policy.released.v1", Rank.REFERENCE)
class PolicyReleased(Data, frozen=True):
    """A person looked into why a rule was held, and lets it speak again."""

    rule: Name
    by: Name
    why: Text

    def about(self) -> Key:
        """Give the organisation itself."""
        return ("organisation", "")
