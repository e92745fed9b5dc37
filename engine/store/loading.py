"""Reading all that is held of aggregates, so that a lane can take them into memory.

Owns the queries of `load`: a constant number, each with all keys as one parameter or two. Most keys of a first batch are
unknown, so the aggregates' own table is asked first and the large tables only about those it knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, func, select, text

from engine.domain.records import (
    Checkpoint,
    DecisionRow,
    DerivedRow,
    IndeterminateRow,
    JournalRow,
    Loaded,
    PostingRow,
    Row,
    ViolationRow,
)
from engine.store import tables as t
from engine.store.dialects import Dialect

R = TypeVar("R", bound=Row)


def columns(model: Any) -> Any:
    """Give the columns of a model's table, by name."""
    return model.__table__.c


def of(kind: type[Row], table: Any, *more: Any) -> Select[Any]:
    """Select what makes a row of a kind, in its order, and further columns after it."""
    return select(*(table[name] for name in kind.__struct_fields__), *more)


class Loader:
    """Loads within one connection."""

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        """Use a connection."""
        self._connection = connection
        self._dialect = dialect

    def load(self, aggregates: Sequence[str], fold: str = "") -> dict[str, Loaded]:
        """Give all that is held of each aggregate, or what comes after its checkpoint; see `Store.load`."""
        loaded = {key: Loaded(key) for key in aggregates}
        known = columns(t.AggregateTable)
        asked = select(known.aggregate, known.dirty_from, known.due, known.causes).where(
            self._dialect.among(known.aggregate, aggregates)
        )
        found = {key: rest for key, *rest in self._connection.execute(asked)}
        if not found:
            return loaded
        keys = list(found)
        for key, rest in found.items():
            loaded[key].dirty_from, loaded[key].due, loaded[key].causes = rest
        kept = self._checkpoints(loaded, [key for key in keys if loaded[key].dirty_from < 0], fold) if fold else {}
        if kept:
            self._tails(loaded, kept)
        whole = [key for key in keys if key not in kept]
        if whole:
            self._whole(loaded, whole)
        for violation in self._rows(ViolationRow, columns(t.ViolationTable), keys):
            loaded[violation.aggregate].violations.append(violation)
        for missing in self._rows(IndeterminateRow, columns(t.IndeterminateTable), keys):
            loaded[missing.aggregate].indeterminates.append(missing)
        return loaded

    def _checkpoints(self, loaded: dict[str, Loaded], keys: Sequence[str], fold: str) -> dict[str, int]:
        """Find checkpoints that are of use; gives from when on each leaves entries to be read."""
        table = columns(t.CheckpointTable)
        for checkpoint in self._rows(Checkpoint, table, keys, table.fold == fold):
            loaded[checkpoint.aggregate].checkpoint = checkpoint
        return {key: kept.since for key in keys if (kept := loaded[key].checkpoint) is not None}

    def _whole(self, loaded: dict[str, Loaded], keys: Sequence[str]) -> None:
        journal = columns(t.JournalTable)
        self._latest(loaded, of(JournalRow, journal).where(self._dialect.among(journal.aggregate, keys)))
        standing = columns(t.DecisionTable)
        for decision in self._rows(DecisionRow, standing, keys, standing.stands):
            loaded[decision.aggregate].decisions.append(decision)
        for posting in self._postings(keys):
            loaded[posting.aggregate].postings.append(posting)
        for derived in self._rows(DerivedRow, columns(t.DerivedTable), keys):
            loaded[derived.aggregate].derived.append(derived)

    def _tails(self, loaded: dict[str, Loaded], since: dict[str, int]) -> None:
        """Read what comes after checkpoints; decisions by the earliest event told of anything there."""
        journal, standing, sent = columns(t.JournalTable), columns(t.DecisionTable), columns(t.DerivedTable)
        told = self._latest(loaded, self._dialect.after(of(JournalRow, journal), journal.aggregate, journal.effective, since))
        decided = self._dialect.after(of(DecisionRow, standing), standing.aggregate, standing.time, told)
        for row in self._connection.execute(decided.where(standing.stands)):
            loaded[row.aggregate].decisions.append(DecisionRow(*row))
        for derived in self._rows(DerivedRow, sent, list(since), text(t.AGAIN)):
            loaded[derived.aggregate].derived.append(derived)

    def _latest(self, loaded: dict[str, Loaded], query: Select[Any]) -> dict[str, int]:
        """Take the latest revision of each entry; gives the earliest time of any revision by aggregate."""
        journal = columns(t.JournalTable)
        latest: dict[str, dict[str, JournalRow]] = {}
        told: dict[str, int] = {}
        query = query.where(journal.origin != "forwarded")
        for row in self._connection.execute(query.order_by(journal.version, journal.ordinal)):
            entry = JournalRow(*row)
            held = latest.setdefault(entry.aggregate, {})
            told[entry.aggregate] = min(entry.time, told.get(entry.aggregate, entry.time))
            before = held.get(entry.identity)
            if before is None or entry.revision > before.revision:
                held[entry.identity] = entry
        for key, held in latest.items():
            loaded[key].journal.extend(held.values())
        return told

    def _postings(self, keys: Sequence[str]) -> Iterator[PostingRow]:
        p = columns(t.PostingTable)
        by = (p.organisation, p.aggregate, p.identity, p.grant, p.holder, p.unit, p.kind)
        query = select(*by, func.sum(p.amount)).where(self._dialect.among(p.aggregate, keys)).group_by(*by)
        for organisation, aggregate, identity, grant, holder, unit, kind, amount in self._connection.execute(query):
            if amount:
                yield PostingRow(0, organisation, aggregate, identity, grant, holder, unit, kind, int(amount), 0, 0)

    def _rows(self, kind: type[R], table: Any, keys: Sequence[str], *where: Any) -> Iterator[R]:
        query = of(kind, table).where(self._dialect.among(table.aggregate, keys), *where)
        return (kind(*row) for row in self._connection.execute(query))
