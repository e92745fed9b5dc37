"""The Faust app: one agent over all inbound topics, at least once, raw values, batched transport.

Owns Faust's settings and nothing else. One agent, since partitions of several topics are assigned together only when
all workers subscribe alike; no acknowledgement by the stream, since it would acknowledge what failed too.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

import faust

from streams.topics import SUBSCRIBED
from streams.transport import Transport
from streams.worker import Worker

GROUP: Final = "covenant"


def make_app(broker: str, worker: Worker, group: str = GROUP, session_s: float = 10.0) -> faust.App:
    """Make the app that feeds a worker."""
    app = faust.App(
        group,
        broker=[f"kafka://{server.strip()}" for server in broker.split(",")],
        datadir=Path(tempfile.gettempdir()) / f"{group}-faust",
        processing_guarantee="at_least_once",
        key_serializer="raw",
        value_serializer="raw",
        stream_buffer_maxsize=2,
        stream_wait_empty=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=1 << 20,
        broker_session_timeout=session_s,
        broker_heartbeat_interval=session_s / 10,
        broker_request_timeout=60.0,
        stream_processing_timeout=600.0,
        broker_commit_livelock_soft_timeout=600.0,
    )
    app.transport = Transport(app.conf.broker_consumer, app)

    @app.agent(app.topic(*SUBSCRIBED, internal=False), name="covenant.inbound")
    async def inbound(stream: Any) -> None:
        async for event in stream.noack().events():
            worker.receive(event)

    return app
