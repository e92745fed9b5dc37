"""`covenant ledger` from events to figures: the worked example through the command, as JSON, text, CSV and an Excel file."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.cli.conftest import Run, document, ingested, write
from tests.domain.make import event
from tests.service.books import example


@pytest.fixture
def example_store(covenant: Run, folder: Path) -> Run:
    """The command, with the worked example taken in."""
    ingested(covenant, "--trust-recorded-time", write(folder / "example.jsonl", example()))
    return covenant


def ledger(covenant: Run, *arguments: object) -> dict[str, Any]:
    """The JSON that `covenant ledger` gives."""
    result = covenant("--format", "json", "ledger", *arguments)
    assert result.exit_code == 0, result.stderr
    return document(result)


def test_every_figure_of_the_worked_example_comes_through_the_command(example_store: Run) -> None:
    """Each row of the domain's table, with its liability; the identity and the basis stand in the document."""
    names = ("granted", "vested", "consumed", "expired", "forfeited", "outstanding", "unvested", "liability")
    table = {
        ("2026-08-16", "2026-08-16"): ("13500", "7500", "900", "0", "0", "6600", "6000", "10325.81"),
        ("2026-09-20", "2026-09-20"): ("13500", "10500", "1860", "100", "0", "8540", "3000", "10063.17"),
        ("2026-10-01", "2026-10-03"): ("13500", "10500", "1860", "100", "3000", "8540", "0", "7686.00"),
        ("2026-10-01", "2026-10-05"): ("13500", "10500", "1890", "100", "3000", "8510", "0", "7659.00"),
        ("2026-10-21", "2026-10-21"): ("13500", "10500", "1890", "8610", "3000", "0", "0", "0.00"),
    }
    for (as_of, known_at), expected in table.items():
        found = ledger(example_store, "--as-of", as_of, "--known-at", known_at)
        assert tuple(found["total"][name] for name in names) == expected
        assert (found["basis"], found["projected"]) == ("vested-and-accrued", False)
        assert "no accounting advice" in found["notice"]
    first = ledger(example_store, "--as-of", "2026-08-16", "--known-at", "2026-08-16")["total"]
    assert (first["liability_vested"], first["liability_accrued"], first["currency"]) == ("6600.00", "3725.81", "USD")
    vested_only = ledger(example_store, "--as-of", "2026-08-16", "--known-at", "2026-08-16", "--basis", "vested-only")
    assert vested_only["total"]["liability"] == "6600.00"


def test_the_quarters_roll_forward_through_the_command(example_store: Run) -> None:
    """The third as it was reported, the fourth with the correction, breakage and remeasurement by themselves."""
    third = ("--from", "2026-07-01", "--to", "2026-10-01")
    found = ledger(example_store, "--report", "roll-forward", *third)
    assert [found[part] for part in ("opening", "vested", "settled", "breakage", "remeasurement", "closing", "cost")] == [
        "0.00", "10500.00", "-1860.00", "-100.00", "-854.00", "7686.00", "9546.00",
    ]  # fmt: skip
    fourth = ledger(example_store, "--report", "roll-forward", "--from", "2026-10-01", "--to", "2026-10-10")
    assert fourth["correction"] == {"liability": "-27.00", "settled": "30.00", "cost": "3.00"}
    assert (fourth["opening"], fourth["corrections"], fourth["closing"]) == ("7686.00", "-27.00", "7659.00")
    breakage = ledger(example_store, "--report", "breakage", *third)
    assert (breakage["breakage"], breakage["units"]) == ("-100.00", "-100")
    remeasured = ledger(example_store, "--report", "remeasurement", *third)
    assert (remeasured["remeasurement"], {one["price"] for one in remeasured["movements"]}) == ("-854.00", {"-0.1"})


def test_every_figure_is_traced_to_its_events(example_store: Run) -> None:
    """The entries of a balance add up to it, each names its event, and what a date brought about names who set the date."""
    found = ledger(example_store, "--as-of", "2026-09-20", "--known-at", "2026-09-20", "--entries")
    for line in found["lines"]:
        for kind in ("granted", "vested", "consumed", "expired", "outstanding", "unvested"):
            amounts = [float(e["amount"]) for e in found["entries"] if (e["grant"], e["kind"]) == (line["grant"], kind)]
            assert sum(amounts) == float(line[kind]), (line["grant"], kind)
    used = [(e["event"], e["amount"], e["grant"]) for e in found["entries"] if e["kind"] == "consumed"]
    assert used == [("U1", "900", "G2"), ("U2", "460", "G1"), ("U2", "500", "G3")]
    (expired,) = [e for e in found["entries"] if e["kind"] == "expired"]
    assert (expired["event"], expired["because"], expired["time"]) == (
        "G2",
        "the grant's end by its date",
        "2026-08-31T00:00:00Z",
    )


