"""What people ask of the store: pages of findings, one finding's history, one person's account. Reads only.

Each page takes a constant number of queries and sees one moment of the store. Pages are keyset pages: a page begins
after the last row of the one before, however much was written meanwhile. Nothing here decides or words anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
from sqlalchemy import JSON, ColumnElement, Connection, and_, cast, func, literal, or_, select, type_coerce, union_all

from engine.domain import cause
from engine.domain.records import DecisionRow, IndeterminateRow, JournalRow, Row, ViolationChange, ViolationRow
from engine.domain.values import DAY_US
from engine.store import tables as t
from engine.store.protocol import REFERENCE_LANE
from engine.store.sql_store import SqlStore

R = TypeVar("R", bound=Row)
MANY = 500
"""Rows of one kind that a page reads at most."""
CONTRIBUTION = "compute.contribution.attributed.v1"
USAGE = ("compute.usage.inference.v1", "compute.usage.gpu.v1")
JOBS = ("compute.job.started.v1", "compute.job.heartbeat.v1", "compute.job.ended.v1")
ASKING = ("compute.identity.asked.v1", "compute.identity.resolved.v1")
FACETS = ("status", "severity", "rule", "holder", "repository")
FIELDS = (*FACETS, "clause", "respondent", "organisation")
"""Columns that a qualifier of the same name asks for."""


class Filters(msgspec.Struct, frozen=True):
    """What a finding must match: any value of each field that has some, all words, and a time it was seen in."""

    rule: tuple[str, ...] = ()
    holder: tuple[str, ...] = ()
    repository: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    clause: tuple[str, ...] = ()
    respondent: tuple[str, ...] = ()
    organisation: tuple[str, ...] = ()
    since: int | None = None
    """Seen at or after (µs)."""
    until: int | None = None
    """Opened before (µs)."""
    words: tuple[str, ...] = ()


class FindingsPage(msgspec.Struct, frozen=True):
    """One page of findings, newest first; `more` when others follow."""

    rows: list[ViolationRow]
    more: bool
    total: int
    facets: dict[str, list[tuple[str, int]]]
    """Field → (value, count), the field's own filter left aside."""


class FindingHistory(msgspec.Struct, frozen=True):
    """What led to a finding."""

    changes: list[ViolationChange]
    """Oldest first; of a long life the newest `MANY`."""
    decisions: list[DecisionRow]
    """Those that stand behind it, newest first, within the limit asked for."""
    ends: list[DecisionRow]
    """The decisions of its first and last event, standing or not."""
    causes: dict[str, JournalRow]
    """Identity → the late fact that changed it, where the journal holds it."""
    input: bytes
    """What the rules were asked about its last event; empty if it isn't kept."""


class Waiting(msgspec.Struct, frozen=True):
    """What isn't said yet."""

    holds: list[JournalRow]
    """Entries of the reference log that hold rules and release them, in recorded order."""
    unsettled: dict[tuple[str, str], int]
    """(organisation, rule) → violations that nobody may be told of yet."""
    dirty: int
    """Aggregates that have to be decided anew."""


class Posted(msgspec.Struct, frozen=True):
    """A sum of postings, micro-units."""

    grant: str
    unit: str
    kind: str
    amount: int


class DayOf(msgspec.Struct, frozen=True):
    """A sum over one UTC day since 1970: units posted as `kind`, or events counted as `events`."""

    day: int
    unit: str
    kind: str
    amount: int


class Contributed(msgspec.Struct, frozen=True):
    """What one person did in one repository."""

    repository: str
    name: str
    action: str
    in_org: bool | None
    events: int
    commits: int
    first_at: int
    last_at: int


class PersonRows(msgspec.Struct, frozen=True):
    """All that is held of one person."""

    events: list[JournalRow]
    """Grants, employment, approvals and disclosures, oldest first; usage and contributions are summed below, jobs left out."""
    balances: list[Posted]
    days: list[DayOf]
    contributions: list[Contributed]
    violations: list[ViolationRow]
    indeterminates: list[IndeterminateRow]
    verdicts: dict[str, int]


def table(kind: Any) -> Any:
    """Give a model's table."""
    return kind.__table__


