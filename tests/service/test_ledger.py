"""The ledger: the worked example of the domain, the identity on both clocks, and postings against the journal folded again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from engine.domain.events import Event
from engine.domain.ledger import COLUMNS, Line, total
from engine.domain.values import DAY_US, instant, instant_text
from engine.store.snapshots import sum_up
from tests.domain.make import event
from tests.service.books import Opened, example, recorded, row

DAY_0 = int(instant("2026-01-01"))


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Opened]:
    """Fresh books."""
    opened = Opened(f"sqlite:///{tmp_path / 'books.db'}")
    yield opened
    opened.store.close()


@pytest.mark.parametrize("batch", [3, 2000])
@pytest.mark.parametrize(
    ("as_of", "known_at", "vested", "consumed", "expired", "forfeited", "outstanding", "unvested"),
    [
        ("2026-08-16", "2026-08-16", "7500", "900", "0", "0", "6600", "6000"),
        ("2026-09-20", "2026-09-20", "10500", "1860", "100", "0", "8540", "3000"),
        ("2026-10-01", "2026-10-03", "10500", "1860", "100", "3000", "8540", "0"),
        ("2026-10-01", "2026-10-05", "10500", "1890", "100", "3000", "8510", "0"),
        ("2026-10-21", "2026-10-21", "10500", "1890", "8610", "3000", "0", "0"),
    ],
)
def test_the_worked_example_comes_out(
    books: Opened, batch: int, as_of: str, known_at: str, vested: str, consumed: str, expired: str, forfeited: str,
    outstanding: str, unvested: str,
) -> None:  # fmt: skip
    """Each row of the domain's table, however the file was cut into batches."""
    books.take(example(), batch=batch)
    names = ("granted", "vested", "consumed", "expired", "forfeited", "outstanding", "unvested", "overage")
    expected = ("13500", vested, consumed, expired, forfeited, outstanding, unvested, "0")
    assert row(total(books.at(as_of, known_at)), *names) == expected
    assert row(total(books.folded(as_of, known_at)), *names) == expected


def test_an_installment_counts_as_vested_by_its_date_and_is_said_to_be_projected(books: Opened) -> None:
    """At 08-16 nothing had been learnt since 08-15: September's installment is vested at 09-02 by its date alone."""
    books.take([one for one in example() if one.recorded_at < instant("2026-08-20")])
    assert not books.books("2026-08-16", "2026-08-16").projected
    ahead = books.books("2026-09-02", "2026-08-16")
    assert (ahead.projected, row(total(ahead.lines), "vested", "unvested")) == (True, ("10500", "3000"))
    assert [(one.kind, one.line.grant) for one in ahead.dated] == [("vested", "G1"), ("expired", "G2")]


def test_the_late_usage_restates_who_was_drawn_on(books: Opened) -> None:
    """U3 takes 30 of G3, so U2 finds 470 there and draws 490 from G1."""
    books.take(example())
    before = {line.grant: row(line, "consumed")[0] for line in books.at("2026-10-01", "2026-10-03")}
    after = {line.grant: row(line, "consumed")[0] for line in books.at("2026-10-01", "2026-10-05")}
    assert before == {"G1": "460", "G2": "900", "G3": "500"}
    assert after == {"G1": "490", "G2": "900", "G3": "500"}


def test_filters_give_the_lines_of_one_holder_or_one_grant(books: Opened) -> None:
    """And nothing where there is none."""
    books.take(example())
    assert [line.grant for line in books.at("2026-09-01", holder="p", grant="G2")] == ["G2"]
    assert [line.grant for line in books.at("2026-09-01", "2026-10-01", grant="G2")] == ["G2"]
    assert books.at("2026-09-01", holder="q") == []
    pooled = event("grant.issued", "2026-07-01", grant_id="G4", holder="q", quantity="5", pool="L")
    books.take([pooled])
    assert [line.grant for line in books.at("2026-09-01", pool="L")] == ["G4"]


