"""Writing one batch inside a transaction that someone else opens, commits and rolls back.

Owns the order of the writes: the lane's version first (so that a worker that lost its lane stops there, and others
wait), then the truth, then projections; tables always in the same order and keys sorted, so that lanes never deadlock.
A constant number of statements, however large the batch.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from engine.domain.errors import LaneConflict
from engine.domain.records import (
    AggregateRow,
    Batch,
    Checkpoint,
    DecisionRow,
    DerivedRow,
    IndeterminateRow,
    InputRow,
    JournalRow,
    OriginalRow,
    OutboxRow,
    PayloadRow,
    PostingRow,
    RefusedRow,
    Row,
    SeenRow,
    ShadowRow,
    ViolationChange,
    ViolationRow,
    WithdrawnDecision,
)
from engine.store import names
from engine.store import tables as t
from engine.store.dialects import Dialect, Plan


class Position(Row, frozen=True):
    """The next offset of one input."""

    input: str
    next: int


class Head(Row, frozen=True):
    """A batch without its rows."""

    lane: int
    version: int
    kind: str
    recorded_at: int
    reference: int
    watermark: int
    work: str
    read: int
    accepted: int
    duplicates: int
    outbox_sequence: int
    lanes: int
    held: str
    horizon: int
    caught_up: bool
    behind: bool
    learnt_from: int
    learnt_until: int


class Kept(Row, frozen=True):
    """A bundle."""

    digest: str
    body: bytes
    recorded_at: int


HEADS: Final = Plan(t.BatchTable, Head)
JOURNAL: Final = Plan(t.JournalTable, JournalRow, "lane", "version")
SEEN: Final = Plan(t.SeenTable, SeenRow)
ORIGINALS: Final = Plan(t.OriginalTable, OriginalRow, keep=True)
PAYLOADS: Final = Plan(t.PayloadTable, PayloadRow, keep=True)
DECISIONS: Final = Plan(t.DecisionTable, DecisionRow, "lane", "version", "stands")
WITHDRAWALS: Final = Plan(t.WithdrawalTable, WithdrawnDecision, "lane", "version", keep=True)
POSTINGS: Final = Plan(t.PostingTable, PostingRow, "lane", "version")
CHANGES: Final = Plan(t.ChangeTable, ViolationChange, "lane")
OUTBOX: Final = Plan(t.OutboxTable, OutboxRow, "lane")
INPUTS: Final = Plan(t.InputTable, InputRow, keep=True)
SHADOWS: Final = Plan(t.ShadowTable, ShadowRow)
REFUSED: Final = Plan(t.RefusedTable, RefusedRow, keep=True)
VIOLATIONS: Final = Plan(t.ViolationTable, ViolationRow, "lane")
INDETERMINATES: Final = Plan(t.IndeterminateTable, IndeterminateRow, "lane")
DERIVED: Final = Plan(t.DerivedTable, DerivedRow, "lane")
AGGREGATES: Final = Plan(t.AggregateTable, AggregateRow)
POSITIONS: Final = Plan(t.PositionTable, Position, "lane")
CHECKPOINTS: Final = Plan(t.CheckpointTable, Checkpoint, "lane")
BUNDLES: Final = Plan(t.BundleTable, Kept, keep=True)
_SNAPSHOTS: Any = t.BalanceSnapshotTable.__table__  # type: ignore[attr-defined]
_REFUSED: Any = t.RefusedTable.__table__  # type: ignore[attr-defined]


class Writer:
    """Writes on one connection."""

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        """Use a connection within a transaction."""
        self.connection = connection
        self._dialect = dialect
        self._cursor: Any = connection.connection.cursor()

    def batch(self, batch: Batch) -> None:
        """Write a batch; `LaneConflict` unless the lane stands just before it."""
        self._advance(batch)
        head = Head(**{name: getattr(batch, name) for name in Head.__struct_fields__})
        self._insert(HEADS, [head])
        self._insert(JOURNAL, batch.journal, batch.lane, batch.version)
        seen: list[SeenRow] = sorted(batch.seen, key=lambda row: row.identity)
        self._insert(SEEN, seen)
        self._upsert(ORIGINALS, batch.originals)
        self._upsert(PAYLOADS, batch.payloads)
        self._supersede(batch)
        self._insert(DECISIONS, batch.decisions, batch.lane, batch.version, True)  # noqa: FBT003 - a column's value
        self._upsert(WITHDRAWALS, batch.withdrawn, batch.lane, batch.version)
        self._insert(OUTBOX, batch.outbox, batch.lane)
        self._upsert(INPUTS, batch.inputs)
        for ident in batch.resolved:
            self.connection.execute(delete(_REFUSED).where(_REFUSED.c.id == ident))
        self._upsert(REFUSED, batch.refused)
        self._upsert(SHADOWS, batch.shadows)
        self.projections(batch)
        for dropped in batch.dropped:
            names.drop(self.connection, batch.lane, batch.recorded_at, dropped)
        if batch.outdated:
            self._dialect.outdate(self._cursor, [(row.aggregate, row.since) for row in batch.outdated])
        self._upsert(POSITIONS, [Position(name, following) for name, following in batch.positions.items()], batch.lane)

    def checkpoints(self, lane: int, version: int, rows: Iterable[Checkpoint]) -> None:
        """Write checkpoints; `LaneConflict` unless the lane stands at a version, and stays there until they are written."""
        lanes = t.LaneTable.__table__  # type: ignore[attr-defined]
        stands = self.connection.execute(select(lanes.c.version).where(lanes.c.lane == lane).with_for_update()).scalar()
        if stands != version:
            msg = f"Lane {lane} doesn't stand at version {version}: another worker has it."
            raise LaneConflict(msg, "The lane is read again from the store's position.")
        self._upsert(CHECKPOINTS, rows, lane)

    def projections(self, batch: Batch) -> None:
        """Write what a batch changed of what stands, decisions aside."""
        self._insert(POSTINGS, batch.postings, batch.lane, batch.version)
        self._outdate(batch)
        self._insert(CHANGES, batch.changes, batch.lane)
        self._upsert(VIOLATIONS, batch.violations, batch.lane)
        self._upsert(INDETERMINATES, batch.indeterminates, batch.lane)
        self._upsert(DERIVED, batch.derived, batch.lane)
        self._upsert(AGGREGATES, batch.aggregates)

    def replace(self, lane: int, batches: Iterable[Batch]) -> None:
        """Write a lane's projections anew from its batches, in order."""
        for plan in (POSTINGS, CHANGES, VIOLATIONS, INDETERMINATES, DERIVED, AGGREGATES, CHECKPOINTS):
            self.connection.execute(delete(plan.table).where(plan.table.c.lane == lane))
        self.connection.execute(delete(_SNAPSHOTS))
        decisions = DECISIONS.table
        self.connection.execute(update(decisions).where(decisions.c.lane == lane, ~decisions.c.stands).values(stands=True))
        for batch in batches:
            self._supersede(batch)
            self.projections(batch)

    def _outdate(self, batch: Batch) -> None:
        """Drop balance snapshots that should hold what is posted now: they say that they know all learnt until then."""
        if batch.postings:
            learnt = min(row.recorded_at for row in batch.postings)
            self.connection.execute(delete(_SNAPSHOTS).where(_SNAPSHOTS.c.known_at >= learnt))

    def rows(self, plan: Plan, rows: Iterable[Row]) -> None:
        """Write rows of which some may be there already."""
        self._upsert(plan, rows)

    def _advance(self, batch: Batch) -> None:
        lanes = t.LaneTable.__table__  # type: ignore[attr-defined]
        values = {
            "version": batch.version,
            "reference": batch.reference,
            "watermark": batch.watermark,
            "outbox_sequence": batch.outbox_sequence,
            "behind": batch.behind,
        }
        if batch.version == 1:
            self.connection.execute(insert(lanes), {"lane": batch.lane, "published": 0, **values})
            return
        at_version = (lanes.c.lane == batch.lane) & (lanes.c.version == batch.version - 1)
        if self.connection.execute(update(lanes).where(at_version).values(**values)).rowcount != 1:
            msg = f"Lane {batch.lane} doesn't stand at version {batch.version - 1}: another worker has it."
            raise LaneConflict(msg, "The lane is read again from the store's position.")

    def _supersede(self, batch: Batch) -> None:
        gone = [row.supersedes for row in batch.decisions if row.supersedes] + [row.id for row in batch.withdrawn]
        if gone:
            self._dialect.supersede(self._cursor, batch.lane, batch.version, gone)

    def _insert(self, plan: Plan, rows: Iterable[Row], *fixed: Any) -> None:
        values = plan.tuples(rows, *fixed)
        if values:
            self._dialect.insert(self._cursor, plan, values)

    def _upsert(self, plan: Plan, rows: Iterable[Row], *fixed: Any) -> None:
        values = plan.tuples(rows, *fixed)
        if values:
            self._dialect.upsert(self._cursor, plan, values)
