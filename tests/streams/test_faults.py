"""Whatever is killed or frozen, what ends up recorded is what an undisturbed run records, and each message is told once."""

from __future__ import annotations

import json
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from engine.policy.bundle import Bundle
from engine.policy.opa_child import OpaChild
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer
from tests.streams.cluster import Cluster, embedded
from tests.streams.frozen import SESSION_S, SOON_MISSED, UNTIL_DRAINED
from tests.streams.story import story, values

pytestmark = [pytest.mark.needs_kafka, pytest.mark.needs_postgres, pytest.mark.needs_opa]
Rules = tuple[Bundle, OpaChild]


@pytest.fixture(autouse=True)
def _without_a_breaker(cluster: Cluster) -> None:
    """One in eight heartbeats leaves so many jobs without one that the rule would be held, as it should."""
    cluster.environment["COVENANT_BREAKER"] = "0"


def reached(cluster: Cluster, goal: int) -> bool:
    """Whether the lanes have recorded so many messages."""
    return cluster.recorded() >= goal


def judge(cluster: Cluster, undisturbed: bytes) -> None:
    """All is read to its end, what stands is what an undisturbed run leaves, and it was told exactly once by event id."""
    assert cluster.left() == ""
    assert cluster.standing() == undisturbed
    told = {json.loads(value)["id"]: json.loads(value)["data"] for _, value in cluster.topic("covenant.violations")}
    latest: dict[str, int] = {}
    for data in told.values():
        latest[data["id"]] = max(data["version"], latest.get(data["id"], 0))
    settled = cluster.rows("SELECT id FROM violation WHERE settled")
    assert latest.keys() == {ident for (ident,) in settled}
    versions = [(data["id"], data["version"]) for data in told.values()]
    assert len(versions) == len(set(versions))


def test_killed_again_and_again_nothing_is_lost_and_nothing_counts_twice(cluster: Cluster, tmp_path: Path, rules: Rules) -> None:
    """Kill -9 of worker and relay in the middle, several times, whatever they were doing."""
    sent = cluster.send(story())
    for part in (1, 3, 5):
        relay, worker = cluster.start("relay"), cluster.start_python(SOON_MISSED)
        goal = sent * part // 8
        cluster.until(partial(reached, cluster, goal), 300)
        worker.kill()
        time.sleep(0.05 * part)
        relay.kill()
        worker.wait()
        relay.wait()
    cluster.drain(workers=2)
    judge(cluster, embedded(values(), tmp_path, rules))


def test_a_frozen_worker_that_wakes_up_after_it_lost_its_partitions_writes_nothing_wrong(
    cluster: Cluster, tmp_path: Path, rules: Rules
) -> None:
    """Stopped for longer than its session while another takes its lanes, then woken: the store refuses what it still holds."""
    sent = cluster.send(story())
    relay = cluster.start("relay")
    frozen = cluster.start_python(UNTIL_DRAINED)
    cluster.until(lambda: cluster.recorded() > sent // 8, 180)
    frozen.send_signal(signal.SIGSTOP)
    other = cluster.start_python(UNTIL_DRAINED)
    held = cluster.recorded()
    cluster.until(lambda: cluster.recorded() > held, 6 * SESSION_S)
    frozen.send_signal(signal.SIGCONT)
    for process in (frozen, other):
        assert process.wait(120) == 0, cluster.said(process)
    cluster.until(lambda: not cluster.store.outbox_size(), 180)
    relay.terminate()
    assert relay.wait(30) == 0, cluster.said(relay)
    judge(cluster, embedded(values(), tmp_path, rules))


def test_a_second_relay_fences_the_first(cluster: Cluster) -> None:
    """The one started last goes on; the other ends and says why."""
    cluster.send(story(400))
    first = cluster.start("relay")
    cluster.until(lambda: "publishes" in cluster.said(first), 180)
    second = cluster.start("relay")
    cluster.until(lambda: "publishes" in cluster.said(second), 180)
    second.send_signal(signal.SIGSTOP)  # so that it is the first that finds the messages
    worker = cluster.start("worker", "--until-drained")
    assert first.wait(60) == 3, cluster.said(first)
    assert "Another relay took over" in cluster.said(first)
    second.send_signal(signal.SIGCONT)
    assert worker.wait(90) == 0, cluster.said(worker)
    assert second.poll() is None
    assert len({json.loads(value)["id"] for _, value in cluster.topic("covenant.audit")}) == len(cluster.topic("covenant.audit"))


def test_a_restarted_broker_and_a_restarted_database_lose_nothing(
    cluster: Cluster, kafka_server: KafkaServer, postgres_server: PostgresServer, tmp_path: Path, rules: Rules
) -> None:
    """Both go away in the middle and come back; worker and relay wait for them and go on."""
    if not (kafka_server.controllable and postgres_server.controllable):
        return  # a broker or database from the environment isn't ours to stop
    sent = cluster.send(story())
    relay, worker = cluster.start("relay"), cluster.start("worker")
    cluster.until(lambda: cluster.recorded() > sent // 8, 180)
    postgres_server.kill()
    time.sleep(1)
    postgres_server.start()
    cluster.until(lambda: cluster.recorded() > sent // 4, 180)
    kafka_server.kill()
    kafka_server.start()
    cluster.until(lambda: not cluster.left(), 120)
    for process in (worker, relay):
        assert process.poll() is None, cluster.said(process)
        process.terminate()
        assert process.wait(30) == 0, cluster.said(process)
    cluster.drain()
    judge(cluster, embedded(values(), tmp_path, rules))


def test_missing_parts_are_one_clear_message_each(cluster: Cluster) -> None:
    """No broker named, no broker there, no key, topics not made: what to do, the promised exit code, nothing recorded."""
    cases = [
        ({"COVENANT_BROKER": ""}, 2, "COVENANT_BROKER"),
        ({"COVENANT_BROKER": "127.0.0.1:1"}, 3, "doesn't answer"),
        ({"COVENANT_ORGANISATION_KEY": ""}, 2, "COVENANT_ORGANISATION_KEY"),
        ({"COVENANT_LANES": "7"}, 3, "has 4 partitions and should have 7"),
    ]
    running = [(cluster.start("worker", **environment), code, words) for environment, code, words in cases]
    for process, code, words in running:
        assert process.wait(90) == code, cluster.said(process)
        assert words in cluster.said(process)
        assert "Traceback" not in cluster.said(process)
    assert cluster.recorded() == 0
