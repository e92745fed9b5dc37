"""What every event is made of: the envelope, its data's base class, and the register of types.

An event is a fact in the past tense: frozen, versioned, named `compute.<entity>.<verb>.v<N>`. Its data class states
which aggregate it is about, its rank among events of one instant, its topic, and from when it has effect. The
envelope follows CloudEvents 1.0 (structured JSON); extensions are `organisation`, `correlationid`, `causationid`.
This module never reads a clock and never decides anything.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar

import msgspec

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Text = Annotated[str, msgspec.Meta(max_length=4096)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Ppm = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class Problem(NamedTuple):
    """Why an event is refused beyond its types: the rule it breaks, by a code that programs count by, and a sentence."""

    code: str
    text: str
    """Begins with the field's path."""


Key = tuple[str, str]
"""An aggregate within an organisation: its kind (person, repository, alias, organisation) and its id."""


class Rank(IntEnum):
    """Order of events of one aggregate and one instant: an approval precedes the transfer it permits."""

    DEADLINE = 0
    REFERENCE = 1
    PEOPLE = 2
    APPROVAL = 3
    GRANT = 4
    ALIAS = 5
    USAGE = 6
    REPOSITORY = 7
    DERIVED = 8


CASELESS = frozenset({"login", "email", "repository"})
NAMED = "repository:"
"""How the id of an alias begins that is a repository's name."""


class Alias(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A name somebody goes by elsewhere: a login, an address, a credential's hash, a Unix user, a grant's id.

    `value` carries its host where names are only unique on one: `github.com/octocat`, `cluster-a/jdoe`.
    """

    kind: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z_]{0,31}$")]
    value: Name

    @property
    def id(self) -> str:
        """The alias aggregate's id; hosts and mail servers take a login or an address in any case of letters."""
        return f"{self.kind}:{self.value.lower() if self.kind in CASELESS else self.value}"


def repository_key(ident: str) -> Key:
    """Give where a repository's facts go: by the host's number to it, by a name (`host/owner/name`) to the alias of the name.

    Names change hands; the alias knows which repository had one when, and lets a name that nobody numbered be an id itself.
    """
    named = ident.count("/") >= 2 and "#" not in ident and not ident.endswith("/*")
    return ("alias", f"{NAMED}{ident.lower()}") if named else ("repository", ident)


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Base of what an event says. Subclasses set `TYPE`, `RANK` and `TOPIC` and answer `about`."""

    TYPE: ClassVar[str] = ""
    RANK: ClassVar[Rank] = Rank.DERIVED
    TOPIC: ClassVar[str] = ""
    SUMMED: ClassVar[tuple[str, ...]] = ()
    """Fields of a derived fact that are sums of what several events contributed."""

    def about(self) -> Key:
        """The aggregate this event concerns."""
        raise LookupError(self.TYPE)

    def effective(self, time: int) -> int:
        """From when it has effect (µs): its place in the aggregate's order. A back-dated fact is placed earlier."""
        return time

    def problem(self, time: int) -> Problem | None:  # noqa: ARG002
        """Give what is wrong beyond types, None where nothing is."""
        return None


class Event(msgspec.Struct, frozen=True, gc=False):
    """One CloudEvent, typed. `time` and `recorded_at` are µs UTC; identity is (source, id) in an organisation."""

    organisation: str
    source: str
    id: str
    type: str
    time: int
    data: Any
    """An instance of the `Data` subclass registered for `type`."""
    subject: str = ""
    recorded_at: int = 0
    correlation_id: str = ""
    causation_id: str = ""


TYPES: dict[str, type[Data]] = {}

D = TypeVar("D", bound=type[Data])


def event(name: str, rank: Rank, topic: str = "") -> Callable[[D], D]:
    """Register a data class as the type `compute.<name>`; `topic` is the inbound topic's last part."""

    def register(cls: D) -> D:
        cls.TYPE = f"compute.{name}"
        cls.RANK = rank
        cls.TOPIC = topic
        TYPES[cls.TYPE] = cls
        return cls

    return register
