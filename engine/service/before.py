"""What an aggregate in memory knows of entries that it hasn't loaded: all before those that a checkpoint left to read.

Owns the shapes and how identities are packed; 16 bytes an entry, so that a duplicate is known without its event. What is
wanted of an entry itself, a late fact before it or its withdrawal, needs the whole history instead.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from engine.domain.errors import IntegrityError
from engine.domain.order import Place

WIDTH: Final = 16
"""Bytes of an identity."""


class Said(msgspec.Struct, frozen=True):
    """What was decided of an entry that isn't in memory, as far as it makes up one violation or missing fact."""

    place: Place
    time: int
    """The event's own."""
    decision: str
    bundle: str
    outcomes: dict[str, Any]


class Counted(msgspec.Struct, frozen=True):
    """How many entries made up a violation, or a missing fact: rule and discriminator, or rule and fact, are its `names`."""

    names: tuple[str, ...]
    count: int
    first: Said
    last: Said


class Summed(msgspec.Struct, frozen=True):
    """What entries made up together: see `sums.Sum`."""

    key: str
    target: str
    event: str
    """As the journal has events."""
    total: list[int]
    parts: int
    sent: str


class Before(msgspec.Struct, frozen=True):
    """All that is known of the entries before those in memory."""

    state: bytes
    """As folded of them all."""
    count: int
    first: str
    """The very first event."""
    received: dict[int, bytes]
    """Revision → identities received, withdrawn ones included."""
    sent: dict[str, bytes]
    """Target → derived facts sent once. What was sent again the store says."""
    hears: dict[str, int]
    """Feed → place time of the last of them that asked about it."""
    groups: list[Counted]
    missing: list[Counted]
    sums: list[Summed]

    def revision_of(self, identity: str) -> int:
        """Give the revision last received of an identity; −1 for none."""
        wanted = bytes.fromhex(identity)
        return next((revision for revision, packed in self.received.items() if within(packed, wanted)), -1)

    def has_sent(self, target: str, key: str) -> bool:
        """Whether a derived fact was sent."""
        return target in self.sent and within(self.sent[target], bytes.fromhex(key))


def pack(identities: Iterable[bytes], known: bytes = b"") -> bytes:
    """Pack identities beside others that are packed, in order."""
    return b"".join(sorted({*identities, *(known[at : at + WIDTH] for at in range(0, len(known), WIDTH))}))


def within(packed: bytes, wanted: bytes) -> bool:
    """Whether an identity is among those packed."""
    index = bisect.bisect_left(range(len(packed) // WIDTH), wanted, key=lambda n: packed[n * WIDTH : (n + 1) * WIDTH])
    return packed[index * WIDTH : (index + 1) * WIDTH] == wanted


_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=int)
"""Instants are integers with a name."""
_DECODER: Final = msgspec.msgpack.Decoder(Before)


def write(before: Before) -> bytes:
    """Encode what is known."""
    return _ENCODER.encode(before)


def read(body: bytes) -> Before:
    """Decode what `write` wrote."""
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError as error:
        msg = "A checkpoint in the store can't be read."
        raise IntegrityError(msg, "Delete the rows of the table `checkpoint`: they are made again from the journal.") from error
