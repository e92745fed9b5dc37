"""Checkpoints in the store: kept only of where the lane stands, read with what comes after them, gone once outdated."""

from __future__ import annotations

from unittest import mock

import pytest

from engine.domain.errors import LaneConflict
from engine.domain.records import AggregateRow, Checkpoint, Outdated
from engine.service import checkpoints
from engine.store.protocol import Store
from engine.store.sql_store import SqlStore
from tests.bench.loading_way import measure
from tests.store.make import P1, P2, batch, checkpoint, decision, derived, entry, held, missing, posting, violation
from tests.store.test_effort import statements


def begin(store: Store) -> None:
    """A lane of two batches about one person, of which the second is later."""
    store.record(batch(1, journal=(entry("i1", effective=10, time=9),), decisions=(decision("d1", identity="i1", time=9),)))
    store.record(
        batch(
            2,
            journal=(entry("i2", effective=20, time=15), entry("i3", effective=30, time=30)),
            decisions=(decision("d2", identity="i2", time=15), decision("d3", identity="i3", time=30)),
            postings=(posting(1),),
            derived=(derived("once"), derived("again", revision=2)),
            violations=(violation("v"),),
            indeterminates=(missing("f"),),
        )
    )


def kept(store: Store, key: str = P1) -> Checkpoint | None:
    """The checkpoint that loading an aggregate finds."""
    return store.load([key], "f")[key].checkpoint


def test_what_comes_after_a_checkpoint_is_read_and_nothing_else(store: Store) -> None:
    """Decisions by the earliest time told of anything after it; of derived facts those sent more than once."""
    begin(store)
    store.keep_checkpoints(0, 2, [checkpoint(20)])
    loaded = held(store, P1, fold="f")[P1]
    assert loaded.checkpoint == checkpoint(20)
    assert [row.identity for row in loaded.journal] == ["i2", "i3"]
    assert [row.id for row in loaded.decisions] == ["d2", "d3"]
    assert (loaded.postings, [row.key for row in loaded.derived]) == ([], ["again"])
    assert ([row.id for row in loaded.violations], [row.fact for row in loaded.indeterminates]) == (["v"], ["f"])
    assert len(held(store, P1)[P1].journal) == 3


def test_a_checkpoint_is_kept_only_of_where_the_lane_stands(store: Store) -> None:
    """A worker that was paused and lost its lane writes none; nor does anybody of a lane that never wrote."""
    begin(store)
    for lane, version in ((0, 1), (0, 3), (1, 1)):
        with pytest.raises(LaneConflict):
            store.keep_checkpoints(lane, version, [checkpoint(20)])
    assert kept(store) is None


def test_a_newer_checkpoint_replaces_an_older_one(store: Store) -> None:
    """One an aggregate."""
    begin(store)
    store.keep_checkpoints(0, 2, [checkpoint(10)])
    store.keep_checkpoints(0, 2, [checkpoint(30, body=b"new"), checkpoint(5, aggregate=P2)])
    assert kept(store) == checkpoint(30, body=b"new")


def test_what_was_folded_otherwise_or_still_has_to_be_decided_is_read_whole(store: Store) -> None:
    """Another fold's state is of no use, and a dirty aggregate's isn't what was said of it."""
    begin(store)
    store.keep_checkpoints(0, 2, [checkpoint(20, fold="other")])
    assert (kept(store), len(held(store, P1, fold="f")[P1].journal)) == (None, 3)
    store.keep_checkpoints(0, 2, [checkpoint(20)])
    store.record(batch(3, aggregates=(AggregateRow(P1, 0, 30, 25),)))
    assert (kept(store), len(held(store, P1, fold="f")[P1].journal)) == (None, 3)
    store.record(batch(4, aggregates=(AggregateRow(P1, 0, 30, -1),)))
    assert kept(store) == checkpoint(20)


@pytest.mark.parametrize(("since", "stays"), [(21, True), (20, False), (3, False)])
def test_a_batch_deletes_the_checkpoints_that_it_outdates(store: Store, since: int, stays: bool) -> None:
    """Those that reach the moment from which it changed what was folded, of the aggregates it names."""
    begin(store)
    store.keep_checkpoints(0, 2, [checkpoint(20)])
    store.record(batch(3, outdated=(Outdated(P1, since), Outdated(P2, 0))))
    assert (kept(store) is not None) == stays


def test_a_batch_that_is_refused_deletes_none(store: Store) -> None:
    """Nothing of it is written."""
    begin(store)
    store.keep_checkpoints(0, 2, [checkpoint(20)])
    with pytest.raises(LaneConflict):
        store.record(batch(2, outdated=(Outdated(P1, 0),)))
    assert kept(store) == checkpoint(20)


def test_projections_made_again_begin_without_checkpoints(store: Store) -> None:
    """A replay may have said other things; other lanes keep theirs."""
    begin(store)
    store.record(batch(1, lane=1, journal=(entry("o", aggregate=P2),)))
    store.keep_checkpoints(0, 2, [checkpoint(20)])
    store.keep_checkpoints(1, 1, [checkpoint(10, aggregate=P2)])
    store.replace_projections(0, [])
    store.record(batch(3, journal=(entry("i4"),)))
    assert (kept(store), kept(store, P2)) == (None, checkpoint(10, aggregate=P2))


def test_loading_from_checkpoints_takes_the_same_number_of_statements_however_many(sql_store: SqlStore) -> None:
    """Each is read from a moment of its own on, by one question."""
    keys = [f"acme/person/{number}" for number in range(1000)]
    sql_store.record(batch(1, journal=tuple(entry(key, aggregate=key) for key in keys)))
    sql_store.keep_checkpoints(0, 1, [checkpoint(number % 20, aggregate=key) for number, key in enumerate(keys)])
    few, many = (statements(sql_store, lambda part=part: sql_store.load(part, "f")) for part in (keys[:2], keys))  # type: ignore[misc]
    assert few == many <= 9
    found = sql_store.load(keys, "f")
    assert sum(len(one.journal) for one in found.values()) == sum(number % 20 <= 10 for number in range(1000))


def test_a_restart_reads_the_end_of_a_long_history_on_every_database(database_url: str) -> None:
    """The bench's way, small: what is in memory is compared there."""
    with mock.patch.multiple(checkpoints, KEPT=64, GROWN=64):
        assert 64 <= measure(database_url, 400)["entries read"] < 200
