"""What every store can do for the body, for replay and for the relay. One conformance suite runs against all of them.

Reading a store never changes it. Whoever records a batch names every aggregate the batch added entries to in
`Batch.aggregates`: that is how a store knows an aggregate without looking through the journal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Protocol

from engine.domain.records import (
    AggregateRow,
    Batch,
    Checkpoint,
    DecisionRow,
    JournalRow,
    Lane,
    Loaded,
    OutboxRow,
    PayloadRow,
    Recorded,
    ShadowRow,
    ViolationRow,
)

REFERENCE_LANE = -1


class Store(Protocol):
    """A queryable, transactional store; `StoreUnavailable` where it can't be reached."""

    def lane(self, lane: int) -> Lane:
        """Where a lane stands; at version 0 when it never wrote."""
        ...

    def lanes(self) -> list[Lane]:
        """All lanes that ever wrote, the reference lane (−1) first."""
        ...

    def seen(self, identities: Sequence[str]) -> dict[str, str]:
        """Identity → content, of those taken in before."""
        ...

    def aggregates(self) -> list[str]:
        """Keys of all aggregates that ever had an entry, bytewise."""
        ...

    def load(self, aggregates: Sequence[str], fold: str = "") -> dict[str, Loaded]:
        """All that is held of each aggregate, an empty `Loaded` of those unknown.

        Of a clean aggregate with a checkpoint that was folded by `fold` only what comes after it: see `Loaded`.
        """
        ...

    def keep_checkpoints(self, lane: int, version: int, checkpoints: Sequence[Checkpoint]) -> None:
        """Keep checkpoints of a lane's aggregates as they are at a version; `LaneConflict` and nothing if it isn't there.

        One replaces another of its aggregate. `record` deletes those that a batch outdates.
        """
        ...

    def linked(self, aliases: Sequence[str]) -> set[str]:
        """Of some aliases those of which anything was ever said, a link taken back included."""
        ...

    def waiting_since(self, alias: str, after: int) -> int:
        """Of what an alias did outside the organisation, and waits, the earliest moment it happened and was learnt.

        Whichever is later of the two, and of those beyond `after` alone; −1 for none.
        """
        ...

    def record(self, batch: Batch) -> None:
        """Write a batch in one transaction, or `LaneConflict` and nothing."""
        ...

    def dirty(self, lane: int) -> list[AggregateRow]:
        """Aggregates that still have to be re-decided, by name."""
        ...

    def aggregates_since(self, lane: int, time: int) -> list[AggregateRow]:
        """Aggregates with an entry placed at or after a moment, by name."""
        ...

    def deadlines(self, lane: int) -> list[AggregateRow]:
        """Aggregates with a deadline pending, by name."""
        ...

    def reference(self, after: int) -> list[JournalRow]:
        """Entries of the reference log beyond the first `after`, in recorded order."""
        ...

    def reference_of(self, types: Sequence[str]) -> list[JournalRow]:
        """Entries of the reference log of these types, in recorded order."""
        ...

    def steps(self, changes: Collection[str], since: int, until: int) -> dict[tuple[str, str], int]:
        """(organisation, rule) → such steps of violations (`settled`, …) recorded after `since`, up to `until`, of all lanes."""
        ...

    def unsettled(self, lane: int) -> list[ViolationRow]:
        """Violations of a lane that nobody may be told of yet, by id."""
        ...

    def outbox(self, lane: int, after: int, limit: int) -> list[OutboxRow]:
        """Messages of a lane beyond a sequence, in order."""
        ...

    def outboxes(self) -> list[int]:
        """Lanes that have messages in their outbox, in order."""
        ...

    def published(self, lane: int) -> int:
        """The sequence published last."""
        ...

    def mark_published(self, lane: int, sequence: int) -> None:
        """Note what was published, and forget those messages."""
        ...

    def number_relay(self) -> int:
        """Give a relay that begins now its number: the one numbered last is the one that publishes."""
        ...

    def relay_number(self) -> int:
        """The number given to a relay last; 0 for none."""
        ...

    def save_bundle(self, digest: str, body: bytes, recorded_at: int) -> None:
        """Keep a bundle; one of the same digest is the same, and the first stays."""
        ...

    def first_bundle(self) -> str:
        """Give the digest of the bundle kept first, which is in force from the beginning; empty when none was."""
        ...

    def bundle(self, digest: str) -> bytes:
        """Give a bundle; `NotFound` if it was never kept."""
        ...

    def input(self, digest: str) -> bytes:
        """Give the input of a decision that isn't a pass; `NotFound` if it was never kept."""
        ...

    def shadows(self, bundle: str) -> list[ShadowRow]:
        """Give what a shadowed bundle said last of each entry, by aggregate and identity."""
        ...

    def original(self, identity: str) -> PayloadRow | None:
        """Give the record an event was made from; None where the event came as a CloudEvent."""
        ...

    def decision(self, ident: str) -> Recorded:
        """Give the newest recording of a decision; `NotFound` if there is none."""
        ...

    def batches(self, lane: int, after: int = 0) -> Iterator[Batch]:
        """Batches of a lane beyond a version, in order, in bounded memory: their numbers and `journal` alone."""
        ...

    def decisions(self, lane: int, version: int) -> list[DecisionRow]:
        """Decisions that a batch recorded, in order."""
        ...

    def entries(self, aggregate: str, version: int | None = None) -> list[JournalRow]:
        """All entries folded into an aggregate up to and with a lane's version, in recorded order, replaced ones too."""
        ...

    def replace_projections(self, lane: int, batches: Iterable[Batch]) -> None:
        """Write a lane's projections anew, in one transaction, from its batches made again in order.

        What stands of decisions, postings, violations and their changes, indeterminates, derived facts and aggregates;
        the journal, decisions, inputs, refusals and the outbox stay as they are.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
