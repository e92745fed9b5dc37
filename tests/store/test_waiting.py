"""What stores hold of what isn't said yet: dirty aggregates' causes, and what the breaker counts; of every store."""

from __future__ import annotations

from engine.domain.records import AggregateRow
from engine.store.protocol import Store
from tests.store.make import P1, P2, batch, change, entry, violation


def test_what_a_dirty_aggregate_owes_its_corrections_to_is_kept_with_it(store: Store) -> None:
    """Until it has been decided anew."""
    store.record(batch(1, journal=(), aggregates=(AggregateRow(P1, 0, 20, 5, -1, '[{"time":5}]'),)))
    assert store.load([P1])[P1].causes == '[{"time":5}]'
    store.record(batch(2, journal=(), aggregates=(AggregateRow(P1, 0, 20, -1),)))
    assert store.load([P1])[P1].causes == ""


def test_steps_of_violations_in_a_time_are_counted_by_rule_over_all_lanes(store: Store) -> None:
    """Those asked for alone; the beginning is left out and the end taken in."""
    rows = (violation("a"), violation("b", aggregate=P2), violation("c", rule="IP-001"))
    steps = (change("a", 1, recorded_at=10), change("b", 1, recorded_at=20), change("c", 1, recorded_at=20))
    store.record(batch(1, journal=(entry("e"),), violations=rows, changes=steps))
    later = (change("a", 2, change="settled", recorded_at=30), change("a", 3, change="reopened", recorded_at=30))
    store.record(batch(1, lane=1, journal=(), violations=(violation("a", version=3),), changes=later))
    rule = ("acme", violation("a").rule)
    assert store.steps({"opened", "reopened"}, 10, 30) == {rule: 2, ("acme", "IP-001"): 1}
    assert store.steps({"settled"}, 10, 30) == {rule: 1}
    assert store.steps({"opened"}, 20, 29) == {}


def test_entries_of_the_reference_log_are_found_by_type(store: Store) -> None:
    """In recorded order, those of other lanes not."""
    kinds = ("compute.policy.held.v1", "compute.rate.published.v1", "compute.policy.held.v1")
    log = tuple(entry(f"r{number}", ordinal=number, type=kind) for number, kind in enumerate(kinds))
    store.record(batch(1, lane=-1, journal=log))
    store.record(batch(1, journal=(entry("e", type=kinds[0]),)))
    assert [row.identity for row in store.reference_of([kinds[0]])] == ["r0", "r2"]


def test_a_lane_says_whether_it_is_behind_and_how_far_it_was_published(store: Store) -> None:
    """As of the batch it wrote last; a batch keeps whether anything could settle with it."""
    store.record(batch(1, journal=(entry("e"),), behind=True, caught_up=False, outbox_sequence=4))
    store.mark_published(0, 3)
    (lane,) = store.lanes()
    assert (lane.behind, lane.published, lane.outbox_sequence) == (True, 3, 4)
    store.record(batch(2, journal=(), outbox_sequence=4))
    assert [(lane.behind, lane.published) for lane in store.lanes()] == [(False, 3)]
    assert [(one.caught_up, one.behind) for one in store.batches(0)] == [(False, True), (True, False)]