V, D, J, P = table(t.ViolationTable), table(t.DecisionTable), table(t.JournalTable), table(t.PostingTable)
CHANGE, MISSING, BUNDLE = table(t.ChangeTable), table(t.IndeterminateTable), table(t.BundleTable)
AGGREGATE, INPUT = table(t.AggregateTable), table(t.InputTable)


class Queries:
    """Read-only queries over a `SqlStore`."""

    def __init__(self, store: SqlStore) -> None:
        """Use an open store."""
        self.store = store

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self.store.reading() as connection:
            if self.store.postgres:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    def ready(self) -> bool:
        """Answer a trivial question, or raise `StoreUnavailable`."""
        with self._reading() as c:
            c.execute(select(func.count()).select_from(table(t.LaneTable))).scalar_one()
        return True

    def waiting(self, types: Sequence[str]) -> Waiting:
        """Give what isn't said yet; `types` are those of the events that hold rules and release them."""
        holds = select(J).where(J.c.lane == REFERENCE_LANE, J.c.type.in_(types)).order_by(J.c.version, J.c.ordinal)
        internal = (~V.c.settled, V.c.status != "retracted")
        unsettled = select(V.c.organisation, V.c.rule, func.count()).where(*internal).group_by(V.c.organisation, V.c.rule)
        dirty = select(func.count()).select_from(AGGREGATE).where(AGGREGATE.c.dirty_from >= 0)
        with self._reading() as c:
            return Waiting(
                holds=_rows(c.execute(holds), JournalRow),
                unsettled={(organisation, rule): int(n) for organisation, rule, n in c.execute(unsettled)},
                dirty=int(c.execute(dirty).scalar_one()),
            )

    def dirty(self, aggregate: str) -> bool:
        """Whether an aggregate has to be decided anew."""
        query = select(AGGREGATE.c.dirty_from).where(AGGREGATE.c.aggregate == aggregate)
        with self._reading() as c:
            since = c.execute(query).scalar()
        return since is not None and int(since) >= 0

    def newest_bundle(self) -> str:
        """Give the digest of the bundle recorded last; empty when none was."""
        query = select(BUNDLE.c.digest).order_by(BUNDLE.c.recorded_at.desc(), BUNDLE.c.digest).limit(1)
        with self._reading() as c:
            return str(c.execute(query).scalar() or "")

    def findings(self, filters: Filters, after: tuple[int, str] | None, limit: int, most: int = 8) -> FindingsPage:
        """Give one page, newest first; `after` is (last_seen_at, id) of the last row of the page before."""
        query = select(V).where(*_conditions(filters)).order_by(V.c.last_seen_at.desc(), V.c.id).limit(limit + 1)
        if after is not None:
            at, ident = after
            query = query.where(or_(V.c.last_seen_at < at, and_(V.c.last_seen_at == at, V.c.id > ident)))
        with self._reading() as c:
            rows = _rows(c.execute(query), ViolationRow)
            counted = c.execute(_counts(filters, most)).all()
        facets: dict[str, list[tuple[str, int]]] = {name: [] for name in FACETS}
        total = 0
        for name, value, count in counted:
            if name == "":
                total = int(count)
            else:
                facets[name].append((str(value), int(count)))
        for values in facets.values():
            values.sort(key=lambda pair: (-pair[1], pair[0]))
        return FindingsPage(rows[:limit], len(rows) > limit, total, facets)

    def findings_by_prefix(self, prefix: str, limit: int = 5) -> list[ViolationRow]:
        """Give findings whose id (hex) begins so."""
        beyond = prefix + "g"  # sorts after every longer hex text
        query = select(V).where(V.c.id >= prefix, V.c.id < beyond).order_by(V.c.id).limit(limit)
        with self._reading() as c:
            return _rows(c.execute(query), ViolationRow)

    def history(self, row: ViolationRow, limit: int = 50) -> FindingHistory:
        """Give what led to a finding."""
        changes = select(CHANGE).where(CHANGE.c.violation == row.id).order_by(CHANGE.c.version.desc()).limit(MANY)
        standing = (
            select(D)
            .where(
                D.c.aggregate == row.aggregate,
                D.c.stands,
                D.c.verdict == "violation",
                D.c.outcomes.contains(f'"discriminator":{row.discriminator}', autoescape=True),
                D.c.outcomes.contains(f'"{row.rule}":', autoescape=True),
            )
            .order_by(D.c.time.desc(), D.c.identity)
            .limit(limit)
        )
        ends = select(D).where(D.c.id.in_({row.first_decision, row.last_decision}), D.c.aggregate == row.aggregate)
        with self._reading() as c:
            steps = _rows(c.execute(changes), ViolationChange)[::-1]
            decisions = _rows(c.execute(standing), DecisionRow)
            both = _rows(c.execute(ends), DecisionRow)
            causes = self._causes(c, [behind for step in steps if (behind := cause.read(step.cause)) is not None])
            last = [decision.input_digest for decision in both if decision.id == row.last_decision]
            asked = c.execute(select(INPUT.c.body).where(INPUT.c.digest.in_(last))).scalar()
        return FindingHistory(steps, decisions, both, causes, bytes(asked or b""))

    def _causes(self, c: Connection, causes: list[cause.Cause]) -> dict[str, JournalRow]:
        if not causes:
            return {}
        where = sorted({one.aggregate for one in causes})[:MANY]
        query = select(J).where(J.c.aggregate.in_(where), J.c.identity.in_(sorted({one.identity for one in causes})[:MANY]))
        return {row.identity: row for row in _rows(c.execute(query.order_by(J.c.revision)), JournalRow)}

    def organisations_of(self, person: str) -> list[str]:
        """Give the organisations that hold anything of a person."""
        ending = f"/person/{person}"
        query = select(AGGREGATE.c.aggregate).where(AGGREGATE.c.aggregate.endswith(ending, autoescape=True)).limit(MANY)
        with self._reading() as c:
            keys = [str(key) for key in c.execute(query).scalars()]
        return sorted(key.removesuffix(ending) for key in keys if "/" not in key.removesuffix(ending))

    def person(self, organisation: str, person: str) -> PersonRows:
        """Give all that is held of one person."""
        aggregate = f"{organisation}/person/{person}"
        balances = select(P.c.grant, P.c.unit, P.c.kind, func.sum(P.c.amount).label("amount"))
        balances = balances.where(P.c.aggregate == aggregate).group_by(P.c.grant, P.c.unit, P.c.kind)
        found = select(V).where(V.c.holder == person, V.c.organisation == organisation)
        missing = select(MISSING).where(MISSING.c.aggregate == aggregate, MISSING.c["count"] > 0)
        verdicts = select(D.c.verdict, func.count()).where(D.c.aggregate == aggregate, D.c.stands).group_by(D.c.verdict)
        many = (*USAGE, *JOBS, *ASKING, CONTRIBUTION)
        plain = _latest(aggregate, *J.c).where(~J.c.type.in_(many)).subquery()
        order = (plain.c.effective, plain.c.identity)
        events = select(plain).where(plain.c.nth == 1, ~plain.c.withdrawn).order_by(*order).limit(MANY)
        with self._reading() as c:
            return PersonRows(
                events=_rows(c.execute(events), JournalRow),
                balances=[Posted(r.grant, r.unit, r.kind, int(r.amount)) for r in c.execute(balances)],
                days=[*self._posted_days(c, aggregate), *self._used_days(c, aggregate)],
                contributions=self._contributions(c, aggregate),
                violations=_rows(c.execute(found.order_by(V.c.last_seen_at.desc(), V.c.id).limit(MANY)), ViolationRow),
                indeterminates=_rows(c.execute(missing.order_by(MISSING.c.rule, MISSING.c.fact).limit(MANY)), IndeterminateRow),
                verdicts={str(verdict): int(n) for verdict, n in c.execute(verdicts)},
            )

    def _posted_days(self, c: Connection, aggregate: str) -> list[DayOf]:
        day = P.c.time // DAY_US
        query = select(day, P.c.unit, P.c.kind, func.sum(P.c.amount)).where(
            P.c.aggregate == aggregate, P.c.kind.in_(("consumed", "overage"))
        )
        rows = c.execute(query.group_by(day, P.c.unit, P.c.kind).order_by(day))
        return [DayOf(int(on), unit, kind, int(amount)) for on, unit, kind, amount in rows]

    def _used_days(self, c: Connection, aggregate: str) -> list[DayOf]:
        used = _latest(aggregate, J.c.time, J.c.withdrawn).where(J.c.type.in_(USAGE)).subquery()
        day = used.c.time // DAY_US
        query = select(day, func.count()).where(used.c.nth == 1, ~used.c.withdrawn).group_by(day).order_by(day)
        return [DayOf(int(on), "", "events", int(count)) for on, count in c.execute(query)]

    def _contributions(self, c: Connection, aggregate: str) -> list[Contributed]:
        acts = _latest(aggregate, J.c.time, J.c.withdrawn, J.c.event).where(J.c.type == CONTRIBUTION).subquery()
        data = (cast(acts.c.event, JSON) if self.store.postgres else type_coerce(acts.c.event, JSON))["data"]
        named = [data[name].as_string().label(name) for name in ("repository", "name", "action", "in_org")]
        commits = func.coalesce(data["commits"].as_integer(), 0).label("commits")
        act = select(*named, commits, acts.c.time).where(acts.c.nth == 1, ~acts.c.withdrawn).subquery()
        by = (act.c.repository, act.c.name, act.c.action, act.c.in_org)
        sums = (func.count(), func.sum(act.c.commits), func.min(act.c.time), func.max(act.c.time))
        query = select(*by, *sums).group_by(*by)
        rows = c.execute(query.order_by(*by).limit(MANY))
        return [Contributed(r[0], r[1], r[2], _flag(r[3]), int(r[4]), int(r[5]), int(r[6]), int(r[7])) for r in rows]


