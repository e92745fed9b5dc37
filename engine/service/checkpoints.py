"""Checkpoints: an aggregate's folded state kept in the store, so that loading it reads the end of its journal alone.

Made from memory while no batch is in flight, of a snapshot some way back, so that what comes a little late finds its
neighbours loaded. The entries after it are folded again; of those before it `before` says what is needed. Whatever
concerns those needs the whole history: `complete` puts it in front of what is in memory. A batch that changes anything
before a checkpoint's end deletes it in its own transaction, so that one that is found is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeVar

import msgspec

from engine.domain import codec
from engine.domain.events import Event
from engine.domain.events.reference import FeedCompletedThrough
from engine.domain.order import Place, place
from engine.domain.records import Checkpoint, JournalRow, Loaded
from engine.domain.timeline import Entry
from engine.service import before as b
from engine.service.groups import Group
from engine.service.memory import Aggregate

K = TypeVar("K")
KEPT: Final = 1024
"""Entries before the newest, at least, that a checkpoint leaves to be loaded."""
GROWN: Final = 1024
"""Entries that a checkpoint must be further than the one before; of a longer history an eighth of it."""


def make(aggregate: Aggregate, fold: str) -> Checkpoint | None:
    """Give a checkpoint of an aggregate that has grown enough and owes nothing; None else."""
    timeline = aggregate.timeline
    known = aggregate.before.count if aggregate.before is not None else 0
    if known + len(timeline.entries) - KEPT - aggregate.saved < GROWN:
        return None  # as nearly always
    if aggregate.waiting or aggregate.dirty_from >= 0 or timeline.tail or timeline.folded < timeline.facts:
        return None
    length, state = timeline.foothold(KEPT)
    count = known + length
    if not length or count - aggregate.saved < max(GROWN, count // 8):
        return None
    aggregate.saved = count
    return Checkpoint(aggregate.key, timeline.places[length].time, fold, b.write(_before(aggregate, length, state)))


def restore(aggregate: Aggregate, loaded: Loaded) -> None:
    """Take what the store holds, from its checkpoint on if it has one."""
    if loaded.checkpoint is not None:
        before = aggregate.before = b.read(loaded.checkpoint.body)
        aggregate.saved = before.count
        aggregate.timeline.resume(before.state)
        aggregate.sums.resume(before.sums)
        for one in before.groups:
            aggregate.groups[one.names[0], one.names[1:]] = Group(before=one)
        for one in before.missing:
            aggregate.missing[one.names[0], one.names[1]] = Group(before=one)
    aggregate.load(loaded)


def complete(aggregate: Aggregate, loaded: Loaded) -> None:
    """Put the history before what is in memory in front of it; `loaded` is all that the store holds.

    No batch since the checkpoint changed any of it, those in flight included, so the store is right about it.
    """
    first = aggregate.timeline.places[0]
    rows = [row for row in loaded.journal if not row.withdrawn and _stands_before(row, first)]
    past = Aggregate(aggregate.key, aggregate.timeline.folder)
    past.load(msgspec.structs.replace(loaded, journal=rows, violations=[], indeterminates=[], dirty_from=-1, due=-1))
    aggregate.timeline.prepend(past.timeline)
    for row in loaded.journal:
        aggregate.received.setdefault(row.identity, row.revision)
    for sent in loaded.derived:
        aggregate.sent.setdefault(f"{sent.target} {sent.key}", sent.revision)
    _join(aggregate.groups, past.groups)
    _join(aggregate.missing, past.missing)
    aggregate.before = None


def is_partial(aggregate: Aggregate | None) -> bool:
    """Whether entries of an aggregate in memory aren't loaded."""
    return aggregate is not None and aggregate.before is not None


def reaches_back(aggregate: Aggregate, identity: str, revision: int, at: Place) -> bool:
    """Whether a fact concerns what isn't loaded: by its place, or because it replaces what is there or was.

    What was taken in before concerns nothing.
    """
    if aggregate.before is None or 0 < revision <= aggregate.revision_of(identity):
        return False
    known = aggregate.timeline.at.get(identity, at)  # the first one loaded stays where it is, so that none is before it
    return min(known, at) <= aggregate.timeline.places[0] or aggregate.before.revision_of(identity) >= 0


def bears_on(aggregate: Aggregate, event: Event, since: int) -> bool:
    """Whether reference data that has effect since a moment concerns what isn't loaded."""
    if aggregate.before is None or aggregate.organisation != event.organisation or aggregate.kind == "alias":
        return False
    if isinstance(event.data, FeedCompletedThrough):
        return aggregate.before.hears.get(event.data.feed, -1) >= since
    return aggregate.timeline.places[0].time >= since


def _stands_before(row: JournalRow, first: Place) -> bool:
    return row.effective <= first.time and (row.effective < first.time or place(codec.parse_event(row.event)) < first)


def _join(groups: dict[K, Group], past: Mapping[K, Group]) -> None:
    for key, group in past.items():
        held = groups.setdefault(key, Group())
        held.places[:0], held.identities[:0] = group.places, group.identities
    for group in groups.values():
        group.before = None


def _before(aggregate: Aggregate, length: int, state: bytes) -> b.Before:
    known, entries = aggregate.before, aggregate.timeline.entries
    tail = {entry.identity for entry in entries[length:]}
    received: dict[int, list[bytes]] = defaultdict(list)
    for identity, revision in aggregate.received.items():
        if identity not in tail:
            received[revision].append(bytes.fromhex(identity))
    sent: dict[str, list[bytes]] = defaultdict(list)
    for key, revision in aggregate.sent.items():
        if revision == 1:
            target, _, ident = key.rpartition(" ")
            sent[target].append(bytes.fromhex(ident))
    hears = dict(known.hears) if known is not None else {}
    for entry in entries[:length]:
        hears.update(dict.fromkeys(entry.hears, entry.place.time))
    return b.Before(
        state=state,
        count=length + (known.count if known is not None else 0),
        first=known.first if known is not None else codec.write_event(entries[0].event).decode(),
        received=_packed(received, known.received if known is not None else {}),
        sent=_packed(sent, known.sent if known is not None else {}),
        hears=hears,
        groups=list(_counted(aggregate, aggregate.groups, length, lambda key: (key[0], *key[1]))),
        missing=list(_counted(aggregate, aggregate.missing, length, lambda key: key)),
        sums=aggregate.sums.without(entries[length:]),
    )


def _packed(found: Mapping[K, Iterable[bytes]], known: Mapping[K, bytes]) -> dict[K, bytes]:
    return {key: b.pack(found.get(key, ()), known.get(key, b"")) for key in found.keys() | known.keys()}


def _counted(
    aggregate: Aggregate, groups: Mapping[K, Group], length: int, named: Callable[[K], tuple[str, ...]]
) -> Iterator[b.Counted]:
    """Count what the entries before a checkpoint's end have in each group."""
    find = aggregate.timeline.find
    for key, group in groups.items():
        names = named(key)
        inside = group.within(aggregate.timeline.places[length])
        known = group.before
        ends = [entry for entry in (find(inside[0]), find(inside[-1])) if entry is not None] if inside else []
        said = [_said(entry, names[0]) for entry in ends]
        if known is not None:
            yield b.Counted(names, known.count + len(inside), known.first, said[-1] if said else known.last)
        elif said:
            yield b.Counted(names, len(inside), said[0], said[-1])


def _said(entry: Entry, rule: str) -> b.Said:
    return b.Said(entry.place, entry.time, entry.decision, entry.bundle, {rule: entry.outcomes[rule]})
