"""Lines from a binary stream in bounded memory: at most one line and one chunk are held, gzip recognised by its bytes.

A line over the limit is refused whole, its first bytes kept, and reading goes on after it. A compressed file that ends
too early gives the lines before the break and one refusal that says so. Empty lines are skipped. Opens nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final, Protocol

import msgspec

from engine.domain.errors import Refusal
from engine.intake.json_text import LINE_BYTES_MAX, too_long

RAW_BYTES_MAX: Final = 4096
"""How much of a line over the limit is kept."""
_CHUNK: Final = 1 << 18
_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_GZIP_WINDOW: Final = 31
"""zlib's word for: expect gzip's header and check its trailer."""


class Readable(Protocol):
    """The one thing asked of a stream."""

    def read(self, size: int, /) -> bytes:
        """Give up to `size` bytes, none at the end."""
        ...


class Line(msgspec.Struct, gc=False):
    """One physical line without its end; `number` counts from 1 and is for people only."""

    number: int
    text: bytes
    refusal: Refusal | None = None


class _Broken(Exception):
    """Compressed data ends too early or is damaged."""


def lines(stream: Readable, limit: int = LINE_BYTES_MAX, *, keep_empty: bool = False) -> Iterator[Line]:
    """Give the stream's lines; `limit` in bytes. An empty line can be part of a quoted cell, so CSV keeps them."""
    source = _opened(stream)
    number = 0
    tail = b""
    dropped = 0
    while True:
        try:
            chunk = source.read(_CHUNK)
        except _Broken as error:
            yield Line(number + 1, tail[:RAW_BYTES_MAX], _broken(str(error), number))
            return
        first, *rest = chunk.split(b"\n") if chunk else (b"", b"")
        if dropped and rest:
            number += 1
            yield Line(number, tail, too_long(dropped + len(first), "The line", limit))
            dropped, tail = 0, b""
        elif dropped:
            dropped += len(first)
        else:
            rest.insert(0, tail + first)
            tail = b""
        if not rest:
            continue
        *whole, tail = rest
        if len(tail) > limit:
            tail, dropped = tail[:RAW_BYTES_MAX], len(tail)
        for text in whole:
            number += 1
            if len(text) > limit:
                yield Line(number, text[:RAW_BYTES_MAX], too_long(len(text), "The line", limit))
            elif keep_empty or (text and not text.isspace()):
                yield Line(number, text)
        if not chunk:
            return


def _broken(why: str, number: int) -> Refusal:
    place = f"after line {number:,}" if number else "before the end of its first line"
    msg = f"The compressed file {why} {place}; what follows can't be read."
    return Refusal(msg, "Copy the file again and send it again: what was taken in already is known.", code="broken-archive")


def _opened(stream: Readable) -> Readable:
    """Give the stream itself, or what its gzip data decompresses to."""
    head = stream.read(3) or b""
    while len(head) < len(_BOM):
        more = stream.read(len(_BOM) - len(head))
        if not more:
            break
        head += more
    if head == _BOM:
        return stream
    whole = _Joined(head, stream)
    return _Gunzip(whole) if head.startswith(_GZIP) else whole


class _Joined:
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, stream: Readable) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int, /) -> bytes:
        if self._head:
            head, self._head = self._head, b""
            return head
        return self._stream.read(size)


class _Gunzip:
    """Decompress RFC 1952 members one after the other, never more than `size` bytes at a time."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self._waiting = b""
        self._first = True

    def read(self, size: int, /) -> bytes:
        while True:
            if self._member.eof and not self._next_member():
                return b""
            data = self._waiting or self._stream.read(_CHUNK)
            try:
                out = self._member.decompress(data, size)
            except zlib.error as error:
                msg = "is damaged"
                raise _Broken(msg) from error
            self._waiting = self._member.unconsumed_tail
            if out:
                return out[len(_BOM) :] if self._starts(out) else out
            if not data and not self._member.eof:
                msg = "ends too early"
                raise _Broken(msg)

    def _next_member(self) -> bool:
        """Begin the next member, if there is one; zeros that pad an archive are skipped."""
        rest = self._member.unused_data
        while not (rest := rest.lstrip(b"\0")):
            rest = self._stream.read(_CHUNK)
            if not rest:
                return False
        self._waiting = rest
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        return True

    def _starts(self, out: bytes) -> bool:
        first, self._first = self._first, False
        return first and out.startswith(_BOM)
