"""JSON documents from a stream: one a line, one over many lines, or one after the other. Pure; bounded memory.

Answers of APIs and exports come as one document that holds many records, often laid out for people. A line that is a
document by itself is one; a line that opens brackets is joined with those that follow until they are closed. One that
never is costs its own line alone, and reading goes on with the next. Texts in JSON hold no line ends (RFC 8259).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from engine.domain.errors import Refusal
from engine.intake.json_text import parse
from engine.intake.reading import RAW_BYTES_MAX, Line, Readable, lines

DOCUMENT_BYTES_MAX: Final = 1 << 25
"""One document: 32 MiB, some 50,000 jobs of a batch system. Parsed it takes about ten times as much memory."""
UNCLOSED_MAX: Final = 8
"""Documents that are opened and never closed, of which each may cost reading to the limit; after these, only lines count."""

_TEXT: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_GOES_ON: Final = frozenset(b",:[{")
_CONTINUES: Final = frozenset(b",:]}")


class Document(msgspec.Struct, gc=False):
    """One document as written and as decoded, or its refusal; `number` is its first line, for people only."""

    number: int
    raw: bytes
    value: Any = None
    refusal: Refusal | None = None


def documents(stream: Readable) -> Iterator[Document]:
    """Give the stream's documents in their order."""
    source = lines(stream, DOCUMENT_BYTES_MAX)
    again: deque[Line] = deque()
    unclosed = 0
    while (line := again.popleft() if again else next(source, None)) is not None:
        if line.refusal is not None:
            yield Document(line.number, line.text, None, line.refusal)
            continue
        found = _read(line.number, line.text)
        depth = None if found.refusal is None or unclosed >= UNCLOSED_MAX else _opened(line.text)
        if depth is not None and depth > 0:
            parts = _continued(line, depth, again, source)
            unclosed += parts is None
            found = found if parts is None else _read(line.number, b"\n".join(parts))
        yield found


def _read(number: int, text: bytes) -> Document:
    try:
        return Document(number, text, parse(text, DOCUMENT_BYTES_MAX))
    except Refusal as refusal:
        return Document(number, text[:RAW_BYTES_MAX] if refusal.code == "too-long" else text, None, refusal)


def _opened(text: bytes) -> int | None:
    """Count the brackets a line leaves open, less than 0 where it closes more; None where it leaves a text open."""
    bare = _TEXT.sub(b"", text)
    if b'"' in bare:
        return None
    return bare.count(b"{") + bare.count(b"[") - bare.count(b"}") - bare.count(b"]")


def _continued(first: Line, depth: int, again: deque[Line], source: Iterator[Line]) -> list[bytes] | None:
    """Take the lines up to the bracket that closes the first line's, or take none of them."""
    taken = [first]
    size = len(first.text)
    while depth > 0:
        line = again.popleft() if again else next(source, None)
        if line is None:
            break
        taken.append(line)
        size += len(line.text) + 1
        change = None if line.refusal is not None else _opened(line.text)
        if change is None or size > DOCUMENT_BYTES_MAX or not _follows(taken[-2].text, line.text):
            break
        depth += change
    else:
        return [line.text for line in taken]
    again.extendleft(reversed(taken[1:]))
    return None


def _follows(before: bytes, after: bytes) -> bool:
    """Whether a line can follow another within one document: a value and the next are parted by a comma."""
    return before.rstrip()[-1] in _GOES_ON or after.lstrip()[0] in _CONTINUES
