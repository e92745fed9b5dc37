"""What the commands look up: a decision by the beginning of its id, what stands in numbers, postings, refused events.

Reads only, but for `forget_refused`, which ends a refused event's wait once it was taken in. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import and_, case, delete, func, or_, select

from engine.domain.aggregates.alias import LINKING
from engine.domain.errors import NotFound, UsageError
from engine.domain.records import DecisionRow, Recorded, RefusedRow, Row, ShadowRow, ViolationRow
from engine.store import tables as t
from engine.store.faults import translated
from engine.store.sql_store import SqlStore

R = TypeVar("R", bound=Row)
BEYOND = "g"
"""Sorts after every further hex digit."""


def _table(kind: Any) -> Any:
    return kind.__table__


B, D, J, P = _table(t.BatchTable), _table(t.DecisionTable), _table(t.JournalTable), _table(t.PostingTable)
V, MISSING, DERIVED = _table(t.ViolationTable), _table(t.IndeterminateTable), _table(t.DerivedTable)
REFUSED, BUNDLE, SHADOW = _table(t.RefusedTable), _table(t.BundleTable), _table(t.ShadowTable)


class Standing(msgspec.Struct, frozen=True):
    """What stands now, in numbers."""

    parked: int
    """Facts that wait at an alias for a verified link."""
    indeterminate: int
    """Missing facts, one a rule, aggregate and fact."""
    violations: dict[str, int]
    """Rule code → violations not retracted."""


class Lookups:
    """Looks up in a `SqlStore`."""

    def __init__(self, store: SqlStore) -> None:
        """Use an open store."""
        self.store = store

    def decisions(self, prefix: str, limit: int = 5) -> list[Recorded]:
        """Give decisions whose id begins so, the newest recording of each, by id."""
        query = select(D).where(D.c.id >= prefix, D.c.id < prefix + BEYOND)
        query = query.order_by(D.c.id, D.c.version.desc()).limit(limit * 4)
        found: dict[str, Recorded] = {}
        with self.store.reading() as c:
            for row in c.execute(query).mappings():
                decision = DecisionRow(**{name: row[name] for name in DecisionRow.__struct_fields__})
                found.setdefault(decision.id, Recorded(decision, row["lane"], row["version"], bool(row["stands"])))
        return list(found.values())[:limit]

    def decided(self, *, aggregate: str = "", passes: bool = True, all_: bool = False) -> Iterator[DecisionRow]:
        """Give decisions as they were recorded: those that stand, or all; of one aggregate; without mere passes if asked."""
        query = select(D).order_by(D.c.lane, D.c.version, D.c.ordinal)
        query = query if all_ else query.where(D.c.stands)
        query = query if passes else query.where(D.c.verdict != "pass")
        if aggregate:
            query = query.where(or_(D.c.aggregate == aggregate, D.c.aggregate.endswith(f"/{aggregate}", autoescape=True)))
        with self.store.reading() as c:
            for row in c.execution_options(yield_per=1000).execute(query).mappings():
                yield DecisionRow(**{name: row[name] for name in DecisionRow.__struct_fields__})

    def decisions_of_violations(self, prefix: str, limit: int = 5) -> list[tuple[str, str]]:
        """Give (id, last decision) of violations whose id begins so."""
        query = select(V.c.id, V.c.last_decision).where(V.c.id >= prefix, V.c.id < prefix + BEYOND)
        with self.store.reading() as c:
            return [(ident, decision) for ident, decision in c.execute(query.order_by(V.c.id).limit(limit))]

    def reference_of(self, lane: int, version: int) -> int:
        """Give how many reference entries a batch was folded with."""
        query = select(B.c.reference).where(B.c.lane == lane, B.c.version == version)
        with self.store.reading() as c:
            return int(c.execute(query).scalar_one())

    def judged_by(self) -> str:
        """Give the digest of the bundle that decided first; empty where nothing was decided."""
        with self.store.reading() as c:
            return str(c.execute(select(D.c.bundle).order_by(D.c.lane, D.c.version).limit(1)).scalar() or "")

    def lanes_of_batches(self) -> int:
        """Give how many lanes there were when the store was first written; 0 where it wasn't."""
        query = select(B.c.lanes).where(B.c.lane >= 0).order_by(B.c.lane, B.c.version).limit(1)
        with self.store.reading() as c:
            return int(c.execute(query).scalar() or 0)

    def standing(self) -> Standing:
        """Give what stands, in numbers."""
        # Of each fact the latest revision counts: the highest, and whether that one withdraws it.
        latest = func.max(J.c.revision * 2 + case((J.c.withdrawn, 1), else_=0))
        named = (
            select(J.c.aggregate, J.c.identity)
            .where(J.c.aggregate.like("%/alias/%"), J.c.origin != "forwarded", J.c.type.not_in(LINKING))
            .group_by(J.c.aggregate, J.c.identity)
            .having(latest % 2 == 0)
        )
        released = select(DERIVED.c.aggregate, DERIVED.c.identity).where(DERIVED.c.content != "")
        parked = select(func.count()).select_from(named.except_(released).subquery())
        counts = select(V.c.rule, func.count()).where(V.c.status != "retracted").group_by(V.c.rule).order_by(V.c.rule)
        with self.store.reading() as c:
            return Standing(
                parked=int(c.execute(parked).scalar_one()),
                indeterminate=int(c.execute(select(func.count()).where(MISSING.c["count"] > 0)).scalar_one()),
                violations={rule: int(count) for rule, count in c.execute(counts)},
            )

    def violations(self) -> list[ViolationRow]:
        """Give violations that aren't retracted, by rule, aggregate and discriminator."""
        query = select(V).where(V.c.status != "retracted").order_by(V.c.rule, V.c.aggregate, V.c.discriminator)
        with self.store.reading() as c:
            return _rows(c.execute(query), ViolationRow)

    def outcomes(self) -> list[tuple[str, str]]:
        """Give (aggregate, outcomes as JSON) of standing decisions that aren't a pass."""
        query = select(D.c.aggregate, D.c.outcomes).where(D.c.stands, D.c.verdict != "pass").order_by(D.c.aggregate)
        with self.store.reading() as c:
            return [(aggregate, outcomes) for aggregate, outcomes in c.execute(query)]

    def found(self, since: int | None, until: int | None) -> list[DecisionRow]:
        """Give standing decisions that aren't a pass, of events of a window (µs; None is open), by aggregate."""
        query = select(D).where(D.c.stands, D.c.verdict != "pass").order_by(D.c.aggregate, D.c.time, D.c.id)
        query = query.where(D.c.time >= since) if since is not None else query
        query = query.where(D.c.time < until) if until is not None else query
        with self.store.reading() as c:
            return _rows(c.execute(query), DecisionRow)

    def decisions_of(self, aggregate: str, identities: Collection[str]) -> dict[str, str]:
        """Give identity → id of the standing decision, of some entries of an aggregate."""
        query = select(D.c.identity, D.c.id).where(D.c.aggregate == aggregate, D.c.stands)
        with self.store.reading() as c:
            return {identity: ident for identity, ident in c.execute(query) if identity in identities}

    def bundles(self) -> list[str]:
        """Give the digests of the bundles whose decisions stand, that of the newest event first."""
        query = select(D.c.bundle).where(D.c.stands).group_by(D.c.bundle).order_by(func.max(D.c.time).desc(), D.c.bundle)
        with self.store.reading() as c:
            return list(c.execute(query).scalars())

    def shadowed(self, bundle: str) -> list[tuple[ShadowRow, str, str]]:
        """Give what a shadowed bundle said of each entry, and the id and outcomes of the decision that stands of it."""
        same = (D.c.aggregate == SHADOW.c.aggregate) & (D.c.identity == SHADOW.c.identity) & D.c.stands
        query = select(SHADOW, D.c.id, D.c.outcomes).join(D, same).where(SHADOW.c.bundle == bundle)
        with self.store.reading() as c:
            rows = c.execute(query.order_by(SHADOW.c.time, SHADOW.c.aggregate, SHADOW.c.identity)).all()
        return [(ShadowRow(*row[:-2]), row[-2], row[-1]) for row in rows]

    def bundle_named(self, prefix: str) -> str:
        """Give the digest that a prefix begins; `NotFound` and `UsageError` say when there is none or more than one."""
        query = select(BUNDLE.c.digest).where(BUNDLE.c.digest.startswith(prefix, autoescape=True)).limit(2)
        with self.store.reading() as c:
            found = list(c.execute(query).scalars())
        if not found:
            msg = f"The store keeps no revision {prefix}."
            raise NotFound(msg, "Name one by the beginning of its digest, or a folder of policies.")
        if len(found) > 1:
            msg = f"{prefix} begins the digests of several revisions."
            raise UsageError(msg, "Give more digits.")
        return str(found[0])

    def taken_in(self) -> int:
        """Give how many events were accepted."""
        with self.store.reading() as c:
            return int(c.execute(select(func.sum(B.c.accepted))).scalar() or 0)

    def holders(self, holder: str = "") -> list[str]:
        """Give the keys of persons that postings were made for, in order."""
        query = select(P.c.aggregate).distinct().order_by(P.c.aggregate)
        query = query.where(P.c.holder == holder) if holder else query
        with self.store.reading() as c:
            return list(c.execute(query).scalars())

    def refused(self, *, code: str = "", after: tuple[int, str] | None = None, limit: int = 500) -> list[RefusedRow]:
        """Give refused events in the order of recording, beyond the (recorded_at, id) of the last one seen."""
        query = select(REFUSED).order_by(REFUSED.c.recorded_at, REFUSED.c.id).limit(limit)
        query = query.where(REFUSED.c.code == code) if code else query
        if after is not None:
            at, ident = after
            later = (REFUSED.c.recorded_at > at) | and_(REFUSED.c.recorded_at == at, REFUSED.c.id > ident)
            query = query.where(later)
        with self.store.reading() as c:
            return _rows(c.execute(query), RefusedRow)

    def refused_by_prefix(self, prefix: str, limit: int = 5) -> list[RefusedRow]:
        """Give refused events whose id begins so."""
        query = select(REFUSED).where(REFUSED.c.id >= prefix, REFUSED.c.id < prefix + BEYOND).order_by(REFUSED.c.id)
        with self.store.reading() as c:
            return _rows(c.execute(query.limit(limit)), RefusedRow)

    def forget_refused(self, idents: Sequence[str]) -> None:
        """Take refused events off the list: they were taken in."""
        with translated("Refused events"), self.store.engine.begin() as c:
            for ident in idents:
                c.execute(delete(REFUSED).where(REFUSED.c.id == ident))


def _rows(result: Any, kind: type[R]) -> list[R]:
    return [kind(**{name: row[name] for name in kind.__struct_fields__}) for row in result.mappings()]
