"""Where a grant's life is seldom looked at: there and back, away and rehired, before it takes effect, short months, zero."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.domain.events import Event
from engine.domain.events.grants import Segment, Vesting
from engine.domain.ledger import Line
from engine.domain.values import DAY_US, MICRO, instant, instant_text, quantity_text
from engine.domain.vesting import accrued, add_months, tranches
from tests.domain.make import event
from tests.service.books import Opened, recorded, row

QUARTERS: dict[str, Any] = {"segments": [{"occurrences": 4, "every": 10, "unit": "days", "denominator": 4}]}


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Opened]:
    """Fresh books."""
    opened = Opened(f"sqlite:///{tmp_path / 'books.db'}")
    yield opened
    opened.store.close()


def issued(time: str = "2026-01-01", **more: Any) -> Event:
    """A hundred units for p-1, as grant A."""
    return event("grant.issued", time, **{"grant_id": "A", "holder": "p-1", "quantity": "100", "vesting": "immediate"} | more)


def about(verb: str, time: str, holder: str = "p-1", **more: Any) -> Event:
    """An event of grant A."""
    return event(f"grant.{verb}", time, grant_id="A", holder=holder, **more)


def used(time: str, person: str = "p-1", quantity: str = "1", **more: Any) -> Event:
    """A usage."""
    return event("usage.inference", time, person=person, quantity=quantity, **more)


def balance(books: Opened, as_of: str, holder: str = "p-1", grant: str = "A") -> Line:
    """One line, of which nothing is unaccounted for."""
    (line,) = books.at(as_of, holder=holder, grant=grant)
    assert line.residual() == 0
    return line


def test_a_grant_that_comes_back_vests_by_its_schedule_once(books: Opened) -> None:
    """The installments of before it left count no more: a quarter every ten days, and accrued in the same way."""
    there, back = about("transferred", "2026-01-05", to="p-2"), about("transferred", "2026-01-07", "p-2", to="p-1")
    books.take([issued(vesting="scheduled", schedule=QUARTERS), there, back, used("2026-03-01")])
    for as_of, vested in (("2026-01-10", "0"), ("2026-01-12", "25"), ("2026-01-22", "50"), ("2026-02-22", "100")):
        line = balance(books, as_of)
        assert row(line, "outstanding", "vested") == (vested, vested)
    terms = books.books("2026-01-12").terms["acme/person/p-1"]
    assert [quantity_text(one.quantity) for one in terms.ahead["A"]] == ["25", "25", "25"]


def test_a_transfer_takes_the_amended_terms_along(books: Opened) -> None:
    """Its new expiry, filters and termination window, not those it was issued with."""
    amended = about(
        "amended", "2026-01-03", expires_at="2026-06-01", filters={"models": ["m"], "providers": []}, termination_window_days=9
    )
    moved = about("transferred", "2026-01-05", to="p-2")
    books.take([issued(expires_at="2026-02-01"), amended, moved, used("2026-03-01", "p-2", "5", model="m")])
    assert row(balance(books, "2026-03-02", "p-2"), "outstanding", "consumed", "expired") == ("95", "5", "0")
    books.take([used("2026-03-02", "p-2", "5", model="other"), event("person.terminated", "2026-03-03", person="p-2")])
    assert row(balance(books, "2026-03-12", "p-2"), "outstanding", "consumed") == ("95", "5")
    assert row(balance(books, "2026-03-13", "p-2"), "outstanding", "expired") == ("0", "95")


def test_a_suspended_grant_is_suspended_in_other_hands_too(books: Opened) -> None:
    """Passing it on isn't a way to use it; resumed, it covers."""
    moves = [
        about("suspended", "2026-01-03"),
        about("transferred", "2026-01-05", to="p-2"),
        about("resumed", "2026-01-20", "p-2"),
    ]
    books.take([issued(), *moves, used("2026-01-10", "p-2", "5"), used("2026-01-21", "p-2", "7")])
    assert row(balance(books, "2026-02-01", "p-2"), "consumed", "outstanding", "overage") == ("7", "93", "5")


def test_a_partly_used_grant_moves_what_is_left(books: Opened) -> None:
    """Vested and unvested; what was used stays the giver's, also where the usage is learnt after the transfer."""
    events = [issued(vesting="by_event"), about("vested", "2026-01-02", quantity="10"), used("2026-01-03", quantity="4")]
    books.take([*events, about("transferred", "2026-01-05", to="p-2")])
    assert row(balance(books, "2026-02-01", "p-2"), "transferred_in", "outstanding", "unvested") == ("96", "6", "90")
    books.take([recorded(used("2026-01-04", quantity="5"), "2026-02-01")])
    assert row(balance(books, "2026-03-01"), "consumed", "transferred_out") == ("9", "91")
    assert row(balance(books, "2026-03-01", "p-2"), "transferred_in", "outstanding", "unvested") == ("91", "1", "90")


@pytest.mark.parametrize("word", ["hired", "terminated"])
def test_what_ran_out_after_employment_does_not_come_back_with_another_word_about_it(books: Opened, word: str) -> None:
    """Ten days after the end everything is lost, whether they are hired again or the end is told once more."""
    said = [event("person.terminated", "2026-01-03", person="p-1"), event(f"person.{word}", "2026-02-01", person="p-1")]
    books.take([issued(termination_window_days=10), *said, used("2026-02-05")])
    for as_of, left in (
        ("2026-01-13", "100"),
        ("2026-01-20", "0"),
        ("2026-02-01", "0"),
        ("2026-02-04", "0"),
        ("2026-03-01", "0"),
    ):
        assert row(balance(books, as_of), "outstanding") == (left,), as_of
    assert row(balance(books, "2026-03-01"), "expired", "consumed", "overage") == ("100", "0", "1")


