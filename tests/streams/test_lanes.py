"""A lane retries what passes, reads again what it lost, and leaves at once, acknowledging nothing, for anything else."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.domain import codec
from engine.domain.errors import EvaluatorUnavailable, IntegrityError, LaneConflict, StoreUnavailable
from engine.domain.events import Event
from engine.policy.bundle import Bundle
from engine.policy.opa_child import OpaChild
from engine.service.process import Body
from engine.service.standing import export_standing
from engine.store.opening import open_store
from streams.decoding import Message
from streams.hearing import Hearing
from streams.lanes import LaneDriver, Pace, Shared
from streams.topics import input_name
from tests.domain.make import event

pytestmark = pytest.mark.needs_opa
Rules = tuple[Bundle, OpaChild]
STORY = (
    event("credential.created", "2026-01-01", credential="c", owner="p-1"),
    event("grant.issued", "2026-01-01", grant_id="G1", holder="p-1", quantity="100", vesting="immediate"),
    event("person.terminated", "2026-02-01", person="p-1"),
    *(event("usage.inference", f"2026-02-{day:02d}", credential="c", quantity="5") for day in range(2, 22)),
)


class Flaky:
    """A store or evaluator, some of whose answers are faults."""

    def __init__(self, real: Any, **faults: list[BaseException | None]) -> None:
        """Raise each method's faults in turn; None lets a call through."""
        self._real = real
        self._faults = {name: deque(found) for name, found in faults.items()}

    def __getattr__(self, name: str) -> Any:
        """Give the real thing's attribute, or a method that fails first."""
        real = getattr(self._real, name)
        faults = self._faults.get(name)
        if not faults:
            return real

        def call(*arguments: Any, **more: Any) -> Any:
            fault = faults.popleft() if faults else None
            if isinstance(fault, AfterCommit):
                real(*arguments, **more)
                raise fault.fault
            if fault is not None:
                raise fault
            return real(*arguments, **more)

        return call


class AfterCommit(Exception):
    """A fault that comes after the work was done: the answer was lost."""

    def __init__(self, fault: BaseException) -> None:
        """Take the fault."""
        super().__init__()
        self.fault = fault


class Run:
    """One lane of one, driven without a broker."""

    def __init__(self, store: Any, evaluator: Any, bundle: Bundle) -> None:
        """Open the lane and start its thread."""
        self.body = Body(store, evaluator, bundle)
        self.errors: list[BaseException] = []
        self.committed: list[Mapping[str, int]] = []
        self.said: list[str] = []
        self.fed: dict[str, int] = {}
        self.shared = Shared(
            body=self.body,
            clock=lambda: 2_000_000_000_000_000,
            pace=Pace(batch=4, quiet_s=0.05, linger_s=0.01, idling_s=0.3),
            organisation="",
            trust_recorded=False,
            fatal=self.errors.append,
            committed=lambda _, positions: self.committed.append(dict(positions)),
            ready=lambda: True,
            hearing=Hearing(self.body.store, 1, 0.05),
            say=self.said.append,
        )
        self.driver = LaneDriver(0, self.body.open(0), self.shared)
        self.driver.start()

    def feed(self, events: tuple[Event, ...], more: int = 0) -> None:
        """Hand events on as fetches of one record each, of the topics they belong on; there are so many `more` on each."""
        for one in events:
            topic = f"covenant.{one.data.TOPIC}"
            offset = self.fed.get(topic, 0)
            self.fed[topic] = offset + 1
            self.driver.inbox.put(
                (input_name(topic, 0), [Message(topic, 0, offset, codec.write_event(one))], offset + 1, offset + 1 + more)
            )

    def until(self, held: Callable[[], object]) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + 60
        while not held():
            assert not self.errors, self.errors
            assert time.monotonic() < deadline, self.said
            time.sleep(0.01)

    def end(self, over: Callable[[], object] | None = None) -> None:
        """Wait until all is done (or something holds), and stop."""
        time.sleep(0.1)
        self.driver.ending.set()
        deadline = time.monotonic() + 20
        while not (over or self.driver.ended.is_set)() and not self.errors and time.monotonic() < deadline:
            time.sleep(0.01)
        self.stop()

    def stop(self) -> None:
        """Stop the lane as it stands."""
        self.driver.halt()
        self.driver.join(10)
        assert not self.driver.is_alive()


def standing(store: Any) -> bytes:
    """What stands."""
    return b"\n".join(export_standing(store))


@pytest.fixture
def undisturbed(tmp_path: Path, rules: Rules) -> bytes:
    """What an undisturbed run of the story leaves."""
    store = open_store(f"sqlite:///{tmp_path / 'undisturbed.db'}")
    run = Run(store, rules[1], rules[0])
    run.feed(STORY)
    run.end()
    assert not run.errors
    found = standing(store)
    store.close()
    assert b"FU-007" in found
    return found


