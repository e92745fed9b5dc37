"""The correction horizon: what is older than it may excuse and take back, and never charges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.domain.events import Event
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, load_bundle
from engine.policy.opa_child import OpaChild
from engine.service.process import Body
from engine.service.replay import canonical, check, finish_lane
from engine.store.memory_store import MemoryStore
from tests.domain.make import event

ROOT = Path(__file__).parents[2]
DAYS = 30
pytestmark = pytest.mark.needs_opa
Take = Callable[..., MemoryStore]


@pytest.fixture(scope="module")
def take(opa_binary: str) -> Iterator[Take]:
    """Takes batches of events into a store under the shipped policies and a horizon, and lets all settle."""
    bundle: Bundle = load_bundle(ROOT / "policies", Path(opa_binary))
    child = OpaChild(bundle, Path(opa_binary))

    def run(*batches: list[Event], days: int = DAYS) -> MemoryStore:
        store = MemoryStore()
        store.save_bundle(bundle.digest, bundle.to_bytes(), 0)
        body = Body(store, child, bundle, horizon_days=days)
        body.refer([Arrival(TOLD)], {}, 0)
        body.open(0)
        for number, batch in enumerate(batches, 1):
            body.process(0, [Arrival(one) for one in batch], {}, number)
        finish_lane(body, 0, len(batches) + 1)
        return store

    yield run
    child.close()


TOLD = event("feed.completed_through", "2026-05-02", feed="approvals", through="2026-05-02")
GRANT = event("grant.issued", "2026-01-01", ident="g", grant_id="G1", holder="p-1", quantity="500")
KEY = event("credential.created", "2026-01-01", ident="k", credential="c", owner="p-1")
USED = event("usage.inference", "2026-01-20", ident="u", credential="c", quantity="5")
NOW = event("usage.inference", "2026-05-01", ident="now", credential="c", quantity="1")
MOVED = event("grant.transferred", "2026-01-10", ident="moved", grant_id="G1", holder="p-1", to="p-2")
APPROVED = event(
    "approval.granted", "2026-01-09", ident="yes", approval_id="a", kind="transfer", approver="p-9",
    about={"kind": "grant", "id": "G1"},
)  # fmt: skip
VOIDED = event("grant.voided", "2026-01-15", ident="void", grant_id="G1", holder="p-1", reason="a mistake")


def stands(store: MemoryStore) -> list[tuple[str, str]]:
    """Rule and status of each violation."""
    return sorted((row.rule, row.status) for one in store.load(store.aggregates()).values() for row in one.violations)


def outcomes(store: MemoryStore, ident: str, rule: str) -> list[dict[str, Any]]:
    """What stands of a rule about an event."""
    decisions = [row for one in store.load(store.aggregates()).values() for row in one.decisions if row.event_id == ident]
    return [said[rule] for row in decisions if rule in (said := msgspec.json.decode(row.outcomes))]


@pytest.mark.parametrize(("days", "found"), [(0, [("FU-008", "alleged")] * 2), (365, [("FU-008", "alleged")] * 2), (30, [])])
def test_an_old_fact_charges_nobody_within_or_without_a_horizon(take: Take, days: int, found: list[tuple[str, str]]) -> None:
    """A voiding told months late opens two findings; beyond the horizon it opens none, and each is excused by that name."""
    store = take([GRANT, KEY, USED, NOW], [VOIDED], days=days)
    assert stands(store) == found
    guards = [said.get("guard") for ident in ("u", "now") for said in outcomes(store, ident, "FU-008")]
    assert guards == ([None] * 2 if found else ["correction_horizon"] * 2)


def test_an_old_act_that_is_told_late_is_not_charged_itself(take: Take) -> None:
    """Its own lateness counts: months after, nobody is told of a transfer of January."""
    assert stands(take([GRANT, KEY, NOW], [MOVED])) == []
    assert stands(take([GRANT, KEY, NOW], [MOVED], days=0)) == [("FU-006", "alleged")]


def test_a_history_taken_in_in_order_is_never_too_old(take: Take) -> None:
    """However long ago it was: nothing had been decided that it would change."""
    assert stands(take([GRANT, KEY, MOVED], [NOW])) == [("FU-006", "alleged")]


def test_no_horizon_keeps_a_correction_in_the_holders_favour(take: Take) -> None:
    """An approval told months late takes back what was alleged."""
    store = take([GRANT, KEY, MOVED], [NOW], [APPROVED])
    assert stands(store) == [("FU-006", "retracted")]


def test_what_was_not_charged_stays_so_when_other_late_facts_come(take: Take) -> None:
    """A later refold within the horizon doesn't charge what the horizon had left alone."""
    recent = event("usage.inference", "2026-04-28", ident="recent", credential="c", quantity="1")
    store = take([GRANT, KEY, USED, NOW], [VOIDED], [recent])
    assert [said.get("guard") for said in outcomes(store, "now", "FU-008")] == ["correction_horizon"]


@pytest.mark.parametrize("days", [0, DAYS])
def test_a_replay_comes_out_the_same_under_the_horizon_that_was_in_force(take: Take, opa_binary: str, days: int) -> None:
    """Each batch says which it was; in order of event time, what it left uncharged is taken over from the record."""
    store = take([GRANT, KEY, USED, NOW], [VOIDED], [MOVED], [APPROVED], days=days)
    assert {batch.horizon for batch in store.batches(0)} == {days}
    assert check(store, Path(opa_binary)).first == ()
    assert canonical(store, Path(opa_binary)).first == ()
