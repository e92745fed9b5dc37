"""A correction names the event that was sent: over lanes, through derived facts, and after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.domain import cause
from engine.domain.derivation import read_deliveries
from engine.domain.events import Event
from engine.domain.order import aggregate, lane
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, load_bundle
from engine.policy.opa_child import OpaChild
from engine.service import folding
from engine.service.process import Body
from engine.service.replay import check
from engine.store.memory_store import MemoryStore
from tests.domain.make import event

ROOT = Path(__file__).parents[2]
LANES = 4
pytestmark = pytest.mark.needs_opa


@pytest.fixture(scope="module")
def judged(opa_binary: str) -> Iterator[tuple[Bundle, OpaChild]]:
    """The shipped policies on a child OPA."""
    bundle = load_bundle(ROOT / "policies", Path(opa_binary))
    child = OpaChild(bundle, Path(opa_binary))
    yield bundle, child
    child.close()


class Lanes:
    """Four lanes over one store; what one tells another arrives in a batch of its own."""

    def __init__(self, judged: tuple[Bundle, OpaChild]) -> None:
        """Begin with nothing taken in."""
        self.bundle, self.child = judged
        self.store = MemoryStore()
        self.store.save_bundle(self.bundle.digest, self.bundle.to_bytes(), 0)
        self.restart()

    def restart(self) -> None:
        """Have another worker take over."""
        self.body = Body(self.store, self.child, self.bundle, lanes=LANES)
        for number in range(LANES):
            self.body.open(number)

    def take(self, *events: Event) -> None:
        """Take events in, each in the lane of its aggregate, and all that follows from them."""
        for one in events:
            self.body.process(lane(aggregate(one), LANES), [Arrival(one)], {}, 1)
            while any(self._relay(number) for number in range(LANES)):
                pass

    def _relay(self, number: int) -> bool:
        rows = self.store.outbox(number, 0, 1000)
        for row in rows:
            self.body.process(lane(row.key, LANES), read_deliveries(row.value), {}, 1)
        if rows:
            self.store.mark_published(number, rows[-1].sequence)
        return bool(rows)

    def causes(self) -> dict[tuple[str, str], str]:
        """(Rule, change) → id of the late event it names; of decisions made anew as well."""
        named: dict[tuple[str, str], str] = {}
        for batch in (one for number in range(LANES) for one in self.store.projections(number)):
            rules = {row.id: row.rule for held in self.store.load(self.store.aggregates()).values() for row in held.violations}
            for step in batch.changes:
                behind = cause.read(step.cause)
                named[rules[step.violation], step.change] = behind.id if behind is not None else ""
        return named


def apart() -> tuple[str, str, dict[str, str]]:
    """Two people and a cluster's user that live in three different lanes."""
    people = [f"p-{number}" for number in range(40)]
    users = [f"cluster/u{number}" for number in range(40)]
    for first in people:
        for second in people:
            for user in users:
                keys = (f"acme/person/{first}", f"acme/person/{second}", f"acme/alias/unix_user:{user}")
                if len({lane(key, LANES) for key in keys}) == 3:
                    return first, second, {"kind": "unix_user", "value": user}
    raise AssertionError


def link(user: dict[str, str], person: str, time: str, ident: str) -> Event:
    """Say whose a cluster's user is, from the beginning of the year."""
    target = {"kind": "person", "id": person}
    return event("alias.linked", time, ident=ident, alias=user, target=target, verified=True, valid_from="2026-01-01")


def voided(person: str, grant: str) -> list[Event]:
    """A grant, taken back at once."""
    issued = event("grant.issued", "2026-01-01", ident=f"i-{grant}", grant_id=grant, holder=person, quantity="50")
    return [issued, event("grant.voided", "2026-01-02", ident=f"v-{grant}", grant_id=grant, holder=person, reason="a mistake")]


def test_a_corrected_link_is_named_in_the_lanes_of_both_people(judged: tuple[Bundle, OpaChild], opa_binary: str) -> None:
    """What it takes back from one and charges to the other names the link, not the usage it moved; a replay names the same."""
    wrong, right, user = apart()
    lanes = Lanes(judged)
    lanes.take(*voided(wrong, "G1"), *voided(right, "G2"), link(user, wrong, "2026-01-01", "link-1"))
    lanes.take(event("usage.gpu", "2026-01-10", ident="job", user=user, gpu_seconds="3600", quantity="3"))
    assert lanes.causes() == {("FU-008", "opened"): ""}
    lanes.restart()
    lanes.take(link(user, right, "2026-01-20", "link-2"))
    assert lanes.causes() == {("FU-008", "opened"): "link-2", ("FU-008", "retracted"): "link-2"}
    assert check(lanes.store, Path(opa_binary)).first == ()


def test_what_is_left_to_the_background_still_names_its_cause(
    judged: tuple[Bundle, OpaChild], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the worker that took the late fact in is gone by then."""
    person, _, _ = apart()
    lanes = Lanes(judged)
    issued, void = voided(person, "G1")
    lanes.take(issued, event("credential.created", "2026-01-01", credential="c", owner=person))
    lanes.take(*(event("usage.inference", f"2026-01-1{n}", credential="c", person=person, quantity="1") for n in range(9)))
    monkeypatch.setattr(folding, "TAIL", 3)
    lanes.take(void)
    assert lanes.causes() == {}
    lanes.restart()
    for number in range(LANES):
        lanes.body.redecide(number, 2)
    assert lanes.causes()["FU-008", "opened"] == "v-G1"