def test_a_rate_learnt_late_restates_what_was_consumed_from_then_on(books: Opened) -> None:
    """As known before, the old rate; as known since, the new one, though nothing else was learnt on that day."""
    rate = {"meter": "input_tokens", "per": "1000000"}
    history = [
        event("rate.published", "2026-01-01", units="1", **rate),
        event("grant.issued", "2026-01-01", grant_id="A", holder="p", quantity="100", vesting="immediate"),
        event("usage.inference", "2026-01-05", person="p", input_tokens=10_000_000),
    ]
    late = recorded(event("rate.published", "2026-02-01", units="2", effective_from="2026-01-03", **rate), "2026-02-01")
    later = event("usage.inference", "2026-03-01", person="p", input_tokens=1_000_000)
    books.take([*(recorded(one, one.time) for one in (*history, later)), late])
    assert [row(total(books.at("2026-01-31", known)), "consumed")[0] for known in ("2026-01-31", "2026-02-01")] == ["10", "20"]


def test_a_transfer_that_names_the_grant_alone_is_its_givers(books: Opened) -> None:
    """The alias hands it to who held the grant until then, and not, for ever in turn, to the two of them."""
    issued = event("grant.issued", "2026-01-01", grant_id="A", holder="p-1", quantity="10", vesting="immediate")
    moves = [event("grant.transferred", f"2026-02-0{day}", grant_id="A", to=to) for day, to in ((1, "p-2"), (2, "p-3"))]
    books.take([moves[1], issued, moves[0]])
    stood = {line.holder: row(line, "transferred_in", "transferred_out", "outstanding") for line in books.at("2026-03-01")}
    assert stood == {"p-1": ("0", "10", "0"), "p-2": ("10", "10", "0"), "p-3": ("10", "0", "10")}


def test_what_a_later_run_says_was_learnt_earlier_is_known_from_then_on(books: Opened) -> None:
    """U2 comes in a run after U3's, but was learnt a month before: as known in between it drew on G3 first."""
    books.take([one for one in example() if one.id != "U2"])
    books.take([one for one in example() if one.id == "U2"])
    for known_at, expected in (("2026-09-10", {"G1": "460", "G3": "500"}), ("2026-10-05", {"G1": "490", "G3": "500"})):
        found = {line.grant: row(line, "consumed")[0] for line in books.at("2026-09-10", known_at) if line.grant != "G2"}
        assert found == expected


def test_a_transfer_that_turns_out_to_be_anothers_still_tells_the_alias(books: Opened) -> None:
    """First p-1 seemed to give the grant away, then p-2: what names the grant alone afterwards is p-3's all the same."""
    issued = [
        event("grant.issued", f"2026-01-0{day}", grant_id="A", holder=holder, quantity="10")
        for day, holder in ((1, "p-1"), (2, "p-2"))
    ]
    moved = event("grant.transferred", "2026-01-03", grant_id="A", to="p-3")
    vested = event("grant.vested", "2026-01-05", grant_id="A", quantity="4")
    for part in ([issued[0], moved], [issued[1]], [vested]):
        books.take(part)
    stood = {line.holder: row(line, "transferred_in", "vested") for line in books.at("2026-02-01") if not line.empty()}
    assert stood == {"p-1": ("0", "0"), "p-2": ("0", "0"), "p-3": ("10", "4")}


