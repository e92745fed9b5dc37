"""Every topic of Covenant's: what it carries, how it is partitioned and kept, and how it is made and looked at.

Owns names and settings; never reads or writes a message. A lane is a partition number across the inbound topics, so
these have one count, fixed when they are made: Kafka's default partitioner (murmur2 of the key, modulo the count) would
send the same key elsewhere after a change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from engine.domain.errors import BrokerUnavailable, UsageError

DERIVED: Final = "covenant.derived"
REFERENCE: Final = "covenant.reference"
VIOLATIONS: Final = "covenant.violations"
CURRENT: Final = "covenant.violations.current"
FINDINGS: Final = "covenant.findings"
AUDIT: Final = "covenant.audit"
DEAD_LETTERS: Final = "covenant.dead-letters"

LANE_HEADER: Final = "lane"
"""Header of every message we send: the lane that recorded it."""

DAY_MS: Final = 86_400_000
MIB: Final = 1 << 20


class Topic(msgspec.Struct, frozen=True):
    """One topic: `single` has one partition, all others as many as there are lanes."""

    name: str
    carries: str
    retention_days: int = 30
    """-1: for ever."""
    single: bool = False
    compacted: bool = False
    bytes_max: int = 2 * MIB

    def partitions(self, lanes: int) -> int:
        """How many partitions it has."""
        return 1 if self.single else lanes

    @property
    def configs(self) -> dict[str, str]:
        """Its settings on the broker."""
        cleanup = {"cleanup.policy": "compact"} if self.compacted else {"cleanup.policy": "delete"}
        kept = -1 if self.retention_days < 0 else self.retention_days * DAY_MS
        return cleanup | {"retention.ms": str(kept), "max.message.bytes": str(self.bytes_max), "compression.type": "producer"}


INBOUND: Final = (
    Topic("covenant.grants", "grant.*, pool.*"),
    Topic("covenant.usage", "usage.*, job.*, credential.seen"),
    Topic("covenant.repository-activity", "repository.*"),
    Topic("covenant.people", "person.*, agreement.*, disclosure.*, credential.*, alias.*, approval.*, determination.*"),
    Topic("covenant.reviews", "review.*"),
    Topic(DERIVED, "what one aggregate tells another; only Covenant writes it", bytes_max=4 * MIB),
)
"""Co-partitioned: partition n of each makes up lane n."""

OUTBOUND: Final = (
    Topic(VIOLATIONS, "every change of standing of settled violations; people by pseudonym", 90),
    Topic(CURRENT, "each violation's latest state, by its id", -1, compacted=True),
    Topic(FINDINGS, "violations with their evidence, under a stricter ACL", 90, bytes_max=4 * MIB),
    Topic(AUDIT, "decisions that aren't a pass, summaries of those that are, refusals", 365),
    Topic(DEAD_LETTERS, "refused events with their reason", 90),
)
ALL: Final = (*INBOUND, Topic(REFERENCE, "policy.*, price.*, rate.*, organisation.*", -1, single=True), *OUTBOUND)
SUBSCRIBED: Final = (*(topic.name for topic in INBOUND), REFERENCE)
"""What every worker reads, by one subscription: Faust assigns partitions together only to identical subscribers."""


def input_name(topic: str, partition: int) -> str:
    """Name an input as the store's positions do: `covenant.usage/3`."""
    return f"{topic}/{partition}"


def inputs_of(lane: int) -> tuple[str, ...]:
    """Name the inputs that make up a lane."""
    return tuple(input_name(topic.name, lane) for topic in INBOUND)


@contextmanager
def administration(broker: str) -> Iterator[KafkaAdminClient]:
    """Give an administrator of the broker; `BrokerUnavailable` where there is none."""
    try:
        admin = KafkaAdminClient(bootstrap_servers=broker, client_id="covenant", bootstrap_timeout_ms=10_000)
    except (KafkaError, OSError, ValueError) as error:
        raise unreachable(broker, error) from error
    try:
        yield admin
    except TopicAlreadyExistsError:
        raise
    except KafkaError as error:
        raise unreachable(broker, error) from error
    finally:
        admin.close()


def unreachable(broker: str, error: Exception) -> BrokerUnavailable:
    """Say that the broker doesn't answer."""
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    msg = f"The broker {broker} doesn't answer: {said}."
    return BrokerUnavailable(msg, "See that it runs and that COVENANT_BROKER names it as HOST:PORT.")


