"""What one batch records: plain rows that the body makes and a store writes in one transaction.

Owns the shapes only; no SQL, no decision. Ids and digests are 16-byte values written as hex text. Times are µs UTC,
quantities micro-units. A row's `position` is (lane, version, ordinal): the batch that recorded it and where in it.
"""

from __future__ import annotations

import msgspec


class Row(msgspec.Struct, frozen=True, gc=False):
    """Base of a recorded row."""


class JournalRow(Row, frozen=True):
    """One entry accepted into one aggregate: an inbound event, or one derived or forwarded by another aggregate."""

    ordinal: int
    """Order within the batch."""
    organisation: str
    aggregate: str
    """`organisation/kind/id`."""
    identity: str
    """Hex of (organisation, source, id); for derived facts of (cause, kind, target)."""
    type: str
    time: int
    """The event's own time."""
    effective: int
    """Its place's time: from when it has effect."""
    recorded_at: int
    origin: str
    """`inbound`: decoded from a source; `forwarded`: likewise, but of another lane (not folded here); `derived`:
    received from another lane; `inline`: derived within this batch."""
    revision: int
    """0 for inbound; a derived fact's revision, a higher one replacing a lower."""
    withdrawn: bool
    event: str
    """Canonical CloudEvents JSON (for a withdrawal, of the event withdrawn)."""
    cause: str = ""
    """Of a derived fact: the late event that it is owed to, as `domain.cause` writes it; else empty."""


class ShadowRow(Row, frozen=True):
    """What a shadowed bundle says of an entry: recorded, never enforced."""

    bundle: str
    aggregate: str
    identity: str
    type: str
    time: int
    verdict: str
    outcomes: str
    """As a decision's."""


class SeenRow(Row, frozen=True):
    """An identity taken in, so that a duplicate is known at any distance."""

    identity: str
    content: str


class OriginalRow(Row, frozen=True):
    """What an event was made from, where a source normalised it: several events of one record share a payload."""

    identity: str
    payload: str
    """Its digest."""


class PayloadRow(Row, frozen=True):
    """A record as its source wrote it, kept beside the events made from it."""

    digest: str
    size: int
    """Bytes of the whole record; `body` holds all of them up to a limit."""
    body: bytes


class DecisionRow(Row, frozen=True):
    """One evaluation of one entry. `supersedes` is the decision of the same entry that it replaces."""

    id: str
    """Hex of (aggregate, entry identity, bundle digest, input digest)."""
    ordinal: int
    organisation: str
    aggregate: str
    identity: str
    source: str
    event_id: str
    type: str
    time: int
    bundle: str
    input_digest: str
    fold_version: int
    opa_version: str
    outcomes: str
    """JSON: rule code → {outcome, severity, evidence, guard, by, back_dated, missing}; passes are listed under `pass`."""
    verdict: str
    """The weightiest outcome: violation, indeterminate, error, excused, pass."""
    supersedes: str
    cause: str
    """The late fact that made it be decided anew, as `domain.cause` writes it, else empty."""


class WithdrawnDecision(Row, frozen=True):
    """A decision whose entry left the aggregate (a withdrawn or moved fact): nothing stands in its place."""

    id: str
    cause: str


class InputRow(Row, frozen=True):
    """The input of a decision that isn't a pass, kept for ever."""

    digest: str
    body: bytes


class PostingRow(Row, frozen=True):
    """One change to a grant's balance. Append-only: a correction posts the difference."""

    ordinal: int
    organisation: str
    aggregate: str
    identity: str
    """The entry that caused it."""
    grant: str
    holder: str
    unit: str
    kind: str
    """granted transferred_in rolled_in, consumed expired forfeited voided transferred_out rolled_out, outstanding (vested
    units left: its sum) and unvested; beside the balances overage, and vested (units when they vest)."""
    amount: int
    time: int
    """When it happened."""
    recorded_at: int
    """When it was learnt: with what was known until then, the sum of all postings is what stood."""


