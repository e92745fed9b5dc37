"""What every store can do for the body. One conformance suite runs against all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from engine.domain.records import AggregateRow, Batch, JournalRow, Lane, Loaded, OutboxRow, ViolationRow


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
        """Keys of all aggregates that ever had an entry, in no particular order."""
        ...

    def load(self, aggregates: Sequence[str]) -> dict[str, Loaded]:
        """All that is held of each aggregate."""
        ...

    def record(self, batch: Batch) -> None:
        """Write a batch in one transaction, or `LaneConflict` and nothing."""
        ...

    def dirty(self, lane: int) -> list[AggregateRow]:
        """Aggregates that still have to be re-decided."""
        ...

    def aggregates_since(self, lane: int, time: int) -> list[AggregateRow]:
        """Aggregates with an entry placed at or after a moment."""
        ...

    def reference(self, after: int) -> list[JournalRow]:
        """Entries of the reference log beyond the first `after`."""
        ...

    def unsettled(self, lane: int) -> list[ViolationRow]:
        """Violations of a lane that nobody may be told of yet."""
        ...

    def outbox(self, lane: int, after: int, limit: int) -> list[OutboxRow]:
        """Messages of a lane beyond a sequence, in order."""
        ...

    def published(self, lane: int) -> int:
        """The sequence published last."""
        ...

    def mark_published(self, lane: int, sequence: int) -> None:
        """Note what was published, and forget those messages."""
        ...

    def save_bundle(self, digest: str, body: bytes, recorded_at: int) -> None:
        """Keep a bundle; one of the same digest is the same."""
        ...

    def bundle(self, digest: str) -> bytes:
        """Give a bundle; `NotFound` if it was never kept."""
        ...

    def batches(self, lane: int) -> Iterator[Batch]:
        """Batches of a lane in order, with their journal rows."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
