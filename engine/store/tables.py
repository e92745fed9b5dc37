"""The tables: what one batch's transaction writes, and the projections read by people. Shapes mirror domain.records.

The journal is append-only. Times are µs UTC, quantities micro-units, identities hex text, all JSON canonical text.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel


def big(**more: object) -> object:
    """A 64-bit integer column."""
    return Field(sa_column=Column(BigInteger, nullable=False, **more))  # type: ignore[arg-type,call-overload]


def key(kind: type = BigInteger) -> object:
    """A 64-bit integer that is part of the primary key."""
    return Field(sa_column=Column(kind, primary_key=True, autoincrement=False))


class LaneTable(SQLModel, table=True):
    """Where each lane stands: the unit of locking."""

    __tablename__ = "lane"
    lane: int = Field(primary_key=True)
    version: int = big()
    reference: int = big()
    watermark: int = big()
    outbox_sequence: int = big()
    published: int = big(server_default="0")


class PositionTable(SQLModel, table=True):
    """The next offset of each input."""

    __tablename__ = "position"
    lane: int = Field(primary_key=True)
    input: str = Field(primary_key=True)
    next: int = big()


class BatchTable(SQLModel, table=True):
    """One batch of a lane."""

    __tablename__ = "batch"
    lane: int = Field(primary_key=True)
    version: int = key()
    kind: str
    recorded_at: int = big()
    reference: int = big()
    watermark: int = big()
    work: str
    lanes: int
    read: int
    accepted: int
    duplicates: int


class JournalTable(SQLModel, table=True):
    """The append-only truth."""

    __tablename__ = "journal"
    __table_args__ = (Index("journal_aggregate", "aggregate"),)
    lane: int = Field(primary_key=True)
    version: int = key()
    ordinal: int = Field(primary_key=True)
    organisation: str
    aggregate: str
    identity: str
    type: str
    time: int = big()
    effective: int = big()
    recorded_at: int = big()
    origin: str
    revision: int
    withdrawn: bool
    event: str


class SeenTable(SQLModel, table=True):
    """Identities taken in, at any distance."""

    __tablename__ = "seen"
    identity: str = Field(primary_key=True)
    content: str


class DecisionTable(SQLModel, table=True):
    """Evaluations; `stands` until superseded or withdrawn."""

    __tablename__ = "decision"
    __table_args__ = (Index("decision_id", "id"), Index("decision_aggregate", "aggregate", "stands"))
    lane: int = Field(primary_key=True)
    version: int = key()
    ordinal: int = Field(primary_key=True)
    id: str
    organisation: str
    aggregate: str
    identity: str
    source: str
    event_id: str
    type: str
    time: int = big()
    bundle: str
    input_digest: str
    fold_version: int
    opa_version: str
    outcomes: str
    verdict: str
    supersedes: str
    cause: str
    stands: bool


class InputTable(SQLModel, table=True):
    """Inputs of decisions that aren't a pass, for ever."""

    __tablename__ = "input"
    digest: str = Field(primary_key=True)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class PostingTable(SQLModel, table=True):
    """Changes to grants' balances, append-only."""

    __tablename__ = "posting"
    __table_args__ = (Index("posting_aggregate", "aggregate"),)
    lane: int = Field(primary_key=True)
    version: int = key()
    ordinal: int = Field(primary_key=True)
    organisation: str
    aggregate: str
    identity: str
    grant: str
    holder: str
    unit: str
    kind: str
    amount: int = big()
    time: int = big()


class ViolationTable(SQLModel, table=True):
    """Violations as they stand."""

    __tablename__ = "violation"
    __table_args__ = (Index("violation_rule", "rule"), Index("violation_holder", "holder"), Index("violation_aggregate", "aggregate"))
    id: str = Field(primary_key=True)
    lane: int
    organisation: str
    rule: str
    aggregate: str
    discriminator: str
    severity: str
    clause: str
    respondent: str
    holder: str
    repository: str
    status: str
    settled: bool
    opened_at: int = big()
    last_seen_at: int = big()
    count: int
    first_decision: str
    last_decision: str
    evidence: str
    sentence: str
    version: int
    settle_us: int = big()


class ChangeTable(SQLModel, table=True):
    """Steps in violations' lives."""

    __tablename__ = "violation_change"
    violation: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    change: str
    decision: str
    cause: str
    time: int = big()
    recorded_at: int = big()
    count: int


class IndeterminateTable(SQLModel, table=True):
    """What could not be judged, folded."""

    __tablename__ = "indeterminate"
    rule: str = Field(primary_key=True)
    aggregate: str = Field(primary_key=True)
    fact: str = Field(primary_key=True)
    organisation: str
    reason: str
    count: int
    first_at: int = big()
    last_at: int = big()
    last_decision: str


class RefusedTable(SQLModel, table=True):
    """Refused lines and messages."""

    __tablename__ = "refused"
    id: str = Field(primary_key=True)
    organisation: str
    source: str
    code: str
    field: str
    reason: str
    do: str
    where: str
    raw: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    recorded_at: int = big()


class DerivedTable(SQLModel, table=True):
    """Derived facts as last sent."""

    __tablename__ = "derived"
    aggregate: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    target: str = Field(primary_key=True)
    identity: str
    revision: int
    content: str


class OutboxTable(SQLModel, table=True):
    """Messages on their way to topics."""

    __tablename__ = "outbox"
    lane: int = Field(primary_key=True)
    sequence: int = key()
    topic: str
    key: str
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class BundleTable(SQLModel, table=True):
    """Bundles, kept for ever."""

    __tablename__ = "bundle"
    digest: str = Field(primary_key=True)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    recorded_at: int = big()


class AggregateTable(SQLModel, table=True):
    """What a lane knows of its aggregates without loading them."""

    __tablename__ = "aggregate"
    __table_args__ = (Index("aggregate_lane", "lane", "newest"),)
    aggregate: str = Field(primary_key=True)
    lane: int
    newest: int = big()
    dirty_from: int = big()