class ViolationRow(Row, frozen=True):
    """A violation as it stands after the batch; a higher version replaces a lower."""

    id: str
    organisation: str
    rule: str
    aggregate: str
    discriminator: str
    """JSON list of texts."""
    severity: str
    clause: str
    respondent: str
    holder: str
    repository: str
    status: str
    """provisional | alleged | retracted (this issue); review states come later."""
    settled: bool
    opened_at: int
    last_seen_at: int
    count: int
    first_decision: str
    last_decision: str
    evidence: str
    """JSON of the last breach's evidence."""
    sentence: str
    version: int
    settle_us: int


class ViolationChange(Row, frozen=True):
    """One step in a violation's life, never changed afterwards."""

    violation: str
    version: int
    change: str
    """opened | recurred | superseded | retracted | settled | reopened."""
    decision: str
    cause: str
    """The late fact that changed it, as `domain.cause` writes it; empty for what came in time."""
    time: int
    """Event time of the decision that changed it."""
    recorded_at: int
    count: int


class IndeterminateRow(Row, frozen=True):
    """What could not be judged, folded per rule, aggregate and missing fact; count 0 when it no longer stands."""

    organisation: str
    rule: str
    aggregate: str
    fact: str
    reason: str
    count: int
    first_at: int
    last_at: int
    last_decision: str


class RefusedRow(Row, frozen=True):
    """A line or message not taken in, kept whole (up to a limit) with a reason for a person; can be redriven."""

    id: str
    organisation: str
    source: str
    code: str
    field: str
    reason: str
    do: str
    where: str
    """File and line, or topic, partition and offset."""
    raw: bytes
    recorded_at: int


class DerivedRow(Row, frozen=True):
    """The last revision sent of a derived fact, so that the next one is higher."""

    aggregate: str
    identity: str
    """The entry it was derived from."""
    key: str
    """Hex identity of the derived fact itself."""
    target: str
    revision: int
    content: str
    """Hex of its content; empty when withdrawn."""


class OutboxRow(Row, frozen=True):
    """A message for a topic, in the lane's order; the relay publishes by `sequence`."""

    sequence: int
    topic: str
    key: str
    value: bytes


class AggregateRow(Row, frozen=True):
    """What the lane knows of an aggregate without loading it."""

    aggregate: str
    lane: int
    newest: int
    """Place time of its newest entry."""
    dirty_from: int
    """Entries from this place time on still have to be re-decided; -1 when clean."""
    due: int = -1
    """When its next deadline falls due that the lane's watermark hasn't reached; -1 for none, or while dirty."""
    causes: str = ""
    """While dirty: the late facts its corrections are owed to, JSON."""


class DroppedRow(Row, frozen=True):
    """What an alias that nobody ever linked did outside the organisation, dropped: counted, and kept no longer."""

    aggregate: str
    before: int
    """What happened and was learnt no later than this goes."""
    due: int
    """When the next of what is left falls due; −1 for none."""


class Outdated(Row, frozen=True):
    """What a batch changed of entries that an aggregate had folded before it."""

    aggregate: str
    since: int
    """Place time of the first of them: no checkpoint that reaches there holds."""


class Checkpoint(Row, frozen=True):
    """A folded state of an aggregate, and what is known of the entries it was folded from: made anew at any time."""

    aggregate: str
    since: int
    """Place time from which on entries are still to be folded; any before it stand in the state."""
    fold: str
    """Digest of what it was folded by; another's is of no use."""
    body: bytes
    """As `service.before` writes it."""


