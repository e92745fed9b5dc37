"""Rows of any file by a declared mapping: worked examples, and rows that can't be read."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.events import Event
from engine.domain.values import instant
from engine.intake.contract import Options
from tests.intake.samples import NOW, events, mapped, refusal

FARM = """
source: gpu-farm
type: compute.usage.gpu.v1
time: {column: finished, format: "%d.%m.%Y %H:%M", zone: Europe/Berlin, ambiguous: earlier, skipped: forward}
id: job
actor:
  user: {kind: unix_user, column: user, prefix: farm/}
data:
  job_id: {column: job}
  gpus: {column: gpus}
  gpu_seconds: {column: minutes, times: gpus, scale: 60}
  state: {column: result, values: {OK: settled, RUNNING: provisional, ERROR: failed}}
  gpu_model: {column: card, default: unknown}
  cluster: {constant: farm}
  artifacts: {column: made, separator: " ", prefix: "sha256:"}
"""
HEADER = "job,finished,user,gpus,minutes,result,card,made\n"
ROW = "j-1,01.07.2026 12:30,ann,4,90.5,OK,H100,ab cd\n"
BARE = """
source: s
type: compute.usage.inference.v1
time: {column: t}
actor: {credential: {column: k}}
data: {quantity: {column: q}}
"""


def farm(*rows: str) -> list[Event]:
    """Read rows of the farm."""
    return events(mapped(FARM, HEADER + "".join(rows)))


def bare(*rows: str, change: tuple[str, str] = ("", "")) -> list[Any]:
    """Read rows of t,k,q by a changed mapping."""
    return mapped(BARE.replace(*change), "t,k,q\n" + "\n".join(rows))


def test_a_row_becomes_its_event() -> None:
    """Columns, constants, units, zone and actor as declared."""
    (event,) = farm(ROW)
    assert (event.organisation, event.source, event.id) == ("acme", "gpu-farm", "j-1")
    assert event.time == instant("2026-07-01T10:30:00Z")
    data = event.data
    assert data.user.id == "unix_user:farm/ann"
    assert (data.job_id, data.gpus, data.state, data.gpu_model, data.cluster) == ("j-1", 4, "settled", "H100", "farm")
    assert data.gpu_seconds == 4 * 90.5 * 60 * 1_000_000
    assert data.artifacts == ("sha256:ab", "sha256:cd")


def test_an_empty_cell_is_the_default_or_leaves_the_field_out() -> None:
    """Spaces are empty too."""
    (event,) = farm("j-2,25.10.2026 02:30,bob,1,1,RUNNING, ,\n")
    assert (event.data.gpu_model, event.data.artifacts, event.data.state) == ("unknown", (), "provisional")
    assert event.time == instant("2026-10-25T00:30:00Z")


def test_quoted_cells_may_hold_delimiters_quotes_and_line_ends() -> None:
    """RFC 4180; an empty line within a quoted cell too, and none between rows matters."""
    content = 't,"k",q\r\n2026-01-01,"a,b",1\r\n\r\n2026-01-02,"a ""b""\n\nc",2\r\n'
    found = events(mapped(BARE, content))
    assert [event.data.credential for event in found] == ["a,b", 'a "b"\n\nc']


def test_another_delimiter_and_a_file_without_a_header_can_be_declared() -> None:
    """Then the mapping names the columns, and the first row counts."""
    found = mapped(BARE + 'delimiter: "|"\ncolumns: [k, t, q]\n', "a|2026-01-01|1\nb|2026-01-02|2\n")
    assert [event.data.credential for event in events(found)] == ["a", "b"]


def test_json_lines_are_read_by_the_same_mapping() -> None:
    """Numbers and truth values as they are written; a dotted column looks inside objects; nothing is empty."""
    declaration = BARE.replace("column: q", "column: usage.q") + "format: json-lines\n"
    lines = '{"t":"2026-01-01","k":17,"usage":{"q":0.1}}\n{"t":"2026-01-02","k":true,"usage.q":"2"}\n'
    lines += '{"t":"2026-01-03","k":"c","usage":null}\n'
    found = events(mapped(declaration, lines))
    assert [(event.data.credential, event.data.quantity) for event in found] == [
        ("17", 100_000),
        ("true", 2_000_000),
        ("c", None),
    ]


def test_rows_without_an_id_are_known_by_content_and_ordinal() -> None:
    """Identical rows are distinct, and no id depends on where in the file a row stands."""
    rows = ["2026-01-01,a,1", "2026-01-01,b,1", "2026-01-01,a,1", "2026-01-01,a,1"]
    first = [event.id for event in events(bare(*rows))]
    second = [event.id for event in events(bare(*reversed(rows)))]
    assert sorted(first) == sorted(second)
    assert len(set(first)) == 4
    assert [ident[-2:] for ident in first] == ["-1", "-1", "-2", "-3"]
    assert [event.id for event in events(mapped(BARE, "q,k,t\n1,a,2026-01-01\n"))] == first[:1]


def test_several_columns_can_be_the_id() -> None:
    """Joined so that no two rows fall together."""
    found = bare("2026-01-01,a/b,1", "2026-01-01,a,1", change=("data:", "id: [k, q]\ndata:"))
    assert [event.id for event in events(found)] == ["a%2Fb/1", "a/1"]
    assert refusal(bare("2026-01-01,,1", change=("data:", "id: k\ndata:"))).field == "k"


def test_time_can_be_moved_to_the_end_of_what_took_a_while() -> None:
    """Usage is metered when it ends; the start is read by the same clock."""
    change = ("{column: t}", "{column: t, plus: {column: q, scale: 60}}")
    (event,) = events(bare("2026-01-01,a,1.5", change=change))
    assert event.time == instant("2026-01-01T00:01:30Z")
    assert refusal(bare("2026-01-01,a,", change=change)).field == "q"
    assert refusal(bare("2026-01-01,a,-99999999", change=change)).code == "invalid-time"


def test_an_organisation_can_be_declared() -> None:
    """Else the run's own is taken, and without one each row is refused."""
    (event,) = events(bare("2026-01-01,a,1", change=("data:", "organisation: farm\ndata:")))
    assert event.organisation == "farm"
    assert refusal(mapped(BARE, "t,k,q\n2026-01-01,a,1\n", Options())).field == "organisation"


