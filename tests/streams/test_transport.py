"""The batched transport on a real broker: whole fetches, positions from the store, commits as a hint."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from faust.types import TP, EventT
from kafka.admin import KafkaAdminClient

from streams.app import make_app
from streams.produce import Sender
from streams.transport import Fetched, Progress

pytestmark = [pytest.mark.needs_kafka, pytest.mark.anyio]
GROUPS = itertools.count()


class Reader:
    """What a worker is to the transport: says where to read from, takes what comes, acknowledges it."""

    def __init__(self, positions: dict[tuple[str, int], int]) -> None:
        """Keep positions as a store does."""
        self.positions_kept = positions
        self.values: list[bytes] = []
        self.messages = 0
        self.ends: dict[TP, int] = {}

    async def positions(self, assigned: set[TP]) -> dict[TP, int]:
        """Give where the store stands."""
        return {tp: self.positions_kept.get((tp.topic, tp.partition), 0) for tp in assigned}

    def progress(self, progress: Mapping[TP, Progress]) -> None:
        """Note how far partitions go."""
        for tp, known in progress.items():
            self.ends[tp] = known.end
            if self.positions_kept.get((tp.topic, tp.partition), 0) == known.start:
                self.positions_kept[tp.topic, tp.partition] = known.position

    def receive(self, event: EventT[Any]) -> None:
        """Take a fetch; it must begin where the one before ended."""
        fetched, tp = event.value, (event.message.topic, event.message.partition)
        assert isinstance(fetched, Fetched)
        assert fetched.start == self.positions_kept.get(tp, 0)
        self.positions_kept[tp] = fetched.end
        self.values += [record.value for record in fetched.records]
        self.messages += 1
        event.ack()


async def read(broker: str, group: str, positions: dict[tuple[str, int], int], count: int) -> Reader:
    """Run an app until it has read so many records, and stop it in order."""
    reader = Reader(positions)
    worker: Any = reader
    app = make_app(broker, worker, group)
    app.transport.positions = reader.positions  # type: ignore[attr-defined]
    app.transport.progress = reader.progress  # type: ignore[attr-defined]
    starting = asyncio.ensure_future(app.start())
    for _ in range(600):
        if len(reader.values) >= count and reader.ends:
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    await app.stop()
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    return reader


def send(broker: str, values: Sequence[bytes]) -> None:
    """Send values to one partition's key."""
    sender = Sender(broker, None)
    for value in values:
        sender.raw("covenant.usage", b"one key", value)
    sender.close()


def numbered(start: int, end: int) -> list[bytes]:
    """Values that tell which they are."""
    return [b"%d" % n for n in range(start, end)]


async def test_a_restart_reads_exactly_what_is_new(four_lanes: str) -> None:
    """Everything once, few messages for many records; afterwards only what was sent since, in order."""
    group = f"reader-{next(GROUPS)}"
    positions: dict[tuple[str, int], int] = {}
    send(four_lanes, numbered(0, 5000))
    first = await read(four_lanes, group, positions, 5000)
    assert first.values == numbered(0, 5000)
    assert first.messages < 100
    send(four_lanes, numbered(5000, 5100))
    second = await read(four_lanes, group, positions, 100)
    assert second.values == numbered(5000, 5100)


async def test_every_offset_is_committed(four_lanes: str) -> None:
    """What Kafka is told agrees with what was read, to the last record."""
    group = f"reader-{next(GROUPS)}"
    positions: dict[tuple[str, int], int] = {}
    send(four_lanes, numbered(0, 3000))
    await read(four_lanes, group, positions, 3000)
    admin = KafkaAdminClient(bootstrap_servers=four_lanes)
    offsets = admin.list_group_offsets([group])
    admin.close()
    committed = [entry.offset for parts in offsets.values() for entry in parts.values() if entry.offset > 0]
    assert committed == [3000]


async def test_the_stores_position_goes_before_the_committed_offset(four_lanes: str) -> None:
    """A store that stands earlier, or later, than what was committed decides where reading begins."""
    group = f"reader-{next(GROUPS)}"
    send(four_lanes, numbered(0, 300))
    positions: dict[tuple[str, int], int] = {}
    await read(four_lanes, group, positions, 300)
    part = next(tp for tp, position in positions.items() if position)
    for at in (100, 250):
        reader = await read(four_lanes, group, {part: at}, 300 - at)
        assert reader.values == numbered(at, 300)


@pytest.mark.parametrize("compression", ["gzip", "lz4", "snappy", "zstd"])
async def test_every_compression_that_producers_use_is_read(four_lanes: str, compression: str) -> None:
    """No codec crashes the worker."""
    sender = Sender(four_lanes, compression)
    for value in numbered(0, 200):
        sender.raw("covenant.people", b"k", value * 20)
    sender.close()
    reader = await read(four_lanes, f"reader-{next(GROUPS)}", {}, 200)
    assert reader.values == [value * 20 for value in numbered(0, 200)]
