"""The relay: publishes the outbox of each lane in sequence order, then marks it published.

Never skips and never goes by "id greater than last seen": commits overtake each other, sequences within a lane don't.
A round is one transaction under one transactional id, so that a second relay fences the first; a relay killed between
publishing and marking publishes again, and subscribers know a message by its event id and version. Decides nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from kafka import KafkaProducer
from kafka.errors import InvalidProducerEpochError, KafkaError, ProducerFencedError

from engine.domain.errors import BrokerUnavailable, CovenantError, StoreUnavailable
from engine.domain.records import OutboxRow
from engine.store.protocol import Store
from streams.topics import LANE_HEADER, MIB, unreachable

TRANSACTIONAL_ID: Final = "covenant-relay"
ROUND: Final = 4000
"""Most messages of one lane in one round."""
POLL_S: Final = (0.02, 0.03, 0.05, 0.1)
BACKOFF_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)


class RelayFenced(CovenantError):
    """Another relay took over."""

    exit_code = 3


TAKEN_OVER = (
    "Another relay took over: messages of one store are published by one relay.",
    "Stop one of the two; the one started last goes on.",
)


class Relay:
    """Publishes until told to stop."""

    def __init__(self, store: Store, broker: str, lanes: int, say: Callable[[str], None] = lambda _: None) -> None:
        """Connect and fence whoever was the relay before; `BrokerUnavailable` where there is no broker."""
        self.store = store
        self.broker = broker
        self.lanes = lanes
        self.say = say
        self._halt = threading.Event()
        self._hint = threading.Event()
        self._number = store.number_relay()
        self._producer = self._connect()
        self._published = {lane: store.published(lane) for lane in range(-1, lanes)}
        say(f"The relay publishes what {lanes} lanes record.")

    def hint(self) -> None:
        """Say that something was recorded, so that it needn't be found by polling."""
        self._hint.set()

    def halt(self) -> None:
        """Have it stop after its round."""
        self._halt.set()
        self._hint.set()

    def run(self) -> None:
        """Publish, round by round; transient faults are retried, being fenced isn't."""
        quiet, failures = 0, 0
        while not self._halt.is_set():
            try:
                quiet = 0 if self.round() else quiet + 1
                failures = 0
            except (StoreUnavailable, BrokerUnavailable) as error:
                failures += 1
                self.say(f"Relay: {error} It is tried again.")
                self._halt.wait(BACKOFF_S[min(failures, len(BACKOFF_S)) - 1])
                continue
            if quiet:
                self._hint.wait(POLL_S[min(quiet, len(POLL_S)) - 1])
                self._hint.clear()

    def round(self) -> int:
        """Publish what waits now; gives how many messages that were."""
        self._still_ours()
        lanes = self._published.keys() & self.store.outboxes()  # one question where nothing waits, which is most of the time
        waiting = {lane: self.store.outbox(lane, self._published[lane], ROUND) for lane in sorted(lanes)}
        waiting = {lane: rows for lane, rows in waiting.items() if rows}
        if waiting:
            self._publish([(lane, row) for lane, rows in waiting.items() for row in rows])
        for lane, rows in waiting.items():
            self.store.mark_published(lane, rows[-1].sequence)
            self._published[lane] = rows[-1].sequence
        return sum(len(rows) for rows in waiting.values())

    def _still_ours(self) -> None:
        if self.store.relay_number() != self._number:
            raise RelayFenced(*TAKEN_OVER)

    def close(self) -> None:
        """Disconnect."""
        self._producer.close(timeout=5)

    def _connect(self) -> KafkaProducer:
        try:
            producer = KafkaProducer(
                bootstrap_servers=self.broker, client_id="covenant-relay", acks="all", enable_idempotence=True,
                transactional_id=TRANSACTIONAL_ID, linger_ms=2, batch_size=MIB // 2, max_request_size=8 * MIB,
                compression_type="lz4", transaction_timeout_ms=60_000,
            )  # fmt: skip
            producer.init_transactions()
        except (KafkaError, OSError) as error:
            raise unreachable(self.broker, error) from error
        return producer

    def _publish(self, rows: Sequence[tuple[int, OutboxRow]]) -> None:
        producer = self._producer
        try:
            producer.begin_transaction()
            sent = [
                producer.send(row.topic, key=row.key.encode(), value=row.value or None, headers=[(LANE_HEADER, b"%d" % lane)])
                for lane, row in rows
            ]
            producer.flush()
            for future in sent:
                future.get(timeout=60)
            producer.commit_transaction()
        except KafkaError as error:
            if fenced(error):
                raise RelayFenced(*TAKEN_OVER) from error
            self._still_ours()  # whatever the broker's client calls it: to connect anew would fence the one that took over
            self._producer.close(timeout=1)
            self._producer = self._connect()
            raise unreachable(self.broker, error) from error


def fenced(error: BaseException | None) -> bool:
    """Whether an error of the client's says, itself or by what it tells of, that another producer has our transactional id."""
    if error is None or isinstance(error, (ProducerFencedError, InvalidProducerEpochError)):
        return error is not None
    return any(fenced(part) for part in error.args if isinstance(part, BaseException)) or fenced(error.__cause__)