def test_grants_and_links_can_be_mapped_too() -> None:
    """A mapping isn't for usage alone: objects are filled field by field."""
    declaration = """
source: directory
type: compute.alias.linked.v1
time: {column: since}
data:
  alias: {fields: {kind: {constant: login}, value: {column: login, prefix: github.com/}}}
  target: {fields: {kind: {constant: person}, id: {column: person}}}
  verified: {column: sure}
"""
    (event,) = events(mapped(declaration, "since,login,person,sure\n2026-01-01,mona,p-1,yes\n"))
    assert (event.data.alias.id, event.data.target.id, event.data.verified) == ("login:github.com/mona", "p-1", True)
    assert refusal(mapped(declaration, "since,login,person,sure\n2026-01-01,mona,,yes\n")).field == "data.target"
    assert refusal(mapped(declaration, "since,login,person,sure\n2026-01-01,mona,p-1,perhaps\n")).field == "sure"


def test_a_row_from_the_future_is_refused() -> None:
    """As any event is."""
    found = mapped(BARE, "t,k,q\n2026-06-02,a,1\n2026-05-02,a,1\n", Options(organisation="acme", now_us=NOW))
    assert refusal(found).code == "in-the-future"
    assert len(found) == 2


REFUSED = {
    "a word for a number": ("j,01.07.2026 12:30,a,4,ninety,OK,,\n", "minutes", "column minutes: expected a number such as 32"),
    "an empty factor": ("j,01.07.2026 12:30,a,,90,OK,,\n", "gpus", "column gpus: expected a number"),
    "half a GPU": ("j,01.07.2026 12:30,a,1.5,90,OK,,\n", "gpus", "column gpus: expected a whole number, got '1.5'"),
    "another date": ("j,2026-07-01,a,4,90,OK,,\n", "finished", "column finished: expected a time of the form %d.%m.%Y"),
    "an unknown value": ("j,01.07.2026 12:30,a,4,90,DONE,,\n", "result", "'DONE' is not among the mapping's values (OK, RUNNING"),
    "no user": ("j,01.07.2026 12:30,,4,90,OK,,\n", "data", "names nobody"),
    "a long user": (f"j,01.07.2026 12:30,{'u' * 300},4,90,OK,,\n", "data.user.value", "It is read from the column user."),
    "negative time": ("j,01.07.2026 12:30,a,4,-90,OK,,\n", "data.gpu_seconds", "is negative"),
    "a quantity out of range": ("j,01.07.2026 12:30,a,4,99999999999,OK,,\n", "minutes", "within"),
    "too few cells": ("j,01.07.2026 12:30,a\n", "", "The row has 3 cells, the header 8."),
    "a quote within a cell": ('j,01.07.2026 12:30,a"x"b,4,90,OK,"a"b,\n', "", "This is no CSV row"),
    "an id of nothing": (",01.07.2026 12:30,a,4,90,OK,,\n", "job", "column job: empty"),
    "a zero byte": ("j,01.07.2026 12:30,a\0,4,90,OK,,\n", "", "byte 20 is zero"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_row_that_cannot_be_read_is_refused_naming_its_column(name: str) -> None:
    """The rows before and after it are taken in."""
    row, field, words = REFUSED[name]
    found = mapped(FARM, HEADER + ROW + row + ROW.replace("j-1", "j-2"))
    assert [arrival.event.id if arrival.event else None for arrival in found] == ["j-1", None, "j-2"]
    wrong = refusal(found)
    assert wrong.field == field
    assert words in str(wrong)
    assert found[1].raw == row.encode().removesuffix(b"\n")
    assert found[1].where == "file:3"


def test_a_quote_that_is_never_closed_costs_one_line() -> None:
    """The lines it seemed to swallow are read again, one by one."""
    rows = [f"2026-01-01,a{n},1" for n in range(600)]
    rows[10] = '2026-01-01,"open,1'
    found = bare(*rows)
    assert refusal(found).message == "A quote is opened and not closed within 256 lines."
    assert len(found) == 600
    assert found[10].where == "file:12"


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("t,k\n", "The file has no column q; it has t, k."),
        ("t,k,q,k\n", "The file has several columns called k."),
        ("2026-01-01,a,1\n", "The file has no column k, q, t; it has 2026-01-01, a, 1."),
        ("\xff\xfe\n", "The file has no column"),
    ],
)
def test_a_file_with_other_columns_is_refused_once(header: str, words: str) -> None:
    """Every row would say the same."""
    found = mapped(BARE, header + "2026-01-01,a,1,x\n" * 3)
    assert len(found) == 1
    assert words in refusal(found).message


def test_a_line_over_the_limit_and_a_json_line_that_is_no_object_are_refused() -> None:
    """One by one, in both formats."""
    found = bare("2026-01-01,a,1", "x" * 2_000_000, "2026-01-02,b,2")
    assert [arrival.refusal.code if arrival.refusal else "" for arrival in found] == ["", "too-long", ""]
    assert len(found[1].raw) == 4096
    found = mapped(BARE + "format: json-lines\n", '[1]\n{"t":"2026-01-01","k":["a"]}\n')
    assert [arrival.refusal.code if arrival.refusal else "" for arrival in found] == ["not-an-object", "invalid"]
