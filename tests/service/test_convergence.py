"""Whatever the order of arrival, the batches, the lanes and the restarts: the same events end in the same place."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.domain.events import Event
from engine.domain.records import JournalRow
from engine.policy.bundle import Bundle, load_bundle
from engine.policy.opa_child import OpaChild
from engine.service import folding, process
from engine.service.replay import canonical, check
from engine.service.standing import export_standing
from engine.store.memory_store import MemoryStore
from tests.service.cluster import Cluster, run_in_order
from tests.service.histories import histories, moves

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.needs_opa


class Rules:
    """The shipped policies on a child OPA; a short repr, since Hypothesis prints what fails."""

    def __init__(self, opa: Path) -> None:
        """Start OPA."""
        self.opa = opa
        self.bundle: Bundle = load_bundle(ROOT / "policies", opa)
        self.child = OpaChild(self.bundle, opa)


@pytest.fixture(scope="module")
def rules(opa_binary: str) -> Iterator[Rules]:
    """The shipped policies on a child OPA."""
    running = Rules(Path(opa_binary))
    yield running
    running.child.close()


def held(store: MemoryStore) -> list[tuple[str, str]]:
    """What each aggregate holds in the end, derived facts and sums among it: whichever way they came and went."""
    found = []
    for key in store.aggregates():
        latest: dict[str, JournalRow] = {}
        for row in store.entries(key):
            if row.identity not in latest or row.revision >= latest[row.identity].revision:
                latest[row.identity] = row
        found += [(key, row.event) for row in latest.values() if not row.withdrawn]
    return sorted(found)


@given(
    events=histories(), seed=st.integers(0, 2**32), tail=st.sampled_from([0, 3, 4096]), kept=st.sampled_from([0, 4, 1_000_000])
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_interleaving_over_four_lanes_ends_where_one_lane_in_order_does(
    rules: Rules, events: list[Event], seed: int, tail: int, kept: int
) -> None:
    """Batches, duplicates, wrong lanes, resent messages, restarts, background work, little memory: the export is the same."""
    in_order = run_in_order(events, rules.child, rules.bundle)
    with mock.patch.object(folding, "TAIL", tail), mock.patch.object(process, "KEPT", kept):
        store = Cluster(events, rules.child, rules.bundle, random.Random(seed)).run()
    assert held(store) == held(in_order)
    assert list(export_standing(store)) == list(export_standing(in_order))


@given(events=histories(25), seed=st.integers(0, 2**32), tail=st.sampled_from([2, 4096]))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_journal_replayed_in_recorded_order_makes_every_decision_again(
    rules: Rules, events: list[Event], seed: int, tail: int
) -> None:
    """However the run went, its journal alone gives the same decisions; refolded in order it gives what stands."""
    with mock.patch.object(folding, "TAIL", tail):
        store = Cluster(events, rules.child, rules.bundle, random.Random(seed)).run()
        again = check(store, rules.opa)
    assert again.first == ()
    assert again.differences == 0
    assert canonical(store, rules.opa).first == ()


STEPS = 5000
"""Derived facts that a dozen moves and ends of two grants may cause: a hundred times what they do, and less than for ever."""


@given(events=moves(), seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_grants_that_go_round_at_one_instant_come_to_rest_and_none_is_lost(rules: Rules, events: list[Event], seed: int) -> None:
    """Counted in steps, not in seconds; what was granted is somewhere in the end, and in one place."""
    steps = 0
    emit = folding.Folding._emit

    def counted(self: folding.Folding, *given: Any) -> None:
        nonlocal steps
        steps += 1
        assert steps < STEPS, "the grants go round for ever"
        emit(self, *given)

    with mock.patch.object(folding.Folding, "_emit", counted):
        store = run_in_order(events, rules.child, rules.bundle)
        other = Cluster(events, rules.child, rules.bundle, random.Random(seed)).run()
    assert list(export_standing(other)) == list(export_standing(store))
    kinds: dict[str, int] = {}
    for key in store.aggregates():
        for posting in store.load([key])[key].postings:
            kinds[posting.kind] = kinds.get(posting.kind, 0) + posting.amount
    left = ("outstanding", "unvested", "expired", "voided", "forfeited")
    assert kinds["granted"] == sum(kinds.get(one, 0) for one in left)
    assert kinds.get("transferred_in", 0) == kinds.get("transferred_out", 0)
    assert kinds.get("rolled_in", 0) == kinds.get("rolled_out", 0)
