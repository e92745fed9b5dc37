"""Balances of grants, as of a moment (when it happened) and as known at another (when we had learnt it).

From postings where all that is known now counts; from the journal, folded again, where only what was known then does.
A natural expiry and the end of access after employment are dates, not postings: they are applied here, and what is left
then counts as expired (vested) or forfeited (not vested). Exact, in micro-units; posts nothing and reads only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from engine.domain import codec
from engine.domain.aggregates import person
from engine.domain.events import Event
from engine.domain.events.derived import GrantReceived
from engine.domain.events.grants import GrantAmended, GrantIssued
from engine.domain.events.people import PersonHired, PersonTerminated
from engine.domain.grants import Grant, amend, issue
from engine.domain.order import place
from engine.domain.records import JournalRow
from engine.domain.reference import Reference
from engine.store.lookups import Lookups

IN: Final = ("granted", "transferred_in", "rolled_in")
OUT: Final = ("consumed", "expired", "forfeited", "voided", "transferred_out", "rolled_out")
COLUMNS: Final = (*IN, *OUT, "outstanding", "unvested", "overage", "vested")
NO_GRANT: Final = "none"
"""Where overage is posted that no grant could have covered."""
_ENDING: Final = tuple(k.TYPE for k in (GrantIssued, GrantReceived, GrantAmended, PersonHired, PersonTerminated))


class Line(msgspec.Struct):
    """One grant in one holder's hands; amounts in micro-units of `unit`."""

    organisation: str
    holder: str
    grant: str
    unit: str
    granted: int = 0
    transferred_in: int = 0
    rolled_in: int = 0
    consumed: int = 0
    expired: int = 0
    forfeited: int = 0
    voided: int = 0
    transferred_out: int = 0
    rolled_out: int = 0
    outstanding: int = 0
    """Vested and left."""
    unvested: int = 0
    overage: int = 0
    vested: int = 0
    """What ever vested here, whatever became of it."""

    def rest(self) -> int:
        """What came in and neither went out nor is vested and left: equal to `unvested` if the books are right."""
        came: int = sum(getattr(self, name) for name in IN)
        went: int = sum(getattr(self, name) for name in OUT)
        return came - went - self.outstanding

    def end(self) -> None:
        """Let the grant end by its date: what is left, vested or not, is lost."""
        self.expired += self.outstanding
        self.forfeited += self.unvested
        self.outstanding = self.unvested = 0


class _Ends(msgspec.Struct):
    """By when a holder's grants end, whatever is posted."""

    grants: dict[str, Grant] = {}
    ended_at: int = -1
    reason: str = "other"


def balances(
    lookups: Lookups,
    *,
    as_of: int | None = None,
    known_at: int | None = None,
    holder: str = "",
    grant: str = "",
    windows: Mapping[str, int] | None = None,
) -> list[Line]:
    """Give the lines at a moment (that instant left out; None: all that was posted, and dates up to the last posting).

    `known_at` needs the `windows` of the bundle that decided, since it folds.
    """
    rows = [row for row in lookups.events(_ENDING, holder) if known_at is None or row.recorded_at <= known_at]
    ends = _ends(rows, as_of)
    if known_at is None:
        lines = list(_posted(lookups, as_of, holder, grant))
    else:
        lines = list(_folded(lookups, as_of, known_at, holder, windows or {}))
    for line in lines:
        own = ends.get(f"{line.organisation}/person/{line.holder}")
        if as_of is not None and own is not None and _ended(own, line.grant, as_of):
            line.end()
    return [line for line in lines if not grant or line.grant == grant]


def total(lines: Iterable[Line]) -> Line:
    """Add lines of one unit up."""
    lines = list(lines)
    whole = Line("", "", "", lines[0].unit if lines else "")
    for line in lines:
        for name in COLUMNS:
            setattr(whole, name, getattr(whole, name) + getattr(line, name))
    return whole


def _posted(lookups: Lookups, as_of: int | None, holder: str, grant: str) -> Iterator[Line]:
    lines: dict[tuple[str, str, str, str], Line] = {}
    for posted in lookups.posted(as_of, holder, grant):
        key = (posted.organisation, posted.holder, posted.grant, posted.unit)
        line = lines.setdefault(key, Line(*key))
        setattr(line, posted.kind, getattr(line, posted.kind) + posted.amount)
    yield from lines.values()


def _folded(lookups: Lookups, as_of: int | None, known_at: int, holder: str, windows: Mapping[str, int]) -> Iterator[Line]:
    reference = Reference(_events(lookups.store.reference(0), known_at))
    for key in lookups.holders(holder):
        organisation, _, ident = key.split("/", 2)
        state = person.start(ident, dict(windows))
        lines: dict[tuple[str, str], Line] = {}
        for event in sorted(_events(lookups.store.entries(key), known_at), key=place):
            at = place(event).time
            if as_of is not None and at >= as_of:
                break
            for posting in person.fold(state, event, at, reference).postings:
                line = lines.setdefault((posting.grant, posting.unit), Line(organisation, ident, posting.grant, posting.unit))
                setattr(line, posting.kind, getattr(line, posting.kind) + posting.amount)
        yield from (lines[at_grant] for at_grant in sorted(lines))


def _events(rows: Iterable[JournalRow], known_at: int) -> list[Event]:
    """Give the events known by a moment: of each identity the latest revision recorded until then, if it stands."""
    latest = {row.identity: row for row in rows if row.recorded_at <= known_at}
    return [codec.parse_event(row.event) for row in latest.values() if not row.withdrawn]


def _ends(rows: Iterable[JournalRow], as_of: int | None) -> dict[str, _Ends]:
    found: dict[str, _Ends] = {}
    for row in rows:
        if as_of is not None and row.effective >= as_of:
            continue
        ends = found.setdefault(row.aggregate, _Ends())
        data: Any = codec.parse_event(row.event).data
        if isinstance(data, PersonTerminated):
            ends.ended_at, ends.reason = row.effective, data.reason
        elif isinstance(data, PersonHired):
            ends.ended_at = -1
        elif isinstance(data, GrantAmended):
            if data.grant_id in ends.grants:
                amend(ends.grants[data.grant_id], data)
        else:
            terms = data.terms if isinstance(data, GrantReceived) else data
            ends.grants[terms.grant_id] = issue(terms, row.effective)[0]
    return found


def _ended(ends: _Ends, grant: str, as_of: int) -> bool:
    known = ends.grants.get(grant)
    return known is not None and as_of > known.ends(ends.ended_at, ends.reason)
