"""The beginning of a batch: arrivals sorted into what is new, what was taken in before, and what is refused.

An event is known by its identity at any distance; the same identity with other content is refused. Reads the store's
identities and nothing else; folds and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from engine.domain import codec
from engine.domain.derivation import Delivery
from engine.domain.errors import Refusal
from engine.domain.events import Event
from engine.domain.events.base import Problem
from engine.domain.events.reference import PricePublished, RatePublished
from engine.domain.records import OriginalRow, PayloadRow, RefusedRow, SeenRow
from engine.domain.written import Written, write
from engine.intake.arrivals import Arrival
from engine.store.protocol import Store

JOURNAL = "journal: "
"""How the place of a refusal begins whose event was taken in."""
RAW_KEPT = 65_536
"""Bytes of a refused line that are kept, and of a record that events were made from."""


Refuses = Callable[[Event], Refusal | None]
"""Says why an event isn't taken in, None where it is."""


class Taken(msgspec.Struct):
    """Arrivals sorted into what is done with them."""

    events: list[tuple[Event, Written]] = []
    deliveries: list[Delivery] = []
    seen: list[SeenRow] = []
    originals: list[OriginalRow] = []
    payloads: dict[str, PayloadRow] = {}
    """By digest."""
    refused: list[RefusedRow] = []
    read: int = 0
    duplicates: int = 0


def take(
    store: Store,
    arrivals: Sequence[Arrival | Delivery],
    recorded_at: int,
    in_flight: Mapping[str, str],
    refuses: Refuses | None = None,
) -> Taken:
    """Sort arrivals: what was taken in before, by the store or by batches still in flight, counts as a duplicate.

    `refuses` is asked of each new event, in order.
    """
    taken = Taken()
    events: list[tuple[Arrival, Event, Written]] = []
    for arrival in arrivals:
        if isinstance(arrival, Delivery):
            taken.deliveries.append(arrival)
            continue
        taken.read += 1
        if arrival.event is None:
            taken.refused.append(refused_row(arrival, arrival.refusal, recorded_at))
        else:
            events.append((arrival, arrival.event, write(arrival.event)))
    identities = [written.identity for _, _, written in events]
    known = store.seen(identities) if events else {}
    known.update((identity, in_flight[identity]) for identity in identities if identity in in_flight)
    for arrival, event, written in events:
        before = known.get(written.identity)
        if before is None and refuses is not None and (refused := refuses(event)) is not None:
            taken.refused.append(refused_row(arrival, refused, recorded_at))
        elif before is None:
            known[written.identity] = written.content
            taken.seen.append(SeenRow(written.identity, written.content))
            taken.events.append((event, written))
            if arrival.raw:
                _keep(taken, written.identity, arrival.raw)
        elif before == written.content:
            taken.duplicates += 1
        else:
            msg = f"Event {event.source} {event.id} was taken in before with other content."
            do = "Give the corrected event an id of its own; the first one stands."
            refusal = Refusal(msg, do, code="conflicting-duplicate", field="id")
            taken.refused.append(refused_row(arrival, refusal, recorded_at))
    return taken


def unapplied(problem: Problem, event: Event, aggregate: str, recorded_at: int) -> RefusedRow:
    """Make the row of a fact that was taken in and has no effect: only the fold can tell."""
    do = "It stays in the journal: correct what it contradicts, or tell it with times of their own."
    refusal = Refusal(problem.text, do, code=problem.code, field=problem.text.split(" ", 1)[0])
    return refused_row(Arrival(event, None, b"", f"{JOURNAL}{aggregate}"), refusal, recorded_at)


def apart(taken: Taken, known: Sequence[Event], recorded_at: int) -> None:
    """Refuse prices and rates that overlap: two told at one moment, in force from one moment, and not the same.

    Told later, a price from the same moment on is a correction, and stands.
    """
    if not any(_price_key(event) for event, _ in taken.events):
        return
    said = {key: event for event in known if (key := _price_key(event)) is not None}
    events = []
    for event, written in taken.events:
        key = _price_key(event)
        before = None if key is None else said.setdefault(key, event)
        if before is None or _said(before) == _said(event):
            events.append((event, written))
            continue
        msg = f"data.effective_from overlaps with {before.source} {before.id}, which says otherwise from the same moment on."
        do = "Give it the moment from which it is in force; to correct a price, tell it later than the one that was wrong."
        refusal = Refusal(msg, do, code="overlapping-price", field="data.effective_from")
        taken.refused.append(refused_row(Arrival(event, None, b"", f"{event.source} {event.id}"), refusal, recorded_at))
        taken.seen = [row for row in taken.seen if row.identity != written.identity]
    taken.events = events


def _price_key(event: Event) -> tuple[object, ...] | None:
    """Give what only one price or rate may be told for."""
    data = event.data
    if isinstance(data, PricePublished):
        return event.organisation, event.time, data.effective(event.time), "price", data.unit, data.currency
    if isinstance(data, RatePublished):
        return event.organisation, event.time, data.effective(event.time), data.meter, data.unit, data.model
    return None


def _said(event: Event) -> tuple[int, ...]:
    """Give what a price or a rate says."""
    data = event.data
    return (data.price,) if isinstance(data, PricePublished) else (data.units, data.per)


def _keep(taken: Taken, identity: str, raw: bytes) -> None:
    """Keep the record an event was made from, once however many events were."""
    payload = codec.digest(raw).hex()
    taken.originals.append(OriginalRow(identity, payload))
    if payload not in taken.payloads:
        taken.payloads[payload] = PayloadRow(payload, len(raw), raw[:RAW_KEPT])


def refused_row(arrival: Arrival, refusal: Refusal | None, recorded_at: int) -> RefusedRow:
    """Make the row of a refusal; its id is a function of what was refused and where it stood."""
    refusal = refusal or Refusal("Refused without a reason.")
    raw = arrival.raw[:RAW_KEPT]
    if not raw and arrival.event is not None:
        raw = codec.write_event(arrival.event)[:RAW_KEPT]
    return RefusedRow(
        id=codec.digest(arrival.where.encode(), raw).hex(),
        organisation=arrival.event.organisation if arrival.event is not None else "",
        source=arrival.event.source if arrival.event is not None else "",
        code=refusal.code,
        field=refusal.field,
        reason=refusal.message,
        do=refusal.do,
        where=arrival.where,
        raw=raw,
        recorded_at=recorded_at,
    )
