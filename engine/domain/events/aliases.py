"""Events that say whom a name stands for. Source: directory, identity provider, key management."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.domain.events.base import Alias, Data, Key, Name, Problem, Rank, event
from engine.domain.values import Instant


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Whom or what a name stands for."""

    kind: Literal["person", "repository"]
    id: Name


class Named(Data, frozen=True):
    """Base of an event about one alias."""

    alias: Alias

    def about(self) -> Key:
        """Give the alias."""
        return ("alias", self.alias.id)


@event("alias.linked.v1", Rank.ALIAS, "people")
class AliasLinked(Named, frozen=True):
    """A name stands for a target over [valid_from, valid_until). Only a verified link charges anybody."""

    target: Target
    verified: bool
    valid_from: Instant | None = None
    valid_until: Instant | None = None

    def effective(self, time: int) -> int:
        """Give the start of validity, which may lie before or after the link was recorded."""
        return time if self.valid_from is None else self.valid_from

    def problem(self, time: int) -> Problem | None:
        """Refuse a validity that ends before it begins."""
        if self.valid_until is not None and self.valid_until <= self.effective(time):
            return Problem("dates-out-of-order", "data.valid_until is not after data.valid_from: a link must hold for some time.")
        return None


@event("alias.unlinked.v1", Rank.ALIAS, "people")
class AliasUnlinked(Named, frozen=True):
    """From `valid_until` (else the event's time) the name stands for nobody until it is linked again."""

    valid_until: Instant | None = None

    def effective(self, time: int) -> int:
        """Give the end of validity."""
        return time if self.valid_until is None else self.valid_until


@event("credential.created.v1", Rank.ALIAS, "people")
class CredentialCreated(Data, frozen=True):
    """A key was issued to its owner: a verified link of the credential from the event's time."""

    credential: Name
    """The key's hash or id, never the key."""
    owner: Name
    """The person who answers for what is done with it."""
    kind: Literal["personal", "service", "ci"] = "personal"

    def about(self) -> Key:
        """Give the credential's alias."""
        return ("alias", f"credential:{self.credential}")


@event("credential.seen.v1", Rank.USAGE, "usage")
class CredentialSeen(Data, frozen=True):
    """A key was seen in use, from a network: a sighting without usage of its own."""

    credential: Name
    network: Name | None = None

    def about(self) -> Key:
        """Give the credential's alias."""
        return ("alias", f"credential:{self.credential}")


@event("credential.revoked.v1", Rank.ALIAS, "people")
class CredentialRevoked(Data, frozen=True):
    """A key was withdrawn; what still uses it is charged to its last owner."""

    credential: Name

    def about(self) -> Key:
        """Give the credential's alias."""
        return ("alias", f"credential:{self.credential}")
