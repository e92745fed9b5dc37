"""The ledger: the identity at every as-of, postings and folding agreeing, and the worked example of the domain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.domain.events import Event
from engine.domain.values import DAY_US, instant, quantity_text
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, digest_of
from engine.policy.catalogue import Catalogue
from engine.policy.evaluator import Answer
from engine.service.ingest import ingest
from engine.service.ledger import COLUMNS, IN, OUT, Line, balances, total
from engine.service.process import Body
from engine.store.lookups import Lookups
from engine.store.opening import open_store
from tests.domain.make import event

PARAMS = (Path(__file__).parents[2] / "policies" / "params.json").read_text()
FILES = {"params.json": PARAMS}
NO_RULES = Bundle(digest_of(FILES), FILES, Catalogue(()))
DAY_0 = int(instant("2026-01-01"))


class AsksNobody:
    """An evaluator for a bundle without rules: it is never asked."""

    revision = NO_RULES.digest
    opa_version = "none"

    def evaluate(self, inputs: Sequence[bytes]) -> list[Answer]:
        """Answer nothing."""
        assert not inputs
        return []

    def submit(self, inputs: Sequence[bytes]) -> Future[list[Answer]]:
        """Do the same."""
        raise AssertionError(inputs)

    def close(self) -> None:
        """Hold nothing."""


class Books:
    """A store and what was taken into it."""

    def __init__(self, url: str) -> None:
        """Open a fresh store."""
        self.store = open_store(url)
        self.lookups = Lookups(self.store)

    def take(self, events: Sequence[Event], at: int = 1) -> None:
        """Take events in, recorded at a time unless they say when."""
        ingest(Body(self.store, AsksNobody(), NO_RULES), map(Arrival, events), clock=lambda: at, batch=7)

    def at(self, as_of: str | int, known_at: str | int | None = None, **more: str) -> list[Line]:
        """Give the balances."""
        return balances(self.lookups, as_of=_us(as_of), known_at=_us(known_at), windows=NO_RULES.windows, **more)


def _us(moment: str | int | None) -> int | None:
    return int(instant(moment)) if isinstance(moment, str) else moment


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    """Fresh books."""
    opened = Books(f"sqlite:///{tmp_path / 'books.db'}")
    yield opened
    opened.store.close()


def row(line: Line, *names: str) -> tuple[str, ...]:
    """Give some amounts as decimals."""
    return tuple(quantity_text(getattr(line, name)) for name in names)


def recorded(one: Event, at: int) -> Event:
    """The same event, learnt at another time than it happened (µs)."""
    return msgspec.structs.replace(one, recorded_at=at)


def worked_example() -> list[Event]:
    """The example of the domain: three grants, three usages (one recorded late), an exit with a window of 30 days."""
    rates = [
        event("rate.published", "2026-07-01", meter=meter, unit="CCU", units=units, per=per)
        for meter, units, per in (("input_tokens", "2.5", "1000000"), ("output_tokens", "10", "1000000"))
    ]
    hours = [
        event("rate.published", day, meter="gpu_seconds", unit="CCU", units=units, per="3600")
        for day, units in (("2026-07-01", "3"), ("2026-09-01", "2.4"))
    ]
    granted = (("G1", "12000", 10, "2027-06-30"), ("G2", "1000", 10, "2026-08-31"), ("G3", "500", 1, "2026-12-31"))
    grants = [
        event("grant.issued", "2026-07-01", ident=f"a-{grant}", grant_id=grant, holder="p", quantity=quantity,
              priority=priority, expires_at=until, termination_window_days=30)
        for grant, quantity, priority, until in granted
    ]  # fmt: skip
    vested = [
        event("grant.vested", day, ident=f"b-{g}-{day}", grant_id=g, holder="p", quantity=amount)
        for g, amount, day in (
            ("G1", "3000", "2026-07-01"), ("G1", "3000", "2026-08-01"), ("G1", "3000", "2026-09-01"),
            ("G1", "3000", "2026-10-01"), ("G2", "1000", "2026-07-01"), ("G3", "500", "2026-08-15"),
        )
    ]  # fmt: skip
    u1 = event("usage.inference", "2026-07-20", person="p", input_tokens=200_000_000, output_tokens=40_000_000)
    u2 = event("usage.gpu", "2026-09-05", person="p", gpu_seconds=str(400 * 3600))
    u3 = event("usage.inference", "2026-08-25", person="p", input_tokens=12_000_000)
    exit_ = event("person.terminated", "2026-09-20", person="p")
    events = [*rates, *hours, *grants, *vested, u1, u2, exit_]
    return [*(recorded(one, one.time) for one in events), recorded(u3, int(instant("2026-10-04")))]


@pytest.mark.parametrize(
    ("as_of", "known_at", "consumed", "expired", "forfeited", "outstanding", "unvested"),
    [
        ("2026-08-16", "2026-08-16", "900", "0", "0", "6600", "6000"),
        ("2026-09-20", "2026-09-20", "1860", "100", "0", "8540", "3000"),
        ("2026-10-01", "2026-10-03", "1860", "100", "3000", "8540", "0"),
        ("2026-10-01", "2026-10-05", "1890", "100", "3000", "8510", "0"),
        ("2026-10-21", "2026-10-21", "1890", "8610", "3000", "0", "0"),
    ],
)
def test_the_worked_example_comes_out(
    books: Books, as_of: str, known_at: str, consumed: str, expired: str, forfeited: str, outstanding: str, unvested: str
) -> None:
    """Each row of the domain's table, but for its liability."""
    books.take(worked_example())
    whole = total(books.at(as_of, known_at))
    found = row(whole, "granted", "consumed", "expired", "forfeited", "outstanding", "unvested", "overage")
    assert found == ("13500", consumed, expired, forfeited, outstanding, unvested, "0")


