"""What was known when, after workers on a real broker recorded it all at once: by the producers' word on when it was learnt."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.domain import codec
from engine.domain.events import Event
from engine.domain.order import aggregate, lane
from engine.domain.values import DAY_US, instant
from engine.service.ledger import books_at
from engine.store.postings import Postings
from tests.domain.make import event
from tests.service.books import NO_RULES, Opened, clocks, example, folded_again, recorded, row
from tests.service.test_ledger import some
from tests.streams.cluster import LANES, Cluster

pytestmark = [pytest.mark.needs_kafka, pytest.mark.needs_opa, pytest.mark.needs_postgres]
START = int(instant("2026-07-01"))
PEOPLE = 8


def moved(person: int) -> list[Event]:
    """A grant that passes from one person to the next in July, which is learnt a month later; both used it meanwhile."""
    giver, taker, grant = f"p-{person}", f"p-{(person + 1) % PEOPLE}", f"M-{person}"
    issued = event("grant.issued", "2026-07-02", grant_id=grant, holder=giver, quantity="10", vesting="immediate")
    return [
        recorded(issued, "2026-07-02"),
        recorded(event("credential.created", "2026-07-02", credential=f"c-{person}", owner=giver), "2026-07-03"),
        recorded(event("usage.inference", "2026-07-05", credential=f"c-{person}", quantity="1", grant_id=grant), "2026-07-05"),
        recorded(event("usage.inference", "2026-07-20", person=taker, quantity="2", grant_id=grant), "2026-07-20"),
        recorded(event("grant.transferred", "2026-07-10", grant_id=grant, to=taker), "2026-08-10"),
    ]  # fmt: skip


def test_what_was_known_is_told_alike_however_many_lanes_and_workers_recorded_it(cluster: Cluster, tmp_path: Path) -> None:
    """Two workers over four lanes say at any two moments what the embedded body says, and what the journal folded again does."""
    events = [*example(), *(one for person in range(PEOPLE) for one in moved(person))]
    assert len({lane(aggregate(one), LANES) for one in events}) == LANES
    cluster.environment["COVENANT_TRUST_RECORDED_TIME"] = "true"
    cluster.send((f"covenant.{one.data.TOPIC}", aggregate(one), codec.write_event(one)) for one in events)
    cluster.drain(workers=2)
    alone = Opened(f"sqlite:///{tmp_path / 'alone.db'}")
    alone.take(sorted(events, key=lambda one: one.recorded_at))
    postings = Postings(cluster.store)
    for as_of, known_at in ((day, day + later) for day in range(3, 100, 12) for later in (0, 20, 60)):
        moments = clocks(START + as_of * DAY_US, START + known_at * DAY_US)
        posted = some(books_at(postings, moments, NO_RULES.windows).lines)
        assert posted == some(alone.at(moments.as_of, moments.known_at)), (as_of, known_at)
        assert posted == some(folded_again(cluster.store, moments)), (as_of, known_at)
    alone.store.close()
    for moment, expected in (("2026-08-09", {"p-0": "9"}), ("2026-08-10", {"p-0": "0", "p-1": "7"})):
        lines = books_at(postings, clocks("2026-08-01", moment), NO_RULES.windows).lines
        assert {line.holder: row(line, "outstanding")[0] for line in lines if line.grant == "M-0"} == expected
