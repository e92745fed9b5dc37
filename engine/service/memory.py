"""What a lane keeps in memory: its aggregates' timelines, what they were sent and have sent, and what stands.

A copy of the store's truth for as long as the lane is ours; dropped whole when it isn't. Loading refolds the journal, or
its end from a checkpoint on: the state is a function of the recorded events and of nothing else.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import msgspec

from engine.domain import codec, verdicts
from engine.domain.aggregates import alias, person, pool, repository
from engine.domain.effects import Effects, Question
from engine.domain.events import Event
from engine.domain.lowering import NEVER, Lowering
from engine.domain.order import place
from engine.domain.records import IndeterminateRow, Lane, Loaded, ViolationRow
from engine.domain.reference import Reference
from engine.domain.timeline import Entry, Folder, Timeline
from engine.domain.values import FOREVER
from engine.domain.waiting import Kept
from engine.domain.waiting import again as asked_again
from engine.domain.written import write
from engine.service.before import Before
from engine.service.groups import Group
from engine.service.sums import Sums

KINDS = {"repository": 0, "alias": 1, "person": 2, "pool": 3}
"""Kinds in the order in which stale timelines are refolded: facts flow mostly this way."""


_ENCODER = msgspec.msgpack.Encoder(enc_hook=int)
"""States hold quantities and instants, which are integers with a name."""


def _restored(kind: type[int], value: int) -> int:
    return kind(value)


_RESTORE = {
    kind: msgspec.msgpack.Decoder(state, dec_hook=_restored).decode
    for kind, state in (
        ("person", person.State), ("repository", repository.State), ("pool", pool.State), ("alias", alias.State),
    )
}  # fmt: skip


class ReferenceLog:
    """Reference data known so far; one object, replaced inside as the log grows, so that folders see the newest."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.events: list[Event] = []
        self.now = Reference()

    def extend(self, events: list[Event]) -> int:
        """Take further events; gives the earliest moment from which anything changed."""
        self.events += events
        self.now = Reference(self.events)
        earliest: int = min(event.data.effective(event.time) for event in events)
        return earliest

    def heard(self) -> tuple[str, ...]:
        """Give the feeds that were asked about since this was last called."""
        if not self.now.heard:
            return ()
        found = tuple(self.now.heard)
        self.now.heard.clear()
        return found


def folder(key: str, windows: Mapping[str, int], log: ReferenceLog, lowering: Lowering = NEVER) -> Folder:
    """Give how the aggregate of a key is folded."""
    _, kind, ident = key.split("/", 2)
    encode, restore = _ENCODER.encode, _RESTORE.get(kind, _RESTORE["alias"])

    def again(kept: Kept) -> Question:
        return asked_again(kept, log.now)

    def fold_person(state: Any, event: Event, at: int) -> Effects:
        return person.fold(state, event, at, log.now, lowering)

    def fold_repository(state: Any, event: Event, at: int) -> Effects:
        return permitted(repository.fold(state, event, at, log.now), event, at)

    def fold_pool(state: Any, event: Event, at: int) -> Effects:
        return permitted(pool.fold(state, event, at, log.now, lowering), event, at)

    def permitted(effects: Effects, event: Event, at: int) -> Effects:
        """Ask under the records that hold whoever is concerned: where they are employed isn't known but to themselves."""
        if effects.question is not None:
            effects.question.permission = log.now.enablement.permission(event.organisation, "", at)
        return effects

    if kind == "person":
        start = partial(person.start, ident, dict(windows))
        return Folder(start, fold_person, encode, restore, log.heard, again)
    if kind == "repository":
        begin = partial(repository.State, release_us=windows["release_us"])
        return Folder(begin, fold_repository, encode, restore, log.heard, again)
    if kind == "pool":
        return Folder(pool.State, fold_pool, encode, restore, log.heard)
    return Folder(alias.State, alias.fold, encode, restore)


Discriminator = tuple[str, ...]


