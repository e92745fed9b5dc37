"""Checkpoints: the newest valid one is loaded, void ones never, old ones go."""

from __future__ import annotations

import pytest

from engine.domain.records import JournalRow
from engine.store.protocol import Store
from tests.store.make import P1, P2, batch, checkpoint, entry


def loaded(store: Store, fold_version: int = 1) -> tuple[int, int] | None:
    """Version and entries of the checkpoint that `load` gives of `P1`."""
    found = store.load([P1, P2], fold_version)[P1].checkpoint
    return (found.version, found.entries) if found else None


@pytest.fixture
def folded(store: Store) -> Store:
    """A store with two entries of an aggregate, at 10 and 20, in two batches."""
    store.record(batch(1, journal=(entry("a", effective=10),)))
    store.record(batch(2, journal=(entry("b", effective=20, revision=1), entry("x", aggregate=P2))))
    return store


def test_the_newest_checkpoint_is_loaded(folded: Store) -> None:
    """With its state as it was saved."""
    folded.save_checkpoints([checkpoint(1, 1, 10), checkpoint(2, 2, 20)])
    assert folded.load([P1], 1)[P1].checkpoint == checkpoint(2, 2, 20)


def test_no_checkpoint_is_loaded_unless_asked_for(folded: Store) -> None:
    """Fold version 0 asks for none; an aggregate that has none gives none."""
    assert loaded(folded) is None
    folded.save_checkpoints([checkpoint(2, 2, 20)])
    assert loaded(folded, 0) is None


def test_a_checkpoint_of_another_fold_version_is_ignored(folded: Store) -> None:
    """What folded differently is no beginning; an older one of the right version is."""
    folded.save_checkpoints([checkpoint(1, 1, 10), checkpoint(2, 2, 20, fold_version=2)])
    assert loaded(folded) == (1, 1)
    assert loaded(folded, 2) == (2, 2)
    assert loaded(folded, 3) is None


def test_of_an_aggregate_the_newest_two_are_kept(folded: Store) -> None:
    """The one before the newest is there for when the newest is void; others go, also when saved late."""
    folded.save_checkpoints([checkpoint(1, 1, 10)])
    folded.save_checkpoints([checkpoint(2, 1, 10), checkpoint(2, 2, 20)])
    folded.record(batch(3, journal=(entry("late", effective=15),)))
    assert loaded(folded) == (2, 1)
    folded.save_checkpoints([checkpoint(1, 1, 10)])
    folded.record(batch(4, journal=(entry("later", effective=5),)))
    assert loaded(folded) is None


def test_saving_a_checkpoint_again_changes_nothing(folded: Store) -> None:
    """It is a function of the journal."""
    folded.save_checkpoints([checkpoint(2, 2, 20)])
    folded.save_checkpoints([checkpoint(2, 2, 20)])
    folded.save_checkpoints([])
    assert loaded(folded) == (2, 2)


@pytest.mark.parametrize(
    ("late", "valid"),
    [
        (entry("c", effective=21), True),
        (entry("c", effective=20), False),
        (entry("c", effective=5), False),
        (entry("b", effective=30, revision=2), False),
        (entry("b", effective=20, revision=2, withdrawn=True), False),
        (entry("c", effective=5, aggregate=P2), True),
        (entry("c", effective=5, origin="forwarded"), True),
    ],
    ids=["after it", "at its place", "before it", "moved away", "withdrawn", "of another aggregate", "forwarded"],
)
def test_an_entry_before_its_place_makes_a_checkpoint_void(folded: Store, late: JournalRow, *, valid: bool) -> None:
    """Only what a later batch put or took away at or before its place counts."""
    folded.save_checkpoints([checkpoint(2, 2, 20)])
    folded.record(batch(3, journal=(late,)))
    assert loaded(folded) == ((2, 2) if valid else None)


def test_a_checkpoint_saved_after_the_late_entry_is_valid(folded: Store) -> None:
    """It knows the entry: its version says so."""
    folded.record(batch(3, journal=(entry("late", effective=5),)))
    folded.save_checkpoints([checkpoint(2, 2, 20)])
    assert loaded(folded) is None
    folded.save_checkpoints([checkpoint(3, 3, 20)])
    assert loaded(folded) == (3, 3)
