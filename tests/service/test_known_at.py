"""What was known when, over several lanes: answered by when each fact was learnt, in whichever batch and lane it was recorded.

The oracle folds the journal again; it is held against postings that four lanes made, each in batches of its own, with
what one derives for another under way in between.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.domain.derivation import read_deliveries
from engine.domain.events import Event
from engine.domain.order import aggregate, lane
from engine.domain.values import DAY_US, instant
from engine.intake.arrivals import Arrival
from engine.service import folding
from engine.service.process import Body
from engine.service.relearning import Nobody
from engine.service.replay import finish_lane
from tests.domain.make import event
from tests.service.books import NO_RULES, Opened, recorded, row
from tests.service.test_ledger import DAY_0, histories, some

LANES = 4
WALL = int(instant("2027-01-01"))
"""The workers' clock: long after everything was learnt, as it is when an archive is loaded through Kafka."""


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Opened]:
    """Fresh books."""
    opened = Opened(f"sqlite:///{tmp_path / 'books.db'}")
    yield opened
    opened.store.close()


def through_lanes(books: Opened, events: list[Event], chance: random.Random) -> None:
    """Take events in over four lanes, in batches and interleavings drawn at random; the clock never stands still.

    Reference data comes at some moment of the run, so that lanes have folded without it, and with what is learnt later.
    """
    body = Body(books.store, Nobody(NO_RULES), NO_RULES, lanes=LANES)
    clock = itertools.count(WALL)
    waiting: dict[int, list[Event]] = {number: [] for number in range(LANES)}
    reference = [one for one in events if one.data.TOPIC == "reference"]
    for one in events:
        if one.data.TOPIC != "reference":
            waiting[lane(aggregate(one), LANES)].append(one)
    for number in range(LANES):
        body.open(number)
    while reference or any(waiting.values()) or any(books.store.outbox(number, 0, 1) for number in range(LANES)):
        number = chance.randrange(LANES)
        size = chance.randint(1, 5)
        batch, waiting[number] = waiting[number][:size], waiting[number][size:]
        if reference and not chance.randrange(LANES):
            body.refer([Arrival(reference.pop())], {}, next(clock))
        if batch:
            body.process(number, [Arrival(one) for one in batch], {}, next(clock))
        elif body.pending(number):
            body.redecide(number, next(clock))
        relay(books, body, chance.randrange(LANES), clock)
    for _ in range(LANES):  # what a lane still has to re-decide may be news to another
        for number in range(LANES):
            finish_lane(body, number, next(clock), until=max(one.time for one in events))
            relay(books, body, number, clock)


def relay(books: Opened, body: Body, number: int, clock: Iterator[int]) -> None:
    """Bring what a lane derived for others to them."""
    rows = books.store.outbox(number, 0, 50)
    for message in rows:
        for delivery in read_deliveries(message.value):
            body.process(lane(message.key, LANES), [delivery], {}, next(clock))
    if rows:
        books.store.mark_published(number, rows[-1].sequence)


def test_a_transfer_learnt_late_in_another_lane_is_known_from_when_it_was_learnt(books: Opened) -> None:
    """The giver's lane, the grant's name's and the receiver's all record it in 2027; it was learnt on 5 February."""
    events = [
        event("grant.issued", "2026-01-01", grant_id="A", holder="p-1", quantity="10", vesting="immediate", pool="L"),
        event("usage.inference", "2026-01-20", person="p-2", quantity="3"),
        event("usage.inference", "2026-02-10", person="p-1", quantity="1"),
    ]
    moved = event("grant.transferred", "2026-01-10", grant_id="A", to="p-2")
    through_lanes(books, [*(recorded(one, one.time) for one in events), recorded(moved, "2026-02-05")], random.Random(1))
    for known_at, expected in (("2026-02-04", {"p-1": "10"}), ("2026-02-05", {"p-1": "0", "p-2": "7"})):
        lines = {line.holder: row(line, "outstanding")[0] for line in books.at("2026-02-01", known_at) if line.grant == "A"}
        assert lines == expected
        pooled = {line.holder: row(line, "outstanding")[0] for line in books.at("2026-02-01", known_at, pool="L")}
        assert pooled == expected
        assert some(books.at("2026-02-01", known_at)) == some(books.folded("2026-02-01", known_at))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    events=histories(),
    seed=st.integers(0, 2**32),
    tail=st.sampled_from([1, folding.TAIL]),
    clocks=st.lists(st.tuples(st.integers(0, 100), st.integers(0, 120)), min_size=2, max_size=4),
)
def test_whatever_lanes_recorded_it_the_books_say_what_was_known(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], seed: int, tail: int, clocks: list[tuple[int, int]]
) -> None:
    """At any two moments postings agree with all that came in folded again, and nothing is unaccounted for.

    Long tails may be left to the background, and rates come after what they price.
    """
    books = Opened(f"sqlite:///{tmp_path_factory.mktemp('books') / 'books.db'}")
    try:
        with mock.patch.object(folding, "TAIL", tail):
            through_lanes(books, events, random.Random(seed))
        for as_of, known_at in clocks:
            moments = (DAY_0 + as_of * DAY_US, DAY_0 + known_at * DAY_US)
            posted = books.at(*moments)
            assert all(line.residual() == 0 for line in posted)
            assert some(posted) == some(books.folded(*moments))
    finally:
        books.store.close()
