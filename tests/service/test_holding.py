"""The breaker at work: a rule that opens too much is held, says so, and speaks again when a person has released it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from engine.domain.events import Event
from engine.domain.values import HOUR_US, instant
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, load_bundle
from engine.policy.opa_child import OpaChild
from engine.service import holding
from engine.service.process import Body
from engine.service.publishing import VIOLATIONS, Publisher
from engine.service.replay import check, rebuild
from engine.store.memory_store import MemoryStore
from tests.domain.make import event

ROOT = Path(__file__).parents[2]
FLOOR = 3
NOON = int(instant("2026-06-01T12:00:00Z"))
pytestmark = pytest.mark.needs_opa


@pytest.fixture(scope="module")
def judged(opa_binary: str) -> Iterator[tuple[Bundle, OpaChild]]:
    """The shipped policies on a child OPA."""
    bundle = load_bundle(ROOT / "policies", Path(opa_binary))
    child = OpaChild(bundle, Path(opa_binary))
    yield bundle, child
    child.close()


TOLD = event("feed.completed_through", "2026-05-11", ident="told", feed="approvals", through="2026-05-11")


class Run:
    """One lane whose rules may open three findings an hour."""

    def __init__(self, judged: tuple[Bundle, OpaChild], store: MemoryStore | None = None) -> None:
        """Begin with an empty store, or go on with one."""
        bundle, child = judged
        self.store = store if store is not None else MemoryStore()
        self.store.save_bundle(bundle.digest, bundle.to_bytes(), 0)
        self.body = Body(self.store, child, bundle, publisher=Publisher(b"a key of sixteen bytes"), breaker=FLOOR)
        self.body.refer([Arrival(TOLD)], {}, 0)
        self.body.open(0)
        self.told = 0

    def transfers(self, first: int, count: int, now: int) -> None:
        """Have so many people hand on a grant without an approval, each a finding of FU-006, in one batch at `now`."""
        events = [one for number in range(first, first + count) for one in transfer(number)]
        self.body.process(0, [Arrival(one) for one in events], {}, now)
        self.body.catch_up()

    def settle(self, now: int) -> None:
        """Let all be spoken of that may be."""
        self.body.catch_up()
        self.body.redecide(0, now)
        self.body.settle(0, now, ended=True)

    def said(self) -> int:
        """How many violations were published since the last look."""
        rows = self.store.outbox(0, self.told, 100_000)
        self.told = rows[-1].sequence if rows else self.told
        return sum(row.topic == VIOLATIONS for row in rows)

    def held(self) -> list[str]:
        """The rules that are held, as the reference log says."""
        return [hold.rule for hold in holding.holds(self.store.reference_of(holding.TYPES))]


def transfer(number: int) -> list[Event]:
    """One person's grant, and its transfer to another without an approval."""
    giver, grant = f"p-giver-{number}", f"G-{number}"
    return [
        event("grant.issued", "2026-05-01", ident=f"issued-{number}", grant_id=grant, holder=giver, quantity="5"),
        event("grant.transferred", "2026-05-10", ident=f"moved-{number}", grant_id=grant, holder=giver, to=f"p-taker-{number}"),
    ]


def test_a_rule_that_opens_too_much_is_held_whole_batches_at_a_time(judged: tuple[Bundle, OpaChild]) -> None:
    """Up to the limit all is spoken of; what goes beyond it isn't, nor is what had not been spoken of before."""
    run = Run(judged)
    run.transfers(0, FLOOR, NOON)
    assert run.held() == []
    run.transfers(FLOOR, 2, NOON + 60_000_000)
    run.settle(NOON + 120_000_000)
    assert run.held() == ["FU-006"]
    unsettled = run.store.unsettled(0)
    assert (run.said(), len(unsettled)) == (0, FLOOR + 2)
    assert {(row.rule, row.status) for row in unsettled} == {("FU-006", "provisional")}


def test_what_was_spoken_of_before_stays_so(judged: tuple[Bundle, OpaChild]) -> None:
    """Only what is new is held."""
    run = Run(judged)
    run.transfers(0, FLOOR, NOON)
    run.settle(NOON)
    assert run.said() == FLOOR
    run.transfers(FLOOR, 1, NOON + 1)
    run.settle(NOON + 2)
    assert (run.held(), run.said(), len(run.store.unsettled(0))) == (["FU-006"], 0, 1)


