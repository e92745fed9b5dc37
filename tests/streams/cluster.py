"""Workers and relays as processes of their own, to be started, frozen and killed; and what they left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition

from engine.intake.cloudevents import decode
from engine.intake.contract import Options
from engine.policy.bundle import Bundle
from engine.policy.opa_child import OpaChild
from engine.service.ingest import ingest
from engine.service.process import Body
from engine.service.standing import export_standing
from engine.store.opening import open_store
from streams.draining import Drained
from streams.produce import Sender
from streams.topics import Ends

KEY = "a key of the organisation's"
LANES = 4


class Cluster:
    """Processes over one broker and one store."""

    def __init__(self, broker: str, url: str, opa: str, home: Path) -> None:
        """Start nothing yet."""
        self.broker = broker
        self.url = url
        self.home = home
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("COVENANT_")} | {
            "COVENANT_BROKER": broker, "COVENANT_STORE": url, "COVENANT_LANES": str(LANES), "COVENANT_OPA": opa,
            "COVENANT_ORGANISATION_KEY": KEY, "COVENANT_HOME": str(home), "COVENANT_BATCH": "500",
        }  # fmt: skip

    def __enter__(self) -> Self:
        """Open the store, so that its tables are there."""
        self.store = open_store(self.url)
        return self

    def __exit__(self, *_: object) -> None:
        """End what still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.store.close()

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start `covenant` with arguments."""
        return self.start_python(["-c", "from engine.cli.main import main; main()", *arguments], **environment)

    def start_python(self, arguments: Iterable[str], **environment: str) -> subprocess.Popen[bytes]:
        """Start this Python with arguments."""
        log = (self.home / f"log-{len(self.processes)}").open("wb")
        process = subprocess.Popen(
            [sys.executable, *arguments], env=self.environment | environment, stdout=log, stderr=subprocess.STDOUT
        )
        log.close()
        self.processes.append(process)
        return process

    def said(self, process: subprocess.Popen[bytes]) -> str:
        """What a process wrote."""
        return (self.home / f"log-{self.processes.index(process)}").read_text(errors="replace")

    def send(self, messages: Iterable[tuple[str, str, bytes]], compression: str | None = "lz4") -> int:
        """Send (topic, key, value) and wait until the broker has all; gives how many."""
        sender = Sender(self.broker, compression)
        for topic, key, value in messages:
            sender.raw(topic, key.encode(), value)
        sender.close()
        return sum(sender.sent.values())

    def drain(self, workers: int = 1, seconds: float = 600.0) -> None:
        """Run workers and a relay until all is done and settled."""
        relay = self.start("relay")
        running = [self.start("worker", "--until-drained") for _ in range(workers)]
        for process in running:
            assert process.wait(seconds) == 0, self.said(process)
        self.until(lambda: not self.store.outbox_size(), 180)
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(30) == 0, self.said(relay)

    def until(self, held: Callable[[], object], seconds: float) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + seconds
        while not held():
            assert time.monotonic() < deadline, "\n".join(self.said(process)[-2000:] for process in self.processes)
            time.sleep(0.05)

    def left(self) -> str:
        """What is left to do; empty when nothing is."""
        ends = Ends(self.broker)
        try:
            return Drained(self.store, ends, LANES).why_not()
        finally:
            ends.close()

    def recorded(self) -> int:
        """How many messages the lanes have recorded so far."""
        return int(self.rows("SELECT coalesce(sum(read), 0) FROM batch")[0][0])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the store."""
        with self.store.reading() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def topic(self, name: str, partitions: int = LANES) -> list[tuple[bytes | None, bytes]]:
        """All (key, value) on a topic that weren't aborted."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.broker, isolation_level="read_committed", consumer_timeout_ms=15_000, enable_auto_commit=False
        )
        try:
            parts = [TopicPartition(name, number) for number in range(partitions)]
            consumer.assign(parts)
            consumer.seek_to_beginning()
            ends = consumer.end_offsets(parts)
            found: list[tuple[bytes | None, bytes]] = []
            while any(consumer.position(part) < ends[part] for part in parts):
                for records in consumer.poll(timeout_ms=500).values():
                    found += [(record.key, record.value) for record in records]
            return found
        finally:
            consumer.close()

    def standing(self) -> bytes:
        """What stands now."""
        return b"\n".join(export_standing(self.store))


def embedded(values: Iterable[bytes], folder: Path, rules: tuple[Bundle, OpaChild]) -> bytes:
    """What stands after the embedded body took the same values in."""
    bundle, child = rules
    store = open_store(f"sqlite:///{folder / 'embedded.db'}")
    arrivals = (one for number, value in enumerate(values) for one in decode(value, f"line {number}", Options()))
    ingest(Body(store, child, bundle), arrivals, clock=lambda: 1)
    standing = b"\n".join(export_standing(store))
    store.close()
    return standing
