"""What is owed in money: the worked example's liability, roll-forward and correction, and figures nobody can know."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.domain.events import Event
from engine.domain.ledger import BASES, money
from engine.domain.values import DAY_US, instant
from engine.service.ledger_reports import balances
from engine.service.roll_forward import PARTS, Asked, RollForward, roll_forward
from engine.service.valuation import Prices, Value, known_reference, receivable, sum_of, value_of
from tests.domain.make import event
from tests.service.books import NO_RULES, Moment, Opened, clocks, example, recorded, us
from tests.service.test_ledger import DAY_0, histories

BOTH = "vested-and-accrued"


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Opened]:
    """Fresh books."""
    opened = Opened(f"sqlite:///{tmp_path / 'books.db'}")
    yield opened
    opened.store.close()


def owed(books: Opened, as_of: Moment, known_at: Moment = None, basis: str = BOTH, currency: str = "") -> Value:
    """The sum of what is owed."""
    prices = Prices(known_reference(books.lookups, us(known_at))[0], currency)
    stood, moment = books.books(as_of, known_at), us(as_of)
    assert moment is not None
    return sum_of([value_of(line, stood, moment, prices, basis) for line in stood.lines])


def rolled(books: Opened, since: str, until: str, known_at: Moment = None, basis: str = BOTH) -> RollForward:
    """A roll-forward."""
    return roll_forward(
        books.postings, Asked(int(instant(since)), int(instant(until)), us(known_at), None, basis), NO_RULES.windows
    )


@pytest.mark.parametrize(
    ("as_of", "known_at", "vested", "accrued", "liability"),
    [
        ("2026-08-16", "2026-08-16", "6600.00", "3725.81", "10325.81"),
        ("2026-09-20", "2026-09-20", "7686.00", "2377.17", "10063.17"),
        ("2026-10-01", "2026-10-03", "7686.00", "0.00", "7686.00"),
        ("2026-10-01", "2026-10-05", "7659.00", "0.00", "7659.00"),
        ("2026-10-21", "2026-10-21", "0.00", "0.00", "0.00"),
    ],
)
def test_the_liability_of_the_worked_example_is_exact_to_the_cent(
    books: Opened, as_of: str, known_at: str, vested: str, accrued: str, liability: str
) -> None:
    """Each row of the domain's table; on the other basis its vested part alone."""
    books.take(example())
    value = owed(books, as_of, known_at)
    assert (money(value.vested), money(value.accrued), money(value.liability)) == (vested, accrued, liability)
    assert money(owed(books, as_of, known_at, "vested-only").liability) == vested


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("known_at", ["2026-10-03", None])
def test_the_third_quarter_rolls_forward_and_stays_as_it_was_reported(books: Opened, basis: str, known_at: str | None) -> None:
    """As known when it was closed, whether that is asked for or not: what was learnt on 10-04 changes nothing of it."""
    books.take(example())
    report = rolled(books, "2026-07-01", "2026-10-01", known_at, basis)
    found = {part: money(report.sum_of(part)) for part in PARTS}
    assert found == {
        "opening": "0.00", "corrections": "0.00", "vested": "10500.00", "settled": "-1860.00", "breakage": "-100.00",
        "other": "0.00", "remeasurement": "-854.00", "accrued": "0.00", "closing": "7686.00",
    }  # fmt: skip
    assert money(report.cost) == "9546.00"
    assert (report.reasons, report.closed) == ([], "" if known_at else "2026-Q3")


def test_a_fact_learnt_after_the_closing_corrects_the_open_quarter(books: Opened) -> None:
    """Liability −27.00, settlement +30.00, cost +3.00; then what is left breaks at the end of the window."""
    books.take(example())
    report = rolled(books, "2026-10-01", "2027-01-01")
    correction = report.correction
    assert [money(one) for one in (correction.liability, correction.settled, correction.cost)] == ["-27.00", "30.00", "3.00"]
    found = {part: money(report.sum_of(part)) for part in PARTS if report.sum_of(part)}
    assert found == {"opening": "7686.00", "corrections": "-27.00", "breakage": "-7659.00"}
    assert money(report.cost) == "-7656.00"


