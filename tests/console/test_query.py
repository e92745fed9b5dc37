"""The language people ask for findings in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import UsageError
from engine.domain.values import instant
from engine.service.finding_query import CLOSED, OPEN, QUALIFIERS, Query, parse


def test_qualifiers_and_words_are_told_apart() -> None:
    """Qualifiers narrow, the rest is free text."""
    filters = parse('rule:fu-001 holder:p-7 severity:HIGH since:2026-01-01 resold "a credit"').filters()
    assert filters.rule == ("FU-001",)
    assert filters.holder == ("p-7",)
    assert filters.severity == ("high",)
    assert filters.since == instant("2026-01-01")
    assert filters.words == ("resold", "a credit")


def test_open_and_closed_stand_for_their_statuses() -> None:
    """Every status is one or the other."""
    assert parse("status:open").filters().status == OPEN
    assert parse("status:closed").filters().status == CLOSED
    assert parse("status:closed status:alleged").filters().status == (*CLOSED, "alleged")


def test_of_two_dates_the_narrower_counts() -> None:
    """Since takes the later, until the earlier."""
    filters = parse("since:2026-01-01 since:2026-02-01 until:2026-05-01 until:2026-04-01").filters()
    assert (filters.since, filters.until) == (instant("2026-02-01"), instant("2026-04-01"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colour:red", "There is no qualifier 'colour'."),
        ("repo-name:x", "There is no qualifier 'repo-name'."),
        ("rule:", "'rule:' lacks a value."),
        ("status:guilty", "status:guilty can't be asked for."),
        ("since:yesterday", "since:yesterday isn't a date."),
        ('holder:"p', "The query can't be read from"),
        ("a\x1bb", "characters that can't be seen"),
        ("x" * 501, "501 characters"),
        (" ".join(f"w{n}" for n in range(25)), "25 terms"),
    ],
)
def test_a_wrong_query_is_refused_with_what_is_wrong(text: str, says: str) -> None:
    """The message names the term."""
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert says in refused.value.message
    assert refused.value.do


def test_an_unknown_qualifier_is_told_which_there_are() -> None:
    """All of them are named."""
    with pytest.raises(UsageError) as refused:
        parse("colour:red")
    assert all(name in refused.value.do for name in QUALIFIERS)


@given(st.lists(st.tuples(st.sampled_from(["holder", "repository", ""]), st.text(min_size=1, max_size=12)), max_size=6))
def test_what_is_written_reads_back_as_the_same_query(terms: list[tuple[str, str]]) -> None:
    """A query's text is the query, whatever its values but for quotes and what can't be seen."""
    kept = [(n, v.strip()) for n, v in terms if v.strip() and '"' not in v and all(ord(letter) >= 32 for letter in v)]
    query = Query(tuple(dict.fromkeys(kept)))
    assert parse(query.text).terms == query.terms


def test_a_facet_is_chosen_replaced_and_taken_away() -> None:
    """Choosing another value replaces, choosing the same one again removes."""
    query = parse("status:open word")
    assert query.only("status", "alleged").text == "word status:alleged"
    assert query.only("status", "open").text == "word"
    assert query.toggled("", "word").text == "status:open"
