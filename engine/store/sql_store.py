"""The store on SQLite and PostgreSQL: one transaction a batch, bulk writes, constant numbers of queries.

Owns connections, transactions and what the body, replay and the relay read; no decision is made here. What is written
and in which order is `writing`'s, what differs between databases is `dialects`'. A lane's version is compared and set
within the transaction, so a worker that lost its lane writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Select, delete, func, select, text, update

from engine.domain.errors import NotFound
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
    Row,
    ShadowRow,
    ViolationRow,
)
from engine.store import names
from engine.store import tables as t
from engine.store.dialects import dialect
from engine.store.faults import READING, translated
from engine.store.loading import Loader, columns, of
from engine.store.protocol import REFERENCE_LANE
from engine.store.writing import BUNDLES, SHADOWS, Head, Kept, Writer

R = TypeVar("R", bound=Row)
ROWS_AT_ONCE = 4000
"""Journal rows that `batches` holds in memory, about."""
HEADS_AT_ONCE = 500
LANE, POSITION, BATCH, SEEN = columns(t.LaneTable), columns(t.PositionTable), columns(t.BatchTable), columns(t.SeenTable)
JOURNAL, DECISION, INPUT = columns(t.JournalTable), columns(t.DecisionTable), columns(t.InputTable)
CHANGE, VIOLATION = columns(t.ChangeTable), columns(t.ViolationTable)
OUTBOX, AGGREGATE = columns(t.OutboxTable), columns(t.AggregateTable)
BUNDLE, ORIGINAL, PAYLOAD = columns(t.BundleTable), columns(t.OriginalTable), columns(t.PayloadTable)


class SqlStore:
    """A `Store` over SQLAlchemy."""

    def __init__(self, engine: Engine) -> None:
        """Use a migrated database."""
        self.engine = engine
        self.postgres = engine.dialect.name == "postgresql"
        self._dialect = dialect(engine.dialect.name)

    def close(self) -> None:
        """Let go of connections."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for reading, which sees one moment of a SQLite store and never waits for a writer."""
        with translated(READING), self.engine.connect() as connection:
            yield connection.execution_options(reads=True)

    @contextmanager
    def _writing(self, doing: str) -> Iterator[Writer]:
        with translated(doing), self.engine.begin() as connection:
            yield Writer(connection, self._dialect)

    def lane(self, lane: int) -> Lane:
        """Where a lane stands."""
        found = self._lanes(LANE.lane == lane)
        return found[0] if found else Lane(lane)

    def lanes(self) -> list[Lane]:
        """All lanes that ever wrote."""
        return self._lanes(LANE.lane >= REFERENCE_LANE)

    def _lanes(self, which: Any) -> list[Lane]:
        names = [name for name in Lane.__struct_fields__ if name != "positions"]
        rows = select(*(getattr(LANE, name) for name in names)).where(which)
        inputs = select(POSITION.lane, POSITION.input, POSITION.next).join_from(
            t.PositionTable, t.LaneTable, POSITION.lane == LANE.lane
        )
        with self.reading() as c:
            lanes = {
                row.lane: Lane(**dict(zip(names, row, strict=True)), positions={}) for row in c.execute(rows.order_by(LANE.lane))
            }
            for lane, name, following in c.execute(inputs.where(which)):
                if lane in lanes:
                    lanes[lane].positions[name] = following
        return list(lanes.values())

    def seen(self, identities: Sequence[str]) -> dict[str, str]:
        """Identity → content, of those taken in before."""
        query = select(SEEN.identity, SEEN.content).where(self._dialect.among(SEEN.identity, identities))
        with self.reading() as c:
            return dict(c.execute(query).all())

    def aggregates(self) -> list[str]:
        """Keys of all aggregates that ever had an entry."""
        with self.reading() as c:
            return list(c.execute(select(AGGREGATE.aggregate).order_by(AGGREGATE.aggregate)).scalars())

    def load(self, aggregates: Sequence[str], fold: str = "") -> dict[str, Loaded]:
        """All that is held of each aggregate, or what comes after its checkpoint."""
        with self.reading() as c:
            return Loader(c, self._dialect).load(aggregates, fold)

    def keep_checkpoints(self, lane: int, version: int, checkpoints: Sequence[Checkpoint]) -> None:
        """Keep checkpoints, unless the lane has gone on."""
        with self._writing(f"Checkpoints of lane {lane}") as writer:
            writer.checkpoints(lane, version, checkpoints)

    def linked(self, aliases: Sequence[str]) -> set[str]:
        """Of some aliases those of which anything was ever said."""
        with self.reading() as c:
            return names.linked(c, self._dialect, aliases)

    def waiting_since(self, alias: str, after: int) -> int:
        """The earliest moment beyond `after` of what an alias did outside and waits; −1 for none."""
        with self.reading() as c:
            return names.waiting_since(c, alias, after)

    def record(self, batch: Batch) -> None:
        """Write a batch in one transaction."""
        with self._writing(f"Lane {batch.lane}, version {batch.version}") as writer:
            writer.batch(batch)

    def dirty(self, lane: int) -> list[AggregateRow]:
        """Aggregates that still have to be re-decided."""
        waits = (AGGREGATE.lane == lane, AGGREGATE.dirty_from >= 0)
        return self._rows(AggregateRow, AGGREGATE, *waits, order=(AGGREGATE.aggregate,))

    def aggregates_since(self, lane: int, time: int) -> list[AggregateRow]:
        """Aggregates with an entry placed at or after a moment."""
        since = (AGGREGATE.lane == lane, AGGREGATE.newest >= time)
        return self._rows(AggregateRow, AGGREGATE, *since, order=(AGGREGATE.aggregate,))

    def deadlines(self, lane: int) -> list[AggregateRow]:
        """Aggregates with a deadline pending."""
        return self._rows(AggregateRow, AGGREGATE, AGGREGATE.lane == lane, AGGREGATE.due >= 0, order=(AGGREGATE.aggregate,))

    def reference(self, after: int) -> list[JournalRow]:
        """Entries of the reference log beyond the first `after`."""
        query = of(JournalRow, JOURNAL).where(JOURNAL.lane == REFERENCE_LANE).order_by(JOURNAL.version, JOURNAL.ordinal)
        with self.reading() as c:
            return [JournalRow(*row) for row in c.execute(query.offset(after))]

    def reference_of(self, types: Sequence[str]) -> list[JournalRow]:
        """Entries of the reference log of these types, in recorded order."""
        which = (JOURNAL.lane == REFERENCE_LANE, JOURNAL.type.in_(types))
        return self._rows(JournalRow, JOURNAL, *which, order=(JOURNAL.version, JOURNAL.ordinal))

    def steps(self, changes: Collection[str], since: int, until: int) -> dict[tuple[str, str], int]:
        """(organisation, rule) → such steps of violations recorded after `since`, up to `until`, of all lanes."""
        by = (VIOLATION.organisation, VIOLATION.rule)
        query = select(*by, func.count()).join_from(t.ChangeTable, t.ViolationTable, CHANGE.violation == VIOLATION.id)
        when = (CHANGE.recorded_at > since, CHANGE.recorded_at <= until, text(t.COUNTED), CHANGE.change.in_(sorted(changes)))
        with self.reading() as c:
            return {(organisation, rule): int(n) for organisation, rule, n in c.execute(query.where(*when).group_by(*by))}

    def unsettled(self, lane: int) -> list[ViolationRow]:
        """Violations of a lane that nobody may be told of yet."""
        waits = (VIOLATION.lane == lane, ~VIOLATION.settled, VIOLATION.status != "retracted")
        return self._rows(ViolationRow, VIOLATION, *waits, order=(VIOLATION.id,))

    def outbox(self, lane: int, after: int, limit: int) -> list[OutboxRow]:
        """Messages of a lane beyond a sequence, in order."""
        query = of(OutboxRow, OUTBOX).where(OUTBOX.lane == lane, OUTBOX.sequence > after).order_by(OUTBOX.sequence)
        with self.reading() as c:
            return [OutboxRow(*row) for row in c.execute(query.limit(limit))]

    def outboxes(self) -> list[int]:
        """Lanes that have messages in their outbox, in order."""
        with self.reading() as c:
            return list(c.execute(select(OUTBOX.lane).distinct().order_by(OUTBOX.lane)).scalars())

    def outbox_size(self) -> int:
        """How many messages wait."""
        with self.reading() as c:
            return int(c.execute(select(func.count()).select_from(t.OutboxTable)).scalar_one())

    def published(self, lane: int) -> int:
        """The sequence published last."""
        with self.reading() as c:
            return int(c.execute(select(LANE.published).where(LANE.lane == lane)).scalar() or 0)

    def mark_published(self, lane: int, sequence: int) -> None:
        """Note what was published, and forget those messages."""
        with translated(f"Lane {lane}"), self.engine.begin() as c:
            c.execute(update(t.LaneTable).where(LANE.lane == lane, LANE.published < sequence).values(published=sequence))
            c.execute(delete(t.OutboxTable).where(OUTBOX.lane == lane, OUTBOX.sequence <= sequence))

    def number_relay(self) -> int:
        """Give a relay that begins now its number."""
        numbered = (
            "INSERT INTO position (lane, input, next) VALUES (-2, 'relay', 1) "
            "ON CONFLICT (lane, input) DO UPDATE SET next = position.next + 1 RETURNING next"
        )
        with translated("The relay's number"), self.engine.begin() as c:
            return int(c.exec_driver_sql(numbered).scalar_one())

    def relay_number(self) -> int:
        """The number given to a relay last."""
        with self.reading() as c:
            found = c.exec_driver_sql("SELECT next FROM position WHERE lane = -2 AND input = 'relay'").scalar()
        return int(found or 0)

    def save_bundle(self, digest: str, body: bytes, recorded_at: int) -> None:
        """Keep a bundle."""
        with self._writing(f"Bundle {digest[:12]}") as writer:
            writer.rows(BUNDLES, [Kept(digest, body, recorded_at)])

    def first_bundle(self) -> str:
        """Give the digest of the bundle kept first."""
        with self.reading() as c:
            return str(c.execute(select(BUNDLE.digest).order_by(BUNDLE.recorded_at, BUNDLE.digest).limit(1)).scalar() or "")

    def bundle(self, digest: str) -> bytes:
        """Give a bundle."""
        what, do = f"bundle {digest[:12]}", "It holds every bundle that ever decided; was it restored from an older backup?"
        return self._body(select(BUNDLE.body).where(BUNDLE.digest == digest), what, do)

    def input(self, digest: str) -> bytes:
        """Give the input of a decision that isn't a pass."""
        what, do = f"input {digest[:12]}", "Inputs of a pass aren't kept: they are folded again from the journal."
        return self._body(select(INPUT.body).where(INPUT.digest == digest), what, do)

    def shadows(self, bundle: str) -> list[ShadowRow]:
        """Give what a shadowed bundle said."""
        shadow = SHADOWS.table
        query = select(shadow).where(shadow.c.bundle == bundle).order_by(shadow.c.aggregate, shadow.c.identity)
        with self.reading() as c:
            return [ShadowRow(*row) for row in c.execute(query)]

    def original(self, identity: str) -> PayloadRow | None:
        """Give the record an event was made from."""
        of_event = select(ORIGINAL.payload).where(ORIGINAL.identity == identity)
        found = self._rows(PayloadRow, PAYLOAD, PAYLOAD.digest.in_(of_event), order=())
        return found[0] if found else None

    def _body(self, query: Select[Any], what: str, do: str) -> bytes:
        with self.reading() as c:
            body = c.execute(query).scalar()
        if body is None:
            msg = f"The store has no {what}."
            raise NotFound(msg, do)
        return bytes(body)

    def decision(self, ident: str) -> Recorded:
        """Give the newest recording of a decision."""
        query = of(DecisionRow, DECISION, DECISION.lane, DECISION.version, DECISION.stands).where(DECISION.id == ident)
        with self.reading() as c:
            row = c.execute(query.order_by(DECISION.version.desc(), DECISION.ordinal.desc()).limit(1)).first()
        if row is None:
            msg = f"The store has no decision {ident[:12]}."
            raise NotFound(msg, "Take its whole id from `covenant violations show`.")
        return Recorded(DecisionRow(*row[:-3]), *row[-3:])

    def batches(self, lane: int, after: int = 0) -> Iterator[Batch]:
        """Batches of a lane beyond a version, in order, with their journal."""
        while True:
            query = of(Head, BATCH).where(BATCH.lane == lane, BATCH.version > after).order_by(BATCH.version)
            with self.reading() as c:
                heads = [Head(*row) for row in c.execute(query.limit(HEADS_AT_ONCE))]
            if not heads:
                return
            for part in _parts(heads):
                yield from self._with_journal(lane, part)
            after = heads[-1].version

    def _with_journal(self, lane: int, heads: Sequence[Head]) -> Iterator[Batch]:
        entries: dict[int, list[JournalRow]] = {head.version: [] for head in heads}
        query = of(JournalRow, JOURNAL, JOURNAL.version).where(
            JOURNAL.lane == lane, JOURNAL.version.between(heads[0].version, heads[-1].version)
        )
        with self.reading() as c:
            for row in c.execute(query.order_by(JOURNAL.version, JOURNAL.ordinal)):
                entries[row[-1]].append(JournalRow(*row[:-1]))
        for head in heads:
            yield Batch(**{n: getattr(head, n) for n in Head.__struct_fields__}, journal=tuple(entries.pop(head.version)))

    def decisions(self, lane: int, version: int) -> list[DecisionRow]:
        """Decisions that a batch recorded, in order."""
        recorded = (DECISION.lane == lane, DECISION.version == version)
        return self._rows(DecisionRow, DECISION, *recorded, order=(DECISION.ordinal,))

    def entries(self, aggregate: str, version: int | None = None) -> list[JournalRow]:
        """All entries folded into an aggregate, in recorded order."""
        folded = [JOURNAL.aggregate == aggregate, JOURNAL.origin != "forwarded"]
        if version is not None:
            folded.append(JOURNAL.version <= version)
        return self._rows(JournalRow, JOURNAL, *folded, order=(JOURNAL.version, JOURNAL.ordinal))

    def replace_projections(self, lane: int, batches: Iterable[Batch]) -> None:
        """Write a lane's projections anew from its batches made again in order."""
        with self._writing(f"Lane {lane}") as writer:
            writer.replace(lane, batches)

    def _rows(self, kind: type[R], table: Any, *where: Any, order: tuple[Any, ...]) -> list[R]:
        with self.reading() as c:
            return [kind(*row) for row in c.execute(of(kind, table).where(*where).order_by(*order))]


def _parts(heads: Sequence[Head]) -> Iterator[list[Head]]:
    """Split heads so that the journal of each part is about `ROWS_AT_ONCE` rows, a single large batch aside."""
    part: list[Head] = []
    for head in heads:
        part.append(head)
        if sum(one.read + 1 for one in part) >= ROWS_AT_ONCE:
            yield part
            part = []
    if part:
        yield part