HOLDERS = ("p-1", "p-2", "p-3")
GRANTS = ("A", "B")
AMOUNTS = st.integers(1, 40).map(lambda n: str(n / 2).removesuffix(".0"))
SCHEDULES = st.fixed_dictionaries(
    {
        "segments": st.sampled_from(
            [
                [{"occurrences": 4, "denominator": 4, "every": 9, "unit": "days"}],
                [{"occurrences": 1, "every": 0, "denominator": 2, "unit": "days"}, {"occurrences": 2, "denominator": 4}],
                [{"occurrences": 6, "denominator": 6, "every": 7, "unit": "days", "cliff": 3}],
            ]
        ),
        "on_event": st.booleans(),
        "allocation": st.sampled_from(["cumulative_rounding", "front_loaded", "fractional"]),
    }
)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Grants and what happens to them, each learnt when it happened or later, in any order of arrival."""
    holders = {grant: draw(st.sampled_from(HOLDERS)) for grant in GRANTS}
    events = [_issued(draw, grant, holder) for grant, holder in holders.items()]
    events += [_happening(draw, number, holders) for number in range(draw(st.integers(4, 20)))]
    if draw(st.booleans()):
        events += [_rated(draw, number) for number in (1, 2)]
    learnt = [recorded(one, one.time + draw(st.sampled_from([0, 0, 1, 10, 40])) * DAY_US) for one in events]
    return list(draw(st.permutations(learnt)))


def _issued(draw: st.DrawFn, grant: str, holder: str) -> Event:
    more: dict[str, Any] = {"vesting": draw(st.sampled_from(("immediate", "immediate", "scheduled", "scheduled", "by_event")))}
    if more["vesting"] == "scheduled":
        more["schedule"] = draw(SCHEDULES)
    if draw(st.booleans()):
        more["expires_at"] = _day(draw(st.integers(25, 80)))
    more["termination_window_days"] = draw(st.sampled_from((0, 10)))
    more["termination_windows"] = draw(st.sampled_from(({}, {"retirement": 20})))
    more["legal_character"] = draw(st.sampled_from(("benefit", "pay")))
    more |= {"grant_id": grant, "holder": holder, "quantity": draw(AMOUNTS), "rollover_max": "9"}
    begins = draw(st.integers(0, 20))
    more |= draw(st.sampled_from(({}, {"rollover_min": "2"}, {"effective_at": _day(begins + 4)})))
    return event("grant.issued", _day(begins), ident=grant, **more)


def _rated(draw: st.DrawFn, number: int) -> Event:
    day, since = _day(draw(st.integers(0, 60))), _day(draw(st.integers(0, 60)))
    rate = {"meter": "input_tokens", "units": str(number), "per": "1000000", "effective_from": since}
    return event("rate.published", day, ident=f"rate-{number}", **rate)


KINDS = (
    "usage.inference", "usage.inference", "usage.inference", "usage.corrected", "grant.vested", "grant.vesting_started",
    "grant.accelerated", "grant.forfeited", "grant.transferred", "grant.transferred", "grant.rolled_over", "grant.amended",
    "grant.expired", "grant.revoked", "grant.voided", "grant.suspended", "grant.resumed", "grant.clawed_back",
    "person.terminated", "person.hired",
)  # fmt: skip


def _happening(draw: st.DrawFn, number: int, holders: dict[str, str]) -> Event:
    at, grant, holder = draw(st.integers(0, 70)), draw(st.sampled_from((*GRANTS, *GRANTS, "N"))), draw(st.sampled_from(HOLDERS))
    if draw(st.booleans()):
        holder = holders.get(grant, holder)  # more comes of what is about whoever got the grant
    kind, ident, day = draw(st.sampled_from(KINDS)), f"h-{number}", _day(at)
    of: dict[str, Any] = {"grant_id": grant} if draw(st.booleans()) else {"grant_id": grant, "holder": holder}
    if kind == "usage.inference":
        used: dict[str, Any] = draw(st.sampled_from(({"quantity": draw(AMOUNTS)}, {"input_tokens": 3_000_000})))
        return event(kind, day, ident=ident, person=holder, **used)
    if kind == "usage.corrected":
        usage = {"source": "test", "id": f"h-{draw(st.integers(0, 14))}"}
        return event(kind, day, ident=ident, person=holder, usage=usage, occurred_at=day, quantity=draw(AMOUNTS))
    if kind.startswith("person."):
        more = {"reason": draw(st.sampled_from(("voluntary", "retirement")))} if kind == "person.terminated" else {}
        return event(kind, day, ident=ident, person=holder, **more)
    if kind == "grant.transferred":
        return event(kind, day, ident=ident, **of, to=draw(st.sampled_from([one for one in HOLDERS if one != holder])))
    if kind == "grant.rolled_over":
        return event(kind, day, ident=ident, **of | {"grant_id": draw(st.sampled_from(GRANTS))}, to_grant="N")
    if kind == "grant.amended":
        return event(kind, day, ident=ident, **of, expires_at=_day(at + draw(st.integers(1, 30))))
    if kind == "grant.clawed_back":
        return event(kind, day, ident=ident, **of, amount="5")
    more = {"quantity": draw(AMOUNTS)} if kind in ("grant.vested", "grant.accelerated", "grant.forfeited") else {}
    return event(kind, day, ident=ident, **of, **more)


def _day(number: int) -> str:
    months = ((1, 0, 31), (2, 31, 28), (3, 59, 31), (4, 90, 30))
    month, day = next((month, number - past) for month, past, length in months if number < past + length)
    return f"2026-{month:02}-{day + 1:02}"


def test_the_histories_drawn_reach_every_kind_of_posting(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Else the properties below would hold of less than they say."""
    reached: set[str] = set()

    @settings(max_examples=100, deadline=None, derandomize=True, phases=[Phase.generate], database=None)
    @given(events=histories())
    def draw(events: list[Event]) -> None:
        if reached != set(COLUMNS):
            books = Opened(f"sqlite:///{tmp_path_factory.mktemp('books') / 'books.db'}")
            books.take(events)
            with books.store.reading() as connection:
                reached.update(connection.execute(text("SELECT DISTINCT kind FROM posting")).scalars())
            books.store.close()

    draw()
    assert reached == set(COLUMNS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=histories(),
    clocks=st.lists(st.tuples(st.integers(0, 100), st.one_of(st.none(), st.integers(0, 120))), min_size=2, max_size=5),
    summed=st.booleans(),
)
def test_the_identity_holds_on_both_clocks_and_postings_agree_with_the_journal(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], clocks: list[tuple[int, int | None]], summed: bool
) -> None:
    """At any pair of moments, in any order of arrival: residual zero, nothing negative, and folding gives the same."""
    books = Opened(f"sqlite:///{tmp_path_factory.mktemp('books') / 'books.db'}")
    try:
        books.take(events)
        if summed:
            sum_up(books.store, DAY_0 + 70 * DAY_US)
        for as_of, known_at in clocks:
            moments = (DAY_0 + as_of * DAY_US, None if known_at is None else DAY_0 + known_at * DAY_US)
            posted, folded = books.at(*moments), books.folded(*moments)
            for line in posted:
                assert line.residual() == 0, line
                assert min(getattr(line, name) for name in COLUMNS) >= 0, line
            assert some(posted) == some(folded)
    finally:
        books.store.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=histories(), data=st.data())