def _flag(text: object) -> bool | None:
    """Read a truth value as either database writes one out of JSON."""
    return None if text is None else str(text).lower() in ("true", "1")


def _latest(aggregate: str, *columns: Any) -> Any:
    """Journal rows of an aggregate, numbered so that each identity's latest revision has `nth` 1."""
    order = (J.c.revision.desc(), J.c.version.desc(), J.c.ordinal.desc())
    nth = func.row_number().over(partition_by=J.c.identity, order_by=order).label("nth")
    return select(*columns, nth).where(J.c.aggregate == aggregate, J.c.origin != "forwarded")


def _counts(filters: Filters, most: int) -> Any:
    """One statement for the total ("", "", n) and each facet's commonest values (name, value, n).

    Words are looked for once, in a set that all counts share; a facet leaves its own filter aside.
    """
    found, source = _found_by(filters), V
    if filters.words:
        source, found = select(*(V.c[name] for name in FIELDS)).where(*found).cte("matched"), []
    whole = select(literal("").label("name"), literal("").label("value"), func.count().label("n")).select_from(source)
    parts = [whole.where(*_of(source, filters), *found)]
    for name in FACETS:
        column, count = source.c[name], func.count().label("n")
        others = _of(source, msgspec.structs.replace(filters, **{name: ()}))
        commonest = select(literal(name).label("name"), column.label("value"), count).where(*others, *found, column != "")
        ordered = commonest.group_by(column).order_by(count.desc(), column).limit(most).subquery()
        parts.append(select(ordered.c.name, ordered.c.value, ordered.c.n))
    return union_all(*parts)


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    return [*_of(V, filters), *_found_by(filters)]


def _of(source: Any, filters: Filters) -> list[ColumnElement[bool]]:
    """What the qualifiers ask for, of the violations or of a part of their columns."""
    return [source.c[name].in_(getattr(filters, name)) for name in FIELDS if getattr(filters, name)]


def _found_by(filters: Filters) -> list[ColumnElement[bool]]:
    """What times and words ask for."""
    found: list[ColumnElement[bool]] = []
    if filters.since is not None:
        found.append(V.c.last_seen_at >= filters.since)
    if filters.until is not None:
        found.append(V.c.opened_at < filters.until)
    text = V.c.sentence
    for column in (V.c.holder, V.c.repository, V.c.rule, V.c.aggregate, V.c.evidence, V.c.id):
        text = text + "\n" + column  # nothing that is asked for has a line's end in it
    return found + [text.icontains(word, autoescape=True) for word in filters.words]


def _rows(result: Any, kind: type[R]) -> list[R]:
    names = kind.__struct_fields__
    return [kind(**{name: row[name] for name in names}) for row in result.mappings()]
