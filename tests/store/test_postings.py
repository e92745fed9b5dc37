"""What the books are read from, on every database: sums on two clocks, snapshots of them, terms, entries."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from engine.domain.records import JournalRow, PostingRow
from engine.domain.values import DAY_US, instant
from engine.store.postings import Clocks, Posted, Postings
from engine.store.snapshots import sum_up, sum_up_at
from engine.store.sql_store import SqlStore
from tests.store.make import P2, batch, entry, posting

FEBRUARY, MARCH, APRIL = (int(instant(f"2026-0{month}-01")) for month in (2, 3, 4))
ALL = Clocks(None, None)


def used(amount: int, time: int, recorded_at: int, ordinal: int = 0, **more: str) -> PostingRow:
    """A posting that happened at one time and was learnt at another."""
    return posting(amount, time=time, recorded_at=recorded_at, ordinal=ordinal, **more)


def amounts(postings: Postings, clocks: Clocks, **more: str) -> dict[tuple[str, str, str], int]:
    """The sums by holder, grant and kind."""
    return {(row.holder, row.grant, row.kind): row.amount for row in postings.sums(clocks, **more)}


def test_postings_are_summed_on_two_clocks(sql_store: SqlStore) -> None:
    """Before a moment, that instant left out; known at another, that instant counted; of one holder, of one grant."""
    rows = (
        used(5, 10, 99), used(7, 20, 100, 1), posting(3, ordinal=2, kind="granted"),
        posting(2, ordinal=3, aggregate=P2, holder="p-2", grant="G2"),
    )  # fmt: skip
    sql_store.record(batch(1, postings=rows))
    postings = Postings(sql_store)
    assert postings.sums(Clocks(None, None), grant="G2") == [Posted("acme", "p-2", "G2", "CCU", "consumed", 2)]
    assert amounts(postings, ALL, holder="p-1") == {("p-1", "G1", "consumed"): 12, ("p-1", "G1", "granted"): 3}
    assert amounts(postings, Clocks(20, None), holder="p-1")["p-1", "G1", "consumed"] == 5
    assert amounts(postings, Clocks(None, 99), holder="p-1")["p-1", "G1", "consumed"] == 5
    assert amounts(postings, Clocks(None, 98)) == {}


def test_sums_are_the_same_with_snapshots_and_without(sql_store: SqlStore) -> None:
    """At every pair of clocks: what happened before the snapshot and was learnt later is added to it."""
    day = DAY_US
    happened = [FEBRUARY - day, FEBRUARY, FEBRUARY + 3 * day, MARCH - 1, MARCH, MARCH + day]
    rows = tuple(used(2**number, at, at + 5, number) for number, at in enumerate(happened))
    sql_store.record(batch(1, recorded_at=happened[-1] + 5, postings=rows))
    postings = Postings(sql_store)
    clocks = [
        Clocks(as_of, known_at)
        for as_of in (None, FEBRUARY, FEBRUARY + 1, MARCH, MARCH + 2 * day, APRIL)
        for known_at in (None, FEBRUARY, MARCH, MARCH + 10, MARCH + day + 5, APRIL + 7)
    ]
    before = [amounts(postings, one) for one in clocks]
    assert sum_up(sql_store, MARCH + day) == 2
    assert [amounts(postings, one) for one in clocks] == before
    late = (used(1000, FEBRUARY + day, APRIL, 0), used(-1, MARCH, APRIL, 1))
    sql_store.record(batch(2, recorded_at=APRIL, postings=late))
    after = [amounts(postings, one) for one in clocks]
    assert after != before
    assert sum_up_at(sql_store, MARCH) == 1
    assert sum_up_at(sql_store, MARCH) == 0
    assert [amounts(postings, one) for one in clocks] == after


def test_a_posting_learnt_earlier_than_a_snapshot_was_made_drops_it(sql_store: SqlStore) -> None:
    """The batch that brings it leaves no snapshot behind that should hold it."""
    sql_store.record(batch(1, recorded_at=MARCH, postings=(used(5, FEBRUARY - 1, MARCH),)))
    postings = Postings(sql_store)
    assert sum_up(sql_store, FEBRUARY) == 1
    sql_store.record(batch(2, recorded_at=MARCH, postings=(used(7, FEBRUARY - 2, MARCH - 1),)))
    assert amounts(postings, Clocks(FEBRUARY, None)) == {("p-1", "G1", "consumed"): 12}
    assert sum_up(sql_store, FEBRUARY) == 1
    assert amounts(postings, Clocks(FEBRUARY, None)) == {("p-1", "G1", "consumed"): 12}


def test_sums_of_nothing_are_left_out(sql_store: SqlStore) -> None:
    """What was posted and taken back stands nowhere."""
    sql_store.record(batch(1, postings=(used(5, 1, 1), used(-5, 1, 2, 1))))
    postings = Postings(sql_store)
    assert amounts(postings, ALL) == {}
    assert amounts(postings, Clocks(None, 1)) == {("p-1", "G1", "consumed"): 5}


def test_terms_are_given_as_they_were_known(sql_store: SqlStore) -> None:
    """The latest revision known at the moment; withdrawn ones, other kinds and others' left out; wildcards are letters."""

    def made(identity: str, ordinal: int, **more: Any) -> JournalRow:
        return entry(identity, ordinal=ordinal, **more)

    journal = (
        made("a", 0, recorded_at=1), made("b", 1, origin="derived", revision=1, recorded_at=1, effective=5),
        made("c", 2, origin="derived", revision=1, recorded_at=1), made("d", 3, aggregate="acme/person/p_1", recorded_at=1),
        made("e", 4, aggregate="acme/alias/grant:G1", recorded_at=1),
        made("f", 5, type="compute.usage.inference.v1", recorded_at=1),
        made("g", 6, type="compute.person.terminated.v1", recorded_at=1),
    )  # fmt: skip
    then = (
        made("b", 0, origin="derived", revision=2, recorded_at=2, effective=30),
        made("c", 1, origin="derived", revision=2, withdrawn=True, recorded_at=2),
    )
    sql_store.record(batch(1, journal=journal))
    sql_store.record(batch(2, journal=then))
    postings = Postings(sql_store)
    assert {(row.identity, row.revision) for row in postings.terms(None, "p-1")} == {("a", 0), ("b", 2), ("g", 0)}
    assert {(row.identity, row.revision) for row in postings.terms(1, "p-1")} == {("a", 0), ("b", 1), ("c", 1), ("g", 0)}
    assert [row.identity for row in postings.terms(None, "p_1")] == ["d"]
    assert len(postings.terms(None)) == 4


