"""Recording batches: whole or not at all, in the lane's order, by one worker; what stands afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.domain.errors import LaneConflict, NotFound
from engine.domain.records import AggregateRow, InputRow, Lane, RefusedRow, SeenRow, WithdrawnDecision
from engine.store.protocol import Store
from tests.store.make import (
    P1,
    P2,
    batch,
    change,
    decision,
    derived,
    entry,
    everything,
    held,
    message,
    missing,
    posting,
    violation,
)

HOSTILE = "tab\t, line\n, back\\slash, \\N, \"quotes\", 'single', {brace}, 😀, \u202e, ﷽, \x01, \x7f"


def test_a_store_that_never_wrote_holds_nothing(store: Store) -> None:
    """Every question has an answer before the first batch."""
    assert store.lane(3) == Lane(3)
    assert store.lanes() == []
    assert store.seen(["i"]) == {}
    assert store.seen([]) == {}
    assert store.aggregates() == []
    assert held(store)[P1].journal == []
    assert store.load([]) == {}
    assert list(store.batches(0)) == []
    assert store.decisions(0, 1) == []
    assert store.published(0) == 0


def test_a_batch_moves_its_lane_and_its_inputs_on(store: Store) -> None:
    """Positions of inputs that a batch doesn't mention stay; other lanes stay where they are."""
    store.record(batch(1, positions={"usage/0": 5, "people/0": 7}))
    store.record(batch(2, reference=3, watermark=44, outbox_sequence=9, positions={"usage/0": 6}))
    store.record(batch(1, lane=-1))
    assert store.lane(0) == Lane(0, 2, 3, 44, 9, positions={"usage/0": 6, "people/0": 7})
    assert [lane.lane for lane in store.lanes()] == [-1, 0]
    assert store.lanes()[1] == store.lane(0)


FULL: dict[str, Any] = {
    "journal": (entry("i1"), entry("i2", aggregate=P2)),
    "seen": (SeenRow("i1", "c1"), SeenRow("i2", "c2")),
    "decisions": (decision("d1"), decision("d2", aggregate=P2, verdict="violation")),
    "inputs": (InputRow("x", b"input"),),
    "postings": (posting(5), posting(-2, kind="outstanding")),
    "violations": (violation("v1"),),
    "changes": (change("v1", 1),),
    "indeterminates": (missing("facts.private"),),
    "derived": (derived("k"),),
    "outbox": (message(1), message(2)),
    "outbox_sequence": 2,
    "positions": {"usage/0": 2},
    "refused": (RefusedRow("r", "acme", "s", "invalid", "id", "no id", "give one", "file:1", b"\x00\xff", 99),),
}


def test_a_batch_is_read_back_as_it_was_recorded(store: Store) -> None:
    """Nothing of it is lost or changed on the way."""
    store.record(batch(1, **FULL))
    loaded = held(store)
    made = batch(1, **FULL)
    assert loaded[P1].journal == [made.journal[0]]
    assert loaded[P2].journal == [made.journal[1]]
    assert loaded[P1].decisions == [made.decisions[0]]
    assert loaded[P1].violations == list(made.violations)
    assert loaded[P1].indeterminates == list(made.indeterminates)
    assert loaded[P1].derived == list(made.derived)
    assert [(row.kind, row.amount) for row in loaded[P1].postings] == [("consumed", 5), ("outstanding", -2)]
    assert store.seen(["i2", "unknown", "i1"]) == {"i1": "c1", "i2": "c2"}
    assert store.decisions(0, 1) == list(made.decisions)
    assert store.input("x") == b"input"
    assert store.aggregates() == [P1, P2]


def test_hostile_text_and_large_numbers_come_back_unchanged(store: Store) -> None:
    """What separates columns and rows in bulk formats is text like any other; numbers have 64 bits."""
    rows = (entry("i", type=HOSTILE, event=HOSTILE, time=2**62, effective=-(2**62)), entry("\\."))
    store.record(batch(1, journal=rows, postings=(posting(2**62, grant=HOSTILE), posting(-(2**62), grant="x"))))
    [first, second] = store.entries(P1)
    assert (first.type, first.event, first.time, first.effective, second.identity) == (HOSTILE, HOSTILE, 2**62, -(2**62), "\\.")
    assert {row.grant: row.amount for row in held(store)[P1].postings} == {HOSTILE: 2**62, "x": -(2**62)}


