"""The real parts really start, answer, survive a kill and leave nothing behind."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import TopicPartition

from engine.domain.errors import DependencyMissing
from engine.policy import opa_binary
from tests.services import kafka, opa, parts, postgres

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page


def send(server: kafka.KafkaServer, topic: str, values: list[bytes], compression: str | None) -> None:
    """Produce `values` to partition 0 and wait until the broker has them."""
    producer = KafkaProducer(bootstrap_servers=server.bootstrap, acks="all", compression_type=compression)
    try:
        futures = [producer.send(topic, value, partition=0) for value in values]
        for future in futures:
            future.get(timeout=20)
    finally:
        producer.close()


def receive(server: kafka.KafkaServer, topic: str, count: int) -> list[bytes]:
    """The first `count` values of partition 0, or fewer after twenty seconds of silence."""
    consumer = KafkaConsumer(bootstrap_servers=server.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=20_000)
    try:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek_to_beginning()
        values: list[bytes] = []
        for record in consumer:
            values.append(record.value)
            if len(values) == count:
                break
        return values
    finally:
        consumer.close()


@pytest.mark.needs_kafka
@pytest.mark.parametrize("compression", [None, "lz4", "snappy", "zstd", "gzip"])
def test_a_record_comes_back_as_it_was_sent(kafka_server: kafka.KafkaServer, compression: str | None) -> None:
    """One record goes through the broker in every compression that producers use."""
    topic = f"echo-{compression}"
    kafka_server.create_topic(topic)
    send(kafka_server, topic, [b"covenant " * 100], compression)
    assert receive(kafka_server, topic, 1) == [b"covenant " * 100]


@pytest.mark.needs_kafka
def test_a_killed_broker_keeps_what_it_acknowledged(kafka_server: kafka.KafkaServer) -> None:
    """After kill -9 and a start on the same port the record is still there."""
    if not kafka_server.controllable:
        return  # an address from the environment isn't ours to kill
    kafka_server.create_topic("survivor")
    send(kafka_server, "survivor", [b"before"], None)
    kafka_server.kill()
    kafka_server.start()
    send(kafka_server, "survivor", [b"after"], None)
    assert receive(kafka_server, "survivor", 2) == [b"before", b"after"]


@pytest.mark.needs_postgres
def test_the_database_answers_and_is_durable(postgres_url: str) -> None:
    """`select 1` through the driver, with fsync on."""
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
        assert connection.execute("show fsync").fetchone() == ("on",)


@pytest.mark.needs_postgres
def test_every_database_is_fresh(postgres_server: postgres.PostgresServer) -> None:
    """Two databases of one run don't see each other's tables."""
    with postgres_server.database() as one, postgres_server.database() as other:
        with psycopg.connect(one.replace("+psycopg", "")) as connection:
            connection.execute("create table only_here (n int)")
        with psycopg.connect(other.replace("+psycopg", "")) as connection:
            assert connection.execute("select to_regclass('only_here')").fetchone() == (None,)


@pytest.mark.needs_postgres
def test_a_killed_database_keeps_what_it_committed(postgres_server: postgres.PostgresServer, postgres_url: str) -> None:
    """After kill -9 of the server and a start a committed row is still there."""
    if not postgres_server.controllable:
        return  # a server from the environment isn't ours to kill
    url = postgres_url.replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute("create table kept (n int)")
        connection.execute("insert into kept values (7)")
    postgres_server.kill()
    postgres_server.start()
    with psycopg.connect(url) as connection:
        assert connection.execute("select n from kept").fetchone() == (7,)


@pytest.mark.needs_opa
def test_the_policy_engine_evaluates(opa_binary: str) -> None:
    """OPA answers a question from the command line."""
    answer = subprocess.run(
        [opa_binary, "eval", "--format", "raw", "1 + 1"], capture_output=True, text=True, timeout=60, check=True
    )
    assert answer.stdout.strip() == "2"


@pytest.mark.needs_browser
def test_the_browser_renders(page: Page) -> None:
    """A page's script runs and its text can be read."""
    page.set_content("<p id=x></p><script>document.getElementById('x').textContent = 6 * 7</script>")
    assert page.text_content("#x") == "42"


def test_a_missing_part_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any way to get a server the refusal names the ways."""
    monkeypatch.delenv("COVENANT_TEST_POSTGRES", raising=False)
    monkeypatch.setattr(postgres, "container_engine", lambda: None)
    monkeypatch.setattr(postgres, "programs", lambda: None)
    with pytest.raises(parts.MissingPart, match="COVENANT_TEST_POSTGRES"):
        postgres.prepare()


def test_without_opa_the_refusal_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the project's own builder says reaches whoever runs the tests."""

    def refuse(*_: object, **__: object) -> None:
        msg = "OPA isn't on PATH."
        raise DependencyMissing(msg, "Install Go.")

    monkeypatch.setattr(opa_binary, "find", refuse)
    opa.find.cache_clear()
    with pytest.raises(parts.MissingPart, match=r"OPA: OPA isn't on PATH\. Install Go\."):
        opa.prepare()


def test_a_program_that_ends_early_shows_its_log(tmp_path: Path) -> None:
    """The tail of the log is what an error message carries."""
    program = parts.Program(["sh", "-c", "echo it broke; exit 3"], tmp_path / "log")
    program.start()
    parts.wait_until(lambda: not program.running(), 10, lambda: "still running")
    program.end()
    assert parts.tail(program.log) == "it broke"