GONE = StoreUnavailable("The store is away.")
LOST = LaneConflict("Another worker has it.")
FAULTS: list[tuple[str, dict[str, list[BaseException | None]], dict[str, list[BaseException | None]]]] = [
    ("the store is away when a batch is written", {"record": [None, GONE, GONE]}, {}),
    ("the answer to a commit is lost", {"record": [None, AfterCommit(GONE), None, AfterCommit(GONE)]}, {}),
    ("the store is away when a batch is read for", {"seen": [GONE, None, GONE], "load": [None, GONE]}, {}),
    ("the policy engine is away", {}, {"submit": [EvaluatorUnavailable("No OPA."), None, EvaluatorUnavailable("No OPA.")]}),
    ("the lane was lost and is ours again", {"record": [None, LOST, None, AfterCommit(LOST)]}, {}),
    ("the store is away while the lane is opened again", {"record": [GONE], "unsettled": [None, GONE, GONE]}, {}),
]


@pytest.mark.parametrize(("_name", "store_faults", "evaluator_faults"), FAULTS, ids=[name for name, _, _ in FAULTS])
def test_what_passes_is_retried_in_place(
    tmp_path: Path, rules: Rules, undisturbed: bytes, _name: str,
    store_faults: dict[str, list[BaseException | None]], evaluator_faults: dict[str, list[BaseException | None]],
) -> None:  # fmt: skip
    """Whenever a transient fault strikes, what ends up standing is what an undisturbed run leaves, at the same positions."""
    store = open_store(f"sqlite:///{tmp_path / 'covenant.db'}")
    run = Run(Flaky(store, **store_faults), Flaky(rules[1], **evaluator_faults), rules[0])
    run.feed(STORY)
    run.end()
    assert not run.errors
    assert run.said, "the fault struck"
    assert standing(store) == undisturbed
    positions = {name: position for name, position in store.lane(0).positions.items() if position}
    assert positions == {"covenant.people/0": 2, "covenant.grants/0": 1, "covenant.usage/0": 20}
    store.close()


def test_a_second_worker_on_the_same_lane_writes_nothing_twice(tmp_path: Path, rules: Rules, undisturbed: bytes) -> None:
    """Two that both believe the lane is theirs: the store lets one write at a time, and together they end the same."""
    store = open_store(f"sqlite:///{tmp_path / 'covenant.db'}")
    runs = [Run(store, rules[1], rules[0]) for _ in range(2)]
    for run in runs:
        run.feed(STORY)
    for run in runs:
        run.end()
    assert [run.errors for run in runs] == [[], []]
    assert standing(store) == undisturbed
    with store.reading() as connection:
        doubled = connection.exec_driver_sql(
            "SELECT count(*) - count(DISTINCT identity) FROM journal WHERE origin = 'inbound'"
        ).scalar()
    assert doubled == 0
    store.close()


def test_anything_else_leaves_without_acknowledging(tmp_path: Path, rules: Rules) -> None:
    """An error of our own ends the lane at once; no position beyond the store's is acknowledged, no batch after it begun."""
    store = open_store(f"sqlite:///{tmp_path / 'covenant.db'}")
    fault = ZeroDivisionError("a fault of our own")
    run = Run(Flaky(store, record=[None, fault]), rules[1], rules[0])
    run.feed(STORY)
    run.end(lambda: run.errors)
    assert run.errors == [fault]
    stored = store.lane(0)
    assert stored.version == 1
    assert all(positions[name] <= stored.positions.get(name, 0) for positions in run.committed for name in positions)
    store.close()


def test_a_store_that_went_back_in_time_is_not_written_on(tmp_path: Path, rules: Rules) -> None:
    """After a restore from a backup positions don't fit what is held; going on would leave a hole."""
    store = open_store(f"sqlite:///{tmp_path / 'covenant.db'}")
    run = Run(store, rules[1], rules[0])
    run.feed(STORY[:6])
    run.end()
    forgotten = open_store(f"sqlite:///{tmp_path / 'backup.db'}")
    run.errors.clear()
    driver = LaneDriver(0, run.body.open(0), run.shared)
    driver.merge.add("covenant.usage/0", [], 5)
    run.body.store = Flaky(forgotten, record=[LOST])
    driver.inbox.put(("covenant.usage/0", [Message("covenant.usage", 0, 6, codec.write_event(STORY[-1]))], 7, 7))
    driver.start()
    driver.join(10)
    driver.halt()
    assert [type(error) for error in run.errors] == [IntegrityError]
    assert forgotten.lanes() == []
    store.close()
    forgotten.close()