@pytest.mark.parametrize("version", [0, 1, 3, 4])
def test_a_batch_of_another_version_writes_nothing(store: Store, version: int) -> None:
    """A worker that lost its lane, or that skips ahead, is told so and leaves no trace."""
    store.record(batch(1, journal=(entry("a"),)))
    before = everything(store)
    with pytest.raises(LaneConflict):
        store.record(batch(version, **FULL))
    assert everything(store) == before


def test_the_first_batch_of_a_lane_is_version_one(store: Store) -> None:
    """A lane that never wrote stands at 0."""
    with pytest.raises(LaneConflict):
        store.record(batch(2))
    assert store.lanes() == []


def test_of_two_writers_of_one_version_the_second_writes_nothing(store: Store) -> None:
    """Each read the lane at version 1 and worked on; only one of their batches is in the journal."""
    store.record(batch(1))
    store.record(batch(2, journal=(entry("first"),)))
    before = everything(store)
    with pytest.raises(LaneConflict):
        store.record(batch(2, **FULL))
    assert everything(store) == before
    store.record(batch(3, **FULL))
    assert store.lane(0).version == 3


@pytest.mark.parametrize(
    "clash",
    [
        {"seen": (SeenRow("new", "c"), SeenRow("old", "c"))},
        {"seen": (SeenRow("twice", "c"), SeenRow("twice", "c"))},
        {"changes": (change("v", 1),)},
        {"outbox": (message(3), message(1))},
    ],
    ids=["seen before", "seen twice", "a step taken before", "a sequence used before"],
)
def test_a_row_that_is_there_already_fails_the_whole_batch(store: Store, clash: dict[str, Any]) -> None:
    """Another lane took the same event in meanwhile: whatever was written before the clash is gone with the batch."""
    store.record(batch(1, seen=(SeenRow("old", "c"),), changes=(change("v", 1),), outbox=(message(1),)))
    before = everything(store)
    with pytest.raises(LaneConflict):
        store.record(batch(2, **FULL | clash))
    assert everything(store) == before
    assert store.seen(["new", "twice", "i1"]) == {}


def test_an_identity_is_known_at_any_distance_among_thousands(store: Store) -> None:
    """One question about thousands of identities finds the few that are known."""
    store.record(batch(1, seen=tuple(SeenRow(f"{number:032x}", f"c{number}") for number in range(3000))))
    asked = [f"{number:032x}" for number in range(2998, 9000)]
    assert store.seen(asked) == {f"{2998:032x}": "c2998", f"{2999:032x}": "c2999"}


def test_a_decision_stands_until_it_is_superseded_or_withdrawn(store: Store) -> None:
    """Both stay recorded; only what stands is loaded."""
    store.record(batch(1, decisions=(decision("a"), decision("b"), decision("c"))))
    store.record(batch(2, journal=(entry("e"),), decisions=(decision("a2", identity="a", supersedes="a"),)))
    store.record(batch(3, withdrawn=(WithdrawnDecision("b", "late"),)))
    assert [row.id for row in held(store)[P1].decisions] == ["a2", "c"]
    assert {ident: store.decision(ident).stands for ident in ("a", "a2", "b", "c")} == {
        "a": False, "a2": True, "b": False, "c": True,
    }  # fmt: skip
    assert [[row.id for row in store.decisions(0, version)] for version in (1, 2, 3)] == [["a", "b", "c"], ["a2"], []]


def test_a_decision_that_returns_stands_once(store: Store) -> None:
    """Outcome, another outcome, the first again: same id, a recording of its own."""
    store.record(batch(1, journal=(entry("e"),), decisions=(decision("a", identity="e"),)))
    store.record(batch(2, decisions=(decision("b", identity="e", supersedes="a"),)))
    store.record(batch(3, decisions=(decision("a", identity="e", supersedes="b", cause="late"),)))
    assert [(row.id, row.cause) for row in held(store)[P1].decisions] == [("a", "late")]
    recorded = store.decision("a")
    assert (recorded.lane, recorded.version, recorded.stands, recorded.decision.cause) == (0, 3, True, "late")
    assert not store.decision("b").stands


