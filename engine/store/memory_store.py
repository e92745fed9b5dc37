"""The store in memory: the same promises as the SQL stores, for replay and for whoever needs no file.

Owns plain dictionaries; nothing outlives the object and nothing is read from or written to disk. A batch is checked
whole before anything of it is written, so that a refused one leaves nothing. For one thread at a time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from engine.domain.aggregates.alias import LINKING
from engine.domain.errors import LaneConflict, NotFound
from engine.domain.records import (
    AggregateRow,
    Batch,
    Checkpoint,
    DecisionRow,
    DerivedRow,
    DroppedRow,
    IndeterminateRow,
    InputRow,
    JournalRow,
    Lane,
    Loaded,
    OutboxRow,
    PayloadRow,
    PostingRow,
    Recorded,
    RefusedRow,
    ShadowRow,
    ViolationChange,
    ViolationRow,
)
from engine.domain.values import FOREVER
from engine.store.names import NAMES, OUTSIDE
from engine.store.protocol import REFERENCE_LANE

_FORGOTTEN: dict[str, Any] = {
    **dict.fromkeys(("seen", "originals", "payloads", "inputs", "shadows", "refused", "outbox"), ()),
    "positions": {},
}
"""Rows of a batch that are held elsewhere."""
_PROJECTED: dict[str, Any] = dict.fromkeys(
    ("decisions", "withdrawn", "postings", "violations", "changes", "indeterminates", "derived", "aggregates", "outdated"), ()
)
"""Rows of a batch that `batches` leaves out."""

PostingKey = tuple[str, str, str, str, str, str]
"""Organisation, identity, grant, holder, unit, kind."""


class Held(msgspec.Struct):
    """What is held of one aggregate."""

    entries: list[tuple[int, JournalRow]] = []
    """With the lane's version that recorded each."""
    decisions: dict[tuple[int, int], DecisionRow] = {}
    """Those that stand, by (version, ordinal)."""
    postings: dict[PostingKey, int] = {}
    derived: dict[tuple[str, str], DerivedRow] = {}
    violations: dict[str, ViolationRow] = {}
    indeterminates: dict[tuple[str, str], IndeterminateRow] = {}


