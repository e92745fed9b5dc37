"""The breaker over a broker: a rule is held in all lanes, released on record, and then told of once each."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.domain.codec import write_event
from engine.domain.events import Event
from engine.domain.order import aggregate
from engine.service import holding
from engine.service.publishing import VIOLATIONS
from engine.service.replay import check
from tests.domain.make import event
from tests.streams.cluster import Cluster

pytestmark = [pytest.mark.needs_kafka, pytest.mark.needs_postgres, pytest.mark.needs_opa]
FLOOR = 3
MANY = 16


def transfers() -> list[Event]:
    """Grants handed on without an approval, by people of all lanes: each a finding of FU-006."""
    made = [event("feed.completed_through", "2026-05-11", ident="told", feed="approvals", through="2026-05-11")]
    for number in range(MANY):
        who, grant = f"p-{number}", f"G-{number}"
        made += [
            event("grant.issued", "2026-05-01", ident=f"i{number}", grant_id=grant, holder=who, quantity="5"),
            event("grant.transferred", "2026-05-10", ident=f"m{number}", grant_id=grant, holder=who, to=f"p-t{number}"),
        ]
    return made


def test_a_rule_is_held_over_lanes_and_told_when_it_is_released(cluster: Cluster, opa_binary: str) -> None:
    """No more than the limit is told before, all is told after, and the journal replays the same."""
    cluster.environment["COVENANT_BREAKER"] = str(FLOOR)
    cluster.send((f"covenant.{one.data.TOPIC}", aggregate(one), write_event(one)) for one in transfers())
    cluster.drain()
    assert [hold.rule for hold in holding.holds(cluster.store.reference_of(holding.TYPES))] == ["FU-006"]
    told = len(cluster.topic(VIOLATIONS))
    waiting = cluster.rows("SELECT count(*) FROM violation WHERE rule = 'FU-006' AND NOT settled")[0][0]
    assert (told <= FLOOR, told + waiting) == (True, MANY)
    released = cluster.start("policy", "release", "FU-006", "--by", "counsel-2", "--why", "They were agreed to on paper.")
    assert released.wait(60) == 0, cluster.said(released)
    cluster.drain()
    assert cluster.rows("SELECT count(*) FROM violation WHERE NOT settled") == [(0,)]
    assert len(cluster.topic(VIOLATIONS)) == MANY
    assert check(cluster.store, Path(opa_binary)).first == ()
