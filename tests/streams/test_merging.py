"""Inputs are merged in step of event time, whatever the fetches were, and none waits longer than it must."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from streams.merging import ALWAYS, Ahead, Item, Merge, Step

NAMES = ("grants/0", "people/0", "usage/0")
times = st.lists(st.integers(0, 50), max_size=30)
inputs = st.fixed_dictionaries(dict.fromkeys(NAMES, times))
choices = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(1, 7), st.booleans(), st.integers(1, 9)), max_size=80)


def items(name: str, found: Sequence[int]) -> list[Item[int]]:
    """One item a time, its offset its index."""
    return [Item(time, name, offset, offset) for offset, time in enumerate(found)]


def run(data: dict[str, list[int]], steps: list[tuple[str, int, bool, int]], *, patient: bool = True) -> list[Item[int]]:
    """Feed inputs piece by piece, taking now and then; then feed the rest and take all."""
    merge: Merge[int] = Merge(dict.fromkeys(NAMES, 0))
    waiting = {name: items(name, found) for name, found in data.items()}
    for name, found in waiting.items():
        merge.reaches(name, len(found))
    taken: list[Item[int]] = []
    for name, count, now, limit in steps:
        piece, waiting[name] = waiting[name][:count], waiting[name][count:]
        if piece:
            merge.add(name, piece, piece[-1].offset + 1)
        if now:
            taken += merge.take(limit, patient=patient)
    for name, rest in waiting.items():
        merge.add(name, rest, len(data[name]))
    while more := merge.take(5, patient=patient):
        taken += more
    assert merge.drained
    assert merge.positions() == {name: len(found) for name, found in data.items()}
    return taken


@given(inputs, choices)
def test_every_input_keeps_its_order_and_nothing_is_lost_or_repeated(
    data: dict[str, list[int]], steps: list[tuple[str, int, bool, int]]
) -> None:
    """Per input, what comes out is what went in, with patience or without."""
    for patient in (True, False):
        taken = run(data, steps, patient=patient)
        for name in NAMES:
            assert [item for item in taken if item.input == name] == items(name, data[name])


@given(inputs, choices)
def test_ordered_inputs_come_out_in_order_of_time_however_they_were_fetched(
    data: dict[str, list[int]], steps: list[tuple[str, int, bool, int]]
) -> None:
    """With ends known and each input in order, the whole is in order: an input that ran ahead waited."""
    ordered = {name: sorted(found) for name, found in data.items()}
    taken = [item.time for item in run(ordered, steps)]
    assert taken == sorted(taken)


def test_an_input_that_ran_ahead_waits_for_one_that_is_known_to_have_more() -> None:
    """Months of usage aren't read before the grants that are still on their way."""
    merge: Merge[int] = Merge(dict.fromkeys(NAMES, 0))
    merge.reaches("grants/0", 1)
    merge.add("usage/0", items("usage/0", [10, 20]), 2)
    assert merge.take(10) == []
    merge.add("grants/0", items("grants/0", [15]), 1)
    assert [(item.input, item.time) for item in merge.take(10)] == [("usage/0", 10), ("grants/0", 15), ("usage/0", 20)]


def test_an_input_whose_end_is_read_holds_back_nobody() -> None:
    """A topic nobody writes to doesn't stop the others."""
    merge: Merge[int] = Merge(dict.fromkeys(NAMES, 0))
    merge.add("usage/0", items("usage/0", [10]), 1)
    assert [item.time for item in merge.take(10)] == [10]


def test_patience_is_bounded() -> None:
    """When it is time to wait no longer, what is there goes on."""
    merge: Merge[int] = Merge(dict.fromkeys(NAMES, 0))
    merge.reaches("grants/0", 1)
    merge.add("usage/0", items("usage/0", [10]), 1)
    assert merge.take(10) == []
    assert [item.time for item in merge.take(10, patient=False)] == [10]


def test_what_has_no_time_waits_for_nobody() -> None:
    """A refused message is recorded at once, in its place in its input."""
    merge: Merge[int] = Merge(dict.fromkeys(NAMES, 0))
    merge.reaches("grants/0", 1)
    merge.add("usage/0", [Item(ALWAYS, "usage/0", 0, 0), Item(5, "usage/0", 1, 1)], 2)
    assert [item.offset for item in merge.take(10)] == [0]


def test_a_position_never_passes_what_waits() -> None:
    """Of a message that holds three events, one taken leaves the position before it: it would be read again."""
    merge: Merge[int] = Merge(dict.fromkeys(NAMES, 0))
    merge.add("usage/0", [Item(1, "usage/0", 7, n) for n in range(3)], 8)
    assert len(merge.take(1)) == 1
    assert merge.positions()["usage/0"] == 7
    assert len(merge.take(5)) == 2
    assert merge.positions()["usage/0"] == 8


def test_what_somebody_else_recorded_is_left_out() -> None:
    """After a lane was read again from the store, what stands before its position doesn't wait any more."""
    merge: Merge[int] = Merge(dict.fromkeys(NAMES, 0))
    merge.add("usage/0", items("usage/0", [1, 2, 3]), 3)
    merge.skip("usage/0", 2)
    assert [item.offset for item in merge.take(10)] == [2]
    merge.add("usage/0", items("usage/0", [1, 2, 3, 4]), 4)
    assert [item.offset for item in merge.take(10)] == [3]


def test_nothing_beyond_a_limit_is_taken() -> None:
    """A lane that is ahead of what others tell it takes what is older, and leaves the rest."""
    merge: Merge[int] = Merge(dict.fromkeys(NAMES, 0))
    merge.add("usage/0", items("usage/0", [1, 5, 9]), 3)
    assert [item.time for item in merge.take(10, until=5)] == [1, 5]
    assert merge.head == 9


def test_a_lane_goes_a_few_batches_ahead_of_the_slowest_that_speaks() -> None:
    """Two batches are free; then it waits for the slowest of the others, and goes on once that one has come as far."""
    ahead = Ahead(batches=2, silence_s=1.0)
    ahead.took(100, now=0.0)
    assert ahead.limit(now=0.1) is None
    ahead.took(200, now=0.1)
    assert ahead.limit(now=0.2) == ALWAYS
    ahead.hear(1, 150, now=0.3)
    ahead.hear(2, 90, now=0.4)
    assert ahead.limit(now=0.5) == 90
    ahead.hear(2, 110, now=0.6)
    assert ahead.limit(now=0.7) is None


def test_a_lane_does_not_wait_for_those_who_have_nothing_to_say() -> None:
    """Silence ends the waiting, and whoever was silent for long isn't counted among the slow."""
    ahead = Ahead(batches=1, silence_s=1.0)
    ahead.hear(1, 10, now=0.0)
    ahead.took(500, now=0.5)
    assert ahead.limit(now=1.0) == 10
    assert ahead.limit(now=1.6) is None
    ahead.hear(2, 400, now=5.0)
    assert ahead.limit(now=5.1) == 400


def test_of_the_lanes_of_a_process_the_earliest_goes_first() -> None:
    """It is the turn of whoever stands earliest; who has nothing to do holds back nobody."""
    step = Step()
    assert step.stand(0, 50)
    assert not step.stand(1, 60)
    assert not step.stand(0, None)
    assert step.stand(1, 60)
