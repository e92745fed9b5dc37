"""What every command shares: its settings, and how it speaks: results on standard output, all else on standard error.

With `json`, standard output is one JSON document or JSON lines and nothing else. Progress is drawn on standard error,
and only where a person watches it. Never decides what a command does.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
import msgspec

from engine.settings import Settings, read_settings

FORMATS = ("text", "json", "csv")
_NUMBER = re.compile(r"-?[0-9,]+(\.[0-9]+)?")


class Shell:
    """One run of the command."""

    def __init__(self) -> None:
        """Begin with nothing said: text, not quiet, settings from the environment."""
        self.format = "text"
        self.quiet = False
        self.given: dict[str, Any] = {}
        self._settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        """The settings, read when they are first needed; options given on the command line go first."""
        if self._settings is None:
            self._settings = read_settings(**self.given)
        return self._settings

    def give(self, name: str, value: Any) -> None:
        """Take an option that stands for a setting."""
        self.given[name] = value
        self._settings = None

    def say(self, text: str) -> None:
        """Tell a person something that isn't the result."""
        if not self.quiet:
            click.echo(visible(text), err=True)

    def document(self, document: Mapping[str, Any], text: str | Callable[[], str]) -> None:
        """Give the result that is one document: as JSON, as one row of CSV, or as text."""
        if self.format == "json":
            click.echo(msgspec.json.encode(document))
        elif self.format == "csv":
            self.rows([document], list(document))
        else:
            click.echo(visible(text if isinstance(text, str) else text()))

    def rows(self, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], empty: str = "Nothing.") -> None:
        """Give the result that is a list: as JSON lines with all fields, or its columns as CSV or as a table."""
        if self.format == "json":
            for row in rows:
                click.echo(msgspec.json.encode(row))
        elif self.format == "csv":
            click.echo(_csv(columns), nl=False)
            for row in rows:
                click.echo(_csv([_cell(row.get(name)) for name in columns]), nl=False)
        else:
            lines = [[_cell(row.get(name)) for name in columns] for row in rows]
            click.echo(visible(table(columns, lines)) if lines else empty)

    @contextmanager
    def progress(self, what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Show how far long work is; the callable takes how much is done so far."""
        if self.quiet or not click.get_text_stream("stderr").isatty():
            yield lambda _: None
            return
        from rich.console import Console  # noqa: PLC0415 - only where a person watches
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda done: bar.update(task, completed=done)


pass_shell = click.make_pass_decorator(Shell, ensure=True)


def visible(text: str) -> str:
    """Make what would steer a terminal visible instead: names and payloads come from outside."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text)


def table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Lay text out in columns, numbers to the right."""
    rows = [[name.replace("_", " ") for name in columns], *lines]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    right = [all(_NUMBER.fullmatch(row[i]) for row in lines) for i in range(len(columns))]
    laid = [[c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)] for row in rows]
    return "\n".join("  ".join(cells).rstrip() for cells in laid)


def _csv(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping | list | tuple):
        return msgspec.json.encode(value).decode()
    return str(value)
