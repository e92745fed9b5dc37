"""What the commands look up, on every database."""

from __future__ import annotations

import pytest

from engine.domain.records import Batch, RefusedRow
from engine.store.lookups import Lookups, Standing
from engine.store.sql_store import SqlStore
from tests.store.make import P1, P2, batch, decision, derived, entry, missing, posting, violation

ALIAS = "acme/alias/credential:c"
USED, LINKED = "compute.usage.inference.v1", "compute.credential.created.v1"


def recorded(store: SqlStore, *batches: Batch) -> Lookups:
    """Record batches and look into the store."""
    for one in batches:
        store.record(one)
    return Lookups(store)


def refused(ident: str, at: int, code: str = "invalid") -> RefusedRow:
    """A refused line."""
    return RefusedRow(ident, "", "", code, "field", "Wrong.", "Right.", f"file:{at}", b"{", at)


def test_decisions_are_found_by_the_beginning_of_their_id(sql_store: SqlStore) -> None:
    """Each once, its newest recording; nothing else that sorts nearby."""
    ids = ["ab12", "ab34", "ac00", "aa99"]
    first = batch(1, decisions=tuple(decision(ident, ordinal=n) for n, ident in enumerate(ids)))
    again = batch(2, decisions=(decision("ab12", supersedes="ab34"),))
    found = recorded(sql_store, first, again).decisions("ab")
    assert [(one.decision.id, one.version, one.stands) for one in found] == [("ab12", 2, True), ("ab34", 1, False)]
    assert Lookups(sql_store).decisions("ff") == []


def test_violations_lead_to_the_decision_they_rest_on(sql_store: SqlStore) -> None:
    """By the beginning of their id."""
    lookups = recorded(sql_store, batch(1, violations=(violation("abcd", last_decision="d9"), violation("ffff"))))
    assert lookups.decisions_of_violations("ab") == [("abcd", "d9")]


def test_a_store_says_by_what_it_was_judged_and_in_how_many_lanes(sql_store: SqlStore) -> None:
    """Nothing, as long as nothing was."""
    lookups = Lookups(sql_store)
    assert (lookups.judged_by(), lookups.lanes_of_batches()) == ("", 0)
    recorded(sql_store, batch(1, lanes=4, reference=3, decisions=(decision("d", bundle="digest"),)))
    assert (lookups.judged_by(), lookups.lanes_of_batches()) == ("digest", 4)
    assert lookups.reference_of(0, 1) == 3


def test_what_stands_is_counted(sql_store: SqlStore) -> None:
    """Parked are facts at an alias that were neither released nor withdrawn; links aren't facts."""
    journal = (
        entry("linked", aggregate=ALIAS, type=LINKED, ordinal=0),
        entry("waits", aggregate=ALIAS, type=USED, ordinal=1),
        entry("released", aggregate=ALIAS, type=USED, ordinal=2),
        entry("withdrawn", aggregate=ALIAS, type=USED, ordinal=3, origin="derived", revision=1),
        entry("sent away", aggregate=ALIAS, type=USED, ordinal=4, origin="forwarded"),
        entry("a person's", aggregate=P1, type=USED, ordinal=5),
        entry("taken back", aggregate=ALIAS, type=USED, ordinal=6),
    )
    sent = (
        derived("k1", aggregate=ALIAS, identity="released"),
        derived("k2", aggregate=ALIAS, identity="taken back", content=""),
    )
    gone = entry("withdrawn", aggregate=ALIAS, type=USED, origin="derived", revision=2, withdrawn=True)
    rows = (violation("a"), violation("b", status="retracted"), violation("c", rule="IP-001"))
    facts = (missing("facts.a"), missing("facts.b", count=0))
    lookups = recorded(
        sql_store, batch(1, journal=journal, derived=sent, violations=rows, indeterminates=facts), batch(2, journal=(gone,))
    )
    assert lookups.standing() == Standing(parked=2, indeterminate=1, violations={"FU-007": 1, "IP-001": 1})
    assert [row.id for row in lookups.violations()] == ["a", "c"]


def test_outcomes_are_those_of_standing_decisions_that_are_no_pass(sql_store: SqlStore) -> None:
    """A superseded one speaks no more."""
    first = (decision("d1", verdict="violation", outcomes='{"a":1}'), decision("d2", ordinal=1))
    then = (decision("d3", verdict="excused", outcomes='{"b":2}', identity="d1", supersedes="d1"),)
    lookups = recorded(sql_store, batch(1, decisions=first), batch(2, decisions=then))
    assert lookups.outcomes() == [(P1, '{"b":2}')]


def test_holders_are_those_that_postings_were_made_for(sql_store: SqlStore) -> None:
    """By the keys of their aggregates."""
    lookups = recorded(sql_store, batch(1, postings=(posting(5), posting(2, ordinal=1, aggregate=P2, holder="p-2"))))
    assert lookups.holders() == [P1, P2]
    assert lookups.holders("p-2") == [P2]


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_refused_events_come_in_pages_and_can_be_forgotten(sql_store: SqlStore, limit: int) -> None:
    """In the order of recording, none twice, none left out."""
    rows = (refused("b", 2), refused("a", 2), refused("c", 1, "not-json"))
    lookups = recorded(sql_store, batch(1, refused=rows))
    seen: list[str] = []
    after = None
    while page := lookups.refused(after=after, limit=limit):
        seen += [row.id for row in page]
        after = (page[-1].recorded_at, page[-1].id)
    assert seen == ["c", "a", "b"]
    assert [row.id for row in lookups.refused(code="not-json")] == ["c"]
    assert lookups.refused_by_prefix("b") == [rows[0]]
    lookups.forget_refused(["a", "c"])
    assert [row.id for row in lookups.refused()] == ["b"]
