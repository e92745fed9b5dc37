"""Tests of when a rule is to be held: too much in an hour, beside what is usual for it."""

from __future__ import annotations

import pytest

from engine.domain.breaker import limit, trips


@pytest.mark.parametrize(
    ("opened", "before", "held"),
    [(50, 0, False), (51, 0, True), (51, 280, True), (51, 286, False), (500, 2_800, False), (501, 2_800, True)],
)
def test_a_rule_is_held_beyond_the_floor_and_beyond_five_usual_days(opened: int, before: int, *, held: bool) -> None:
    """Just at the limit it isn't; 2,800 in 28 days are 100 a day, and so 500 an hour are its limit."""
    assert trips(opened, 50, before) is held


def test_the_limit_that_is_told_is_the_one_that_holds() -> None:
    """One more trips it, for any history."""
    for before in (0, 1, 279, 280, 281, 285, 286, 2_800, 2_801):
        assert not trips(limit(50, before), 50, before)
        assert trips(limit(50, before) + 1, 50, before)
