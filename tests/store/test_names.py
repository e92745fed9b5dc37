"""Names that nobody linked, as every store knows them: what waits, and what is dropped of it."""

from __future__ import annotations

from typing import Any

from engine.domain.records import AggregateRow, DroppedRow
from engine.store.protocol import Store
from tests.store.make import batch, derived, entry


def test_what_an_unlinked_name_did_outside_is_dropped_with_a_batch(store: Store) -> None:
    """Both of its clocks must have passed; what is inside, was said anew, or was ever released stays; what goes is gone whole."""
    alias, other, outside = "acme/alias/login:x", "acme/alias/login:y", '{"data":{"in_org":false}}'
    of: dict[str, Any] = {"aggregate": alias, "type": "compute.contribution.attributed.v1", "event": outside, "origin": "derived"}
    rows = (
        entry("gone", **of | {"event": "{}"}, recorded_at=19), entry("gone", **of, effective=10, recorded_at=20, revision=1),
        entry("later", **of, effective=31, recorded_at=20), entry("learnt later", **of, effective=1, recorded_at=32),
        entry("inside", **of | {"event": '{"data":{"in_org":true}}'}),
        entry("text", **of | {"event": r'{"d":"\"in_org\":false"}'}),
        entry("said anew", **of), entry("said anew", **of | {"event": "{}"}, revision=1), entry("released", **of),
        entry("i", aggregate=other, type="compute.alias.linked.v1"),
    )  # fmt: skip
    sent = derived("k", aggregate=alias, identity="released")
    store.record(batch(1, journal=rows, derived=(sent,), aggregates=(AggregateRow(alias, 0, 40, -1, 30),)))
    assert store.linked([alias, other, "acme/alias/login:z"]) == {other}
    assert [store.waiting_since(alias, after) for after in (0, 20, 31, 32)] == [20, 31, 32, -1]
    assert store.waiting_since(other, 0) == -1
    store.record(batch(2, journal=(), dropped=(DroppedRow(alias, 30, 61),)))
    left = {row.identity for row in store.entries(alias)}
    assert left == {"later", "learnt later", "inside", "text", "said anew", "released"}
    assert store.deadlines(0) == [AggregateRow(alias, 0, 40, -1, 61)]
    lone = "acme/alias/login:z"
    store.record(batch(3, journal=(entry("j", **of | {"aggregate": lone}, recorded_at=5),)))
    store.record(batch(4, journal=(), dropped=(DroppedRow(lone, 30, -1),)))
    assert (store.entries(lone), lone in store.aggregates()) == ([], False)