def test_what_vested_is_summed_by_the_entry_that_let_it(sql_store: SqlStore) -> None:
    """On two clocks; nothing else is among it."""
    rows = (
        used(5, 10, 1, 0, kind="vested", identity="i"), used(-5, 10, 3, 1, kind="vested", identity="i"),
        used(7, 12, 1, 2, kind="vested", identity="j"), used(9, 12, 1, 3, identity="k"),
    )  # fmt: skip
    sql_store.record(batch(1, postings=rows))
    postings = Postings(sql_store)
    assert postings.vested(ALL) == {"i": 0, "j": 7}
    assert postings.vested(Clocks(12, 2)) == {"i": 5}
    assert postings.vested(ALL, "p-2") == {}


def test_entries_come_in_the_order_in_which_they_happened_with_their_events(sql_store: SqlStore) -> None:
    """Each once, whatever revisions its event has; from a moment on."""
    journal = (entry("x", ordinal=0, event='{"id":"1"}'), entry("y", ordinal=1, event='{"id":"2"}'))
    again = (entry("x", ordinal=0, revision=1, origin="derived", event='{"id":"1"}'),)
    rows = (used(5, 20, 1, 0, identity="x"), used(7, 10, 1, 1, identity="y"))
    sql_store.record(batch(1, journal=journal, postings=rows))
    sql_store.record(batch(2, journal=again, postings=(used(1, 20, 2, 0, identity="x"),)))
    postings = Postings(sql_store)
    assert [(row.amount, event) for row, event in postings.entries(ALL)] == [
        (7, '{"id":"2"}'), (5, '{"id":"1"}'), (1, '{"id":"1"}'),
    ]  # fmt: skip
    assert [row.amount for row, _ in postings.entries(Clocks(None, 1), since=20)] == [5]


@pytest.mark.parametrize(("since", "until", "ends"), [("2026-01-31", "2026-02-01", 1), ("2026-02-01", "2026-04-30", 2)])
def test_months_end_on_firsts_at_midnight(sql_store: SqlStore, since: str, until: str, ends: int) -> None:
    """As many snapshots as months ended; a second run has nothing to make."""
    sql_store.record(batch(1, recorded_at=1, postings=(used(5, int(instant(since)), 1),)))
    assert sum_up(sql_store, int(instant(until))) == ends
    assert sum_up(sql_store, int(instant(until))) == 0


def test_a_store_that_never_wrote_has_nothing_to_sum_up(sql_store: SqlStore) -> None:
    """And says so instead of failing."""
    assert list(itertools.chain(Postings(sql_store).sums(ALL), Postings(sql_store).entries(ALL))) == []
    assert (sum_up(sql_store, APRIL), sum_up_at(sql_store, APRIL)) == (0, 0)
