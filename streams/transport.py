"""Faust's transport, batched: one message a fetched partition, its value all the records, its position the store's.

Faust waits on three tasks for each message; here each message is a batch, so that this is paid once for thousands of
records. Owns how records leave aiokafka and where reading starts; never looks into a record. The store's position is
the truth: Kafka's committed offset is only a hint, and is never read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, cast

from faust.transport.drivers.aiokafka import Consumer as AioKafkaConsumer
from faust.transport.drivers.aiokafka import Transport as AioKafkaTransport
from faust.types import TP, ConsumerMessage

FETCH_S: float = 0.25
"""Longest wait for records, so that what else moves a position (a transaction's end marker) is soon known."""


class Fetched(NamedTuple):
    """The records of one partition of one fetch."""

    start: int
    """The position the fetch began at: there is nothing between it and the first record."""
    end: int
    """The next position: beyond the last record, and beyond markers that follow it."""
    records: Sequence[Any]


class Progress(NamedTuple):
    """How far a partition is read without records, and how far it goes."""

    start: int
    position: int
    """From `start` to here there was nothing to deliver."""
    end: int


Positions = Callable[[set[TP]], "asyncio.Future[Mapping[TP, int]]"]
"""Gives, for partitions that are ours now, the position each is to be read from."""


class Consumer(AioKafkaConsumer):
    """A consumer of whole fetches."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Begin without positions; the transport says who knows them."""
        super().__init__(*args, **kwargs)
        self._next: dict[TP, int] = {}
        self._reading = asyncio.Lock()
        """Held while records are taken or positions set, so that no record of an old position looks like one of a new."""

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Read on where the store stands."""
        async with self._reading:
            transport: Any = self.transport
            positions = dict(await transport.positions(self.assignment()))
            await self._thread.seek_wait(positions)
            self._next = dict(positions)
        return positions

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 - Faust's
        """Give one message for each partition that has records."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow.wait())
        fetched: dict[TP, Fetched] = {}
        async with self._reading:
            generation = self.app.consumer_generation_id
            active = set(self._get_active_partitions())
            if active and self.flow_active and not self.should_stop:
                fetched = self._note(await self._getmany(active, min(timeout, FETCH_S)), active)
        if not active:
            await self.sleep(FETCH_S)
        for tp, batch in fetched.items():
            if not self.flow_active or self.app.consumer_generation_id != generation or self.should_stop:
                return  # what isn't delivered now is read again: positions are set anew before the flow resumes
            yield tp, self._batch_message(tp, batch)

    def _note(self, records: Mapping[TP, Sequence[Any]], active: set[TP]) -> dict[TP, Fetched]:
        """Work out from where to where each partition was read; tell how far all are."""
        fetched: dict[TP, Fetched] = {}
        progress: dict[TP, Progress] = {}
        assigned = self._thread._consumer._subscription.subscription.assignment  # type: ignore[union-attr]  # noqa: SLF001
        for tp in active & self._next.keys():
            state = assigned.state_value(tp)
            if state is None or not state.has_valid_position:
                continue
            start, found = self._next[tp], records.get(tp)
            self._next[tp] = end = max(start, state.position, found[-1].offset + 1 if found else 0)
            if found:
                fetched[tp] = Fetched(start, end, tuple(found))
            progress[tp] = Progress(start, start if found else end, state.highwater or 0)
        transport: Any = self.transport
        transport.progress(progress)
        return fetched

    def _batch_message(self, tp: TP, batch: Fetched) -> ConsumerMessage:
        last, value = batch.records[-1], cast("Any", batch)
        return ConsumerMessage(
            tp.topic, tp.partition, last.offset, (last.timestamp or 0) / 1000.0, last.timestamp_type, [], None, value,
            None, None, None, tp, generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """A batch's offsets have no gaps that anybody would fill."""

    def _new_offset(self, tp: TP) -> int | None:
        """Give the offset to commit: after the last acknowledged, since batches are acknowledged in order."""
        acked = self._acked[tp]
        if not acked:
            return None
        last = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return last + 1


class Transport(AioKafkaTransport):
    """Makes batched consumers; `positions` and `progress` are set by whoever processes the lanes."""

    Consumer: ClassVar[type[Consumer]] = Consumer

    positions: Positions
    progress: Callable[[Mapping[TP, Progress]], None]