def test_a_decision_withdrawn_and_made_again_in_one_batch_stands(store: Store) -> None:
    """What a batch says last about an entry is what holds."""
    store.record(batch(1, journal=(entry("e"),), decisions=(decision("a", identity="e"),)))
    store.record(batch(2, withdrawn=(WithdrawnDecision("a", ""),), decisions=(decision("a", identity="e"),)))
    assert [row.id for row in held(store)[P1].decisions] == ["a"]
    assert store.decision("a").version == 2


def test_another_lane_cannot_withdraw_a_decision(store: Store) -> None:
    """Each lane's decisions are its own."""
    store.record(batch(1, journal=(entry("e"),), decisions=(decision("a", identity="e"),)))
    store.record(batch(1, lane=1, withdrawn=(WithdrawnDecision("a", ""),)))
    assert store.decision("a").stands


def test_postings_add_up_and_nothing_is_left_of_nothing(store: Store) -> None:
    """Sums per entry, grant and kind; a sum of nought isn't there."""
    store.record(batch(1, journal=(entry("i"),), postings=(posting(5), posting(7, identity="j"), posting(3, kind="expired"))))
    store.record(batch(2, postings=(posting(-2), posting(-7, identity="j"), posting(4, kind="expired"))))
    sums = {(row.identity, row.kind): row.amount for row in held(store)[P1].postings}
    assert sums == {("i", "consumed"): 3, ("i", "expired"): 7}


def test_the_highest_revision_of_an_entry_is_loaded_withdrawn_or_not(store: Store) -> None:
    """Whatever the order of arrival; all revisions stay in the journal; what was forwarded isn't folded here."""
    store.record(batch(1, journal=(entry("a", revision=2), entry("b", revision=1), entry("f", origin="forwarded"))))
    store.record(batch(2, journal=(entry("a", revision=1), entry("b", revision=2, withdrawn=True))))
    loaded = held(store)[P1].journal
    assert [(row.identity, row.revision, row.withdrawn) for row in loaded] == [("a", 2, False), ("b", 2, True)]
    assert [(row.identity, row.revision) for row in store.entries(P1)] == [("a", 2), ("b", 1), ("a", 1), ("b", 2)]
    assert [row.identity for row in store.entries(P1, 1)] == ["a", "b"]
    assert [len(one.journal) for one in store.batches(0)] == [3, 2]


def test_later_projections_replace_earlier_ones(store: Store) -> None:
    """A violation, a missing fact and a derived fact are held as they were last said."""
    first: dict[str, Any] = {"violations": (violation("v"),), "indeterminates": (missing("f"),), "derived": (derived("k"),)}
    store.record(batch(1, journal=(entry("e"),), **first))
    later = (violation("v", version=2, count=2),), (missing("f", count=0),), (derived("k", revision=2), derived("k", revision=3))
    store.record(batch(2, violations=later[0], indeterminates=later[1], derived=later[2]))
    loaded = held(store)[P1]
    assert [(row.version, row.count) for row in loaded.violations] == [(2, 2)]
    assert [row.count for row in loaded.indeterminates] == [0]
    assert [row.revision for row in loaded.derived] == [3]


def test_aggregates_that_are_dirty_or_touched_since_are_found(store: Store) -> None:
    """By lane, in order of their names."""
    rows = (AggregateRow(P2, 0, 30, 7), AggregateRow(P1, 0, 20, 5), AggregateRow("acme/person/p-3", 0, 40, -1))
    store.record(batch(1, journal=(), aggregates=rows))
    store.record(batch(1, lane=1, journal=(), aggregates=(AggregateRow("acme/person/p-4", 1, 50, 1),)))
    assert store.dirty(0) == [rows[1], rows[0]]
    assert store.aggregates_since(0, 30) == [rows[0], rows[2]]
    store.record(batch(2, journal=(), aggregates=(AggregateRow(P1, 0, 60, -1),)))
    assert [row.aggregate for row in store.dirty(0)] == [P2]
    assert [row.aggregate for row in store.aggregates_since(0, 50)] == [P1]
    assert store.load([P2])[P2].dirty_from == 7


