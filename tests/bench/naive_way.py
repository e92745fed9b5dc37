"""Measuring the obvious build on the same broker, OPA and PostgreSQL, on a bounded number of inputs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError

from tests.bench.figures import Figure
from tests.services.parts import ROOT, tail

PARTITIONS = 4
WHAT = "the obvious build: Faust agent, one opa-python-client call and one SQLModel commit an event, inputs given ready"
COUNTED = text("SELECT count(*), min(decided_at), max(decided_at) FROM naive_decision")


def measure(broker: str, store: str, opa_url: str, documents: Sequence[bytes], seconds_max: float) -> Figure:
    """Have the peer decide `documents`; the clock runs from its first commit to its last."""
    topic = f"naive.inputs.{uuid.uuid4().hex[:12]}"
    wanted = len(documents)
    _load(broker, topic, documents)
    environment = os.environ | {
        "NAIVE_BROKER": broker,
        "NAIVE_TOPIC": topic,
        "NAIVE_STORE": store,
        "NAIVE_OPA_PORT": str(urlsplit(opa_url).port),
    }
    engine = create_engine(store)
    with TemporaryDirectory(prefix="covenant-bench-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.peers.naive", "--datadir", folder, "worker", "-l", "warn"],
                cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            deadline = time.monotonic() + seconds_max
            done, first, last = 0, 0, 0
            while done < wanted:
                if process.poll() is not None or time.monotonic() > deadline:
                    msg = f"The obvious build decided {done} of {wanted}:\n{tail(log)}"
                    raise RuntimeError(msg)
                time.sleep(0.5)
                done, first, last = _counted(engine)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            engine.dispose()
    return Figure("naive", WHAT, wanted - 1, wanted - 1, (last - first) / 1e6, {})


def _load(broker: str, topic: str, documents: Sequence[bytes]) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker)
    try:
        admin.create_topics([NewTopic(topic, num_partitions=PARTITIONS, replication_factor=1)])
    finally:
        admin.close()
    producer = KafkaProducer(bootstrap_servers=broker, acks="all", linger_ms=20)
    for number, document in enumerate(documents):
        producer.send(topic, value=document, partition=number % PARTITIONS)
    producer.flush(60)
    producer.close()


def _counted(engine: Engine) -> tuple[int, int, int]:
    try:
        with engine.connect() as connection:
            done, first, last = connection.execute(COUNTED).one()
    except ProgrammingError:
        return 0, 0, 0  # its table isn't there yet
    return int(done), int(first or 0), int(last or 0)
