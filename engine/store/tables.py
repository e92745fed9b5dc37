"""The tables: what one batch's transaction writes, and the projections read by people. Shapes mirror domain.records.

Owns names, types and indexes; a change here needs a migration, and a test compares the two. The journal is append-only.
Times are µs UTC, quantities micro-units, identities hex text, all JSON canonical text. Whatever is looked up or ordered
by text compares bytewise on every database, so that two stores give the same order.
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import Index, Integer, MetaData, text
from sqlmodel import SQLModel

from engine.store.column_types import CLUSTERED, big, blob, number_key, some, word, word_key

TERMS = "(substr(type, 1, 14) = 'compute.grant.' OR type IN ('compute.person.hired.v1', 'compute.person.terminated.v1'))"
"""Journal entries that make the terms of grants: few among very many. An index serves a query that says exactly this."""
LINKS = (
    "type IN ('compute.alias.linked.v1', 'compute.alias.unlinked.v1', 'compute.credential.created.v1', "
    "'compute.credential.revoked.v1', 'compute.grant.assigned.v1', 'compute.repository.named.v1')"
)
"""Journal entries that say whom an alias stands for: few, so that it costs little to see that a name has none."""
VESTED = "kind = 'vested'"
"""Postings of units that vest: few among very many."""


AGAIN = "revision > 1"
"""Derived facts that were sent more than once: few among very many."""
COUNTED = "change IN ('opened', 'reopened', 'settled')"
"""Steps by which a finding comes to stand and to be spoken of: counted by the hour."""


class Stored(SQLModel):
    """Base of our tables, with a catalogue of their own: other SQLModel tables in a process aren't ours to migrate."""

    metadata: ClassVar[MetaData] = MetaData()


class LaneTable(Stored, table=True):
    """Where each lane stands: the unit of locking."""

    __tablename__ = "lane"
    lane: int = number_key(Integer)
    version: int = big()
    reference: int = big()
    watermark: int = big()
    outbox_sequence: int = big()
    published: int = big(server_default="0")
    behind: bool


class PositionTable(Stored, table=True):
    """The next offset of each input."""

    __tablename__ = "position"
    __table_args__ = CLUSTERED
    lane: int = number_key(Integer)
    input: str = word_key()
    next: int = big()


class BatchTable(Stored, table=True):
    """One batch of a lane."""

    __tablename__ = "batch"
    __table_args__ = CLUSTERED
    lane: int = number_key(Integer)
    version: int = number_key()
    kind: str
    recorded_at: int = big()
    reference: int = big()
    watermark: int = big()
    work: str
    held: str
    horizon: int
    caught_up: bool
    behind: bool
    learnt_from: int = big()
    learnt_until: int = big()
    lanes: int
    read: int
    accepted: int
    duplicates: int
    outbox_sequence: int = big()


class JournalTable(Stored, table=True):
    """The append-only truth."""

    __tablename__ = "journal"
    __table_args__ = (
        Index("journal_aggregate", "aggregate", "effective"),
        Index("journal_terms", "aggregate", **some(TERMS)),
        Index("journal_links", "aggregate", **some(LINKS)),
        CLUSTERED,
    )
    lane: int = number_key(Integer)
    version: int = number_key()
    ordinal: int = number_key(Integer)
    organisation: str
    aggregate: str = word()
    identity: str
    type: str
    time: int = big()
    effective: int = big()
    recorded_at: int = big()
    origin: str
    revision: int
    withdrawn: bool
    event: str
    cause: str


class SeenTable(Stored, table=True):
    """Identities taken in, at any distance; apart from the journal, which may be split by time."""

    __tablename__ = "seen"
    __table_args__ = CLUSTERED
    identity: str = word_key()
    content: str


class OriginalTable(Stored, table=True):
    """Which record each event was made from, where a source normalised it."""

    __tablename__ = "original"
    __table_args__ = CLUSTERED
    identity: str = word_key()
    payload: str


class PayloadTable(Stored, table=True):
    """Records as their sources wrote them, up to a limit."""

    __tablename__ = "payload"
    digest: str = word_key()
    size: int
    body: bytes = blob()


class DecisionTable(Stored, table=True):
    """Evaluations; `stands` until superseded or withdrawn."""

    __tablename__ = "decision"
    __table_args__ = (Index("decision_id", "id"), Index("decision_aggregate", "aggregate", "stands", "time"), CLUSTERED)
    lane: int = number_key(Integer)
    version: int = number_key()
    ordinal: int = number_key(Integer)
    id: str = word()
    organisation: str
    aggregate: str = word()
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


class WithdrawalTable(Stored, table=True):
    """Decisions in whose place nothing stands, and why."""

    __tablename__ = "withdrawal"
    __table_args__ = CLUSTERED
    lane: int = number_key(Integer)
    version: int = number_key()
    id: str = word_key()
    cause: str


class InputTable(Stored, table=True):
    """Inputs of decisions that aren't a pass, for ever."""

    __tablename__ = "input"
    digest: str = word_key()
    body: bytes = blob()


