"""Lines in bounded memory, whatever the stream does."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib

import pytest

from engine.intake.json_text import LINE_BYTES_MAX
from engine.intake.reading import RAW_BYTES_MAX, Line, lines


class Dripping(io.RawIOBase):
    """A stream that gives a few bytes at a time."""

    def __init__(self, content: bytes, size: int) -> None:
        """Give at most `size` bytes a read."""
        super().__init__()
        self._content, self._size = content, size

    def read(self, size: int = -1, /) -> bytes:
        """Give the next few bytes."""
        size = min(size, self._size)
        part, self._content = self._content[:size], self._content[size:]
        return part


class Endless:
    """A line of a given length that is made while it is read, then a short one."""

    def __init__(self, length: int) -> None:
        """Begin the line."""
        self._left = length
        self._end = b"\nshort\n"

    def read(self, size: int, /) -> bytes:
        """Give the next bytes."""
        if self._left:
            part = min(size, self._left)
            self._left -= part
            return b"x" * part
        end, self._end = self._end, b""
        return end


def read(content: bytes, size: int = 1 << 20) -> list[tuple[int, bytes, str]]:
    """Give each line's number, text and the code of its refusal."""
    return [told(line) for line in lines(Dripping(content, size))]


def told(line: Line) -> tuple[int, bytes, str]:
    """Give a line's number, text and the code of its refusal."""
    return line.number, line.text, line.refusal.code if line.refusal else ""


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize("packed", [False, True])
def test_lines_are_the_same_however_the_stream_gives_its_bytes(size: int, *, packed: bool) -> None:
    """Numbers count physical lines, empty ones are skipped, the last needs no end; gzip or not."""
    content = b"one\n\n  \r\ntwo\r\nthree"
    expected = [(1, b"one", ""), (4, b"two\r", ""), (5, b"three", "")]
    assert read(gzip.compress(content) if packed else content, size) == expected


@pytest.mark.parametrize("packed", [False, True])
def test_a_byte_order_mark_is_no_part_of_the_first_line(*, packed: bool) -> None:
    """Spreadsheets put one in front of the text."""
    content = b"\xef\xbb\xbfone\ntwo"
    assert read(gzip.compress(content) if packed else content) == [(1, b"one", ""), (2, b"two", "")]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)])
def test_an_empty_stream_has_no_lines(content: bytes) -> None:
    """Nothing is neither an event nor a refusal."""
    assert read(content) == []


def test_a_line_over_the_limit_is_refused_whole_and_the_next_is_read() -> None:
    """Its first bytes are kept, its length is said, and the count of lines goes on."""
    long = b"y" * (LINE_BYTES_MAX + 1)
    found = list(lines(io.BytesIO(b"a\n" + long + b"\n" + long[:-1] + b"\nb\n" + long)))
    assert [(line.number, len(line.text), line.refusal is not None) for line in found] == [
        (1, 1, False),
        (2, RAW_BYTES_MAX, True),
        (3, LINE_BYTES_MAX, False),
        (4, 1, False),
        (5, RAW_BYTES_MAX, True),
    ]
    assert found[1].refusal is not None
    assert found[1].refusal.message == "The line has 1,048,577 bytes; 1,048,576 is the most that is read."


def test_a_line_of_100_mb_is_never_held_whole() -> None:
    """Memory stays within the limit and a chunk or two."""
    tracemalloc.start()
    found = [told(line) for line in lines(Endless(100_000_000))]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [(1, b"x" * RAW_BYTES_MAX, "too-long"), (2, b"short", "")]
    assert peak < 4 * LINE_BYTES_MAX


def test_a_small_archive_that_unpacks_to_much_is_read_in_parts() -> None:
    """A line of 200 MB in 200 KB of gzip is refused like any other."""
    packer = zlib.compressobj(9, wbits=31)
    archive = b"".join(packer.compress(b"z" * 1_000_000) for _ in range(200)) + packer.compress(b"\nlast") + packer.flush()
    tracemalloc.start()
    found = [told(line) for line in lines(io.BytesIO(archive))]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [(1, b"z" * RAW_BYTES_MAX, "too-long"), (2, b"last", "")]
    assert peak < 4 * LINE_BYTES_MAX


def test_archives_one_after_the_other_are_one_file() -> None:
    """RFC 1952 lets members follow each other; zeros pad the end of a tape."""
    content = gzip.compress(b"one\ntw") + b"\0" * 70_000 + gzip.compress(b"o\nthree") + b"\0" * 600_000
    assert read(content) == [(1, b"one", ""), (2, b"two", ""), (3, b"three", "")]


@pytest.mark.parametrize("missing", [1, 8, 12])
def test_a_truncated_archive_gives_its_lines_and_says_that_it_ends_too_early(missing: int) -> None:
    """What could be read counts; the rest is one refusal with what to do."""
    found = list(lines(io.BytesIO(gzip.compress(b"one\ntwo\nthree")[:-missing])))
    last = found[-1].refusal
    assert [line.text for line in found[:2]] == [b"one", b"two"]
    assert last is not None
    assert last.message == "The compressed file ends too early after line 2; what follows can't be read."


@pytest.mark.parametrize("content", [b"\x1f\x8b", b"\x1f\x8bnot really", gzip.compress(b"one", mtime=0)[:-8] + b"12345678"])
def test_a_damaged_archive_is_one_refusal(content: bytes) -> None:
    """A wrong header or a wrong checksum is said, not raised."""
    assert [code for _, _, code in read(content)] == ["broken-archive"]


def test_rubbish_after_an_archive_is_refused_once() -> None:
    """The lines before it stand."""
    assert [code for _, _, code in read(gzip.compress(b"one\n") + b"rubbish")] == ["", "broken-archive"]
