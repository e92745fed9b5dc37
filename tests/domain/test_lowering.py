"""What is lowered isn't retroactive: sums held against a lowered threshold begin at that moment, others go on."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.aggregates import person
from engine.domain.events import Event
from engine.domain.lowering import SUMS, Lowering
from engine.domain.order import place
from engine.domain.reference import Reference
from engine.domain.values import MICRO, instant
from tests.domain.make import event
from tests.domain.test_outside import push
from tests.domain.test_person import WINDOWS, grant, usage

OLD = {
    "FU-001": {"cap_u": 100},
    "FU-004": {"consumers": 3},
    "FU-012": {"ppm": 7, "floor_s": 9},
    "IP-007": {"pushes": 5, "trivial_commits": 9},
    "FU-019": {"ppm": 7, "hours": 9},
}
FEBRUARY = instant("2026-02-01")


def sets(**more: dict[str, int]) -> dict[str, Any]:
    """Parameter sets: those of agreement A, and of agreement B, which has some of them changed."""
    b = {code: OLD[code] | more.get(code.replace("-", "_"), {}) for code in OLD}
    return {"default": OLD, "acme/A": OLD, "acme/B": b}


@pytest.mark.parametrize(("code", "name"), [(code, name) for code, names in SUMS.items() for name in names])
def test_a_sum_begins_where_its_own_threshold_became_lower(code: str, name: str) -> None:
    """By the least; not where it stayed, rose, or another rule's was lowered; and not under the first agreement."""
    governed = [(5, "A"), (FEBRUARY, "B")]
    for change, since in ((-1, FEBRUARY), (0, -1), (1, -1)):
        lowering = Lowering(sets(**{code.replace("-", "_"): {name: OLD[code][name] + change}}))
        assert {one: lowering.since("acme", governed, "B", one) for one in SUMS} == dict.fromkeys(SUMS, -1) | {code: since}
        assert lowering.since("acme", governed, "A", code) == -1
        assert lowering.since("acme", [(FEBRUARY, "B")], "B", code) == -1
        assert bool(lowering.told_apart()) == (change != 0)


def test_an_agreement_without_a_set_of_its_own_is_held_to_the_default() -> None:
    """The organisation's, else everybody's."""
    lowering = Lowering({"default": OLD, "acme/B": OLD | {"FU-001": {"cap_u": 99}}})
    assert lowering.since("acme", [(5, "unwritten"), (6, "B")], "B", "FU-001") == 6
    assert lowering.since("other", [(5, "unwritten"), (6, "B")], "B", "FU-001") == -1


def asked(events: list[Event], lowering: Lowering) -> list[dict[str, Any]]:
    """Fold a person's events in their order; give the facts of each question."""
    state = person.start("p-1", WINDOWS)
    found = [person.fold(state, one, place(one).time, Reference(), lowering) for one in sorted(events, key=place)]
    return [one.question.facts for one in found if one.question is not None]


def history() -> list[Event]:
    """Usage and pushes in January under A, and from February 1 on under B, the first at its very instant."""
    newer = grant("2026-02-01", grant_id="G2", agreement_version="B", priority=1)
    used = [usage(f"2026-01-{day}", "30", ident=f"u{day}") for day in (20, 25)]
    used += [usage("2026-02-01", "7", ident="at"), usage("2026-02-02", "5", ident="after")]
    idle = [
        event("usage.gpu", time, person="p-1", quantity="0", gpu_seconds="100", utilisation_ppm=0, ident=f"g{time}")
        for time in ("2026-01-31", "2026-02-01", "2026-02-02")
    ]  # fmt: skip
    return [
        grant("2026-01-01", agreement_version="A"),
        newer,
        *used,
        *idle,
        *map(push, ("2026-01-30", "2026-02-02", "2026-02-03")),
    ]


@pytest.mark.parametrize("lowered", [True, False])
def test_the_sums_of_a_person_begin_when_their_agreement_lowered_what_they_are_held_against(*, lowered: bool) -> None:
    """What was at that very instant counts; where nothing was lowered, the whole window does."""
    lower = {"FU_001": {"cap_u": 50}, "FU_012": {"floor_s": 1}, "IP_007": {"pushes": 2}} if lowered else {}
    facts = asked(history(), Lowering(sets(**lower)))
    use = [one["use"] for one in facts if "use" in one]
    assert use[-1]["ccu_30d_u"] == (12 if lowered else 72) * MICRO
    assert [one["gpu_idle_s_7d"] for one in use if "gpu_idle_s_7d" in one] == ([100, 100, 200] if lowered else [100, 200, 300])
    assert [one["outside"]["pushes_30d"] for one in facts if "outside" in one] == ([1, 1, 2] if lowered else [1, 2, 3])
    assert use[1]["ccu_30d_u"] == 60 * MICRO