class Aggregate:
    """One aggregate of a lane."""

    def __init__(self, key: str, how: Folder) -> None:
        """Begin empty."""
        self.key = key
        self.organisation, self.kind, self.ident = key.split("/", 2)
        self.timeline = Timeline(key, how)
        self.received: dict[str, int] = {}
        """Identity → revision last received, withdrawn ones included."""
        self.sent: dict[str, int] = {}
        """Derived fact → revision last sent."""
        self.before: Before | None = None
        """What is known of entries that aren't loaded, before those that are; None where all are."""
        self.saved = 0
        """Entries that the checkpoint made last stands for."""
        self.groups: dict[tuple[str, Discriminator], Group] = {}
        self.violations: dict[tuple[str, Discriminator], ViolationRow] = {}
        self.missing: dict[tuple[str, str], Group] = {}
        self.indeterminates: dict[tuple[str, str], IndeterminateRow] = {}
        self.sums = Sums()
        self.changed_by = 0
        """Version of the last batch that changed it: until that is recorded, the store knows less than memory."""
        self.dirty_from = -1
        self.dirty_causes = ""
        """While dirty: the late facts its corrections are owed to, as `causes` remembers them."""
        self.waiting = False
        """Whether it is a name of which nothing was ever said: what waits for a link stays on disk, but for what is in flight."""

    @property
    def newest(self) -> int:
        """Place time of the last entry."""
        places = self.timeline.places
        return places[-1].time if places else 0

    @property
    def learnt(self) -> int:
        """When the last of its facts was learnt, where sources said so of all; else 0."""
        said = {entry.event.recorded_at or 0 for entry in self.timeline.entries if entry.event.source != "covenant"}
        return 0 if not said or 0 in said else max(said)

    @property
    def first(self) -> Event:
        """The very first event."""
        return self.timeline.entries[0].event if self.before is None else codec.parse_event(self.before.first)

    def revision_of(self, identity: str) -> int:
        """Give the revision last received of an identity; −1 for none."""
        known = self.received.get(identity)
        if known is not None:
            return known
        return -1 if self.before is None else self.before.revision_of(identity)

    def sent_before(self, key: str, target: str) -> int:
        """Give the revision last sent of a derived fact; 0 for none."""
        known = self.sent.get(key)
        if known is not None:
            return known
        return int(self.before is not None and self.before.has_sent(target, key[len(target) + 1 :]))

    def load(self, loaded: Loaded) -> None:
        """Take what the store holds: refold the journal, then lay what was recorded over what was folded."""
        for row in loaded.journal:
            if self.revision_of(row.identity) >= row.revision:
                continue  # of a batch that was in flight when the name's first link came
            self.received[row.identity] = row.revision
            if not row.withdrawn:
                event = codec.parse_event(row.event)
                self.timeline.insert(Entry(row.identity, place(event), event))
        for entry in self.timeline.refold(_folded_until(loaded)):
            self.sums.fold(entry, entry.effects.shares)
            entry.refused = entry.effects.refused.code if entry.effects.refused is not None else ""
            if self.before is not None:
                self._make_again(entry)
        if self.before is not None:
            self.sent.update(dict.fromkeys(self.sums.take_as_sent(), 1))
        self._lay(loaded)
        self.dirty_from, self.dirty_causes = loaded.dirty_from, loaded.causes
        if self.dirty_from >= 0:
            self.timeline.rewind_to(self.dirty_from)

    def _make_again(self, entry: Entry) -> None:
        """Take what an entry does as what it was said to do: so it is of whatever owes nothing, and needn't be read."""
        for target, event in entry.effects.derived:
            written = write(event)
            key = f"{target} {written.identity}"
            entry.derived = entry.derived | {key: (target, written.content)}
            self.sent[key] = 1
        entry.postings = entry.effects.posted()

    def _lay(self, loaded: Loaded) -> None:
        for sent in loaded.derived:
            self.sent[f"{sent.target} {sent.key}"] = sent.revision
            entry = self.timeline.find(sent.identity) if sent.identity else None
            if not sent.identity:
                self.sums.note_sent(f"{sent.target} {sent.key}", sent.target, sent.content)
            elif entry is not None and sent.content:
                entry.derived = entry.derived | {f"{sent.target} {sent.key}": (sent.target, sent.content)}
        for posting in loaded.postings:
            entry = self.timeline.find(posting.identity)
            if entry is not None:
                entry.postings = entry.postings | {(posting.grant, posting.unit, posting.kind): posting.amount}
        for decision in loaded.decisions:
            entry = self.timeline.find(decision.identity)
            if entry is not None:
                entry.decision, entry.input_digest = decision.id, decision.input_digest
                entry.asked = entry.bundle = decision.bundle
                entry.outcomes = verdicts.read(decision.outcomes).said
                self.count_in(entry)
        for violation in loaded.violations:
            self.violations[violation.rule, tuple(msgspec.json.decode(violation.discriminator))] = violation
        for missing in loaded.indeterminates:
            self.indeterminates[missing.rule, missing.fact] = missing

    def count_in(self, entry: Entry) -> None:
        """Count an entry's outcomes into the violations and missing facts they make up."""
        entry.counted = entry.place
        for rule, outcome in entry.outcomes.items():
            if outcome["outcome"] == "violation":
                self.groups.setdefault((rule, tuple(outcome["discriminator"])), Group()).add(entry.place, entry.identity)
            elif outcome["outcome"] == "indeterminate":
                for fact in outcome["missing"]:
                    self.missing.setdefault((rule, fact), Group()).add(entry.place, entry.identity)

    def count_out(self, entry: Entry) -> None:
        """Take back what `count_in` did, where the entry stood then."""
        at = entry.counted
        if at is None:
            return
        entry.counted = None
        for rule, outcome in entry.outcomes.items():
            if outcome["outcome"] == "violation":
                self.groups[rule, tuple(outcome["discriminator"])].discard(at)
            elif outcome["outcome"] == "indeterminate":
                for fact in outcome["missing"]:
                    self.missing[rule, fact].discard(at)


