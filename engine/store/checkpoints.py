"""Which checkpoint of an aggregate may be used, and which are kept. Pure: one judgement for every store.

A checkpoint is void once a batch after it put an entry at or before its place, or took one away from there. What it
was folded with besides its own entries (reference data) is for the body to judge by `CheckpointRow.reference`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.domain.records import CheckpointRow, JournalRow

KEPT = 2
"""Checkpoints kept of an aggregate: the newest, and one more for when the newest is void."""

Entry = tuple[int, JournalRow]
"""An entry and the lane's version that recorded it."""


def newest_valid(checkpoints: Iterable[CheckpointRow], entries: Sequence[Entry], fold_version: int) -> CheckpointRow | None:
    """Give the newest checkpoint of a fold version that no later entry has made void."""
    for checkpoint in by_age(row for row in checkpoints if row.fold_version == fold_version):
        if not _void(checkpoint, entries):
            return checkpoint
    return None


def by_age(checkpoints: Iterable[CheckpointRow]) -> list[CheckpointRow]:
    """Order checkpoints of one aggregate, the newest first: the one that knows most, and of those the furthest."""
    return sorted(checkpoints, key=lambda row: (row.version, row.time, row.entries), reverse=True)


def _void(checkpoint: CheckpointRow, entries: Sequence[Entry]) -> bool:
    later = {row.identity for version, row in entries if version > checkpoint.version}
    return any(row.identity in later and row.effective <= checkpoint.time for _, row in entries)
