"""Files that commands read: all looked at before anything is written, opened one after the other, counted as they are read."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import click

from engine.domain.errors import Refusal, UsageError
from engine.domain.values import instant

STANDARD_INPUT = "-"


class Moment(click.ParamType):
    """A point in time: RFC 3339, or a date for its midnight in UTC; µs inside."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it, or say how to write it."""
        if isinstance(value, int):
            return value
        try:
            return int(instant(value))
        except Refusal as refusal:
            self.fail(refusal.message, param, ctx)


class Counter:
    """How many bytes were read of all files."""

    def __init__(self) -> None:
        """Begin at none."""
        self.read = 0


class _Counted(io.FileIO):
    """A file that counts what is read of it."""

    counter: Counter

    def readinto(self, buffer: Any, /) -> int | None:
        count = super().readinto(buffer)
        self.counter.read += count or 0
        return count


def check(names: Sequence[str]) -> int | None:
    """Refuse what can't be read, in one sentence, before anything begins; gives the bytes of all, None if unknown."""
    if names.count(STANDARD_INPUT) > 1:
        msg = "Standard input (-) was given twice."
        raise UsageError(msg, "It can be read once.")
    total: int | None = 0
    for name in names:
        size = None if name == STANDARD_INPUT else _size(Path(name))
        total = None if size is None or total is None else total + size
    return total


def _size(path: Path) -> int | None:
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "a folder")
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_size if path.is_file() else None
    except OSError as error:
        raise _unreadable(str(path), error) from error


@contextmanager
def opened(name: str, counter: Counter | None = None) -> Iterator[BinaryIO]:
    """Open a file, or standard input for `-`."""
    if name == STANDARD_INPUT:
        yield click.get_binary_stream("stdin")
        return
    try:
        raw = _Counted(name, "rb")
    except OSError as error:
        raise _unreadable(name, error) from error
    raw.counter = counter or Counter()
    with io.BufferedReader(raw, 1 << 20) as file:
        yield cast("BinaryIO", file)


def _unreadable(name: str, error: OSError) -> UsageError:
    if isinstance(error, FileNotFoundError):
        return UsageError(f"There is no file {name}.", "See that its name is right.")
    if isinstance(error, IsADirectoryError):
        return UsageError(f"{name} is a folder.", "Name the files in it.")
    return UsageError(f"{name} can't be read: {error.strerror or error}.", "See that you may read it.")
