"""Topics are made with their counts and settings, and what is wrong with one is said with what to do."""

from __future__ import annotations

import time

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from engine.domain.errors import BrokerUnavailable, UsageError
from engine.domain.events import INBOUND_TYPES, TYPES
from engine.domain.order import lane
from streams import topics
from streams.produce import Sender
from streams.running import check_topics


def test_every_inbound_type_has_a_topic_of_ours() -> None:
    """No event can be sent where nobody reads."""
    names = {topic.name for topic in topics.ALL}
    assert {f"covenant.{TYPES[name].TOPIC}" for name in INBOUND_TYPES} <= names & set(topics.SUBSCRIBED)


@pytest.mark.needs_kafka
def test_topics_are_made_once_with_their_settings(broker: str) -> None:
    """The inbound topics are co-partitioned, reference data has one partition, the latest states are compacted."""
    assert {d.name for d in topics.describe(broker, 3) if d.problems} == {topic.name for topic in topics.ALL}
    assert topics.create(broker, 3, replication=1) == [topic.name for topic in topics.ALL]
    assert topics.create(broker, 3, replication=1) == []
    found = {described.name: described for described in topics.describe(broker, 3)}
    assert not [described for described in found.values() if described.problems]
    assert {found[topic.name].partitions for topic in topics.INBOUND} == {3}
    assert found[topics.REFERENCE].partitions == 1
    assert found[topics.CURRENT].settings["cleanup.policy"] == "compact"
    check_topics(broker, 3)


@pytest.mark.needs_kafka
def test_another_count_of_lanes_is_refused_with_what_to_do(broker: str) -> None:
    """The count is fixed when topics are made, and the message says how to grow."""
    topics.create(broker, 2, replication=1)
    for act in (topics.create, check_topics):
        with pytest.raises((UsageError, BrokerUnavailable), match=r"has 2 partitions and should have 4.*murmur2"):
            act(broker, 4)
    wrong = next(d for d in topics.describe(broker, 4) if d.name == "covenant.usage")
    assert "COVENANT_LANES" in wrong.problems[0]


@pytest.mark.needs_kafka
def test_a_setting_that_was_changed_is_named(broker: str) -> None:
    """Somebody shortened a retention by hand: describe says what it is and should be."""
    topics.create(broker, 1, replication=1)
    admin = KafkaAdminClient(bootstrap_servers=broker)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "covenant.grants", {"retention.ms": "1000"})])
    admin.close()
    problems: tuple[str, ...] = ()
    for _ in range(50):
        problems = problems or next(d for d in topics.describe(broker, 1) if d.name == "covenant.grants").problems
        time.sleep(0 if problems else 0.1)
    assert "retention.ms is 1000 and should be 2592000000." in problems


@pytest.mark.needs_kafka
def test_a_broker_that_lacks_topics_is_named_before_any_work(broker: str) -> None:
    """A worker says what to run, and doesn't begin."""
    with pytest.raises(BrokerUnavailable, match="covenant topics create"):
        check_topics(broker, 4)


def test_no_broker_is_one_clear_message() -> None:
    """Nothing listens there: the sentence names the address and the setting."""
    with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1:1 .*COVENANT_BROKER"):
        topics.create("127.0.0.1:1", 4)


@pytest.mark.needs_kafka
def test_a_key_is_sent_to_the_lane_that_the_engine_computes(four_lanes: str) -> None:
    """The producer's default partitioner and the engine agree on every key, names of any script among them."""
    keys = [f"acme/person/p-{n}" for n in range(40)] + ["acme/person/Łukasz Ó", "acme/alias/login:github.com/x", "a/b/"]
    sender = Sender(four_lanes)
    for key in keys:
        sender.raw("covenant.usage", key.encode(), b"{}")
    sender.close()
    consumer = KafkaConsumer(bootstrap_servers=four_lanes, consumer_timeout_ms=15_000, enable_auto_commit=False)
    consumer.assign([TopicPartition("covenant.usage", n) for n in range(4)])
    consumer.seek_to_beginning()
    seen = {}
    for record in consumer:
        seen[record.key.decode()] = record.partition
        if len(seen) == len(keys):
            break
    consumer.close()
    assert seen == {key: lane(key, 4) for key in keys}
