"""What a late fact costs, counted in entries folded: what follows it, once, however many come together; or later, and said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from engine.domain.aggregates import person
from engine.domain.events import Event
from engine.domain.timeline import EVERY
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, load_bundle
from engine.policy.opa_child import OpaChild
from engine.service import folding
from engine.service.findings import Findings
from engine.service.process import Body
from engine.store.opening import open_store
from engine.store.sql_store import SqlStore
from tests.domain.make import event

ROOT = Path(__file__).parents[2]
ENTRIES = 800
"""Usages in order, one a minute."""
AROUND = EVERY + 8
"""What stands between a late fact and the snapshot before it, and deadlines that fall in between."""
pytestmark = pytest.mark.needs_opa


@pytest.fixture(scope="module")
def judged(opa_binary: str) -> Iterator[tuple[Bundle, OpaChild]]:
    """The shipped policies on a child OPA."""
    bundle = load_bundle(ROOT / "policies", Path(opa_binary))
    child = OpaChild(bundle, Path(opa_binary))
    yield bundle, child
    child.close()


def used(minute: int, ident: str) -> Event:
    """A usage of one person's, so many minutes into the day."""
    at = f"2026-03-01T{minute // 60:02d}:{minute % 60:02d}:00Z"
    return event("usage.inference", at, ident=ident, credential="c", person="p-1", quantity="1")


class Lane:
    """A lane with one person's long history, and how often the person is folded."""

    def __init__(self, judged: tuple[Bundle, OpaChild], store: SqlStore) -> None:
        """Take the history in."""
        bundle, child = judged
        self.store = store
        self.body = Body(store, child, bundle)
        self.body.open(0)
        grant = event("grant.issued", "2026-01-01", ident="g", grant_id="G", holder="p-1", quantity="5000", vesting="immediate")
        self.take([grant, *(used(number, f"u-{number}") for number in range(ENTRIES))])

    def take(self, events: list[Event]) -> int:
        """Take a batch in; gives how many of the person's entries were folded for it."""
        return self._folds(lambda: self.body.process(0, [Arrival(one) for one in events], {}, 1))

    def catch_up(self) -> int:
        """Do what was left to the background; gives how many of the person's entries were folded for it."""
        return self._folds(lambda: self.body.redecide(0, 2))

    def _folds(self, work: object) -> int:
        assert callable(work)
        with mock.patch.object(person, "fold", side_effect=person.fold) as fold:
            work()
        return fold.call_count


@pytest.fixture
def lane(judged: tuple[Bundle, OpaChild], tmp_path: Path) -> Iterator[Lane]:
    """A lane over a store in a file."""
    store = open_store(f"sqlite:///{tmp_path / 'covenant.db'}")
    yield Lane(judged, store)
    store.close()


def test_a_late_fact_costs_what_follows_it_and_not_the_history(lane: Lane) -> None:
    """A usage on time folds itself; one before the last hundred folds those; one at the very beginning all."""
    assert lane.take([used(ENTRIES, "on-time")]) <= AROUND
    late = lane.take([used(ENTRIES - 100, "late")])
    assert 100 < late <= 2 * 100 + 2 * AROUND
    assert lane.take([used(0, "a-first")]) >= ENTRIES


def test_a_burst_of_late_facts_is_corrected_together(lane: Lane) -> None:
    """Fifty in one batch fold what follows the first of them once, not fifty times."""
    burst = [used(ENTRIES - 100 + number, f"late-{number}") for number in range(50)]
    assert lane.take(burst) <= 2 * (100 + 50 + 2 * AROUND)


def test_a_long_tail_is_left_to_the_background_and_said_to_be(lane: Lane) -> None:
    """Its aggregate isn't folded in the batch; a finding about it says so, and nothing of it is told until it is done."""
    with mock.patch.object(folding, "TAIL", 100):
        folds = lane.take([event("grant.voided", "2026-02-01", ident="v", grant_id="G", holder="p-1", reason="a mistake")])
        findings = Findings(lane.store)
        assert folds == 0
        assert findings.attention() == [
            "One aggregate is being decided anew because of late facts; what is shown of it may yet change."
        ]
        assert lane.body.dirty(0) == ["acme/person/p-1"]
        assert lane.catch_up() >= ENTRIES
    assert findings.attention() == []
    (found,) = [row for row in lane.store.unsettled(0) if row.rule == "FU-008"]
    detail = findings.detail(found.id)
    assert (detail.count, detail.unfinished) == (ENTRIES, "")
    assert detail.timeline[0].cause is not None
    assert detail.timeline[0].cause.id == "v"
