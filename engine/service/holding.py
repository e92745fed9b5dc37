"""Rules that are held: what they find is recorded and stays internal until a named person releases them.

A rule that opens too much in an hour (`domain.breaker`) is held by an event on the reference lane, and released by
another. Each batch records which rules were held when it was decided, so that a replay needs neither count nor clock.
Workers count what the store holds and what they themselves have decided: batches that others are deciding at that moment
aren't known yet. What they open stays provisional, and the next batch of any lane holds it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from engine.domain import breaker, codec
from engine.domain.errors import CovenantError, LaneConflict, UsageError
from engine.domain.events import Event
from engine.domain.events.derived import PolicyHeld, PolicyReleased
from engine.domain.records import JournalRow, ViolationChange, ViolationRow
from engine.intake.arrivals import Arrival
from engine.service.recording import Recording, refer
from engine.store.protocol import Store

TYPES: Final = (PolicyHeld.TYPE, PolicyReleased.TYPE)
TRIES: Final = 20
OPENED: Final = frozenset({"opened", "reopened"})
TOLD: Final = frozenset({"settled"})
Rule = tuple[str, str]
"""Organisation and rule code."""


class Flying(msgspec.Struct, frozen=True):
    """How many findings of each rule open and are told of in batches that aren't in the store yet."""

    opens: Counter[Rule]
    tells: Counter[Rule]


class Hold(msgspec.Struct, frozen=True):
    """A rule that is held, and since when."""

    organisation: str
    rule: str
    since: int
    opened: int
    """How many findings it opened in the hour."""
    limit: int
    waiting: int = 0
    """How many of its findings nobody is told of."""


class Holding:
    """Which rules are held, for all lanes of one body; `floor` 0 never holds one."""

    def __init__(self, store: Store, recording: Recording, floor: int) -> None:
        """Begin knowing of none."""
        self.store = store
        self.recording = recording
        self.floor = floor
        self._lock = threading.RLock()
        """Lanes decide on threads of their own."""
        self.given: frozenset[Rule] | None = None
        """In a replay: what the batch says that was held."""
        self._tripped: dict[Rule, str] = {}
        """Rules held by this body, until the log says so: → the id of the event that does."""
        self._held: set[Rule] = set()
        self._released: dict[Rule, int] = {}
        self._read = 0
        self._unwritten: dict[tuple[int, int], Flying] = {}
        """(lane, version) → what a batch opens and tells that isn't in the store yet."""

    def held(self, log: Sequence[Event]) -> frozenset[Rule]:
        """Give the rules that are held, as far as the reference log says."""
        if self.given is not None:
            return self.given
        with self._lock:
            for event in log[self._read :]:
                self._take(event)
            self._read = len(log)
            return frozenset(self._held | self._tripped.keys())

    def _take(self, event: Event) -> None:
        if isinstance(event.data, PolicyHeld | PolicyReleased):
            rule = (event.organisation, event.data.rule)
            if self._tripped.get(rule) == event.id:
                del self._tripped[rule]
            if isinstance(event.data, PolicyHeld):
                self._held.add(rule)
            else:
                self._held.discard(rule)
                self._released[rule] = event.time

    def trip(
        self,
        batch: tuple[int, int],
        rows: Mapping[str, ViolationRow],
        changes: Iterable[ViolationChange],
        due: Iterable[ViolationRow],
        now: int,
    ) -> frozenset[Rule]:
        """Hold the rules of which a batch (lane, version) opens, or brings to be spoken of, too much at `now`; gives them."""
        if self.given is not None or not self.floor:
            return frozenset()
        opens = Counter((rows[c.violation].organisation, rows[c.violation].rule) for c in changes if c.change in OPENED)
        tells = Counter((row.organisation, row.rule) for row in due)
        if not opens and not tells:
            return frozenset()
        with self._lock:
            return self._trip(batch, opens, tells, now)

    def _trip(self, batch: tuple[int, int], opens: Counter[Rule], tells: Counter[Rule], now: int) -> frozenset[Rule]:
        """Both must be too many: what opens and goes away before it settles, as in catching up with topics, was never said."""
        tripped = set()
        for rule, count in sorted(tells.items()):
            if rule in self._held or rule in self._tripped:
                continue
            since = max(self._released.get(rule, 0), now - breaker.WINDOW_US)
            told = self.store.steps(TOLD, since, now).get(rule, 0) + self._flying().tells[rule] + count
            if told <= self.floor:
                continue  # as nearly always: what opened needn't be counted
            opened = self.store.steps(OPENED, since, now).get(rule, 0) + self._flying().opens[rule] + opens[rule]
            many = min(opened, told)
            if many > self.floor and self._hold(rule, many, batch, now):
                tripped.add(rule)
        for rule in tripped:
            del tells[rule]
        self._unwritten[batch] = Flying(opens, tells)
        return frozenset(tripped)

    def forget(self, lane: int) -> None:
        """Forget what a lane had decided and not recorded: it begins anew at what the store holds."""
        with self._lock:
            for batch in [batch for batch in self._unwritten if batch[0] == lane]:
                del self._unwritten[batch]

    def written(self, batch: tuple[int, int]) -> None:
        """Note that a batch is in the store."""
        with self._lock:
            self._unwritten.pop(batch, None)

    def _flying(self) -> Flying:
        """Count what was decided and isn't in the store yet: asked after the store was counted, so that nothing counts twice."""
        stands = {lane: self.store.lane(lane).version for lane in {lane for lane, _ in self._unwritten}}
        found = Flying(Counter(), Counter())
        for (lane, version), one in self._unwritten.items():
            if version > stands[lane]:
                found.opens.update(one.opens)
                found.tells.update(one.tells)
        return found

    def _hold(self, rule: Rule, opened: int, batch: tuple[int, int], now: int) -> bool:
        hour = now - breaker.WINDOW_US
        usual = self.store.steps(OPENED, hour - breaker.BASELINE_US, hour).get(rule, 0)
        if not breaker.trips(opened, self.floor, usual):
            return False
        organisation, code = rule
        ident = f"held {code} lane {batch[0]} batch {batch[1]}"
        data = PolicyHeld(code, opened, breaker.limit(self.floor, usual))
        self._tripped[rule] = ident
        record(self.store, self.recording, Event(organisation, "covenant", ident, data.TYPE, now, data), now)
        return True


