"""Balances of grants on two clocks: as of a moment (when it happened) and as known at another (when we had learnt it).

From postings, which carry both times, and from the terms as known: a natural expiry and the end of access after employment
are dates, not postings, and an installment may be due that no batch has let vest yet; it counts as vested while its
holder is employed, as far as is known (a projection, and the books say so). Where facts weren't recorded in the order in
which they were learnt, `relearning` makes the postings that are asked. Exact, in micro-units; posts nothing and reads only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from engine.domain import codec
from engine.domain.events import Event
from engine.domain.ledger import COLUMNS, Line
from engine.domain.terms import Terms, terms_of
from engine.domain.values import FOREVER
from engine.service.relearning import as_learnt
from engine.store.postings import Clocks, Postings

__all__ = ["COLUMNS", "Books", "Line", "Scope", "books_at", "known_terms"]


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
    postings: Postings
    """What the balances were read from."""

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
    postings = as_learnt(postings, clocks.known_at, windows)
    known = known_terms(postings, clocks.known_at, scope.holder) if known is None else known
    until = FOREVER if clocks.as_of is None else clocks.as_of
    terms = {key: terms_of(key.split("/", 2)[2], events, until, windows) for key, events in known.items()}
    books = Books([], terms, projected=False, dated=[], postings=postings)
    books.lines = [line for line in _summed(postings, clocks, scope) if _within(line, books, scope)]
    if clocks.as_of is not None:
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
