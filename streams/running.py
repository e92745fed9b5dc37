"""Running a worker or a relay until it is told to stop, or until all is done.

Owns the process's signals and the order of starting and stopping; judges and publishes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from typing import Any

from engine.domain.errors import BrokerUnavailable, StoreUnavailable
from engine.service.process import Body
from streams.app import GROUP, make_app
from streams.draining import Drained
from streams.lanes import LaneDriver
from streams.topics import Ends, count_problems, describe, how_to_grow
from streams.worker import Options, Worker

DRAINED_POLL_S = 0.25


def check_topics(broker: str, lanes: int) -> None:
    """See that every topic is there with its count of partitions, else say what to do."""
    found = describe(broker, lanes)
    missing = [topic.name for topic in found if not topic.partitions]
    if missing:
        msg = f"The broker {broker} lacks {len(missing)} of the topics, {missing[0]} among them."
        raise BrokerUnavailable(msg, "Run `covenant topics create`.")
    wrong = count_problems({topic.name: topic.partitions for topic in found}, lanes)
    if wrong:
        raise BrokerUnavailable(wrong[0], how_to_grow(lanes))


def run_worker(
    body: Body,
    broker: str,
    clock: Callable[[], int],
    *,
    options: Options,
    say: Callable[[str], None],
    until_drained: bool = False,
    group: str = GROUP,
) -> None:
    """Work until SIGTERM or SIGINT, or until all is done; then violations are settled as at the end of a run."""
    check_topics(broker, body.lanes)
    asyncio.run(_work(Worker(body, clock, options, say), broker, until_drained=until_drained, group=group))


async def _work(worker: Worker, broker: str, *, until_drained: bool, group: str) -> None:
    app = make_app(broker, worker, group, worker.options.session_s)
    worker.attach(app)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            worker.loop.add_signal_handler(number, stop.set)
    started = asyncio.ensure_future(app.start())
    tasks = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(_crashed(app, started))]
    if until_drained:
        tasks.append(asyncio.ensure_future(_drained(worker, broker)))
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        if task.exception() is not None:
            worker.fatal(task.exception() or RuntimeError())
    await worker.stop()
    await app.stop()
    for task in (*tasks, started):
        task.cancel()
    await asyncio.gather(*tasks, started, return_exceptions=True)


async def _crashed(app: Any, started: asyncio.Future[None]) -> None:
    """Raise what made Faust crash."""
    while not app.crashed:
        if started.done() and started.exception() is not None:
            raise started.exception() or RuntimeError()
        await asyncio.sleep(0.2)
    raise app.crash_reason or RuntimeError("Faust stopped without a reason.")


async def _drained(worker: Worker, broker: str) -> None:
    """Wait until all is done, then until the lanes we have then have settled; begin again if they change meanwhile."""
    ends = Ends(broker)
    drained = Drained(worker.body.store, ends, worker.body.lanes)
    try:
        while True:
            await asyncio.sleep(DRAINED_POLL_S)
            drivers = [driver for driver in worker.drivers.values() if isinstance(driver, LaneDriver)]
            if not all(driver.quiet for driver in drivers):
                continue
            try:
                if not await worker.loop.run_in_executor(None, drained):
                    continue
                last = drained.last
                for driver in drivers:
                    driver.until = last
                if await worker.loop.run_in_executor(None, drained.overdue):
                    continue
                if not await worker.loop.run_in_executor(None, drained):
                    continue
            except (StoreUnavailable, BrokerUnavailable) as error:
                worker.say(f"Whether all is done can't be seen: {error}")
                continue
            for driver in drivers:
                driver.ending.set()
            while drivers == [d for d in worker.drivers.values() if isinstance(d, LaneDriver)]:
                if drivers and all(driver.ended.is_set() for driver in drivers):
                    return
                await asyncio.sleep(0.02)
    finally:
        ends.close()
