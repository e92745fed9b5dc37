"""Books in tests: a store, the oracle its books are held against, and the worked example of the domain as events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine.domain import codec
from engine.domain.aggregates import person
from engine.domain.events import Event
from engine.domain.ledger import Line
from engine.domain.order import place
from engine.domain.records import JournalRow
from engine.domain.reference import Reference
from engine.domain.values import instant, quantity_text
from engine.intake.arrivals import Arrival
from engine.service.ingest import ingest
from engine.service.ledger import Books, Scope, books_at
from engine.service.process import Body
from engine.service.relearning import Nobody, ruleless
from engine.store.lookups import Lookups
from engine.store.memory_store import MemoryStore
from engine.store.opening import open_store
from engine.store.postings import CAME_IN, Clocks, Postings
from engine.store.protocol import REFERENCE_LANE
from engine.store.sql_store import SqlStore
from tests.domain.make import event

Moment = str | int | None
NO_RULES = ruleless(msgspec.json.decode((Path(__file__).parents[2] / "policies" / "params.json").read_bytes())["facts"])


class Opened:
    """A store and what was taken into it."""

    def __init__(self, url: str) -> None:
        """Open a fresh store."""
        self.store = open_store(url)
        self.lookups = Lookups(self.store)
        self.postings = Postings(self.store)

    def take(self, events: Sequence[Event], at: int = 1, batch: int = 7) -> None:
        """Take events in, recorded at a time unless they say when."""
        ingest(Body(self.store, Nobody(NO_RULES), NO_RULES), map(Arrival, events), clock=lambda: at, batch=batch)

    def books(self, as_of: Moment, known_at: Moment = None, scope: Scope = Scope()) -> Books:  # noqa: B008 - never changed
        """Give the books."""
        return books_at(self.postings, clocks(as_of, known_at), NO_RULES.windows, scope=scope)

    def at(self, as_of: Moment, known_at: Moment = None, **scope: str) -> list[Line]:
        """Give the balances."""
        return self.books(as_of, known_at, Scope(**scope)).lines

    def folded(self, as_of: Moment, known_at: Moment = None) -> list[Line]:
        """Give the balances by folding all that came in again."""
        return folded_again(self.store, clocks(as_of, known_at))


def folded_again(store: SqlStore, clocks: Clocks) -> list[Line]:
    """Give balances by folding all that had come in by a moment, in order of event time: what postings are held against."""
    memory = MemoryStore()
    body = Body(memory, Nobody(NO_RULES), NO_RULES)
    body.refer([Arrival(one) for one in _known(store.reference(0), clocks.known_at)], {}, 1)
    body.open(0)
    lanes = [lane.lane for lane in store.lanes() if lane.lane != REFERENCE_LANE]
    rows = [row for lane in lanes for batch in store.batches(lane) for row in batch.journal if row.origin in CAME_IN]
    body.process(0, [Arrival(one) for one in sorted(_known(rows, clocks.known_at), key=place)], {}, 1)
    lines: list[Line] = []
    for key, loaded in memory.load([key for key in memory.aggregates() if "/person/" in key]).items():
        lines += _of_person(key, sorted(_known(loaded.journal, None), key=place), body.log.now, clocks.as_of)
    return lines


def _of_person(key: str, events: list[Event], reference: Reference, as_of: int | None) -> Iterable[Line]:
    organisation, _, ident = key.split("/", 2)
    state, lines = person.start(ident, NO_RULES.windows), dict[tuple[str, str], Line]()
    for one in events:
        at = place(one).time
        if as_of is not None and at >= as_of:
            break
        for posting in person.fold(state, one, at, reference).postings:
            line = lines.setdefault((posting.grant, posting.unit), Line(organisation, ident, posting.grant, posting.unit))
            line.add(posting.kind, posting.amount)
    for line in lines.values():
        grant = state.grants.get(line.grant)
        if as_of is not None and grant is not None and as_of > grant.ends(state.ended_at, state.ended_reason):
            line.end()
    return lines.values()


def _known(rows: Iterable[JournalRow], known_at: int | None) -> list[Event]:
    latest = {row.identity: row for row in rows if known_at is None or row.recorded_at <= known_at}
    return [codec.parse_event(row.event) for row in latest.values() if not row.withdrawn]


def clocks(as_of: Moment, known_at: Moment = None) -> Clocks:
    """Read two moments."""
    return Clocks(us(as_of), us(known_at))


def us(moment: Moment) -> int | None:
    """Read a moment."""
    return int(instant(moment)) if isinstance(moment, str) else moment


def row(line: Line, *names: str) -> tuple[str, ...]:
    """Give some amounts as decimals."""
    return tuple(quantity_text(getattr(line, name)) for name in names)


def recorded(one: Event, at: int | str) -> Event:
    """The same event, learnt at another time than it happened."""
    return msgspec.structs.replace(one, recorded_at=us(at))


QUARTERS: dict[str, Any] = {"segments": [{"occurrences": 1, "every": 0, "denominator": 4}, {"occurrences": 3, "denominator": 4}]}


def example() -> list[Event]:
    """The worked example of the domain: rates, prices, three grants, three usages (one recorded late), an exit."""
    rates = [
        event("rate.published", "2026-07-01", meter=meter, unit="CCU", units=units, per=per)
        for meter, units, per in (("input_tokens", "2.5", "1000000"), ("output_tokens", "10", "1000000"))
    ]
    hours = [
        event("rate.published", day, meter="gpu_seconds", unit="CCU", units=units, per="3600")
        for day, units in (("2026-07-01", "3"), ("2026-09-01", "2.4"))
    ]
    prices = [event("price.published", day, price=price) for day, price in (("2026-07-01", "1"), ("2026-09-15", "0.9"))]
    terms: dict[str, dict[str, Any]] = {
        "G1": {"quantity": "12000", "priority": 10, "expires_at": "2027-06-30", "vesting": "scheduled", "schedule": QUARTERS},
        "G2": {"quantity": "1000", "priority": 10, "expires_at": "2026-08-31", "vesting": "immediate"},
        "G3": {"quantity": "500", "priority": 1, "expires_at": "2026-12-31"},
    }
    grants = [
        event("grant.issued", "2026-07-01", ident=grant, grant_id=grant, holder="p", termination_window_days=30, **more)
        for grant, more in terms.items()
    ]
    g3 = event("grant.vested", "2026-08-15", grant_id="G3", holder="p", quantity="500")
    u1 = event("usage.inference", "2026-07-20", ident="U1", person="p", input_tokens=200_000_000, output_tokens=40_000_000)
    u2 = event("usage.gpu", "2026-09-05", ident="U2", person="p", gpu_seconds=str(400 * 3600))
    u3 = event("usage.inference", "2026-08-25", ident="U3", person="p", input_tokens=12_000_000)
    exit_ = event("person.terminated", "2026-09-20", person="p")
    closed = event("period.closed", "2026-10-03", period="2026-Q3", **{"from": "2026-07-01", "until": "2026-10-01"})
    events = [*rates, *hours, *prices, *grants, g3, u1, u2, exit_, closed]
    return [*(recorded(one, one.time) for one in events), recorded(u3, "2026-10-04")]