def test_people_read_it_as_a_table_and_programs_as_csv(example_store: Run) -> None:
    """The basis and the notice stand below the table; CSV has a row a line, a movement or an entry."""
    text = example_store("ledger", "--as-of", "2026-10-01", "--known-at", "2026-10-03").stdout
    assert "7686.00" in text
    assert "Basis vested-and-accrued:" in text
    period = ("--report", "roll-forward", "--from", "2026-07-01", "--to", "2026-10-01")
    told = example_store("ledger", *period).stdout
    assert "remeasurement" in told
    assert "9546.00" in told
    rows = list(csv.DictReader(io.StringIO(example_store("ledger", "--format", "csv", *period).stdout)))
    assert sum(float(row["value"]) for row in rows if row["part"] == "settled") == -1860
    lines = list(csv.DictReader(io.StringIO(example_store("ledger", "--format", "csv", "--as-of", "2026-10-21").stdout)))
    assert [row["liability"] for row in lines] == ["0.00", "0.00", "0.00"]
    entries = example_store("ledger", "--format", "csv", "--as-of", "2026-10-21", "--entries").stdout
    assert {row["type"] for row in csv.DictReader(io.StringIO(entries))} >= {"compute.usage.gpu.v1", "compute.grant.issued.v1"}


def test_a_controller_opens_it_in_excel(example_store: Run, folder: Path) -> None:
    """Figures are numbers, sums stand beside formulas, and the entries have a sheet of their own."""
    period = ("--report", "roll-forward", "--from", "2026-07-01", "--to", "2026-10-01")
    result = example_store("ledger", "--format", "xlsx", "--output", "q3.xlsx", *period)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    book = load_workbook(folder / "q3.xlsx")
    assert book.sheetnames == ["Report", "Movements", "Entries"]
    report = {row[0].value: (row[1].value, row[2].value) for row in book["Report"].iter_rows(max_col=3) if row[0].value}
    assert report["closing"][0] == 7686
    assert report["remeasurement"] == (-854, '=ROUND(SUMIF(Movements!E:E,"remeasurement",Movements!L:L),2)')
    assert book["Movements"]["E1"].value == "part"
    exact = sum(row[11].value for row in book["Movements"].iter_rows(min_row=2) if row[4].value == "remeasurement")
    assert (round(exact, 2), book["Movements"].freeze_panes) == (-854, "A2")
    balances = example_store(
        "ledger", "--as-of", "2026-08-16", "--known-at", "2026-08-16", "--format", "xlsx", "--output", "b.xlsx"
    )
    assert balances.exit_code == 0
    sheet = load_workbook(folder / "b.xlsx")["Balances"]
    heads = [cell.value for cell in sheet[7]]
    total = {head: cell.value for head, cell in zip(heads, sheet[11], strict=True)}
    assert (total["organisation"], total["outstanding"], total["liability"]) == ("total", 6600, 10325.81)
    added = {head: cell.value for head, cell in zip(heads, sheet[12], strict=True)}
    letter = sheet[7][heads.index("outstanding")].column_letter
    assert added["outstanding"] == f"=SUM({letter}8:{letter}10)"
    assert sum(sheet[f"{letter}{row}"].value for row in range(8, 11)) == total["outstanding"]
    assert (sheet.freeze_panes, sheet[f"{letter}8"].number_format) == ("A8", "#,##0.00####")


def test_a_name_that_looks_like_a_formula_stays_a_text(covenant: Run, folder: Path) -> None:
    """Names come from outside."""
    bad = event("grant.issued", "2026-01-01", ident="=1+1", grant_id="=HYPERLINK(A1)", holder="p", quantity="1")
    ingested(covenant, write(folder / "bad.jsonl", [bad]))
    assert covenant("ledger", "--format", "xlsx", "--output", "b.xlsx").exit_code == 0
    book = load_workbook(folder / "b.xlsx")
    cells = [
        cell
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if str(cell.value).startswith("=") and "SUM(" not in str(cell.value)
    ]
    assert cells
    assert {cell.data_type for cell in cells} == {"s"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--report", "roll-forward"), "is about a period"),
        (("--report", "breakage", "--from", "2026-02-01", "--to", "2026-01-01"), "is about a period"),
        (("--format", "xlsx"), "--output FILE"),
        (("--output", "x.xlsx"), "--format xlsx"),
    ],
)
def test_what_is_missing_is_said(covenant: Run, folder: Path, arguments: tuple[str, ...], told: str) -> None:
    """Exit code 2 and a sentence."""
    result = covenant("ledger", *arguments)
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_liability_without_a_price_is_null_and_says_why(covenant: Run, folder: Path) -> None:
    """Never 0."""
    grant = event("grant.issued", "2026-01-01", grant_id="G", holder="p", quantity="10", vesting="immediate")
    ingested(covenant, write(folder / "g.jsonl", [grant]))
    result = covenant("--format", "json", "ledger", "--as-of", "2026-02-01")
    found = json.loads(result.stdout)
    assert found["total"]["liability"] is None
    assert found["reasons"] == ["no price of CCU is in force at 2026-01-31T23:59:59.999999Z"]
    assert "unknown" in covenant("ledger", "--as-of", "2026-02-01").stdout
