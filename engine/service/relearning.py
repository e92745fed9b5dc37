"""Postings as one lane would have made them that took everything in as it was learnt.

Sums say what was known at a moment only where facts were recorded in the order in which they were learnt. Lanes that read
an archive in step of event time don't, nor does a later run that brings what it says was learnt before things already
booked: what one aggregate told another then carries the moment of whoever completed it, and that may be too early as well
as too late. For such a question, and for it alone, all that came in is folded again, in order, into a store of its own,
which lasts as long as the postings it answers for. Asks no rules; reads the store it is asked about, and writes none of it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

import msgspec

from engine.domain import codec
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, digest_of
from engine.policy.catalogue import Catalogue
from engine.policy.evaluator import Answer
from engine.service.ingest import ingest
from engine.service.process import Body
from engine.store.opening import open_store
from engine.store.postings import Postings
from engine.store.sql_store import SqlStore


class Nobody:
    """Stands where rules are asked, for a bundle that has none."""

    opa_version = "none"

    def __init__(self, bundle: Bundle) -> None:
        """Stand for a bundle without rules."""
        self.revision = bundle.digest

    def evaluate(self, inputs: Sequence[bytes]) -> list[Answer]:
        """Answer nothing: nothing is asked."""
        return [Answer("", error="nobody was asked") for _ in inputs]

    def submit(self, inputs: Sequence[bytes]) -> Future[list[Answer]]:
        """Do the same."""
        done: Future[list[Answer]] = Future()
        done.set_result(self.evaluate(inputs))
        return done

    def close(self) -> None:
        """Hold nothing."""


def ruleless(windows: Mapping[str, int]) -> Bundle:
    """Give a bundle without rules that folds over windows (µs)."""
    files = {"params.json": json.dumps({"facts": dict(windows), "params": {"default": {}}})}
    return Bundle(digest_of(files), files, Catalogue(()))


def as_learnt(postings: Postings, known_at: int | None, windows: Mapping[str, int]) -> Postings:
    """Give postings that say what was known at a moment: these, or where they can't, such as are made of all that came in."""
    if postings.in_order(known_at):
        return postings
    return postings.relearnt or relearn(postings, windows)


def relearn(postings: Postings, windows: Mapping[str, int], progress: Callable[[int], None] = lambda _: None) -> Postings:
    """Make such postings, and have them answer from now on where the others can't; `progress` counts what came in."""
    folder = Path(tempfile.mkdtemp(prefix="covenant-books-"))
    try:
        store = open_store(f"sqlite:///{folder / 'books.db'}")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    made = Postings(store)
    weakref.finalize(made, _remove, store, folder)
    bundle = ruleless(windows)
    ingest(Body(store, Nobody(bundle), bundle), _came_in(postings), clock=lambda: 1, progress=progress)
    postings.relearnt = made
    return made


def _remove(store: SqlStore, folder: Path) -> None:
    store.close()
    shutil.rmtree(folder, ignore_errors=True)


def _came_in(postings: Postings) -> Iterator[Arrival]:
    for written, learnt in postings.came_in():
        yield Arrival(msgspec.structs.replace(codec.parse_event(written), recorded_at=learnt))
