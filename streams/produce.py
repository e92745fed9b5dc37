"""Sending events to their topics, keyed by what they are about: for loading a file, for demonstrations and tests.

Owns the key (`organisation/kind/id`) and the topic of an event; the partition is the default partitioner's (murmur2),
which is the lane the engine computes. Lines that can't be read are sent too, unkeyed and unchanged, so that the worker
refuses them and they aren't lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from kafka import KafkaProducer
from kafka.errors import KafkaError

from engine.domain.events import Event
from engine.domain.order import aggregate
from engine.intake.cloudevents import decode
from engine.intake.sources import Options
from streams.topics import MIB, unreachable

UNREADABLE_TO: Final = "covenant.usage"


class Sender:
    """Sends events, idempotently."""

    def __init__(self, broker: str, compression: str | None = "lz4") -> None:
        """Connect."""
        self._broker = broker
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=broker, client_id="covenant-load", acks="all", enable_idempotence=True, linger_ms=20,
                batch_size=MIB // 4, max_request_size=4 * MIB, compression_type=compression,
            )  # fmt: skip
        except (KafkaError, OSError) as error:
            raise unreachable(broker, error) from error
        self.sent: Counter[str] = Counter()

    def event(self, event: Event, wire: bytes) -> None:
        """Send one event to its topic."""
        topic = f"covenant.{event.data.TOPIC}"
        key = event.organisation if event.data.TOPIC == "reference" else aggregate(event)
        self.raw(topic, key.encode(), wire)

    def raw(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Send anything."""
        self._producer.send(topic, key=key, value=value)
        self.sent[topic] += 1

    def lines(self, lines: Iterable[bytes], organisation: str = "") -> None:
        """Send CloudEvents lines as they are; a line that can't be read goes to `covenant.usage` to be refused there."""
        options = Options(organisation=organisation)
        for line in lines:
            value = line.rstrip(b"\r\n")
            if not value:
                continue
            arrivals = decode(value, "", options)
            event = arrivals[0].event if len(arrivals) == 1 else None
            if event is None:
                self.raw(UNREADABLE_TO, None, value)
            else:
                self.event(event, value)

    def close(self) -> None:
        """Wait until the broker has everything, and disconnect."""
        try:
            self._producer.flush(timeout=120)
        except KafkaError as error:
            raise unreachable(self._broker, error) from error
        finally:
            self._producer.close(timeout=10)
