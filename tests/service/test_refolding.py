"""A refold by several shares ends with the inputs of one process, to the byte, whatever they tell each other."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.domain.errors import IntegrityError
from engine.domain.events import Event
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, load_bundle
from engine.service import refolding
from engine.service.backtest_inputs import Kept, Noting, collect
from engine.service.process import Body
from engine.service.refolding import Share, refolded, through
from engine.service.replay import finish_lane
from engine.store.memory_store import MemoryStore
from tests.domain.make import event
from tests.service.cluster import is_reference, last_time
from tests.service.histories import histories

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.needs_opa


@pytest.fixture(scope="module")
def shipped(opa_binary: str) -> Bundle:
    """The shipped policies."""
    return load_bundle(ROOT / "policies", Path(opa_binary))


class Near:
    """A share in this process."""

    def __init__(self, lane: int, lanes: int, bundle: Bundle) -> None:
        """Begin it."""
        self.share = Share(lane, lanes, bundle, BytesIO())
        self.answers: list[Any] = []

    def send(self, asked: tuple[Any, ...]) -> None:
        """Do what is asked at once."""
        answer = getattr(self.share, asked[0])(*asked[1:])
        if answer is not None:
            self.answers.append(answer)

    def recv(self) -> Any:
        """Give the next answer."""
        return self.answers.pop(0)


def taken_in(events: list[Event], bundle: Bundle) -> MemoryStore:
    """A store that took events in, in the order given; nobody was judged."""
    store = MemoryStore()
    nobody: Any = Noting(bundle, BytesIO())
    body = Body(store, nobody, bundle)
    body.asking = nobody
    body.refer([Arrival(one) for one in events if is_reference(one)], {}, 1)
    body.open(0)
    body.process(0, [Arrival(one) for one in events if not is_reference(one)], {}, 1)
    finish_lane(body, 0, 2, until=last_time(events))
    return store


@given(events=histories(), shares=st.integers(2, 4))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_shares_end_with_the_inputs_of_one_process(shipped: Bundle, events: list[Event], shares: int) -> None:
    """Whatever the history and however many share it, a few events at a time."""
    store = taken_in(events, shipped)
    ends = [Near(lane, shares, shipped) for lane in range(shares)]
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(refolding, "AT_ONCE", 3):
        found = list(through(ends, store, Path(folder)))
    assert found == list(collect(store, shipped))


def few(shipped: Bundle) -> tuple[MemoryStore, list[Kept]]:
    """A small history, and what it is asked."""
    events = [
        event("credential.created", "2026-01-01", credential="c", owner="p-1"),
        event("grant.issued", "2026-01-01", grant_id="G", holder="p-1", quantity="50", vesting="immediate"),
        *(event("usage.inference", f"2026-01-0{day}", credential="c", quantity="5") for day in range(2, 9)),
    ]
    store = taken_in(events, shipped)
    return store, list(collect(store, shipped))


def test_processes_of_their_own_do_the_same(shipped: Bundle) -> None:
    """Started, asked and ended; how far they are is told."""
    store, inputs = few(shipped)
    told: list[int] = []
    assert list(refolded(store, shipped, 2, told.append)) == inputs
    assert len(inputs) >= 7
    assert max(told) == 9


def test_a_share_that_fails_is_said_and_nothing_is_given(shipped: Bundle, tmp_path: Path) -> None:
    """One that says why, and one that is gone without a word."""
    store, _ = few(shipped)
    for failure, said in ((IntegrityError("Out of paper."), "Out of paper."), (EOFError(), "ended before its time")):
        ends = [Near(lane, 2, shipped) for lane in range(2)]
        answer = mock.Mock(side_effect=failure) if isinstance(failure, EOFError) else mock.Mock(return_value=failure)
        with mock.patch.object(ends[1], "recv", answer), pytest.raises(IntegrityError, match=said):
            list(through(ends, store, tmp_path))