def test_without_a_closing_nothing_is_a_correction(books: Opened) -> None:
    """Nothing was reported, so the quarter's opening is what is known now."""
    books.take([one for one in example() if "period.closed" not in one.type])
    report = rolled(books, "2026-10-01", "2027-01-01")
    assert (money(report.sum_of("opening")), money(report.correction.cost)) == ("7659.00", "0.00")


def test_a_unit_without_a_price_is_worth_nobody_knows_what(books: Opened) -> None:
    """Null with a reason, never 0; also before the first price has effect, and in a currency it has none in."""
    grant = event("grant.issued", "2026-01-01", grant_id="G", holder="p", quantity="10", vesting="immediate")
    books.take([grant, event("price.published", "2026-03-01", price="2")])
    assert owed(books, "2026-02-01").liability is None
    assert owed(books, "2026-02-01").reasons == ("no price of CCU in USD is in force at 2026-01-31T23:59:59.999999Z",)
    assert owed(books, "2026-03-01").liability is None, "that instant is left out"
    assert money(owed(books, "2026-03-01T00:00:01Z").liability) == "20.00"
    assert owed(books, "2026-04-01", currency="EUR").liability is None
    assert rolled(books, "2026-01-01", "2026-04-01").sum_of("closing") == 20
    unknown = rolled(books, "2026-01-01", "2026-04-01")
    assert [money(unknown.sum_of("vested")), money(unknown.sum_of("remeasurement")), money(unknown.cost)] == [None, None, "20.00"]
    assert len(unknown.reasons) == 2


def test_prices_in_several_currencies_ask_for_one(books: Opened) -> None:
    """Each gives its own figure; without a word there is none."""
    grant = event("grant.issued", "2026-01-01", grant_id="G", holder="p", quantity="10", vesting="immediate")
    prices = [event("price.published", "2026-01-01", price=price, currency=cur) for price, cur in (("2", "USD"), ("3", "EUR"))]
    books.take([grant, *prices])
    assert owed(books, "2026-02-01").reasons == ("CCU has prices in EUR and USD: say which currency to report in",)
    assert [money(owed(books, "2026-02-01", currency=cur).liability) for cur in ("USD", "EUR")] == ["20.00", "30.00"]


def test_amounts_in_two_currencies_are_not_added_up(books: Opened) -> None:
    """Each line has its own; the total is null and says why."""
    grants = [
        event("grant.issued", "2026-01-01", grant_id=unit, holder="p", quantity="10", vesting="immediate", unit=unit)
        for unit in ("CCU", "GPU-h")
    ]
    prices = [
        event("price.published", "2026-01-01", price="2", currency=cur, unit=unit)
        for unit, cur in (("CCU", "USD"), ("GPU-h", "EUR"))
    ]
    books.take([*grants, *prices])
    value = owed(books, "2026-02-01")
    assert (value.liability, value.reasons) == (None, ("amounts in EUR and USD can't be added up",))


def test_a_price_learnt_late_values_as_known(books: Opened) -> None:
    """As known before it was published, the old one."""
    grant = event("grant.issued", "2026-01-01", grant_id="G", holder="p", quantity="10", vesting="immediate")
    prices = [
        recorded(event("price.published", day, price=price, effective_from="2026-01-01"), day)
        for day, price in (("2026-01-01", "1"), ("2026-03-01", "2"))
    ]
    books.take([recorded(grant, "2026-01-01"), *prices])
    assert [money(owed(books, "2026-02-01", known).liability) for known in ("2026-02-28", "2026-03-01")] == ["10.00", "20.00"]


def test_a_clawback_is_a_receivable_in_money_and_no_negative_consumption(books: Opened) -> None:
    """By currency, on both clocks."""
    grant = event("grant.issued", "2026-01-01", grant_id="G", holder="p", quantity="10", vesting="immediate")
    used = event("usage.inference", "2026-01-05", person="p", quantity="4")
    back = event("grant.clawed_back", "2026-02-01", grant_id="G", holder="p", amount="3.5", currency="EUR")
    books.take([grant, used, back])
    assert receivable(books.books("2026-02-01")) == {}
    after = books.books("2026-02-02")
    assert (receivable(after), after.lines[0].consumed) == ({"EUR": Fraction(7, 2)}, 4_000_000)