def _folded_until(loaded: Loaded) -> int:
    """How far deadlines had fired when the aggregate was recorded: all before the next one, if any was pending."""
    if loaded.dirty_from >= 0:
        return -1
    return FOREVER if loaded.due < 0 else loaded.due - 1


class LaneMemory:
    """A lane while it is ours."""

    def __init__(self, stored: Lane) -> None:
        """Begin where the store stands."""
        self.lane = stored.lane
        self.version = stored.version
        self.begun = stored.version
        """Version of the batch begun last; ahead of `version` while works are in flight."""
        self.checked = -1
        """Version at which it was last seen whether aggregates have grown enough for checkpoints."""
        self.reference = stored.reference
        self.watermark = stored.watermark
        self.outbox_sequence = stored.outbox_sequence
        self.positions = dict(stored.positions)
        self.aggregates: dict[str, Aggregate] = {}
        self.dirty: set[str] = set()
        self.unsettled: dict[str, ViolationRow] = {}
        self.spoken: dict[str, ViolationRow] = {}
        """Violations that a batch not yet recorded lets be spoken of: the store's rows are older."""
        self.entries = 0
        self.due: dict[str, int] = {}
        """Aggregate → when its next deadline falls due."""
        self._deadlines: list[tuple[int, str]] = []
        """The same as a heap; what `due` no longer says is passed over."""
        self.log = ReferenceLog()
        """The reference data this lane has folded with, which is what its batches record; others may know more."""
        self.waiting: dict[str, int] = {}
        """Names in memory that wait for a link → version of the last batch that brought something of them."""
        self.in_flight: dict[str, str] = {}
        """Identity → content of events begun and not yet recorded, which the store can't know."""

    def await_deadline(self, key: str, due: int) -> None:
        """Note when an aggregate's next deadline falls due; −1 for never."""
        if self.due.get(key, -1) == due:
            return
        self.due.pop(key, None)
        if due >= 0:
            self.due[key] = due
            heapq.heappush(self._deadlines, (due, key))

    def fallen_due(self) -> list[str]:
        """Aggregates whose deadline the watermark has reached, taken off what is awaited."""
        fallen = []
        while self._deadlines and self._deadlines[0][0] <= self.watermark:
            due, key = heapq.heappop(self._deadlines)
            if self.due.get(key, -1) == due:
                del self.due[key]
                fallen.append(key)
        return fallen

    @property
    def next_due(self) -> int:
        """When the lane's next deadline falls due, FOREVER when none is awaited."""
        while self._deadlines and self.due.get(self._deadlines[0][1], -1) != self._deadlines[0][0]:
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else FOREVER

    def keep_waiting(self, key: str, version: int) -> None:
        """Note that a name waits of which the batch of a version brought something."""
        self.waiting[key] = version

    def let_go(self) -> None:
        """Drop the waiting names whose facts are all recorded: they are loaded when a link comes."""
        for key in [key for key, version in self.waiting.items() if version <= self.version]:
            del self.waiting[key]
            aggregate = self.aggregates.pop(key, None)
            if aggregate is not None:
                self.entries -= len(aggregate.timeline.entries)

    def speak(self, rows: Iterable[ViolationRow]) -> None:
        """Note what a batch lets be spoken of, whether or not its aggregate is in memory."""
        self.spoken.update((row.id, row) for row in rows)

    def stored(self, rows: Iterable[ViolationRow]) -> None:
        """Note which violations the store holds as they are."""
        for row in rows:
            if row.id in self.spoken and self.spoken[row.id].version <= row.version:
                del self.spoken[row.id]

    def loaded(self, aggregate: Aggregate) -> None:
        """Lay over what the store said of an aggregate what it can't know yet."""
        for row in self.spoken.values():
            if row.aggregate == aggregate.key:
                aggregate.violations[row.rule, tuple(msgspec.json.decode(row.discriminator))] = row

    def touch(self, keys: Iterable[str]) -> None:
        """Make aggregates the last to be forgotten."""
        for key in keys:
            aggregate = self.aggregates.pop(key, None)
            if aggregate is not None:
                self.aggregates[key] = aggregate

    def forget(self, kept: int) -> None:
        """Drop the aggregates untouched for longest beyond `kept` entries, but for what the store doesn't know yet.

        That is what batches in flight changed.
        """
        if self.entries <= kept:
            return
        for key, aggregate in list(self.aggregates.items()):
            if self.entries <= kept // 2:
                break
            if aggregate.changed_by <= self.version:
                self.entries -= len(self.aggregates.pop(key).timeline.entries)