class MemoryStore:
    """A `Store` in memory."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lanes: dict[int, Lane] = {}
        self._relay = 0
        self._batches: dict[int, list[Batch]] = defaultdict(list)
        self._seen: dict[str, str] = {}
        self._held: dict[str, Held] = defaultdict(Held)
        self._decisions: dict[str, list[tuple[int, int, DecisionRow]]] = defaultdict(list)
        self._inputs: dict[str, InputRow] = {}
        self._originals: dict[str, str] = {}
        self._shadows: dict[tuple[str, str, str], ShadowRow] = {}
        self._payloads: dict[str, PayloadRow] = {}
        self._bundles: dict[str, bytes] = {}
        self._aggregates: dict[str, AggregateRow] = {}
        self._violations: dict[str, tuple[int, ViolationRow]] = {}
        self._outbox: dict[int, dict[int, OutboxRow]] = defaultdict(dict)
        self._changes: dict[tuple[str, int], tuple[int, ViolationChange]] = {}
        self._checkpoints: dict[str, tuple[int, Checkpoint]] = {}  # with its lane
        self.dropped = 0
        """Facts of unknown names that were dropped."""
        self.refused: dict[str, RefusedRow] = {}
        """Refused lines and messages by id; the first of an id stays."""

    def close(self) -> None:
        """Nothing to let go of."""

    def lane(self, lane: int) -> Lane:
        """Where a lane stands."""
        return self._lanes.get(lane) or Lane(lane)

    def lanes(self) -> list[Lane]:
        """All lanes that ever wrote."""
        return [self._lanes[lane] for lane in sorted(self._lanes)]

    def seen(self, identities: Sequence[str]) -> dict[str, str]:
        """Identity → content, of those taken in before."""
        return {identity: self._seen[identity] for identity in identities if identity in self._seen}

    def aggregates(self) -> list[str]:
        """Keys of all aggregates that ever had an entry."""
        return sorted(self._aggregates)

    def load(self, aggregates: Sequence[str], fold: str = "") -> dict[str, Loaded]:
        """All that is held of each aggregate, or what comes after its checkpoint."""
        return {key: self._load(key, fold) for key in aggregates}

    def keep_checkpoints(self, lane: int, version: int, checkpoints: Sequence[Checkpoint]) -> None:
        """Keep checkpoints, unless the lane has gone on."""
        if lane not in self._lanes or self.lane(lane).version != version:
            msg = f"Lane {lane} doesn't stand at version {version}: another worker has it."
            raise LaneConflict(msg, "The lane is read again from the store's position.")
        self._checkpoints.update((row.aggregate, (lane, row)) for row in checkpoints)

    def _load(self, key: str, fold: str) -> Loaded:
        known = self._aggregates.get(key)
        if known is None:
            return Loaded(key)
        held = self._held[key]
        loaded = Loaded(
            key,
            violations=list(held.violations.values()),
            indeterminates=list(held.indeterminates.values()),
            dirty_from=known.dirty_from, due=known.due, causes=known.causes,
        )  # fmt: skip
        _, kept = self._checkpoints.get(key, (0, None))
        if kept is not None and kept.fold == fold and known.dirty_from < 0:
            rows = [row for _, row in held.entries if row.effective >= kept.since]
            since = min((row.time for row in rows), default=FOREVER)
            loaded.checkpoint, loaded.journal = kept, _latest(rows)
            loaded.decisions = [row for row in held.decisions.values() if row.time >= since]
            loaded.derived = [row for row in held.derived.values() if row.revision > 1]
        else:
            loaded.journal, loaded.decisions = _latest(row for _, row in held.entries), list(held.decisions.values())
            loaded.postings, loaded.derived = list(_sums(key, held)), list(held.derived.values())
        return loaded

    def linked(self, aliases: Sequence[str]) -> set[str]:
        """Of some aliases those of which anything was ever said."""
        known = {key: self._held[key].entries for key in aliases if key in self._held}
        return {key for key, entries in known.items() if any(row.type in LINKING for _, row in entries)}

    def waiting_since(self, alias: str, after: int) -> int:
        """The earliest moment beyond `after` of what an alias did outside and waits; −1 for none."""
        waits = (max(row.effective, row.recorded_at) for row in self._outside(alias))
        return min((at for at in waits if at > after), default=-1)

    def _outside(self, alias: str) -> list[JournalRow]:
        if alias not in self._held:
            return []
        held = self._held[alias]
        released = {row.identity for row in held.derived.values()}
        rows = (row for row in _latest(row for _, row in held.entries) if row.type in NAMES and OUTSIDE in row.event)
        return [row for row in rows if row.identity not in released]

    def _drop(self, dropped: DroppedRow) -> None:
        gone = [row for row in self._outside(dropped.aggregate) if max(row.effective, row.recorded_at) <= dropped.before]
        if not gone:
            return
        held, out = self._held[dropped.aggregate], {row.identity for row in gone}
        held.entries = [entry for entry in held.entries if entry[1].identity not in out]
        self.dropped += len(out)
        if held.entries:
            self._aggregates[dropped.aggregate] = msgspec.structs.replace(self._aggregates[dropped.aggregate], due=dropped.due)
        else:
            self._aggregates.pop(dropped.aggregate, None)

    def record(self, batch: Batch) -> None:
        """Write a batch, or raise and write nothing."""
        self._check(batch)
        self._write_truth(batch)
        self._write_decisions(batch)
        self._write_projections(batch)
        for dropped in batch.dropped:
            self._drop(dropped)
        for row in batch.outdated:
            if row.aggregate in self._checkpoints and self._checkpoints[row.aggregate][1].since >= row.since:
                del self._checkpoints[row.aggregate]

    def _check(self, batch: Batch) -> None:
        if self.lane(batch.lane).version != batch.version - 1:
            msg = f"Lane {batch.lane} doesn't stand at version {batch.version - 1}: another worker has it."
            raise LaneConflict(msg, "The lane is read again from the store's position.")
        outbox, seen = self._outbox[batch.lane], {row.identity for row in batch.seen}
        steps, sequences = {(c.violation, c.version) for c in batch.changes}, {row.sequence for row in batch.outbox}
        twice = len(seen) < len(batch.seen) or len(steps) < len(batch.changes) or len(sequences) < len(batch.outbox)
        if twice or not (seen.isdisjoint(self._seen) and steps.isdisjoint(self._changes) and sequences.isdisjoint(outbox)):
            msg = f"Lane {batch.lane}, version {batch.version}: another worker has written this meanwhile."
            raise LaneConflict(msg, "The lane is read again from the store's position.")

    def _write_truth(self, batch: Batch) -> None:
        self._lanes[batch.lane] = Lane(
            batch.lane, batch.version, batch.reference, batch.watermark, batch.outbox_sequence,
            self.published(batch.lane), batch.behind, self.lane(batch.lane).positions | batch.positions,
        )  # fmt: skip
        self._batches[batch.lane].append(msgspec.structs.replace(batch, **_FORGOTTEN))
        for entry in batch.journal:
            if entry.origin != "forwarded":
                self._held[entry.aggregate].entries.append((batch.version, entry))
        self._seen.update((row.identity, row.content) for row in batch.seen)
        for row in batch.originals:
            self._originals.setdefault(row.identity, row.payload)
        for payload in batch.payloads:
            self._payloads.setdefault(payload.digest, payload)
        self._outbox[batch.lane].update((row.sequence, row) for row in batch.outbox)

    def _write_decisions(self, batch: Batch) -> None:
        for decision in batch.decisions:
            self._decisions[decision.id].append((batch.lane, batch.version, decision))
        self._shadows.update(((row.bundle, row.aggregate, row.identity), row) for row in batch.shadows)
        for row in batch.inputs:
            self._inputs.setdefault(row.digest, row)
        for ident in batch.resolved:
            self.refused.pop(ident, None)
        for refused in batch.refused:
            self.refused.setdefault(refused.id, refused)

    def _write_projections(self, batch: Batch) -> None:
        for ident in [d.supersedes for d in batch.decisions if d.supersedes] + [w.id for w in batch.withdrawn]:
            for _, version, row in self._decisions.get(ident, ()):
                if version < batch.version:
                    self._held[row.aggregate].decisions.pop((version, row.ordinal), None)
        for decision in batch.decisions:
            self._held[decision.aggregate].decisions[batch.version, decision.ordinal] = decision
        for posting in batch.postings:
            sums = self._held[posting.aggregate].postings
            key = (posting.organisation, posting.identity, posting.grant, posting.holder, posting.unit, posting.kind)
            sums[key] = sums.get(key, 0) + posting.amount
        for violation in batch.violations:
            self._held[violation.aggregate].violations[violation.id] = violation
            self._violations[violation.id] = (batch.lane, violation)
        for missing in batch.indeterminates:
            self._held[missing.aggregate].indeterminates[missing.rule, missing.fact] = missing
        for derived in batch.derived:
            self._held[derived.aggregate].derived[derived.key, derived.target] = derived
        self._changes.update(((change.violation, change.version), (batch.lane, change)) for change in batch.changes)
        self._aggregates.update((row.aggregate, row) for row in batch.aggregates)

    def dirty(self, lane: int) -> list[AggregateRow]:
        """Aggregates that still have to be re-decided."""
        return self._aggregates_of(lane, lambda row: row.dirty_from >= 0)

    def aggregates_since(self, lane: int, time: int) -> list[AggregateRow]:
        """Aggregates with an entry placed at or after a moment."""
        return self._aggregates_of(lane, lambda row: row.newest >= time)

    def deadlines(self, lane: int) -> list[AggregateRow]:
        """Aggregates with a deadline pending."""
        return self._aggregates_of(lane, lambda row: row.due >= 0)

    def _aggregates_of(self, lane: int, wanted: Any) -> list[AggregateRow]:
        return [row for _, row in sorted(self._aggregates.items()) if row.lane == lane and wanted(row)]

    def reference(self, after: int) -> list[JournalRow]:
        """Entries of the reference log beyond the first `after`."""
        return [row for batch in self._batches[REFERENCE_LANE] for row in batch.journal][after:]

    def reference_of(self, types: Sequence[str]) -> list[JournalRow]:
        """Entries of the reference log of these types, in recorded order."""
        return [row for row in self.reference(0) if row.type in types]

    def steps(self, changes: Collection[str], since: int, until: int) -> dict[tuple[str, str], int]:
        """(organisation, rule) → such steps of violations recorded after `since`, up to `until`, of all lanes."""
        counts: Counter[tuple[str, str]] = Counter()
        for _, change in self._changes.values():
            if change.change in changes and since < change.recorded_at <= until:
                row = self._violations[change.violation][1]
                counts[row.organisation, row.rule] += 1
        return dict(counts)

    def unsettled(self, lane: int) -> list[ViolationRow]:
        """Violations of a lane that nobody may be told of yet."""
        held = (row for _, (of, row) in sorted(self._violations.items()) if of == lane)
        return [row for row in held if not row.settled and row.status != "retracted"]

    def outboxes(self) -> list[int]:
        """Lanes that have messages in their outbox, in order."""
        return sorted(lane for lane, rows in self._outbox.items() if rows)

    def outbox(self, lane: int, after: int, limit: int) -> list[OutboxRow]:
        """Messages of a lane beyond a sequence, in order."""
        rows = self._outbox[lane]
        return [rows[sequence] for sequence in sorted(rows) if sequence > after][:limit]

    def published(self, lane: int) -> int:
        """The sequence published last."""
        return self.lane(lane).published

    def mark_published(self, lane: int, sequence: int) -> None:
        """Note what was published, and forget those messages."""
        if lane in self._lanes:
            self._lanes[lane] = msgspec.structs.replace(self._lanes[lane], published=max(sequence, self.published(lane)))
        for done in [number for number in self._outbox[lane] if number <= sequence]:
            del self._outbox[lane][done]

    def number_relay(self) -> int:
        """Give a relay that begins now its number."""
        self._relay += 1
        return self._relay

    def relay_number(self) -> int:
        """The number given to a relay last."""
        return self._relay

    def save_bundle(self, digest: str, body: bytes, recorded_at: int) -> None:  # noqa: ARG002 - a matter of record on disk
        """Keep a bundle."""
        self._bundles.setdefault(digest, body)

    def first_bundle(self) -> str:
        """Give the digest of the bundle kept first."""
        return next(iter(self._bundles), "")

    def bundle(self, digest: str) -> bytes:
        """Give a bundle."""
        if digest not in self._bundles:
            msg = f"The store has no bundle {digest[:12]}."
            raise NotFound(msg, "It holds every bundle that ever decided; was it restored from an older backup?")
        return self._bundles[digest]

    def input(self, digest: str) -> bytes:
        """Give the input of a decision that isn't a pass."""
        if digest not in self._inputs:
            msg = f"The store has no input {digest[:12]}."
            raise NotFound(msg, "Inputs of a pass aren't kept: they are folded again from the journal.")
        return self._inputs[digest].body

    def shadows(self, bundle: str) -> list[ShadowRow]:
        """Give what a shadowed bundle said."""
        return [row for key, row in sorted(self._shadows.items()) if key[0] == bundle]

    def original(self, identity: str) -> PayloadRow | None:
        """Give the record an event was made from."""
        return self._payloads.get(self._originals.get(identity, ""))

    def decision(self, ident: str) -> Recorded:
        """Give the newest recording of a decision."""
        recorded = self._decisions.get(ident)
        if not recorded:
            msg = f"The store has no decision {ident[:12]}."
            raise NotFound(msg, "Take its whole id from `covenant violations show`.")
        lane, version, row = recorded[-1]
        return Recorded(row, lane, version, (version, row.ordinal) in self._held[row.aggregate].decisions)

    def batches(self, lane: int, after: int = 0) -> Iterator[Batch]:
        """Batches of a lane beyond a version, in order."""
        for batch in list(self._batches[lane]):
            if batch.version > after:
                yield msgspec.structs.replace(batch, **_PROJECTED)

    def decisions(self, lane: int, version: int) -> list[DecisionRow]:
        """Decisions that a batch recorded, in order."""
        batches = self._batches[lane]
        return list(batches[version - 1].decisions) if 0 < version <= len(batches) else []

    def projections(self, lane: int) -> Iterator[Batch]:
        """Batches of a lane in order with the projections they made, for `replace_projections` of another store."""
        yield from self._batches[lane]

    def entries(self, aggregate: str, version: int | None = None) -> list[JournalRow]:
        """All entries folded into an aggregate, in recorded order."""
        held = self._held[aggregate].entries if aggregate in self._held else []
        return [row for at, row in held if version is None or at <= version]

    def replace_projections(self, lane: int, batches: Iterable[Batch]) -> None:
        """Write a lane's projections anew from its batches made again in order."""
        made = list(batches)
        self._checkpoints = {key: held for key, held in self._checkpoints.items() if held[0] != lane}
        for key in [key for key, row in self._aggregates.items() if row.lane == lane]:
            self._held[key] = Held(entries=self._held[key].entries)
            del self._aggregates[key]
        self._violations = {ident: held for ident, held in self._violations.items() if held[0] != lane}
        self._changes = {key: held for key, held in self._changes.items() if held[0] != lane}
        for batch in made:
            self._write_projections(batch)


def _latest(rows: Iterable[JournalRow]) -> list[JournalRow]:
    """Give the latest revision of each identity."""
    latest: dict[str, JournalRow] = {}
    for row in rows:
        if row.identity not in latest or row.revision > latest[row.identity].revision:
            latest[row.identity] = row
    return list(latest.values())


def _sums(aggregate: str, held: Held) -> Iterator[PostingRow]:
    ordered = sorted(held.postings.items(), key=lambda item: (*item[0][2:3], *item[0][4:], item[0][1]))
    for (organisation, identity, grant, holder, unit, kind), amount in ordered:
        if amount:
            yield PostingRow(0, organisation, aggregate, identity, grant, holder, unit, kind, amount, 0, 0)
