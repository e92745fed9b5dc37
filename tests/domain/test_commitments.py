"""What a pool is told of the grants made from it: by example, and as an identity that holds whatever happens to them."""

from __future__ import annotations

import heapq
from collections import Counter
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.aggregates import person
from engine.domain.events import Event
from engine.domain.events.derived import DeadlineReached, GrantReceived, PoolCommitted
from engine.domain.order import place
from engine.domain.reference import Reference
from engine.domain.values import DAY_US, MICRO, instant, instant_text
from tests.domain.make import event
from tests.domain.test_person import WINDOWS, grant, usage

START = int(instant("2026-01-01"))


def day(number: int) -> str:
    """The start of a day after the first of January."""
    return str(instant_text(START + number * DAY_US))


def about(verb: str, number: int, **data: Any) -> Event:
    """An event of the grant G1 of p-1, on a day."""
    return event(f"grant.{verb}", day(number), **{"grant_id": "G1", "holder": "p-1"} | data)


class Told:
    """Several people, their deadlines and transfers carried through, and what their pools were told."""

    def __init__(self, events: list[Event], until: int) -> None:
        """Fold everything that stands until a day's start, that instant included."""
        self.people: dict[str, person.State] = {}
        self.said: list[tuple[str, str, int, int]] = []
        """Pool, unit, day, quantity."""
        self.consumed: Counter[str] = Counter()
        turns = count()
        waiting = [(place(one), next(turns), "p-1", one) for one in events]
        heapq.heapify(waiting)
        while waiting and waiting[0][0].time <= START + until * DAY_US:
            at, _, holder, one = heapq.heappop(waiting)
            state = self.people.setdefault(holder, person.start(holder, WINDOWS))
            effects = person.fold(state, one, at.time, Reference())
            for posting in effects.postings:
                self.consumed[posting.unit] += posting.amount if posting.kind == "consumed" else 0
            for target, fact in effects.derived:
                data: Any = fact.data
                if isinstance(data, PoolCommitted):
                    self.said.append((data.pool, data.unit, (at.time - START) // DAY_US, int(data.quantity) // MICRO))
                elif isinstance(data, (DeadlineReached, GrantReceived)):
                    heapq.heappush(waiting, (place(fact), next(turns), target.rsplit("/", 1)[1], fact))
        self.now = START + until * DAY_US

    def steps(self) -> list[tuple[int, int]]:
        """Day and quantity of all that was told, in order."""
        return [(on, quantity) for _, _, on, quantity in self.said]

    def held(self) -> Counter[str]:
        """Unit → what is left in people's hands and hasn't run out."""
        held: Counter[str] = Counter()
        for state in self.people.values():
            for one in state.grants.values():
                left = one.outstanding + one.unvested
                held[one.unit] += left if self.now < one.ends(state.ended_at, state.ended_reason) else 0
        return held


@pytest.mark.parametrize(
    ("events", "steps"),
    [
        ([usage(day(3), "30")], [(0, 100), (10, -70)]),
        ([about("expired", 12)], [(0, 100), (10, -100)]),
        ([about("expired", 5)], [(0, 100), (5, -100)]),
        ([about("amended", 5, expires_at=day(20))], [(0, 100), (20, -100)]),
        ([about("amended", 12, expires_at=day(20))], [(0, 100), (10, -100), (12, 100), (20, -100)]),
        ([about("amended", 5, expires_at=day(7))], [(0, 100), (7, -100)]),
        ([about("transferred", 5, to="p-2")], [(0, 100), (10, -100)]),
        ([about("transferred", 12, to="p-2")], [(0, 100), (10, -100), (12, 100), (12, -100)]),
        ([event("person.terminated", day(4), person="p-1")], [(0, 100), (4, -100)]),
        ([about("voided", 3), about("voided", 4)], [(0, 100), (3, -100)]),
    ],
)  # fmt: skip
def test_what_runs_out_comes_back_once_when_it_does(events: list[Event], steps: list[tuple[int, int]]) -> None:
    """Of a grant of a hundred units until the tenth day, whatever is said about it before or after."""
    issued = grant(pool="plan", expires_at=day(10))
    assert Told([issued, *events], 30).steps() == steps


def test_what_a_leavers_window_lets_run_out_comes_back_when_it_does() -> None:
    """What hasn't vested at once; what has when the window ends, unless the leaver is hired again in it, or it is pay."""
    left, hired = (event(f"person.{verb}", day(on), person="p-1") for verb, on in (("terminated", 3), ("hired", 6)))
    issued = event("grant.issued", day(0), grant_id="G1", holder="p-1", quantity="10", pool="plan", termination_window_days=5)
    vested = about("vested", 1, quantity="4")
    assert Told([issued, vested, left], 30).steps() == [(0, 10), (3, -6), (8, -4)]
    assert Told([issued, vested, left, hired], 30).steps() == [(0, 10), (3, -6)]
    again = [event("person.hired", day(9), person="p-1"), about("expired", 12)]
    assert Told([issued, vested, left, *again], 30).steps() == [(0, 10), (3, -6), (8, -4)]
    pay = grant(pool="plan", legal_character="pay")
    assert Told([pay, left], 30).steps() == [(0, 100)]


@pytest.mark.parametrize(("on", "back"), [(8, []), (10, []), (12, [(10, -100)])])
def test_what_a_rollover_does_not_carry_on_comes_back(on: int, back: list[tuple[int, int]]) -> None:
    """Thirty of a hundred units go on, whether the grant had run out before the rollover or not; at last they run out too."""
    issued = grant(pool="plan", expires_at=day(10), rollover_max="30")
    rolled = about("rolled_over", on, to_grant="G2", expires_at=day(20))
    told = Told([issued, rolled], 15)
    assert sum(quantity for _, quantity in told.steps()) == 30
    assert told.steps()[1 : 1 + len(back)] == back
    assert sum(quantity for _, quantity in Told([issued, rolled], 20).steps()) == 0


_ACTS = st.sampled_from(
    ["vested", "expired", "voided", "revoked", "forfeited", "suspended", "amended", "transferred", "rolled_over", "usage", "left",
     "hired"]
)  # fmt: skip


@st.composite
def _histories(draw: st.DrawFn) -> list[Event]:
    units = draw(st.lists(st.sampled_from(["CCU", "GPU-h"]), min_size=1, max_size=3))
    events = [
        event("grant.issued", day(draw(st.integers(0, 3))), grant_id=f"G{number}", holder="p-1", quantity="100", unit=unit,
              pool="plan", vesting=draw(st.sampled_from(["immediate", "by_event"])), expires_at=day(draw(st.integers(4, 12))),
              termination_window_days=draw(st.integers(0, 4)), rollover_max="30",
              rollover_min=str(draw(st.sampled_from([0, 20]))), legal_character=draw(st.sampled_from(["benefit", "pay"])))
        for number, unit in enumerate(units)
    ]  # fmt: skip
    for verb, on, number in draw(st.lists(st.tuples(_ACTS, st.integers(0, 15), st.integers(0, len(units) - 1)), max_size=10)):
        unit, data = units[number], {"grant_id": f"G{number}", "holder": "p-1"}
        if verb == "usage":
            events.append(usage(day(on), "15", unit=unit))
        elif verb in ("left", "hired"):
            events.append(event("person.terminated" if verb == "left" else "person.hired", day(on), person="p-1"))
        else:
            more: dict[str, Any] = {
                "vested": {"quantity": "40"}, "transferred": {"to": "p-2"}, "amended": {"expires_at": day(on + 5)},
                "rolled_over": {"to_grant": f"G{number}-next", "expires_at": day(on + 6)},
            }.get(verb, {})  # fmt: skip
            events.append(event(f"grant.{verb}", day(on), **data | more))
    return events


@given(_histories(), st.integers(0, 25))
def test_what_is_committed_is_what_was_consumed_and_what_is_still_held(events: list[Event], until: int) -> None:
    """In each unit, on any day of any life of grants, through transfers, rollovers, and the end of employment and its return."""
    told = Told(events, until)
    committed: Counter[str] = Counter()
    for _, unit, _, quantity in told.said:
        committed[unit] += quantity * MICRO
    assert +committed == +(told.consumed + told.held())
