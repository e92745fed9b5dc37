"""What a pool knows: GPU time by the hours in which it was held, what is committed, and which hours were full."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.aggregates import person, pool
from engine.domain.aggregates.draws import hours
from engine.domain.events import TYPES
from engine.domain.events.usage import UsageGpu
from engine.domain.lowering import Lowering
from engine.domain.order import place
from engine.domain.reference import Reference
from engine.domain.values import HOUR_US, Instant, Quantity
from tests.domain.make import event
from tests.domain.test_person import WINDOWS


def _facts(*events: Any) -> list[dict[str, Any]]:
    state, asked = pool.State(), []
    for one in events:
        effects = pool.fold(state, one, place(one).time, Reference())
        asked.append(effects.question.facts if effects.question else {})
    return asked


def _drawn(hour: str, holder: str, gpu_seconds: str) -> Any:
    end = f"2026-06-01T{int(hour) + 1:02d}:00:00Z"
    return event(
        "pool.drawn", end, pool="c", holder=holder, hour=f"2026-06-01T{hour}:00:00Z", provider="x", unit="CCU",
        gpu_seconds=gpu_seconds,
    )  # fmt: skip


@given(st.integers(0, 10**13), st.integers(0, 40 * 24 * HOUR_US), st.integers(0, 64))
def test_gpu_time_is_shared_out_exactly_over_the_hours_it_was_held(whole: int, length: int, gpus: int) -> None:
    """The parts come to the whole, none is negative, each hour is there once, and none lies outside."""
    at = 1_780_000_000_000_000
    data = UsageGpu(credential="k", gpu_seconds=Quantity(whole), gpus=gpus, started_at=Instant(at - length))
    parts = hours(data, at)
    assert sum(held for _, held in parts) == whole
    assert all(held >= 0 for _, held in parts)
    assert len({hour for hour, _ in parts}) == len(parts) <= 31 * 24 + 1
    assert all(hour <= at and (hour + HOUR_US > at - length) for hour, _ in parts)


def test_a_job_without_a_start_began_when_its_gpus_needed_it_to() -> None:
    """Two GPUs for four GPU-hours began two hours before."""
    data = UsageGpu(credential="k", gpu_seconds=Quantity(4 * HOUR_US), gpus=2)
    assert hours(data, 10 * HOUR_US) == [(8 * HOUR_US, 2 * HOUR_US), (9 * HOUR_US, 2 * HOUR_US)]


def test_a_cluster_that_shrinks_makes_no_earlier_hour_full() -> None:
    """Half of two GPUs was drawn; one GPU later on is no reason to call that hour full."""
    *_, before, after = _facts(
        event("pool.planned", "2026-06-01", pool="c", gpus=2),
        _drawn("01", "p-1", "3600"),
        event("pool.resized", "2026-06-01T03:00:00Z", pool="c", gpus=1),
        _drawn("04", "p-1", "3600"),
    )
    assert before["contended_hours"] == 0
    assert (after["contended_hours"], after["contended_capacity_gpu_s"], after["holder_contended_gpu_s"]) == (1, 3600, 3600)


def test_a_months_last_hour_is_that_months() -> None:
    """Its draw stands at the beginning of the next month."""
    state = pool.State()
    pool.fold(state, event("pool.planned", "2026-06-01", pool="c", gpus=1), 0, Reference())
    drawn = event("pool.drawn", "2026-07-01", pool="c", holder="p", hour="2026-06-30T23:00:00Z", provider="x", unit="CCU")
    question = pool.fold(state, drawn, drawn.time, Reference()).question
    assert question is not None
    assert question.event["month"] == "2026-06"


def test_a_cluster_without_a_plan_says_so() -> None:
    """A capacity is no promise of units; a pool of neither has a plan of none."""
    (cluster,) = _facts(event("pool.planned", "2026-06-01", pool="c", gpus=1))
    (empty,) = _facts(event("pool.planned", "2026-06-01", pool="c"))
    assert (cluster["plan"], empty["plan"]) == ("none", "units")


def test_units_are_never_added_to_others() -> None:
    """Of a plan in GPU-hours only those count: neither credits granted from it, nor a provider's share of credits."""
    plan = event("pool.planned", "2026-06-01", pool="c", quantity="5", unit="GPU-h")
    granted = [
        event("pool.committed", "2026-06-02", pool="c", grant_id=unit, holder="p", quantity=quantity, unit=unit)
        for unit, quantity in (("CCU", "100"), ("GPU-h", "4"))
    ]
    drawn = [
        event(
            "pool.drawn",
            "2026-06-03",
            pool="c",
            holder="p",
            hour="2026-06-02T23:00:00Z",
            provider=provider,
            units=units,
            unit=unit,
        )
        for provider, units, unit in (("x", "90", "CCU"), ("y", "1", "GPU-h"), ("x", "3", "GPU-h"))
    ]
    last = _facts(plan, *granted, *drawn)[-1]
    assert (last["plan_u"], last["committed_u"]) == (5_000_000, 4_000_000)
    assert (last["top_provider"], last["top_provider_ppm"], last["spend_90d_u"]) == ("x", 750_000, 4_000_000)


