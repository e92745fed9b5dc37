"""The source `map:FILE.yaml`: any CSV or JSON-lines file, read as a mapping declares. Pure; the mapping is given as text.

A new source of usage, grants or links needs no code: docs/mappings.md describes the format, examples/mappings/ has two.
A row without an id is identified by its content and an ordinal among identical rows, never by its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from msgspec import UNSET

from engine.domain.errors import Refusal
from engine.domain.values import instant_text
from engine.intake.arrivals import Arrival
from engine.intake.contract import Options, admitted, of_organisation, refused
from engine.intake.identical import Identities
from engine.intake.mapping_fields import cell
from engine.intake.mapping_file import read_mapping
from engine.intake.reading import RAW_BYTES_MAX
from engine.intake.table import Row, csv_rows, json_rows


class Mapped:
    """The rows of a file as events of one type."""

    def __init__(self, text: str, name: str) -> None:
        """Check the mapping; `name` is its file's, for people. `UsageError` says what is wrong with it."""
        self._mapping = read_mapping(text, name)
        self.name = f"map:{name}"

    def arrivals(self, stream: BinaryIO, where: str, options: Options) -> Iterator[Arrival]:
        """Read a whole file, row by row."""
        identities = Identities()
        for row in self._rows(stream):
            at = f"{where}:{row.number}"
            try:
                event = admitted(self._cloudevent(row, identities, options), options)
            except Refusal as refusal:
                self._say_whence(refusal)
                raw = row.raw[:RAW_BYTES_MAX] if refusal.code == "too-long" else row.raw
                yield refused(refusal, raw, at)
            else:
                yield Arrival(event, None, row.raw, at)

    def _rows(self, stream: BinaryIO) -> Iterator[Row]:
        declaration = self._mapping.declaration
        if declaration.format == "csv":
            return csv_rows(stream, declaration.delimiter, declaration.columns, self._mapping.needed)
        return json_rows(stream)

    def _cloudevent(self, row: Row, identities: Identities, options: Options) -> dict[str, Any]:
        if row.cells is None:
            raise row.refusal or Refusal("The row can't be read.")
        mapping = self._mapping
        cells, declaration = row.cells, mapping.declaration
        data = {name: value for name, read in mapping.readers.items() if (value := read(cells)) is not UNSET}
        return {
            "organisation": declaration.organisation or of_organisation(options, f"the mapping {mapping.name}"),
            "source": declaration.source,
            "id": self._id(cells) if mapping.ids else identities.of(cells),
            "type": declaration.type,
            "time": instant_text(mapping.when(cells)),
            "data": data,
        }

    def _id(self, cells: dict[str, Any]) -> str:
        parts = [cell(cells, column) for column in self._mapping.ids]
        for column, part in zip(self._mapping.ids, parts, strict=True):
            if not part:
                msg = f"column {column}: empty, and it is part of the row's id."
                raise Refusal(msg, "Correct the row, or leave `id` out of the mapping.", code="missing", field=column)
        if len(parts) == 1:
            return parts[0]
        return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)

    def _say_whence(self, refusal: Refusal) -> None:
        """Name the column of a value that the event's own class refused."""
        step = refusal.field.removeprefix("data.").partition(".")[0].partition("[")[0]
        column = self._mapping.origins.get(step, "") if refusal.field.startswith("data.") else ""
        if column:
            refusal.message += f" It is read from the column {column}."
