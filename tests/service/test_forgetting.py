"""A lane's memory is bounded while batches are in flight, and forgets nothing that the store doesn't know."""

from __future__ import annotations

import random
from unittest import mock

import pytest

from engine.domain.records import Lane, ViolationRow
from engine.domain.values import MICRO
from engine.intake.arrivals import Arrival
from engine.service import process
from engine.service.memory import Aggregate, LaneMemory, folder
from engine.service.process import Body
from engine.service.relearning import Nobody
from engine.service.standing import export_standing
from engine.store.memory_store import MemoryStore
from tests.domain.make import event
from tests.service.books import NO_RULES
from tests.service.cluster import Cluster, run_in_order

GRANT = event("grant.issued", "2026-01-01", ident="g", grant_id="G", holder="p", quantity="20", vesting="immediate")
USED = [event("usage.inference", f"2026-01-{day:02}", ident=f"u{day}", person="p", quantity="3") for day in range(2, 28)]


def opened() -> tuple[Body, LaneMemory]:
    """A body with one lane open, and that lane's memory."""
    body = Body(MemoryStore(), Nobody(NO_RULES), NO_RULES)
    body.open(0)
    return body, body._memory[0]


def test_memory_is_bounded_though_a_batch_is_always_in_flight() -> None:
    """A hundred people, a batch each: only what is in flight, and what was touched last, stays."""
    body, memory = opened()
    with mock.patch.object(process, "KEPT", 4):
        work = None
        for number in range(100):
            one = event("usage.inference", "2026-01-02", ident=f"e{number}", person=f"p{number}", quantity="1")
            following = body.begin(0, [Arrival(one)], {}, 1)
            if work is not None:
                body.finish(work)
            work = following
            assert memory.entries <= 8
            assert f"acme/person/p{number}" in memory.aggregates
        assert work is not None
        body.finish(work)
    assert memory.entries == sum(len(one.timeline.entries) for one in memory.aggregates.values())


def test_what_a_batch_in_flight_changed_is_not_forgotten() -> None:
    """The third usage finds what the second left, though nothing of the second is recorded yet."""
    body, memory = opened()
    with mock.patch.object(process, "KEPT", 0):
        body.process(0, [Arrival(GRANT)], {}, 1)
        first = body.begin(0, [Arrival(USED[0])], {}, 1)
        second = body.begin(0, [Arrival(one) for one in USED[1:6]], {}, 1)
        body.finish(first)
        third = body.begin(0, [Arrival(USED[6])], {}, 1)
        assert memory.aggregates["acme/person/p"].timeline.state.grants["G"].outstanding == 0
        body.finish(second)
        body.finish(third)
    balances = {row.kind: 0 for row in body.store.load(["acme/person/p"])["acme/person/p"].postings}
    for row in body.store.load(["acme/person/p"])["acme/person/p"].postings:
        balances[row.kind] += row.amount
    assert (balances["consumed"], balances["overage"]) == (20 * MICRO, MICRO)


@pytest.mark.parametrize("kept", [0, 7])
def test_little_memory_changes_nothing(kept: int) -> None:
    """Over four lanes, in any interleaving, with batches in flight."""
    events = [GRANT, *USED]
    expected = list(export_standing(run_in_order(events, Nobody(NO_RULES), NO_RULES)))
    with mock.patch.object(process, "KEPT", kept):
        for seed in range(10):
            store = Cluster(events, Nobody(NO_RULES), NO_RULES, random.Random(seed)).run()
            assert list(export_standing(store)) == expected


def test_what_is_loaded_while_its_violation_is_being_spoken_of_knows_that() -> None:
    """The store's row is older until the batch is recorded; then nothing is laid over it any more."""
    memory = LaneMemory(Lane(0))
    row = ViolationRow(
        id="v", organisation="acme", rule="FU-001", aggregate="acme/person/p", discriminator='["2026-01"]', severity="high",
        clause="G7", respondent="holder", holder="p", repository="", status="alleged", settled=True, opened_at=1,
        last_seen_at=1, count=1, first_decision="d", last_decision="d", evidence="{}", sentence="", version=2, settle_us=0,
    )  # fmt: skip
    memory.speak([row])
    aggregate = Aggregate("acme/person/p", folder("acme/person/p", NO_RULES.windows, memory.log))
    memory.loaded(aggregate)
    assert aggregate.violations["FU-001", ("2026-01",)].settled
    memory.stored([row])
    assert memory.spoken == {}
