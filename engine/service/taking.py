"""The beginning of a batch: arrivals sorted into what is new, what was taken in before, and what is refused.

An event is known by its identity at any distance; the same identity with other content is refused. Reads the store's
identities and nothing else; folds and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from engine.domain import codec
from engine.domain.derivation import Delivery
from engine.domain.errors import Refusal
from engine.domain.events import Event
from engine.domain.records import OriginalRow, PayloadRow, RefusedRow, SeenRow
from engine.domain.written import Written, write
from engine.intake.arrivals import Arrival
from engine.store.protocol import Store

RAW_KEPT = 65_536
"""Bytes of a refused line that are kept, and of a record that events were made from."""


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


def take(store: Store, arrivals: Sequence[Arrival | Delivery], recorded_at: int, in_flight: Mapping[str, str]) -> Taken:
    """Sort arrivals: what was taken in before, by the store or by batches still in flight, counts as a duplicate."""
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
        if before is None:
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