def test_hours_are_counted_by_themselves_and_usual_days_raise_the_limit(judged: tuple[Bundle, OpaChild]) -> None:
    """Three an hour for days on end are no fault; after 28 of them a day's mean allows for more in an hour."""
    run = Run(judged)
    for hour in range(24):
        run.transfers(hour * FLOOR, FLOOR, NOON + hour * (HOUR_US + 1))
        run.settle(NOON + hour * (HOUR_US + 1))
    assert run.held() == []
    run.transfers(1_000, 5 * 24 * FLOOR // 28, NOON + 40 * HOUR_US)
    run.settle(NOON + 40 * HOUR_US)
    assert run.held() == []
    run.transfers(2_000, 1, NOON + 40 * HOUR_US + 1)
    run.settle(NOON + 40 * HOUR_US + 1)
    assert run.held() == ["FU-006"]


def test_a_named_person_releases_it_and_it_is_spoken_of(judged: tuple[Bundle, OpaChild]) -> None:
    """Who and why is in the journal; what had been opened before the release counts against it no more."""
    run = Run(judged)
    run.transfers(0, FLOOR + 1, NOON)
    run.settle(NOON + 5)
    (hold,) = holding.release(run.store, "FU-006", "counsel-2", "The directory had been down.", NOON + 10)
    assert (hold.rule, hold.opened, hold.limit) == ("FU-006", FLOOR + 1, FLOOR)
    run.settle(NOON + 20)
    assert (run.held(), run.said(), run.store.unsettled(0)) == ([], FLOOR + 1, [])
    run.transfers(10, FLOOR, NOON + 30)
    run.settle(NOON + 31)
    assert run.held() == []
    run.transfers(20, 1, NOON + 40)
    run.settle(NOON + 41)
    assert run.held() == ["FU-006"]
    last = run.store.reference_of(holding.TYPES)[1]
    assert (msgspec.json.decode(last.event)["data"]["by"], last.type) == ("counsel-2", "compute.policy.released.v1")


def test_what_opens_and_goes_away_before_it_is_spoken_of_holds_no_rule(judged: tuple[Bundle, OpaChild]) -> None:
    """Topics that are caught up with open much that facts from other lanes take back; the rest is spoken of."""
    run = Run(judged)
    run.transfers(0, FLOOR + 3, NOON)
    approved = [
        event("approval.granted", "2026-05-02", ident=f"approved-{number}", approval_id=f"a-{number}", kind="transfer",
              approver="x", about={"kind": "person", "id": f"p-giver-{number}"})
        for number in range(3)
    ]  # fmt: skip
    run.body.process(0, [Arrival(one) for one in approved], {}, NOON + 1)
    run.settle(NOON + 2)
    assert (run.held(), run.said(), run.store.unsettled(0)) == ([], FLOOR, [])


def test_another_worker_holds_it_too(judged: tuple[Bundle, OpaChild]) -> None:
    """What one worker found out, a second one over the same store knows from the reference log."""
    run = Run(judged)
    run.transfers(0, FLOOR + 1, NOON)
    second = Run(judged, run.store)
    second.settle(NOON + 1)
    assert (second.said(), len(run.store.unsettled(0))) == (0, FLOOR + 1)


def test_a_replay_holds_and_releases_as_it_was(judged: tuple[Bundle, OpaChild], opa_binary: str) -> None:
    """From the journal alone, with no counting: the same decisions, and what is held and told when projections are rebuilt."""
    run = Run(judged)
    run.transfers(0, FLOOR + 1, NOON)
    run.settle(NOON + 1)
    holding.release(run.store, "FU-006", "counsel-2", "looked into", NOON + 2)
    run.settle(NOON + 3)
    run.transfers(10, FLOOR + 1, NOON + 4)
    run.settle(NOON + 5)
    before = violations(run.store)
    assert {row[-1] for row in before} == {"alleged", "provisional"}
    assert check(run.store, Path(opa_binary)).differences == 0
    rebuild(run.store, Path(opa_binary))
    assert violations(run.store) == before


def violations(store: MemoryStore) -> list[tuple[str, int, str]]:
    """How each violation stands."""
    loaded = store.load(store.aggregates()).values()
    return sorted((row.id, row.version, row.status) for one in loaded for row in one.violations)


def test_releasing_what_is_not_held_says_so(judged: tuple[Bundle, OpaChild]) -> None:
    """And where to look."""
    with pytest.raises(Exception, match="FU-001 isn't held"):
        holding.release(Run(judged).store, "FU-001", "counsel-2", "by mistake", NOON)