def test_the_late_usage_restates_who_was_drawn_on(books: Books) -> None:
    """U3 takes 30 of G3, so U2 finds 470 there and draws 490 from G1."""
    books.take(worked_example())
    before = {line.grant: row(line, "consumed")[0] for line in books.at("2026-10-01", "2026-10-03")}
    after = {line.grant: row(line, "consumed")[0] for line in books.at("2026-10-01", "2026-10-05")}
    assert before == {"G1": "460", "G2": "900", "G3": "500"}
    assert after == {"G1": "490", "G2": "900", "G3": "500"}


def test_filters_give_the_lines_of_one_holder_or_one_grant(books: Books) -> None:
    """And nothing where there is none."""
    books.take(worked_example())
    assert [line.grant for line in books.at("2026-09-01", holder="p", grant="G2")] == ["G2"]
    assert [line.grant for line in books.at("2026-09-01", "2026-10-01", grant="G2")] == ["G2"]
    assert books.at("2026-09-01", holder="q") == []


HOLDERS = ("p-1", "p-2")
GRANTS = ("A", "B")
AMOUNTS = st.integers(1, 40).map(lambda n: str(n / 2).removesuffix(".0"))


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Grants and what happens to them, in any order of arrival."""
    events = []
    for grant in GRANTS:
        more: dict[str, Any] = {"vesting": draw(st.sampled_from(("immediate", "by_event")))}
        if draw(st.booleans()):
            more["expires_at"] = _day(draw(st.integers(25, 60)))
        more["termination_window_days"] = draw(st.sampled_from((0, 10)))
        more |= {"grant_id": grant, "holder": draw(st.sampled_from(HOLDERS)), "quantity": draw(AMOUNTS)}
        events.append(event("grant.issued", _day(draw(st.integers(0, 20))), **more))
    events += [_happening(draw, number) for number in range(draw(st.integers(1, 12)))]
    return list(draw(st.permutations(events)))


def _happening(draw: st.DrawFn, number: int) -> Event:
    day, grant, holder = _day(draw(st.integers(0, 59))), draw(st.sampled_from(GRANTS)), draw(st.sampled_from(HOLDERS))
    kind = draw(
        st.sampled_from(
            ("usage.inference", "grant.vested", "grant.transferred", "grant.expired", "grant.voided", "grant.suspended",
             "grant.resumed", "person.terminated", "person.hired")
        )
    )  # fmt: skip
    ident = f"h-{number}"
    if kind == "usage.inference":
        return event(kind, day, ident=ident, person=holder, quantity=draw(AMOUNTS))
    if kind.startswith("person."):
        return event(kind, day, ident=ident, person=holder)
    if kind == "grant.vested":
        return event(kind, day, ident=ident, grant_id=grant, holder=holder, quantity=draw(AMOUNTS))
    if kind == "grant.transferred":
        other = next(one for one in HOLDERS if one != holder)
        return event(kind, day, ident=ident, grant_id=grant, holder=holder, to=other)
    return event(kind, day, ident=ident, grant_id=grant, holder=holder)


def _day(number: int) -> str:
    return f"2026-01-{number + 1:02}" if number < 31 else f"2026-02-{number - 30:02}" if number < 59 else "2026-03-01"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=histories(), as_of=st.integers(0, 90))
def test_the_identity_holds_whatever_happens_and_both_ways_agree(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], as_of: int
) -> None:
    """At any moment, in any order of arrival: nothing negative, nothing lost, and folding gives what postings give."""
    books = Books(f"sqlite:///{tmp_path_factory.mktemp('books') / 'books.db'}")
    try:
        books.take(events)
        moment = DAY_0 + as_of * DAY_US
        posted, folded = books.at(moment), books.at(moment, 1)
        for line in posted:
            came = sum(getattr(line, name) for name in IN)
            went = sum(getattr(line, name) for name in OUT)
            assert came == went + line.outstanding + line.unvested
            assert min(getattr(line, name) for name in COLUMNS) >= 0, line
        assert sorted(map(repr, _some(posted))) == sorted(map(repr, _some(folded)))
        whole = total(posted)
        assert whole.transferred_in == whole.transferred_out or as_of < 60
    finally:
        books.store.close()


def _some(lines: list[Line]) -> list[Line]:
    """Leave out lines on which nothing was posted in the end."""
    return [line for line in lines if any(getattr(line, name) for name in COLUMNS)]
