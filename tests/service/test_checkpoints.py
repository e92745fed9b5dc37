"""Checkpoints change nothing but the time it takes: the same rows are recorded with them as without, whatever comes when."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.domain import timeline
from engine.domain.codec import identity
from engine.domain.derivation import Delivery
from engine.domain.errors import LaneConflict
from engine.domain.events import Event
from engine.domain.records import Batch, Loaded
from engine.policy.bundle import Bundle, load_bundle
from engine.policy.opa_child import OpaChild
from engine.service import checkpoints, process
from engine.service.memory import Aggregate
from engine.service.process import Body
from engine.service.relearning import Nobody
from engine.service.standing import export_standing
from engine.store.memory_store import MemoryStore
from tests.domain.make import event
from tests.service.books import NO_RULES
from tests.service.cluster import LANES, Cluster, run_in_order
from tests.service.histories import histories

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.needs_opa
SEEN: Counter[str] = Counter()
"""What the histories did: a property over checkpoints that are never restored would show nothing."""


class Rules:
    """The shipped policies on a child OPA; a short repr, since Hypothesis prints what fails."""

    def __init__(self, opa: Path) -> None:
        """Start OPA."""
        self.bundle: Bundle = load_bundle(ROOT / "policies", opa)
        self.child = OpaChild(self.bundle, opa)


@pytest.fixture(scope="module")
def rules(opa_binary: str) -> Iterator[Rules]:
    """The shipped policies on a child OPA."""
    running = Rules(Path(opa_binary))
    yield running
    running.child.close()


def restore(aggregate: Aggregate, loaded: Loaded) -> None:
    """Restore, and note whether there was a checkpoint."""
    SEEN["restored"] += loaded.checkpoint is not None
    checkpoints.restore(aggregate, loaded)


def complete(aggregate: Aggregate, loaded: Loaded) -> None:
    """Load the history before a checkpoint: folded anew, it gives the very state that the checkpoint had."""
    SEEN["completed"] += 1
    before, how = aggregate.before, aggregate.timeline.folder
    assert before is not None
    checkpoints.complete(aggregate, loaded)
    again = timeline.Timeline(aggregate.key, how)
    for entry in aggregate.timeline.entries[: before.count]:
        again.insert(timeline.Entry(entry.identity, entry.place, entry.event))
    list(again.refold())
    assert again.state == how.restore(before.state)


def run(rules: Rules, events: list[Event], seed: int, keeping: random.Random | None) -> MemoryStore:
    """Let a cluster take the events in, always in the same steps."""
    return Cluster(events, rules.child, rules.bundle, random.Random(seed), 0.9, keeping).run()


def differences(one: MemoryStore, other: MemoryStore) -> list[tuple[int, int, str, Any, Any]]:
    """Where two stores differ: lane, version, kind of row, what only either has."""
    found: list[tuple[int, int, str, Any, Any]] = []
    for lane in range(LANES):
        for a, b in zip_longest(one.projections(lane), other.projections(lane)):
            if a is None or b is None:
                found.append((lane, 0, "batches", a, b))
                break
            for name in Batch.__struct_fields__:
                x, y = getattr(a, name), getattr(b, name)
                if x != y and isinstance(x, tuple):
                    found.append((lane, a.version, name, [row for row in x if row not in y], [row for row in y if row not in x]))
                elif x != y:
                    found.append((lane, a.version, name, x, y))
    return found


def test_the_same_is_recorded_with_checkpoints_as_without(rules: Rules) -> None:
    """Every row of every batch, over late facts, restarts and reference data; and what stands is as in order."""

    @given(events=histories(60, 30), seed=st.integers(0, 2**32), every=st.sampled_from([1, 2]), kept=st.sampled_from([1, 4]))
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    def holds(events: list[Event], seed: int, every: int, kept: int) -> None:
        plain = run(rules, events, seed, None)
        with (
            mock.patch.object(timeline, "EVERY", every),
            mock.patch.multiple(checkpoints, KEPT=kept, GROWN=1),
            mock.patch.multiple(process, restore=restore, complete=complete),
        ):
            store = run(rules, events, seed, random.Random(seed))
        assert differences(store, plain) == []
        assert list(export_standing(store)) == list(export_standing(run_in_order(events, rules.child, rules.bundle)))

    SEEN.clear()
    holds()
    assert SEEN["restored"] > 50, "the histories restored next to nothing: the property would be empty"
    assert SEEN["completed"] > 20, "the histories hardly reached back before a checkpoint"


def usage(number: int, day: int, revision: int = 1) -> Delivery:
    """A usage of one person, released by a name: an upsert."""
    used = event("usage.inference", f"2026-01-{day:02d}", ident=f"u{number}", person="p-1", quantity="1", credential="k")
    return Delivery("acme/person/p-1", identity(used).hex(), revision, withdrawn=False, event=used)


def restarted(store: MemoryStore) -> Body:
    """A body that has just opened the lane."""
    body = Body(store, Nobody(NO_RULES), NO_RULES)
    body.open(0)
    return body


@pytest.fixture
def small() -> Iterator[None]:
    """Checkpoints after every entry but the last two."""
    with mock.patch.object(timeline, "EVERY", 1), mock.patch.multiple(checkpoints, KEPT=2, GROWN=1):
        yield


@pytest.mark.parametrize(
    ("again", "whole"),
    [
        (usage(1, 1), False),  # taken in before
        (usage(9, 9), False),  # after all others
        (usage(1, 9, revision=2), True),  # an early one moves to the end
        (usage(9, 3), True),  # late
        (usage(7, 1, revision=2), True),  # the first one loaded would move before the checkpoint's end
    ],
)
@pytest.mark.usefixtures("small")
def test_what_concerns_entries_before_a_checkpoint_loads_them_and_nothing_else_does(again: Delivery, *, whole: bool) -> None:
    """After a restart two usages of eight are in memory; what is recorded then is as without checkpoints."""
    stores = MemoryStore(), MemoryStore()
    for store, keeps in zip(stores, (True, False), strict=True):
        body = restarted(store)
        body.process(0, [usage(n, n) for n in range(1, 9)], {}, 1)
        if keeps:
            assert body.keep_checkpoints(0) == 1
        body = restarted(store)
        body.process(0, [again], {}, 2)
        assert (body._memory[0].aggregates["acme/person/p-1"].before is None) == (whole or not keeps)
    assert differences(*stores) == []


@pytest.mark.usefixtures("small")
def test_a_worker_that_lost_its_lane_keeps_no_checkpoint() -> None:
    """Another one has gone on meanwhile: what the first has in memory may be wrong by now."""
    store = MemoryStore()
    body = restarted(store)
    body.process(0, [usage(n, n) for n in range(1, 9)], {}, 1)
    restarted(store).process(0, [usage(9, 2)], {}, 1)
    with pytest.raises(LaneConflict):
        body.keep_checkpoints(0)


@pytest.mark.usefixtures("small")
def test_a_checkpoint_written_while_another_worker_has_a_late_fact_in_hand_goes_with_it() -> None:
    """The other one never heard of the checkpoint: its batch outdates it all the same."""
    store = MemoryStore()
    body = restarted(store)
    body.process(0, [usage(n, n) for n in range(1, 9)], {}, 1)
    other = restarted(store)
    work = other.begin(0, [usage(9, 2)], {}, 1)
    assert body.keep_checkpoints(0) == 1
    other.finish(work)
    assert store.load([work.aggregates[0].aggregate], body.fold)["acme/person/p-1"].checkpoint is None