def test_aggregates_with_a_deadline_pending_are_found(store: Store) -> None:
    """By lane, in order of their names, with when it falls due; one that has passed is gone."""
    rows = (AggregateRow(P2, 0, 30, -1, 70), AggregateRow(P1, 0, 20, -1, 50), AggregateRow("acme/person/p-3", 0, 40, -1))
    store.record(batch(1, aggregates=rows, journal=()))
    store.record(batch(1, lane=1, journal=(), aggregates=(AggregateRow("acme/person/p-4", 1, 50, -1, 10),)))
    assert store.deadlines(0) == [rows[1], rows[0]]
    assert store.load([P1])[P1].due == 50
    store.record(batch(2, journal=(), aggregates=(AggregateRow(P1, 0, 60, -1),)))
    assert [row.aggregate for row in store.deadlines(0)] == [P2]


def test_the_reference_log_is_read_on_from_where_one_stands(store: Store) -> None:
    """In recorded order, across batches."""
    store.record(batch(1, lane=-1, journal=(entry("a"), entry("b"))))
    store.record(batch(1, journal=(entry("x"),)))
    store.record(batch(2, lane=-1, journal=(entry("c"),)))
    assert [row.identity for row in store.reference(0)] == ["a", "b", "c"]
    assert [row.identity for row in store.reference(2)] == ["c"]
    assert store.reference(3) == []


def test_violations_nobody_may_be_told_of_yet_are_the_lanes_own(store: Store) -> None:
    """Neither settled ones nor retracted ones; a change of mind counts."""
    rows = (violation("b"), violation("a"), violation("s", settled=True), violation("r", status="retracted"))
    store.record(batch(1, violations=rows))
    store.record(batch(1, lane=1, violations=(violation("other", aggregate=P2),)))
    assert [row.id for row in store.unsettled(0)] == ["a", "b"]
    store.record(batch(2, violations=(violation("a", settled=True, version=2),)))
    assert [row.id for row in store.unsettled(0)] == ["b"]


def test_messages_leave_in_the_lanes_order_and_are_forgotten_once_sent(store: Store) -> None:
    """Whatever the order in which they were written down; another lane's stay."""
    store.record(batch(1, outbox=(message(2), message(1)), outbox_sequence=2))
    store.record(batch(2, outbox=(message(3, value=b"\x00\xff"),), outbox_sequence=3))
    store.record(batch(1, lane=1, outbox=(message(1),), outbox_sequence=1))
    assert [row.sequence for row in store.outbox(0, 0, 10)] == [1, 2, 3]
    assert [row.sequence for row in store.outbox(0, 1, 1)] == [2]
    store.mark_published(0, 2)
    assert (store.published(0), store.published(1)) == (2, 0)
    assert store.outbox(0, 0, 10) == [message(3, value=b"\x00\xff")]
    assert len(store.outbox(1, 0, 10)) == 1
    assert store.outboxes() == [0, 1]
    store.mark_published(0, 3)
    assert store.outboxes() == [1]


def test_the_relay_that_began_last_is_known_by_its_number(store: Store) -> None:
    """So that one that was taken over sees it in the store, whatever its broker says."""
    assert store.relay_number() == 0
    assert [store.number_relay(), store.number_relay()] == [1, 2]
    assert store.relay_number() == 2
    assert store.lanes() == []


def test_what_was_published_is_never_unsaid(store: Store) -> None:
    """A relay that was overtaken can't set the mark back."""
    store.record(batch(1, outbox=(message(1), message(2)), outbox_sequence=2))
    store.mark_published(0, 2)
    store.mark_published(0, 1)
    assert store.published(0) == 2


def test_bundles_and_inputs_are_kept_once_and_given_back(store: Store) -> None:
    """The same digest is the same; the first stays; an unknown one is said to be unknown."""
    store.save_bundle("b", b"\x00bundle", 1)
    store.save_bundle("b", b"\x00bundle", 2)
    assert store.bundle("b") == b"\x00bundle"
    store.record(batch(1, inputs=(InputRow("x", b"one"),)))
    store.record(batch(2, inputs=(InputRow("x", b"one"), InputRow("y", b"two"))))
    assert (store.input("x"), store.input("y")) == (b"one", b"two")
    for ask in (store.bundle, store.input, store.decision):
        with pytest.raises(NotFound):
            ask("unknown")


