"""The Kafka way: topics loaded beforehand → workers (Faust) → OPA by URL → PostgreSQL → relay, until all is drained.

The clock starts when the first batch of events begins (the workers write that moment down) and stops with the last decision
recorded or message published before every topic is read to its end, every lane is clean and the outbox is empty. Starting
processes isn't counted, on either side, nor is the wait afterwards until positions have passed the transactions' markers.
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
            done, stopped = (0, 0), time.time()
            while why:
                ended = [process for process in processes if process.poll() is not None]
                if ended or time.monotonic() > deadline:
                    said = "\n".join(cluster.said(process)[-2000:] for process in processes)
                    msg = f"The Kafka way isn't drained: {why}\n{said}"
                    raise RuntimeError(msg)
                time.sleep(POLL_S)
                if _read(cluster) < len(stream):  # the further questions cost the store and the broker time
                    continue
                before, done = done, _done(cluster)
                if done != before:
                    stopped = time.time()
                else:
                    why = drained.why_not()
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


def _done(cluster: Cluster) -> tuple[int, int]:
    """How many decisions are recorded, and how many messages published."""
    ((decisions, published),) = cluster.rows("SELECT (SELECT count(*) FROM decision), (SELECT sum(published) FROM lane)")
    return int(decisions), int(published)


def _read(cluster: Cluster) -> int:
    """How many messages were read of the topics that we loaded."""
    ((count,),) = cluster.rows("SELECT coalesce(sum(next), 0) FROM position WHERE input NOT LIKE 'covenant.derived/%%'")
    return int(count)
