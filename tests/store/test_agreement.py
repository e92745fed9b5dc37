"""Any history told to two kinds of store leaves them holding the same, and refusing the same."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.domain.errors import LaneConflict
from engine.domain.records import (
    AggregateRow,
    Batch,
    InputRow,
    OriginalRow,
    Outdated,
    PayloadRow,
    SeenRow,
    ShadowRow,
    WithdrawnDecision,
)
from engine.store.memory_store import MemoryStore
from engine.store.opening import open_store
from engine.store.protocol import Store
from tests.store.conftest import emptied
from tests.store.make import batch, change, checkpoint, decision, derived, entry, everything, message, missing, posting, violation

OWN = {lane: [f"acme/person/{lane}-{number}" for number in range(3)] for lane in (-1, 0, 1)}
ALL = [name for names in OWN.values() for name in names]
small = st.integers(0, 3)
amounts = st.integers(-3, 3)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """A batch of any lane, its version yet to be given, with a few rows of every kind about the lane's own aggregates."""
    lane = draw(st.sampled_from([-1, 0, 0, 1]))
    own = st.sampled_from(OWN[lane])

    def some(make: Callable[..., Any], *parts: st.SearchStrategy[Any], **named: st.SearchStrategy[Any]) -> tuple[Any, ...]:
        return tuple(draw(st.lists(st.builds(make, *parts, **named), max_size=3)))

    ident = st.builds("{}/{}".format, own, small)
    journal = some(
        entry, st.builds("e{}".format, small), aggregate=own, revision=small, withdrawn=st.booleans(),
        effective=st.integers(0, 30), time=st.integers(0, 30), origin=st.sampled_from(["inbound", "derived", "forwarded"]),
    )  # fmt: skip
    since = st.integers(-1, 5)
    named = [AggregateRow(name, lane, draw(st.integers(0, 30)), draw(since), draw(since)) for name in OWN[lane]]
    accused = draw(st.sets(own, max_size=2))
    kinds = st.sampled_from(["consumed", "expired"])
    sequences = draw(st.lists(st.integers(1, 60), max_size=2, unique=True))
    return batch(
        1, lane, journal=journal, reference=draw(small), watermark=draw(small), outbox_sequence=draw(small),
        positions=draw(st.dictionaries(st.sampled_from(["a/0", "b/0"]), small)),
        seen=some(SeenRow, st.builds("s{}".format, st.integers(0, 150)), st.just("c")),
        decisions=tuple(
            decision(f"{row.aggregate}/{draw(small)}", aggregate=row.aggregate, identity=row.identity, time=row.time,
                     supersedes=draw(st.one_of(st.just(""), st.builds("{}/{}".format, st.just(row.aggregate), small))))
            for row in journal
        ),
        outdated=some(Outdated, own, st.integers(0, 30)),
        withdrawn=some(WithdrawnDecision, ident, st.just("late")), inputs=some(InputRow, st.sampled_from("xy"), st.just(b"i")),
        shadows=some(lambda about, one: ShadowRow("b", about, one, "t", 1, "pass", "{}"), own, st.sampled_from("ij")),
        originals=some(OriginalRow, st.sampled_from("ij"), st.sampled_from("pq")),
        payloads=some(PayloadRow, st.sampled_from("pq"), st.just(1), st.just(b"o")),
        postings=some(posting, amounts, aggregate=own, identity=st.sampled_from("ij"), kind=kinds),
        violations=tuple(violation(f"v{name}", aggregate=name, settled=draw(st.booleans())) for name in accused),
        changes=some(change, st.builds("v{}".format, own), st.integers(0, 90)),
        indeterminates=some(missing, st.sampled_from("fg"), aggregate=own, count=small),
        derived=some(derived, st.sampled_from("kl"), aggregate=own, revision=small),
        outbox=tuple(message(sequence) for sequence in sequences), aggregates=tuple(named),
    )  # fmt: skip


Step = Callable[[Store], Any]


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """One thing done to a store."""
    made = draw(batches())
    kind = draw(st.sampled_from(["record"] * 6 + ["publish", "replace", "keep", "keep"]))
    if kind == "publish":
        lane, sequence = draw(st.sampled_from([0, 1])), draw(st.integers(0, 9))
        return lambda store: store.mark_published(lane, sequence)
    if kind == "keep":
        kept = [
            checkpoint(draw(st.integers(0, 30)), aggregate=name, fold=draw(st.sampled_from("ffg"))) for name in OWN[made.lane]
        ]
        behind = draw(st.sampled_from([0, 0, 1]))
        return lambda store: store.keep_checkpoints(made.lane, store.lane(made.lane).version - behind, kept)
    if kind == "replace":
        return lambda store: store.replace_projections(made.lane, list(_again(store, made)))
    ahead = draw(st.sampled_from([1] * 8 + [0, 2]))
    return lambda store: store.record(msgspec.structs.replace(made, version=store.lane(made.lane).version + ahead))


def _again(store: Store, other: Batch) -> Iterator[Batch]:
    """The lane's batches with their decisions, the first with other postings."""
    for number, one in enumerate(store.batches(other.lane)):
        postings = other.postings if number == 0 else ()
        yield batch(
            one.version, one.lane, journal=one.journal, decisions=tuple(store.decisions(one.lane, one.version)), postings=postings
        )


def outcome(step: Step, store: Store) -> str:
    """Whether a step was done or refused."""
    try:
        step(store)
    except LaneConflict:
        return "refused"
    return "done"


def agree(history: list[Step], one: Store, other: Store) -> None:
    """Do everything to both; they must answer alike at every step and hold the same in the end."""
    for step in history:
        assert outcome(step, one) == outcome(step, other)
    assert everything(one, *ALL) == everything(other, *ALL)


QUIETLY = settings(
    deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, phases=[Phase.explicit, Phase.generate]
)


@settings(QUIETLY, max_examples=30)
@given(history=st.lists(steps(), max_size=12))
def test_sqlite_and_memory_hold_the_same_after_any_history(sqlite_template: Path, history: list[Step]) -> None:
    """Batches in and out of step, marks and rebuilt projections, in any order."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{shutil.copy(sqlite_template, Path(folder) / 'covenant.db')}")
        agree(history, store, MemoryStore())
        store.close()


@pytest.mark.needs_postgres
@settings(QUIETLY, max_examples=12)
@given(history=st.lists(steps(), max_size=12))
def test_postgres_and_memory_hold_the_same_after_any_history(postgres_database: str, history: list[Step]) -> None:
    """The same histories on PostgreSQL."""
    store = open_store(postgres_database)
    try:
        agree(history, store, MemoryStore())
    finally:
        store.close()
        emptied(postgres_database)