def test_what_a_person_is_granted_and_draws_says_its_unit() -> None:
    """Two grants of one pool in two units are two commitments and two draws of the hour."""
    state = person.start("p-1", WINDOWS)
    said: set[tuple[str, str, str]] = set()
    for number, unit in enumerate(("CCU", "GPU-h")):
        for one in (
            event("grant.issued", "2026-01-01", grant_id=unit, holder="p-1", quantity="10", unit=unit, pool="c"),
            event("grant.vested", "2026-01-01", grant_id=unit, quantity="10"),
            event("usage.inference", "2026-01-02", ident=f"u-{number}", credential="k", quantity="1", unit=unit),
        ):
            effects = person.fold(state, one, place(one).time, Reference())
            for target, fact in (*effects.derived, *((share.target, share.fact()) for share in effects.shares)):
                data: Any = fact.data
                if target == "acme/pool/c":
                    said.add((fact.type.split(".")[2], data.unit, fact.id))
    assert sorted((what, unit) for what, unit, _ in said) == [
        ("committed", "CCU"), ("committed", "GPU-h"), ("drawn", "CCU"), ("drawn", "GPU-h"),
    ]  # fmt: skip
    assert len({ident for *_, ident in said}) == 4


@pytest.mark.parametrize(("share", "counted"), [(5, 1), (7, 3), (9, 3)])
def test_a_share_that_a_revision_lowers_counts_from_the_next_whole_hour(share: int, counted: int) -> None:
    """The hour in which it became lower doesn't count, nor do those before; a share that stays or rises changes nothing."""
    lowering = Lowering(
        {"default": {"FU-019": {"ppm": 7, "hours": 1}}}, lambda _: {"default": {"FU-019": {"ppm": share, "hours": 1}}}
    )
    activated = event(
        "policy.activated", "2026-06-01", bundle="d", author="a", approver="b", effective_from="2026-06-01T02:30:00Z"
    )
    state, question = pool.State(), None
    for one in (
        event("pool.planned", "2026-06-01", pool="c", gpus=1),
        *(_drawn(f"0{hour}", "p-1", "3600") for hour in (1, 2, 3)),
    ):
        question = pool.fold(state, one, place(one).time, Reference([activated]), lowering).question
    assert question is not None
    assert question.facts["contended_hours"] == counted
    assert question.facts["holder_contended_gpu_s"] == question.facts["contended_capacity_gpu_s"] == counted * 3600


def test_that_the_board_approved_nothing_is_known_once_approvals_are_complete() -> None:
    """Only where the plan is exceeded is it asked, and a draw doesn't."""
    about = {"kind": "pool", "id": "c"}
    plan = event("pool.planned", "2026-06-01", pool="c", quantity="5")
    board = event("approval.granted", "2026-06-01", approval_id="a", kind="board", approver="x", about=about)
    told = event("feed.completed_through", "2026-07-01", feed="approvals", through="2026-07-01")
    more, exact = (
        event("pool.committed", "2026-06-02", pool="c", grant_id="G", holder="p", quantity=quantity, unit="CCU")
        for quantity in ("6", "5")
    )
    for events, said, known in (
        ([plan, more], [], False), ([plan, more], [told], True), ([plan, board, more], [], True), ([plan, exact], [], True),
        ([plan, more, _drawn("04", "p-1", "1")], [], True),
    ):  # fmt: skip
        state, question = pool.State(), None
        for one in events:
            question = pool.fold(state, one, place(one).time, Reference(said)).question or question
        assert question is not None
        assert ("approvals" in question.facts, "facts.approvals" in question.unknown) == (known, not known)


def test_a_fact_of_many_shares_ends_with_its_amounts() -> None:
    """So a share says a fact's other fields and then the amounts, and its sum differs from it in those alone."""
    summed = [kind for kind in TYPES.values() if kind.SUMMED]
    assert len(summed) == 2
    for kind in summed:
        assert kind.__struct_fields__[-len(kind.SUMMED) :] == kind.SUMMED