def test_the_order_of_arrival_changes_no_figure_once_all_is_known(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], data: st.DataObject
) -> None:
    """The same events in another order, learnt at other times, cut into other batches: the same books at every as-of."""
    found = []
    others = [recorded(one, one.time + data.draw(st.integers(0, 30)) * DAY_US) for one in data.draw(st.permutations(events))]
    for history, batch in ((events, 3), (others, 50)):
        books = Opened(f"sqlite:///{tmp_path_factory.mktemp('books') / 'books.db'}")
        books.take(history, batch=batch)
        found.append([some(books.at(DAY_0 + day * DAY_US)) for day in range(0, 100, 9)])
        books.store.close()
    assert found[0] == found[1]


def some(lines: list[Line]) -> list[str]:
    """Leave out lines on which nothing was posted in the end."""
    return sorted(repr(line) for line in lines if not line.empty())


def test_snapshots_are_made_as_months_end_and_as_a_period_is_closed(books: Opened) -> None:
    """Of the ends of July and August, and of September's as it was known when the quarter was closed."""
    books.take(example(), batch=3)
    with books.store.reading() as connection:
        marks = connection.execute(text("SELECT DISTINCT before, known_at FROM balance_snapshot ORDER BY 1, 2")).all()
    assert [instant_text(before)[:10] for before, _ in marks] == ["2026-08-01", "2026-09-01", "2026-10-01"]
    assert instant_text(marks[-1][1])[:10] == "2026-09-20", "nothing was learnt between then and the closing"


def test_an_installment_whose_date_moves_is_booked_at_its_new_date(books: Opened) -> None:
    """A grant moved on while it vested; that vesting had begun earlier was learnt last."""
    schedule = {"segments": [{"occurrences": 2, "every": 9, "unit": "days", "denominator": 2}], "on_event": True}
    issued = event(
        "grant.issued", "2026-01-01", grant_id="A", holder="p-1", quantity="10", vesting="scheduled", schedule=schedule
    )
    begun = [event("grant.vesting_started", day, grant_id="A", holder="p-1") for day in ("2026-01-05", "2026-01-02")]
    moved = event("grant.transferred", "2026-01-10", grant_id="A", holder="p-1", to="p-2")
    used = event("usage.inference", "2026-03-01", person="p-2", quantity="1")
    books.take([issued, begun[0], moved, used], batch=2)
    assert row(books.at("2026-01-13", holder="p-2")[0], "vested") == ("0",)
    books.take([begun[1]], at=2)
    for as_of in ("2026-01-11", "2026-01-12", "2026-01-13", "2026-01-21", "2026-02-01"):
        assert some(books.at(as_of)) == some(books.folded(as_of))
    assert row(books.at("2026-01-13", holder="p-2")[0], "vested") == ("5",)
    assert not books.books("2026-01-13").projected
