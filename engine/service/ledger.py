"""Balances of grants on two clocks: as of a moment (when it happened) and as known at another (when we had learnt it).

From postings, which carry both times, and from the terms as known: a natural expiry and the end of access after employment
are dates, not postings, and an installment may be due that no batch has let vest yet; it counts as vested while its
holder is employed, as far as is known (a projection, and the books say so). Where a later run brought what it says was
learnt before things already booked, sums can't say what was known in between: for such a question, and for it alone, the
journal is folded again. `refolded` always does so: the oracle the postings are held against. Exact, in micro-units;
posts nothing and reads only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from engine.domain import codec
from engine.domain.aggregates import person
from engine.domain.events import Event
from engine.domain.ledger import COLUMNS, Line
from engine.domain.order import place
from engine.domain.records import JournalRow
from engine.domain.reference import Reference
from engine.domain.terms import Terms, terms_of
from engine.domain.values import FOREVER
from engine.store.lookups import Lookups
from engine.store.postings import Clocks, Postings

__all__ = ["COLUMNS", "Books", "Line", "Scope", "books_at", "known_terms", "refolded"]


class Scope(msgspec.Struct, frozen=True):
    """Whose books: one holder's or everybody's, one grant's or all, of one pool or of all and none."""

    holder: str = ""
    grant: str = ""
    pool: str = ""


EVERYBODY = Scope()


class Books(msgspec.Struct):
    """Balances at a moment, and the terms they follow from."""

    lines: list[Line]
    terms: dict[str, Terms]
    """By `organisation/person/id`."""
    projected: bool
    """Whether installments count as vested that nothing has let vest yet."""
    dated: list[Dated]

    def terms_of(self, line: Line) -> Terms | None:
        """Give the terms of a line's holder."""
        return self.terms.get(f"{line.organisation}/person/{line.holder}")


class Dated(msgspec.Struct, frozen=True):
    """What a date brought about and no posting: part of a figure, to be listed among its entries."""

    line: Line
    """The balances it changed, before it did."""
    kind: str
    amount: int
    time: int
    cause: Event | None
    """What set the date, where one event did."""


Known = dict[str, list[Event]]
"""The events that make terms, as known at one moment, by `organisation/person/id`."""


def known_terms(postings: Postings, known_at: int | None, holder: str = "") -> Known:
    """Read the events that make terms once, for any number of questions with the same known-at."""
    known: Known = {}
    for row in postings.terms(known_at, holder):
        known.setdefault(row.aggregate, []).append(codec.parse_event(row.event))
    return known


def books_at(
    postings: Postings, clocks: Clocks, windows: Mapping[str, int], *, scope: Scope = EVERYBODY, known: Known | None = None
) -> Books:
    """Give the books at a moment (that instant left out; None: all that was posted, and dates up to the last posting)."""
    known = known_terms(postings, clocks.known_at, scope.holder) if known is None else known
    until = FOREVER if clocks.as_of is None else clocks.as_of
    terms = {key: terms_of(key.split("/", 2)[2], events, until, windows) for key, events in known.items()}
    books = Books([], terms, projected=False, dated=[])
    in_order = postings.in_order(clocks.known_at)
    lines = _summed(postings, clocks, scope) if in_order else _folded(postings, clocks, scope.holder, windows)
    books.lines = [line for line in lines if _within(line, books, scope)]
    if clocks.as_of is not None:
        if in_order:
            _project(books, postings, clocks, scope)
        _end(books, clocks.as_of)
    return books


def _summed(postings: Postings, clocks: Clocks, scope: Scope) -> Iterator[Line]:
    lines: dict[tuple[str, str, str, str], Line] = {}
    for posted in postings.sums(clocks, scope.holder, scope.grant):
        key = (posted.organisation, posted.holder, posted.grant, posted.unit)
        lines.setdefault(key, Line(*key)).add(posted.kind, posted.amount)
    yield from lines.values()


def _within(line: Line, books: Books, scope: Scope) -> bool:
    terms = books.terms_of(line)
    known = terms.grants.get(line.grant) if terms is not None else None
    return scope.grant in ("", line.grant) and (not scope.pool or (known is not None and known.terms.pool == scope.pool))


def _project(books: Books, postings: Postings, clocks: Clocks, scope: Scope) -> None:
    """Let installments vest whose day has come and that no batch has seen come."""
    due = [(key, one) for key, terms in books.terms.items() for one in terms.came if one.units]
    if not due:
        return
    vested = postings.vested(clocks, scope.holder)
    lines = {(f"{line.organisation}/person/{line.holder}", line.grant): line for line in books.lines}
    for key, installment in due:
        line = lines.get((key, installment.grant))
        if line is not None and not vested.get(installment.identity):
            cause = books.terms[key].causes.get(installment.grant)
            books.dated.append(Dated(_copy(line), "vested", installment.units, installment.due, cause))
            line.vest(installment.units)
            books.projected = True


def _end(books: Books, as_of: int) -> None:
    """Let grants end whose date, or whose termination window, has passed."""
    for line in books.lines:
        terms = books.terms_of(line)
        if terms is None or not (line.outstanding or line.unvested):
            continue
        ends = terms.ends(line.grant)
        if as_of > ends:
            for kind, amount in (("expired", line.outstanding), ("forfeited", line.unvested)):
                if amount:
                    books.dated.append(Dated(_copy(line), kind, amount, ends, terms.causes.get(line.grant)))
            line.end()


def _copy(line: Line) -> Line:
    return msgspec.structs.replace(line)


def refolded(postings: Postings, clocks: Clocks, windows: Mapping[str, int], *, scope: Scope = EVERYBODY) -> list[Line]:
    """Give the same lines by folding the journal again, which grows with history: what the postings are checked against."""
    lines = list(_folded(postings, clocks, scope.holder, windows))
    if clocks.as_of is not None:
        known = known_terms(postings, clocks.known_at, scope.holder)
        terms = {key: terms_of(key.split("/", 2)[2], events, clocks.as_of, windows) for key, events in known.items()}
        _end(Books(lines, terms, projected=False, dated=[]), clocks.as_of)
    return [line for line in lines if not scope.grant or line.grant == scope.grant]


def _folded(postings: Postings, clocks: Clocks, holder: str, windows: Mapping[str, int]) -> Iterator[Line]:
    lookups = Lookups(postings.store)
    reference = Reference(_events(lookups.store.reference(0), clocks.known_at))
    for key in lookups.holders(holder):
        organisation, _, ident = key.split("/", 2)
        state = person.start(ident, dict(windows))
        lines: dict[tuple[str, str], Line] = {}
        for event in sorted(_events(lookups.store.entries(key), clocks.known_at), key=place):
            at = place(event).time
            if clocks.as_of is not None and at >= clocks.as_of:
                break
            for posting in person.fold(state, event, at, reference).postings:
                line = lines.setdefault((posting.grant, posting.unit), Line(organisation, ident, posting.grant, posting.unit))
                line.add(posting.kind, posting.amount)
        yield from (lines[at_grant] for at_grant in sorted(lines))


def _events(rows: Iterable[JournalRow], known_at: int | None) -> Sequence[Event]:
    """Give the events known by a moment: of each identity the latest revision recorded until then, if it stands."""
    latest = {row.identity: row for row in rows if known_at is None or row.recorded_at <= known_at}
    return [codec.parse_event(row.event) for row in latest.values() if not row.withdrawn]
