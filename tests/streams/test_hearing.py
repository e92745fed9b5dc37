"""Nobody is told of a finding before all lanes have caught up and heard each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.domain.events import Event
from engine.domain.records import OutboxRow
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle
from engine.policy.opa_child import OpaChild
from engine.service.process import Body
from engine.service.replay import check
from engine.store.memory_store import MemoryStore
from engine.store.opening import open_store
from engine.store.protocol import Store
from streams.hearing import LASTS, Hearing
from tests.domain.make import event
from tests.store.make import batch
from tests.streams.test_lanes import STORY, Run

CALM = 4.0
USAGES = 20
"""Usages of the story."""


def usage(day: str) -> Event:
    """A usage of the story's credential."""
    return event("usage.inference", day, credential="c", quantity="5")


class Lanes:
    """Lanes of a store that write, and a relay that publishes what they tell."""

    def __init__(self, count: int) -> None:
        """Have each write once."""
        self.store = MemoryStore()
        self.versions = dict.fromkeys(range(count), 0)
        for lane in self.versions:
            self.write(lane)
        self.hearing = Hearing(self.store, count, CALM)

    def write(self, lane: int, *, behind: bool = False, tells: int = 0) -> None:
        """Have a lane write a batch that tells others so much."""
        self.versions[lane] += 1
        so_far = self.store.lane(lane).outbox_sequence
        rows = tuple(OutboxRow(so_far + number + 1, "covenant.derived", "k", b"v") for number in range(tells))
        self.store.record(
            batch(self.versions[lane], lane, journal=(), behind=behind, outbox=rows, outbox_sequence=so_far + tells)
        )

    def publish(self, lane: int) -> None:
        """Publish all that a lane tells."""
        self.store.mark_published(lane, self.store.lane(lane).outbox_sequence)

    def heard(self, since: float, until: float) -> list[bool]:
        """Ask each second of a while."""
        return [self.hearing.all(since + second) for second in range(int(until - since))]


def test_lanes_that_have_been_calm_for_a_while_have_heard_each_other() -> None:
    """Not at once, since a fact may be under way; then for as long as it is looked at."""
    found = Lanes(2).heard(0, 60)
    assert found == [False] * int(CALM) + [True] * (60 - int(CALM))


def test_a_lane_that_is_behind_keeps_all_silent() -> None:
    """Whichever lane it is, of whichever worker; once it has caught up, all have to be calm again."""
    lanes = Lanes(2)
    assert lanes.heard(0, 10)[-1]
    lanes.write(1, behind=True)
    assert not any(lanes.heard(11, 60))
    lanes.write(1)
    assert lanes.heard(60, 70) == [False] * int(CALM) + [True] * (10 - int(CALM))


def test_what_no_relay_has_published_keeps_all_silent() -> None:
    """A fact that may clear somebody waits in an outbox; nobody is told of anything before it is on its way."""
    lanes = Lanes(2)
    lanes.write(0, tells=3)
    assert not any(lanes.heard(0, 40))
    lanes.publish(0)
    assert lanes.heard(40, 41 + int(CALM))[-1]


def test_a_relay_that_stops_is_noticed() -> None:
    """What was heard once doesn't hold for ever."""
    lanes = Lanes(2)
    assert lanes.heard(0, 10)[-1]
    lanes.write(0, tells=1)
    found = lanes.heard(10, 60)
    assert not any(found[int(CALM * (LASTS + 1)) :])


def test_a_relay_that_is_always_a_little_behind_keeps_nobody_silent() -> None:
    """Lanes that never rest speak all the same, as long as what they tell is on its way in time."""
    lanes = Lanes(2)
    found = []
    for second in range(60):
        lanes.publish(0)
        lanes.write(0, tells=5)
        found.append(lanes.hearing.all(second))
    assert all(found[int(CALM) :])


def test_a_lane_alone_needs_no_relay() -> None:
    """It tells nobody else anything, so that a worker of one lane speaks without one."""
    lanes = Lanes(1)
    lanes.write(0, tells=3)
    assert lanes.heard(0, 10)[-1]


def told(store: Store) -> list[bool]:
    """Whether each finding may be spoken of."""
    keys = store.aggregates()
    return [row.settled for loaded in store.load(keys).values() for row in loaded.violations]


@pytest.mark.needs_opa
def test_a_lane_tells_nobody_while_it_has_more_to_read(tmp_path: Path, rules: tuple[Bundle, OpaChild], opa_binary: str) -> None:
    """Months after access ended all is judged, and internal; once the rest was read, it is spoken of. A replay agrees."""
    store = open_store(f"sqlite:///{tmp_path / 'covenant.db'}")
    store.save_bundle(rules[0].digest, rules[0].to_bytes(), 0)
    run = Run(store, rules[1], rules[0])
    rest = tuple(usage(f"2026-06-{day:02d}") for day in range(2, 20))
    run.feed(STORY[:-USAGES])
    run.feed((*STORY[-USAGES:], usage("2026-06-01")), more=len(rest))
    run.until(lambda: store.lane(0).positions.get("covenant.usage/0", 0) > USAGES)
    assert (store.lane(0).behind, len(told(store)) > 0, any(told(store))) == (True, True, False)
    run.feed(rest)
    run.until(lambda: all(told(store)))
    run.stop()
    assert not store.lane(0).behind
    assert check(store, Path(opa_binary)).first == ()
    store.close()


@pytest.mark.needs_opa
def test_what_a_later_fact_takes_back_was_never_said(rules: tuple[Bundle, OpaChild]) -> None:
    """A transfer whose approval is read months later, of another topic, was a finding meanwhile, and nobody was told."""
    bundle, child = rules
    store = MemoryStore()
    body = Body(store, child, bundle)
    complete = event("feed.completed_through", "2026-04-01", feed="approvals", through="2026-04-01")
    body.refer([Arrival(complete)], {}, 0)
    body.open(0)
    about = {"kind": "person", "id": "p-1"}
    transfer = event("grant.transferred", "2026-03-10", grant_id="G1", holder="p-1", to="p-2")
    approval = event("approval.granted", "2026-03-05", approval_id="a", kind="transfer", approver="p-9", about=about)
    issued = event("grant.issued", "2026-01-01", grant_id="G1", holder="p-1", quantity="100", vesting="immediate")
    for number, (one, caught_up) in enumerate(
        [(issued, False), (transfer, False), (usage("2026-09-01"), False), (approval, True)]
    ):
        body.finish(body.begin(0, [Arrival(one)], {}, number + 1, caught_up=caught_up))
    steps = {step: sum(store.steps({step}, 0, 9).values()) for step in ("opened", "settled", "retracted")}
    assert steps == {"opened": 1, "settled": 0, "retracted": 1}
