"""A ledger report as an Excel workbook (ECMA-376): a sheet of figures, a sheet of what is behind each, a sheet of entries.

Takes the documents that `engine.service.ledger_reports` makes and computes nothing. Figures are written as numbers, so
that any program can read them, and beside each sum stands a formula that adds its sheet up again. Texts from outside are
always written as texts: one that begins with an equals sign is no formula here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from engine.service.ledger_reports import ENTRY, IDENTITY, MOVEMENT, VALUES
from engine.service.roll_forward import PARTS

ROWS_MAX: Final = 1_000_000
"""Rows a sheet; Excel itself ends at 1,048,576."""
MONEY: Final = "#,##0.00;[Red]-#,##0.00"
UNITS: Final = "#,##0.00####"
"""With two places at least: Excel would leave the point of a whole number standing alone."""
WIDTH: Final = 18
"""Of a column, in characters: a figure that doesn't fit is shown as ####."""
_PREFACE: Final = ("as_of", "known_at", "basis", "basis_means", "projected", "notice")
_PERIOD: Final = ("from", "to", "period", "known_at", "opening_known_at", "basis", "basis_means", "currency", "notice")
_MONEYS: Final = frozenset(("liability_vested", "liability_accrued", "liability", "value", *PARTS, "cost", "settled"))
_TEXTS: Final = frozenset((*IDENTITY, *ENTRY, *MOVEMENT, "currency")) - {"amount", "units", "price", "value", "exact"}
_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write(path: Path, document: dict[str, Any], entries: Iterable[dict[str, Any]], columns: Sequence[str]) -> None:
    """Write a report; `columns` are the balances, for a report of balances."""
    book = Workbook(write_only=True)
    if "lines" in document:
        _balances(book, document, columns)
    else:
        _movements(book, document)
    _sheet(book, "Entries", ENTRY, entries)
    book.save(path)


def _balances(book: Any, document: dict[str, Any], columns: Sequence[str]) -> None:
    names = (*IDENTITY, *columns, *VALUES)
    sheet = _opened(book, "Balances", names, len(_PREFACE) + 1)
    _preface(sheet, document, _PREFACE)
    sheet.append(_heads(sheet, names))
    first = len(_PREFACE) + 2
    for line in document["lines"]:
        sheet.append([_cell(sheet, name, line.get(name)) for name in names])
    last = first + len(document["lines"]) - 1
    for unit, amounts in document["by_unit"].items():
        sheet.append(
            [
                _cell(sheet, name, "total" if name == "organisation" else unit if name == "unit" else amounts.get(name))
                for name in names
            ]
        )
    if last >= first and len(document["by_unit"]) == 1:
        sums = [get_column_letter(number) for number in range(len(IDENTITY) + 1, len(IDENTITY) + len(columns) + 1)]
        sheet.append(["added up", "", "", "", *(f"=SUM({letter}{first}:{letter}{last})" for letter in sums)])
    for reason in document["reasons"]:
        sheet.append([_cell(sheet, "reason", reason)])


def _preface(sheet: Any, document: dict[str, Any], names: Sequence[str]) -> None:
    for name in names:
        sheet.append(
            [
                _cell(sheet, "reason", name.replace("_", " ")),
                _cell(sheet, "reason", "" if document.get(name) is None else str(document[name])),
            ]
        )


def _movements(book: Any, document: dict[str, Any]) -> None:
    names = ("part", "value", "movements added up")
    sheet = _opened(book, "Report", names, len(_PERIOD) + 1)
    _preface(sheet, document, _PERIOD)
    sheet.append(_heads(sheet, names))
    letters = {name: get_column_letter(number) for number, name in enumerate(MOVEMENT, 1)}
    parts, values = (f"Movements!{letters[name]}:{letters[name]}" for name in ("part", "exact"))
    for part in PARTS:
        if part in document:
            sheet.append([part, _cell(sheet, "value", document[part]), f'=ROUND(SUMIF({parts},"{part}",{values}),2)'])
    if "cost" in document:
        sheet.append(["cost", _cell(sheet, "value", document["cost"])])
        for name, value in document["correction"].items():
            sheet.append([f"correction: {name}", _cell(sheet, "value", value)])
    for reason in document["reasons"]:
        sheet.append([_cell(sheet, "reason", reason)])
    _sheet(book, "Movements", MOVEMENT, document["movements"])


def _sheet(book: Any, title: str, names: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    sheet, number = None, 0
    for count, row in enumerate(rows):
        if count % ROWS_MAX == 0:
            number += 1
            sheet = _opened(book, title if number == 1 else f"{title} {number}", names, 1)
            sheet.append(_heads(sheet, names))
        if sheet is not None:
            sheet.append([_cell(sheet, name, row.get(name)) for name in names])
    if sheet is None:
        sheet = _opened(book, title, names, 1)
        sheet.append(_heads(sheet, names))


def _opened(book: Any, title: str, names: Sequence[str], heads: int) -> Any:
    """Begin a sheet whose first `heads` rows stay in view; a sheet that is written once can't be told so afterwards."""
    sheet = book.create_sheet(title)
    sheet.freeze_panes = f"A{heads + 1}"
    for number in range(1, len(names) + 1):
        sheet.column_dimensions[get_column_letter(number)].width = WIDTH
    return sheet


def _heads(sheet: Any, names: Sequence[str]) -> list[Any]:
    heads = []
    for name in names:
        head = WriteOnlyCell(sheet, value=name.replace("_", " "))
        head.font = Font(bold=True)
        heads.append(head)
    return heads


def _cell(sheet: Any, name: str, value: Any) -> Any:
    """Give a cell: a number where the column holds numbers, else a text that nothing takes for a formula."""
    if value is None:
        return None
    if name in _TEXTS:
        cell = WriteOnlyCell(sheet, value=_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", str(value)))
        cell.data_type = "s"
        return cell
    cell = WriteOnlyCell(sheet, value=Decimal(value))
    cell.number_format = MONEY if name in _MONEYS else UNITS
    return cell