class PostingTable(Stored, table=True):
    """Changes to grants' balances, append-only."""

    __tablename__ = "posting"
    __table_args__ = (
        Index("posting_aggregate", "aggregate"),
        Index("posting_vested", "aggregate", **some(VESTED)),
        # By blocks: postings come about in the order of both times, and such an index costs next to nothing to keep.
        Index("posting_times", "time", "recorded_at", postgresql_using="brin").ddl_if(dialect="postgresql"),
        CLUSTERED,
    )
    lane: int = number_key(Integer)
    version: int = number_key()
    ordinal: int = number_key(Integer)
    organisation: str
    aggregate: str = word()
    identity: str
    grant: str
    holder: str
    unit: str
    kind: str
    amount: int = big()
    time: int = big()
    recorded_at: int = big()


class BalanceSnapshotTable(Stored, table=True):
    """Balances of what happened before a moment, as known at another: sums of postings, made so as not to add them again."""

    __tablename__ = "balance_snapshot"
    __table_args__ = CLUSTERED
    before: int = number_key()
    known_at: int = number_key()
    organisation: str = word_key()
    holder: str = word_key()
    grant: str = word_key()
    unit: str = word_key()
    kind: str = word_key()
    amount: int = big()


class ViolationTable(Stored, table=True):
    """Violations as they stand."""

    __tablename__ = "violation"
    __table_args__ = (
        Index("violation_rule", "rule"),
        Index("violation_holder", "holder"),
        Index("violation_aggregate", "aggregate"),
        Index("violation_unsettled", "lane", sqlite_where=text("settled = 0"), postgresql_where=text("NOT settled")),
    )
    id: str = word_key()
    lane: int
    organisation: str
    rule: str
    aggregate: str = word()
    discriminator: str
    severity: str
    clause: str
    respondent: str
    holder: str = word()
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


class ChangeTable(Stored, table=True):
    """Steps in violations' lives."""

    __tablename__ = "violation_change"
    __table_args__ = (Index("change_counted", "recorded_at", **some(COUNTED)),)
    violation: str = word_key()
    version: int = number_key(Integer)
    lane: int
    change: str
    decision: str
    cause: str
    time: int = big()
    recorded_at: int = big()
    count: int


class IndeterminateTable(Stored, table=True):
    """What could not be judged, folded."""

    __tablename__ = "indeterminate"
    __table_args__ = CLUSTERED
    aggregate: str = word_key()
    rule: str = word_key()
    fact: str = word_key()
    lane: int
    organisation: str
    reason: str
    count: int
    first_at: int = big()
    last_at: int = big()
    last_decision: str


class RefusedTable(Stored, table=True):
    """Refused lines and messages."""

    __tablename__ = "refused"
    id: str = word_key()
    organisation: str
    source: str
    code: str
    field: str
    reason: str
    do: str
    where: str
    raw: bytes = blob()
    recorded_at: int = big()


class DroppedTable(Stored, table=True):
    """How much of names that nobody knows was dropped: their number is kept, not they."""

    __tablename__ = "dropped"
    __table_args__ = CLUSTERED
    organisation: str = word_key()
    kind: str = word_key()
    lane: int = number_key(Integer)
    count: int = big()
    last_at: int = big()


class DerivedTable(Stored, table=True):
    """Derived facts as last sent."""

    __tablename__ = "derived"
    __table_args__ = (Index("derived_again", "aggregate", **some(AGAIN)), CLUSTERED)
    aggregate: str = word_key()
    key: str = word_key()
    target: str = word_key()
    lane: int
    identity: str
    revision: int
    content: str


class CheckpointTable(Stored, table=True):
    """Folded states of long aggregates, so that loading one reads the end of its journal alone."""

    __tablename__ = "checkpoint"
    aggregate: str = word_key()
    lane: int
    since: int = big()
    fold: str
    body: bytes = blob()


class OutboxTable(Stored, table=True):
    """Messages on their way to topics."""

    __tablename__ = "outbox"
    lane: int = number_key(Integer)
    sequence: int = number_key()
    topic: str
    key: str
    value: bytes = blob()


class ShadowTable(Stored, table=True):
    """What shadowed bundles say of events: the last each said, never enforced."""

    __tablename__ = "shadow"
    __table_args__ = CLUSTERED
    bundle: str = word_key()
    aggregate: str = word_key()
    identity: str = word_key()
    type: str
    time: int = big()
    verdict: str
    outcomes: str


class BundleTable(Stored, table=True):
    """Bundles, kept for ever."""

    __tablename__ = "bundle"
    digest: str = word_key()
    body: bytes = blob()
    recorded_at: int = big()


class AggregateTable(Stored, table=True):
    """What a lane knows of its aggregates without loading them. `newest` has no index: it changes with every batch."""

    __tablename__ = "aggregate"
    __table_args__ = (
        Index("aggregate_dirty", "lane", sqlite_where=text("dirty_from >= 0"), postgresql_where=text("dirty_from >= 0")),
        CLUSTERED,
    )
    aggregate: str = word_key()
    lane: int
    newest: int = big()
    dirty_from: int = big()
    due: int = big()
    causes: str