def test_batches_are_given_in_order_from_where_one_stands(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where they are read in several goes: many small ones, and one that is larger than a go."""
    monkeypatch.setattr("engine.store.sql_store.HEADS_AT_ONCE", 3)
    monkeypatch.setattr("engine.store.sql_store.ROWS_AT_ONCE", 4)
    sizes = [1, 0, 2, 9, 1, 1, 1, 1]
    for version, size in enumerate(sizes, 1):
        rows = tuple(entry(f"{version}.{number}") for number in range(size))
        store.record(batch(version, journal=rows, read=size, lanes=4, outbox_sequence=version, work=f"w{version}", kind="events"))
    given = list(store.batches(0))
    assert [one.version for one in given] == list(range(1, 9))
    assert [len(one.journal) for one in given] == sizes
    assert [row.identity for row in given[3].journal] == [f"4.{number}" for number in range(9)]
    assert (given[4].lanes, given[4].outbox_sequence, given[4].work, given[4].read) == (4, 5, "w5", 1)
    assert [one.version for one in store.batches(0, after=6)] == [7, 8]
    assert list(store.batches(1)) == []


TRUTH: dict[str, Any] = {
    "journal": (entry("i1"), entry("i2")),
    "decisions": (decision("d1", identity="i1"), decision("d2", identity="i2")),
}
LATER: dict[str, Any] = {"decisions": (decision("d3", identity="i1", supersedes="d1"),)}


@pytest.fixture
def rebuilt() -> Callable[[], Iterator[Any]]:
    """Two batches of lane 0, made again with other projections than those recorded."""

    def made() -> Iterator[Any]:
        yield batch(1, **TRUTH, postings=(posting(9),), violations=(violation("new"),), changes=(change("new", 1),))
        later: dict[str, Any] = {
            "indeterminates": (missing("new"),),
            "derived": (derived("new"),),
            "aggregates": (AggregateRow(P1, 0, 77, 3),),
        }
        yield batch(2, **LATER, **later, violations=(violation("new", version=2),), changes=(change("new", 2),))

    return made


def record_before_rebuilding(store: Store) -> None:
    """The same two batches with projections that are wrong, and a batch of another lane."""
    around: dict[str, Any] = {"seen": (SeenRow("i1", "c"),), "outbox": (message(1),), "inputs": (InputRow("x", b""),)}
    wrong: dict[str, Any] = {"postings": (posting(1),), "violations": (violation("wrong"),), "changes": (change("wrong", 1),)}
    store.record(batch(1, **TRUTH, **around, **wrong))
    withdrawn = (WithdrawnDecision("d2", ""),)
    store.record(batch(2, **LATER, withdrawn=withdrawn, indeterminates=(missing("wrong"),), derived=(derived("wrong"),)))
    others: dict[str, Any] = {"violations": (violation("other", aggregate=P2),), "indeterminates": (missing("f", aggregate=P2),)}
    store.record(batch(1, lane=1, journal=(entry("o", aggregate=P2),), postings=(posting(4, aggregate=P2),), **others))


def test_projections_made_again_replace_a_lanes_own_and_nothing_else(store: Store, rebuilt: Callable[[], Iterator[Any]]) -> None:
    """The truth stays as it is, other lanes too; which decisions stand is worked out again."""
    record_before_rebuilding(store)
    before = everything(store)
    store.replace_projections(0, rebuilt())
    after = everything(store)
    for name in ("lanes", "seen", "batches", "decisions", "entries", "outbox", "inputs", "published"):
        assert after[name] == before[name], name
    assert after["loaded"][P2] == before["loaded"][P2]
    mine = after["loaded"][P1]
    assert [row.id for row in mine.decisions] == ["d2", "d3"]
    assert [(row.id, row.version) for row in mine.violations] == [("new", 2)]
    assert [row.amount for row in mine.postings] == [9]
    assert ([row.fact for row in mine.indeterminates], [row.key for row in mine.derived]) == (["new"], ["new"])
    assert store.dirty(0) == [AggregateRow(P1, 0, 77, 3)]


def test_projections_are_replaced_whole_or_not_at_all(store: Store, rebuilt: Callable[[], Iterator[Any]]) -> None:
    """A replay that ends in an error half-way leaves the old ones."""
    record_before_rebuilding(store)
    before = everything(store)

    def broken() -> Iterator[Any]:
        yield from rebuilt()
        msg = "the replay went wrong"
        raise ZeroDivisionError(msg)

    with pytest.raises(ZeroDivisionError):
        store.replace_projections(0, broken())
    assert everything(store) == before