def test_who_is_hired_again_within_the_window_keeps_what_had_vested(books: Opened) -> None:
    """And what had not is gone: it was forfeited when they left."""
    schedule = {"segments": [{"occurrences": 2, "every": 10, "unit": "days", "denominator": 2}]}
    said = [event("person.terminated", "2026-01-15", person="p-1"), event("person.hired", "2026-01-20", person="p-1")]
    books.take([issued(termination_window_days=10, vesting="scheduled", schedule=schedule), *said, used("2026-02-05")])
    assert row(balance(books, "2026-03-01"), "outstanding", "forfeited", "consumed", "vested") == ("49", "50", "1", "50")


def test_a_grant_that_takes_effect_later_vests_then(books: Opened) -> None:
    """Until then nothing of it is owed as vested; a leaver before that day never gets it."""
    books.take([issued(effective_at="2026-02-01"), used("2026-01-15"), used("2026-02-02")])
    assert row(balance(books, "2026-02-01"), "outstanding", "unvested", "overage") == ("0", "100", "1")
    assert row(balance(books, "2026-02-02"), "outstanding", "unvested") == ("100", "0")
    assert row(balance(books, "2026-03-01"), "outstanding", "consumed") == ("99", "1")
    books.take([recorded(about("transferred", "2026-01-20", to="p-2"), "2026-02-03")])
    assert row(balance(books, "2026-02-01", "p-2"), "unvested", "vested") == ("100", "0")
    assert row(balance(books, "2026-02-02", "p-2"), "outstanding", "vested") == ("100", "100")
    books.take([recorded(event("person.terminated", "2026-01-25", person="p-2"), "2026-02-04")])
    assert row(balance(books, "2026-03-01", "p-2"), "forfeited", "vested") == ("100", "0")


def test_a_clawback_after_the_end_is_a_claim_and_moves_no_units(books: Opened) -> None:
    """The grant is over, the claim isn't."""
    books.take(
        [issued(expires_at="2026-02-01"), used("2026-01-05", quantity="30"), about("clawed_back", "2026-02-10", amount="7.5")]
    )
    assert row(balance(books, "2026-03-01"), "consumed", "expired", "outstanding") == ("30", "70", "0")
    (claim,) = books.books("2026-03-01").terms["acme/person/p-1"].claims
    assert (quantity_text(claim.amount), claim.currency) == ("7.5", "USD")
    assert books.books("2026-02-10").terms["acme/person/p-1"].claims == []


def test_nothing_used_moves_nothing(books: Opened) -> None:
    """A usage of 0 units is a usage, and a balance of 0 rolls over as its least."""
    books.take([issued(), used("2026-01-02", quantity="0")])
    assert row(balance(books, "2026-02-01"), "consumed", "outstanding", "overage") == ("0", "100", "0")
    books.take([used("2026-01-03", quantity="100"), about("rolled_over", "2026-02-01", to_grant="B")])
    assert row(balance(books, "2026-03-01"), "rolled_out", "outstanding", "consumed") == ("0", "0", "100")
    assert books.at("2026-03-01", grant="B") == []


def test_the_last_of_a_month_stays_the_last_over_segments_and_leap_years() -> None:
    """From 31 January: a cliff in February doesn't make every later month end on its 28th."""
    segments = (Segment(occurrences=1, denominator=3), Segment(occurrences=2, denominator=3))
    found = tranches(3 * MICRO, Vesting(segments=segments), instant("2028-01-31"))
    assert [instant_text(one.due)[:10] for one in found] == ["2028-02-29", "2028-03-31", "2028-04-30"]
    assert [instant_text(add_months(instant("2028-02-29"), n))[:10] for n in (12, 48)] == ["2029-02-28", "2032-02-29"]
    mixed = (Segment(occurrences=1, denominator=2), Segment(occurrences=1, denominator=2, unit="days", every=1))
    found = tranches(2 * MICRO, Vesting(segments=mixed), instant("2026-01-31"))
    assert [instant_text(one.due)[:10] for one in found] == ["2026-02-28", "2026-03-01"]


def test_nothing_is_earned_before_vesting_begins() -> None:
    """An installment of the very first day is earned on it and not by the signature weeks before."""
    first = tranches(MICRO, Vesting(segments=(Segment(occurrences=1, every=0),)), instant("2026-07-01"))[0]
    assert [accrued(first, first.since + days * DAY_US) for days in (-20, 0)] == [0, 0]


def test_grants_of_two_holders_that_roll_over_into_each_other_end_the_same_in_any_order(books: Opened, tmp_path: Path) -> None:
    """Each stays with who has it: a rollover makes nobody the holder of another's grant, whichever was heard of first."""
    terms: dict[str, Any] = {"quantity": "100", "vesting": "immediate", "rollover_max": "100"}
    first = event("grant.issued", "2026-01-06", ident="a", grant_id="G1", holder="p-1", **terms)
    second = event("grant.issued", "2026-01-01", ident="b", grant_id="G2", holder="p-2", **terms)
    there = event("grant.rolled_over", "2026-01-06", ident="c", grant_id="G2", to_grant="G1")
    back = event("grant.rolled_over", "2026-01-06", ident="d", grant_id="G1", to_grant="G2")
    books.take([second, first, there, back], batch=1)
    other = Opened(f"sqlite:///{tmp_path / 'other.db'}")
    other.take([first, back, second, there], batch=1)
    found = [sorted(repr(line) for line in one.at("2026-02-01") if not line.empty()) for one in (books, other)]
    other.store.close()
    assert found[0] == found[1]
