"""Fresh topics on the shared broker, and the rules on a child OPA."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient

from engine.policy.bundle import Bundle, load_bundle
from engine.policy.opa_child import OpaChild
from streams import topics
from tests.services.kafka import KafkaServer
from tests.streams.cluster import Cluster

ROOT = Path(__file__).parents[2]
LANES = 4


@pytest.fixture
def broker(kafka_server: KafkaServer) -> str:
    """The address of a broker that has none of Covenant's topics."""
    admin = KafkaAdminClient(bootstrap_servers=kafka_server.bootstrap)
    try:
        for _ in range(200):
            ours = sorted(set(admin.list_topics()) & {topic.name for topic in topics.ALL})
            if not ours:
                return kafka_server.bootstrap
            admin.delete_topics(ours, raise_errors=False)
            time.sleep(0.1)
    finally:
        admin.close()
    pytest.fail("the broker keeps topics that were deleted")


@pytest.fixture
def four_lanes(broker: str) -> str:
    """The address of a broker whose topics are fresh, with four lanes."""
    topics.create(broker, LANES, replication=1)
    return broker


@pytest.fixture(scope="session")
def rules(opa_binary: str) -> Iterator[tuple[Bundle, OpaChild]]:
    """The shipped policies on a child OPA."""
    bundle = load_bundle(ROOT / "policies", Path(opa_binary))
    child = OpaChild(bundle, Path(opa_binary))
    yield bundle, child
    child.close()


@pytest.fixture
def cluster(four_lanes: str, postgres_url: str, opa_binary: str, tmp_path: Path) -> Iterator[Cluster]:
    """Workers and a relay to start and kill, on four lanes and PostgreSQL."""
    with Cluster(four_lanes, postgres_url, opa_binary, tmp_path) as running:
        yield running
