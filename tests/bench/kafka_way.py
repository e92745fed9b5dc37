"""The Kafka way: topics loaded beforehand → workers (Faust) → OPA by URL → PostgreSQL → relay, until all is drained.

The clock starts when the first batch of events begins (the workers write that moment down) and stops when every topic is
read to its end, every lane is clean and the outbox is published. Starting processes isn't counted, on either side.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from kafka.admin import KafkaAdminClient

from streams import topics
from streams.draining import Drained
from streams.topics import Ends
from tests.bench.figures import Figure
from tests.bench.stream import Message
from tests.services.parts import wait_until
from tests.streams.cluster import LANES, Cluster

GONE_S_MAX = 30.0
POLL_S = 0.1


class OpaAt(NamedTuple):
    """Where OPA is: the program's path, the server's URL, and the folder of policies that it serves."""

    program: str
    url: str
    policies: str


def fresh_topics(broker: str) -> None:
    """Make Covenant's topics anew, so that nothing of a run before is left on them."""
    admin = KafkaAdminClient(bootstrap_servers=broker)

    def gone() -> bool:
        ours = sorted(set(admin.list_topics()) & {topic.name for topic in topics.ALL})
        if ours:
            admin.delete_topics(ours, raise_errors=False)
        return not ours

    try:
        wait_until(gone, GONE_S_MAX, lambda: "The broker keeps topics that were deleted.")
    finally:
        admin.close()
    topics.create(broker, LANES, replication=1)


def measure(
    broker: str, store: str, opa: OpaAt, stream: Sequence[Message], inputs: int, workers: int, seconds_max: float
) -> Figure:
    """Work a stream off; `inputs` is how many inputs the stream gives rise to."""
    fresh_topics(broker)
    with TemporaryDirectory(prefix="covenant-bench-") as home, Cluster(broker, store, opa.program, Path(home)) as cluster:
        cluster.send(stream)
        given = {"COVENANT_OPA_URL": opa.url, "COVENANT_POLICIES": opa.policies, "COVENANT_BATCH": "2000"}
        processes = [cluster.start("relay", **given), *(cluster.start("worker", **given) for _ in range(workers))]
        with closing(Ends(broker)) as ends:
            drained = Drained(cluster.store, ends, LANES)
            deadline = time.monotonic() + seconds_max
            why = f"not yet {len(stream):,} messages are read"
            while why:
                ended = [process for process in processes if process.poll() is not None]
                if ended or time.monotonic() > deadline:
                    said = "\n".join(cluster.said(process)[-2000:] for process in processes)
                    msg = f"The Kafka way isn't drained: {why}\n{said}"
                    raise RuntimeError(msg)
                time.sleep(POLL_S)
                why = drained.why_not() if _read(cluster) >= len(stream) else why  # the full question costs the broker time
            stopped = time.time()
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(60)
        ((began, decisions),) = cluster.rows(
            "SELECT min(recorded_at), (SELECT count(*) FROM decision) FROM batch WHERE lane >= 0"
        )
    what = f"loaded topics → {workers} workers, {LANES} partitions → OPA by URL → PostgreSQL → relay, until drained"
    return Figure(
        "kafka", what, len(stream), inputs, stopped - int(began) / 1e6, {"decisions": int(decisions), "workers": workers}
    )


def _read(cluster: Cluster) -> int:
    """How many messages were read of the topics that we loaded."""
    ((count,),) = cluster.rows("SELECT coalesce(sum(next), 0) FROM position WHERE input NOT LIKE 'covenant.derived/%%'")
    return int(count)
