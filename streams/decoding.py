"""From a topic's records to what a lane merges: events, refusals, derived facts, each with its event time.

Owns which topic holds what. Never raises for what a message holds: it becomes a refusal that says where it stood.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from engine.domain.derivation import Delivery, read_deliveries
from engine.domain.errors import Refusal
from engine.intake.arrivals import Arrival
from engine.intake.cloudevents import decode as decode_cloudevents
from engine.intake.sources import Options
from streams.merging import ALWAYS, Item
from streams.topics import DERIVED, REFERENCE, input_name


class Message(NamedTuple):
    """A record as it is handed from the consumer to a lane."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    source: int = -1
    """Of a derived fact: the lane that tells it."""


def decode(
    messages: Iterable[Message], organisation: str, now_us: int, *, trust: bool = False
) -> Iterator[Item[Arrival | Delivery]]:
    """Decode messages in order; a message that holds a batch gives several items of one offset."""
    options = Options(organisation=organisation, trust_recorded=trust, now_us=now_us)
    for message in messages:
        name = input_name(message.topic, message.partition)
        where = f"{name}@{message.offset}"
        if message.topic == DERIVED:
            yield from _derived(message, name, where)
            continue
        for arrival in decode_cloudevents(message.value or b"", where, options):
            placed = _placed(arrival, message)
            yield Item(ALWAYS if placed.event is None else placed.event.time, name, message.offset, placed)


def _placed(arrival: Arrival, message: Message) -> Arrival:
    """Refuse reference data among other events, and other events among reference data: they are read differently."""
    if arrival.event is None or (arrival.event.data.TOPIC == "reference") == (message.topic == REFERENCE):
        return arrival
    right = f"covenant.{arrival.event.data.TOPIC}"
    msg = f"An event of type {arrival.event.type} was sent to {message.topic}."
    refusal = Refusal(msg, f"Send it to {right}.", code="wrong-topic", field="type")
    return Arrival(None, refusal, message.value or b"", arrival.where)


def _derived(message: Message, name: str, where: str) -> list[Item[Arrival | Delivery]]:
    value = message.value or b""
    try:
        deliveries = read_deliveries(value)
    except Refusal as refusal:
        return [Item(ALWAYS, name, message.offset, Arrival(None, refusal, value, where))]
    except RecursionError:
        deep = Refusal("Nested too deeply to be read.", "Only Covenant itself may write to covenant.derived.", code="too-deep")
        return [Item(ALWAYS, name, message.offset, Arrival(None, deep, value, where))]
    return [Item(delivery.event.time, name, message.offset, delivery) for delivery in deliveries]
