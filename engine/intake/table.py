"""Rows of a CSV file (RFC 4180) or of JSON lines, as named cells, in bounded memory. Pure.

A quoted cell may hold line ends, so a row may take several lines; a quote that isn't closed within the limit costs the
one line it stands on, and reading goes on with the next. A row has as many cells as the header, or is refused.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from engine.domain.errors import Refusal
from engine.domain.wording import cut, shown
from engine.intake.json_text import LINE_BYTES_MAX, check_utf8, parse
from engine.intake.reading import Line, Readable, lines

ROW_LINES_MAX: Final = 256
"""Lines of one row, through line ends in quoted cells."""
_QUOTE: Final = b'"'


class Row(msgspec.Struct, gc=False):
    """One row: its cells by column, or a refusal; `raw` is the row as written, `number` its first line."""

    number: int
    raw: bytes
    cells: dict[str, Any] | None = None
    refusal: Refusal | None = None


def json_rows(stream: Readable) -> Iterator[Row]:
    """Give each line's object."""
    for line in lines(stream):
        refusal = line.refusal
        value: Any = None
        if refusal is None:
            try:
                value = parse(line.text)
                if not isinstance(value, dict):
                    refusal = Refusal(
                        f"Expected an object, got {shown(value)}.", "Send one JSON object a line.", code="not-an-object"
                    )
            except Refusal as error:
                refusal = error
        yield Row(line.number, line.text, None if refusal else value, refusal)


def csv_rows(stream: Readable, delimiter: str, columns: tuple[str, ...], needed: frozenset[str]) -> Iterator[Row]:
    """Give the rows after the header (or all rows, where `columns` names them); a bad header ends it with one refusal."""
    header = columns
    for number, raw, refusal in _records(stream):
        if refusal is not None:
            yield Row(number, raw, None, refusal)
            continue
        try:
            cells = _cells(raw, delimiter)
            if not header:
                header = _header(cells, needed)
                continue
        except Refusal as error:
            yield Row(number, raw, None, error)
            if not header:
                return
        else:
            yield _row(number, raw, cells, header)


def _row(number: int, raw: bytes, cells: list[str], header: tuple[str, ...]) -> Row:
    if len(cells) == len(header):
        return Row(number, raw, dict(zip(header, cells, strict=True)))
    msg = f"The row has {len(cells)} cells, the header {len(header)}."
    return Row(number, raw, None, Refusal(msg, "Quote cells that hold the delimiter.", code="ragged-row"))


def _cells(raw: bytes, delimiter: str) -> list[str]:
    check_utf8(raw)
    try:
        return next(csv.reader([raw.decode()], delimiter=delimiter, strict=True))
    except csv.Error as error:
        msg = f"This is no CSV row: {str(error).partition(' - ')[0]}."
        raise Refusal(msg, 'Quote cells that hold quotes, and write each of those twice ("").', code="not-csv") from error


def _header(cells: list[str], needed: frozenset[str]) -> tuple[str, ...]:
    header = tuple(cell.strip() for cell in cells)
    twice = sorted({name for name in header if header.count(name) > 1})
    missing = sorted(needed - set(header))
    if not twice and not missing:
        return header
    listed = ", ".join(cut(name) for name in header[:20])
    if missing:
        msg = f"The file has no column {', '.join(missing)}; it has {listed}. None of its rows is read."
    else:
        msg = f"The file has several columns called {', '.join(map(cut, twice))}. None of its rows is read."
    raise Refusal(msg, "Correct the mapping's columns, or give it the file's own under `columns`.", code="wrong-columns")


def _records(stream: Readable) -> Iterator[tuple[int, bytes, Refusal | None]]:
    """Join lines until every quote is closed."""
    source = lines(stream, keep_empty=True)
    again: deque[Line] = deque()
    while True:
        line = again.popleft() if again else next(source, None)
        if line is None:
            return
        if line.refusal is not None:
            yield line.number, line.text, line.refusal
        elif line.text.count(_QUOTE) % 2 == 0:
            text = line.text.removesuffix(b"\r")
            if text and not text.isspace():
                yield line.number, text, None
        else:
            parts = _continued(line, again, source)
            if parts is None:
                msg = f"A quote is opened and not closed within {ROW_LINES_MAX} lines."
                yield line.number, line.text, Refusal(msg, "Close it, or write a quote within a cell twice.", code="not-csv")
            else:
                yield line.number, b"\n".join(parts).removesuffix(b"\r"), None


def _continued(line: Line, again: deque[Line], source: Iterator[Line]) -> list[bytes] | None:
    """Take the lines up to the closing quote, or take none of them."""
    taken = [line]
    size, opened = len(line.text), True
    while opened and len(taken) < ROW_LINES_MAX and size <= LINE_BYTES_MAX:
        following = again.popleft() if again else next(source, None)
        if following is None:
            break
        taken.append(following)
        if following.refusal is not None:
            break
        size += len(following.text)
        opened = following.text.count(_QUOTE) % 2 == 0
    if opened:
        again.extendleft(reversed(taken[1:]))
        return None
    return [one.text for one in taken]