def create(broker: str, lanes: int, replication: int = -1) -> list[str]:
    """Make the topics that aren't there; gives their names. A wrong partition count of one that is there is refused."""
    with administration(broker) as admin:
        there = _partitions(admin)
        wrong = [sentence for sentence in count_problems(there, lanes) if sentence]
        if wrong:
            raise UsageError(" ".join(wrong), how_to_grow(lanes))
        missing = [topic for topic in ALL if topic.name not in there]
        wanted = {
            topic.name: {
                "num_partitions": topic.partitions(lanes),
                "replication_factor": replication,
                "configs": topic.configs,
            }
            for topic in missing
        }
        if wanted:
            admin.create_topics(wanted, timeout_ms=30_000, wait_for_metadata=True)
    return list(wanted)


def count_problems(there: Mapping[str, int], lanes: int) -> list[str]:
    """Say of each existing topic whose partition count isn't the wanted one what it has and should have."""
    return [
        f"{topic.name} has {there[topic.name]} partitions and should have {topic.partitions(lanes)}."
        for topic in ALL
        if topic.name in there and there[topic.name] != topic.partitions(lanes)
    ]


def how_to_grow(lanes: int) -> str:
    """Say what to do about another number of lanes."""
    return (
        "The count is fixed when the topics are made: a key's lane is murmur2(key) modulo the count, and what was recorded "
        f"of a lane stays with it. Set COVENANT_LANES to the count that is there. To have {lanes} lanes instead, make the "
        "topics anew on another broker (or under this one after removing them), begin with an empty store, and send the "
        "events again: `covenant topics load FILE`, or from the sources."
    )


class Described(msgspec.Struct, frozen=True):
    """A topic as it is on the broker, beside what it should be."""

    name: str
    carries: str
    partitions: int
    """0: it isn't there."""
    wanted: int
    settings: dict[str, str]
    problems: tuple[str, ...]


def describe(broker: str, lanes: int) -> list[Described]:
    """Look at every topic and say what is wrong with it."""
    with administration(broker) as admin:
        there = _partitions(admin)
        names = [topic.name for topic in ALL if topic.name in there]
        found = admin.describe_configs([_resource(name) for name in names], config_filter="all") if names else {}
    settings = {name: values for kind in found.values() for name, values in kind.items()}
    return [_described(topic, there.get(topic.name, 0), settings.get(topic.name, {}), lanes) for topic in ALL]


def _described(topic: Topic, partitions: int, settings: Mapping[str, Any], lanes: int) -> Described:
    wanted = topic.partitions(lanes)
    actual = {key: str(settings[key]["value"]) for key in topic.configs if key in settings}
    problems = []
    if not partitions:
        problems.append("It isn't there: run `covenant topics create`.")
    elif partitions != wanted:
        problems.append(f"It has {partitions} partitions and should have {wanted}. {how_to_grow(lanes)}")
    problems += [
        f"{key} is {actual[key]} and should be {value}."
        for key, value in topic.configs.items()
        if actual.get(key, value) != value
    ]
    return Described(topic.name, topic.carries, partitions, wanted, actual, tuple(problems))


def _partitions(admin: KafkaAdminClient) -> dict[str, int]:
    names = set(admin.list_topics()) & {topic.name for topic in ALL}
    return {found["name"]: len(found["partitions"]) for found in admin.describe_topics(sorted(names))} if names else {}


def _resource(name: str) -> Any:
    from kafka.admin import ConfigResource, ConfigResourceType  # noqa: PLC0415 - only for describing

    return ConfigResource(ConfigResourceType.TOPIC, name)


class Ends:
    """End offsets of topics, asked for again and again by whoever wants to know whether all is read."""

    def __init__(self, broker: str) -> None:
        """Connect, as no member of any group."""
        try:
            self._consumer = KafkaConsumer(bootstrap_servers=broker, client_id="covenant-ends", enable_auto_commit=False)
        except (KafkaError, OSError) as error:
            raise unreachable(broker, error) from error
        self._broker = broker

    def of(self, inputs: Mapping[str, tuple[str, int]]) -> dict[str, int]:
        """Give input name → the offset its next message will have."""
        parts = {TopicPartition(topic, partition): name for name, (topic, partition) in inputs.items()}
        try:
            found = self._consumer.end_offsets(list(parts))
        except KafkaError as error:
            raise unreachable(self._broker, error) from error
        return {parts[part]: int(end) for part, end in found.items()}

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()


def all_inputs(lanes: int) -> dict[str, tuple[str, int]]:
    """Give every input a worker reads, by name: (topic, partition)."""
    pairs = [(topic.name, lane) for topic in INBOUND for lane in range(lanes)] + [(REFERENCE, 0)]
    return {input_name(*pair): pair for pair in pairs}