def record(store: Store, recording: Recording, event: Event, now: int) -> None:
    """Record an event of our own on the reference lane, again where another got there first."""
    for attempt in range(TRIES):
        try:
            refer(store, recording, [Arrival(event)], {}, now)
        except LaneConflict:
            if attempt == TRIES - 1:
                raise
        else:
            return


def release(store: Store, code: str, by: str, why: str, now: int) -> list[Hold]:
    """Release a rule, of every organisation that has it held; gives what was held, or says that it isn't."""
    found = [hold for hold in holds(store.reference_of(TYPES)) if hold.rule == code]
    if not found:
        msg = f"The rule {code} isn't held."
        raise UsageError(msg, "`covenant doctor` says which rules are.")
    for hold in found:
        data = PolicyReleased(code, by, why)
        ident = f"released {code} {hold.since} {now}"
        record(store, Recording(1, None), Event(hold.organisation, "covenant", ident, data.TYPE, now, data), now)
    return found


def holds(rows: Iterable[JournalRow], waiting: dict[Rule, int] | None = None) -> list[Hold]:
    """Give the rules that are held, from the entries of the reference log that hold and release."""
    found: dict[Rule, Hold] = {}
    for row in rows:
        event = codec.parse_event(row.event)
        key = (event.organisation, event.data.rule)
        if isinstance(event.data, PolicyHeld):
            found[key] = Hold(*key, event.time, event.data.opened, event.data.limit, (waiting or {}).get(key, 0))
        else:
            found.pop(key, None)
    return [found[key] for key in sorted(found)]


def in_words(hold: Hold) -> str:
    """Say that a rule is held, and what to do."""
    return (
        f"{hold.rule} is held: it opened {hold.opened:,} findings in an hour, and {hold.limit:,} are its limit. {hold.waiting:,} "
        f"wait and nobody is told of them. See why, then: covenant policy release {hold.rule} --by WHO --why …"
    )


def write(held: frozenset[Rule]) -> str:
    """Give what a batch records of the rules that were held; empty for none."""
    return codec.encode(sorted(map(list, held))).decode() if held else ""


def read(text: str) -> frozenset[Rule]:
    """Read what `write` wrote."""
    try:
        return frozenset((organisation, rule) for organisation, rule in msgspec.json.decode(text)) if text else frozenset()
    except (msgspec.DecodeError, ValueError, TypeError) as error:
        msg = "A batch doesn't say which rules were held."
        raise CovenantError(msg, "Restore the store from a backup.") from error