def test_unvested_units_without_dates_are_said_to_accrue_nothing(books: Opened) -> None:
    """A grant that vests by word alone, and a schedule that waits for its event."""
    waits = {"segments": [{"occurrences": 2, "denominator": 2}], "on_event": True}
    books.take(
        [
            event("grant.issued", "2026-01-01", grant_id="A", holder="p", quantity="10"),
            event("grant.issued", "2026-01-01", grant_id="B", holder="p", quantity="5", vesting="scheduled", schedule=waits),
            event("price.published", "2026-01-01", price="1"),
        ]
    )
    stood = books.books("2026-02-01")
    prices = Prices(known_reference(books.lookups, None)[0])
    document = balances(stood, clocks("2026-02-01"), prices, BOTH)
    assert document["total"]["liability"] == "0.00"
    assert document["reasons"] == ["15 unvested units have no schedule that dates them, so nothing of them is accrued"]


def test_an_acceleration_leaves_the_first_installments_to_accrue(books: Opened) -> None:
    """Of 4 × 25 units 30 vest early: 70 are left, the last 30 of them gone from the last installments."""
    schedule = {"segments": [{"occurrences": 4, "every": 10, "unit": "days", "denominator": 4}]}
    issued = event("grant.issued", "2026-01-01", grant_id="A", holder="p", quantity="100", vesting="scheduled", schedule=schedule)
    faster = event("grant.accelerated", "2026-01-02", grant_id="A", holder="p", quantity="30")
    books.take([issued, faster, event("price.published", "2026-01-01", price="1")])
    expected = Fraction(25 * 5, 10) + Fraction(25 * 5, 20) + Fraction(20 * 5, 30)
    assert owed(books, "2026-01-06").accrued == expected


PRICES = st.lists(st.tuples(st.integers(0, 80), st.sampled_from(["1", "0.9", "1.333333"])), min_size=0, max_size=4)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=histories(), prices=PRICES, bounds=st.tuples(st.integers(0, 60), st.integers(61, 110)),
    known=st.tuples(st.integers(0, 110), st.integers(0, 110)).map(sorted), basis=st.sampled_from(sorted(BASES)),
)  # fmt: skip
def test_a_roll_forward_ties_out_whatever_happened(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], prices: list[tuple[int, str]], bounds: tuple[int, int],
    known: list[int], basis: str,
) -> None:  # fmt: skip
    """Opening and every movement add up to the closing exactly; the closing is the liability; reported openings stay."""
    books = Opened(f"sqlite:///{tmp_path_factory.mktemp('books') / 'books.db'}")
    try:
        published = [event("price.published", "2026-01-01", ident="first", price="2")]
        published += [
            event("price.published", "2026-01-01", ident=f"p-{number}", price=price, effective_from=_text(day))
            for number, (day, price) in enumerate(prices)
        ]
        books.take([*(recorded(one, "2026-01-01") for one in published), *events])
        since, until = (DAY_0 + day * DAY_US for day in bounds)
        opened, now = (DAY_0 + day * DAY_US for day in known)
        report = roll_forward(books.postings, Asked(since, until, now, opened, basis), NO_RULES.windows)
        parts = {part: report.sum_of(part) for part in PARTS}
        assert None not in parts.values()
        assert sum(value or 0 for part, value in parts.items() if part != "closing") == parts["closing"]
        assert parts["closing"] == owed(books, until, now, basis).liability
        assert parts["opening"] == owed(books, since, opened, basis).liability
    finally:
        books.store.close()


def _text(day: int) -> str:
    month, past = (1, 0) if day < 31 else (2, 31) if day < 59 else (3, 59)
    return f"2026-{month:02}-{day - past + 1:02}"