class Batch(Row, frozen=True):
    """One batch of a lane, written in one transaction; `version` is the lane's version it makes."""

    lane: int
    version: int
    """The lane's version after this batch; the store's lane must stand at version − 1."""
    kind: str
    """events | redecide | settle."""
    recorded_at: int
    reference: int
    """How many reference entries (journal of lane −1) were known."""
    watermark: int
    """Newest event time the lane has seen; for `settle`, the time up to which violations may be spoken of."""
    work: str
    """JSON: for `redecide` the aggregates re-decided; for `settle` {"ended": bool}."""
    read: int
    accepted: int
    duplicates: int
    outbox_sequence: int
    """The lane's last outbox sequence after this batch."""
    lanes: int = 1
    """How many lanes there were: which aggregates were this lane's own."""
    held: str = ""
    """JSON: the rules that were held when it was decided, as `service.holding` writes them; empty for none."""
    horizon: int = 0
    """The correction horizon it was folded under, days; 0 for none."""
    caught_up: bool = True
    """Whether its lane, and those that tell it facts, had caught up when it was begun: else no violation settles with it."""
    behind: bool = False
    """Whether its lane had more to read than a batch holds."""
    learnt_from: int = 0
    learnt_until: int = 0
    """When the first and the last of what it recorded were learnt: moments that believed sources name may go to and fro."""
    positions: dict[str, int] = {}
    """Next offset per `topic/partition` (or file) after this batch."""
    resolved: tuple[str, ...] = ()
    """Ids of refusals that don't stand any more: a fact that had no effect has one after all."""
    journal: tuple[JournalRow, ...] = ()
    seen: tuple[SeenRow, ...] = ()
    originals: tuple[OriginalRow, ...] = ()
    payloads: tuple[PayloadRow, ...] = ()
    decisions: tuple[DecisionRow, ...] = ()
    withdrawn: tuple[WithdrawnDecision, ...] = ()
    inputs: tuple[InputRow, ...] = ()
    postings: tuple[PostingRow, ...] = ()
    violations: tuple[ViolationRow, ...] = ()
    changes: tuple[ViolationChange, ...] = ()
    indeterminates: tuple[IndeterminateRow, ...] = ()
    refused: tuple[RefusedRow, ...] = ()
    derived: tuple[DerivedRow, ...] = ()
    outbox: tuple[OutboxRow, ...] = ()
    aggregates: tuple[AggregateRow, ...] = ()
    dropped: tuple[DroppedRow, ...] = ()
    outdated: tuple[Outdated, ...] = ()
    shadows: tuple[ShadowRow, ...] = ()


class Lane(msgspec.Struct, frozen=True):
    """Where a lane stands in the store."""

    lane: int
    version: int = 0
    reference: int = 0
    watermark: int = 0
    outbox_sequence: int = 0
    published: int = 0
    """The sequence of the outbox that a relay published last."""
    behind: bool = False
    """Whether it had more to read than a batch holds when it last wrote."""
    positions: dict[str, int] = {}


class Recorded(msgspec.Struct, frozen=True):
    """A decision as the store holds it: by which batch it was recorded, and whether it still stands."""

    decision: DecisionRow
    lane: int
    version: int
    stands: bool


class Loaded(msgspec.Struct):
    """All a store holds about one aggregate, for loading it into memory. Rows are the latest of each identity.

    With a checkpoint the journal is what is to be folded after it, decisions are those at least, postings none, and of
    derived facts those sent more than once: the rest follows from the checkpoint and the entries.
    """

    aggregate: str
    checkpoint: Checkpoint | None = None
    journal: list[JournalRow] = msgspec.field(default_factory=list)
    """Latest revision of each identity, withdrawn ones included, in no particular order."""
    decisions: list[DecisionRow] = msgspec.field(default_factory=list)
    """Those that stand (neither superseded nor withdrawn)."""
    postings: list[PostingRow] = msgspec.field(default_factory=list)
    """Summed per (identity, grant, kind)."""
    derived: list[DerivedRow] = msgspec.field(default_factory=list)
    violations: list[ViolationRow] = msgspec.field(default_factory=list)
    indeterminates: list[IndeterminateRow] = msgspec.field(default_factory=list)
    dirty_from: int = -1
    due: int = -1
    causes: str = ""
