"""JSON documents from a stream: whatever their layout, a damaged one costs itself alone."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.intake.documents import DOCUMENT_BYTES_MAX, UNCLOSED_MAX, Document, documents

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
HOLDERS = st.lists(VALUES, min_size=1, max_size=3) | st.dictionaries(st.text(max_size=5), VALUES, min_size=1, max_size=3)


def read(content: bytes) -> list[Document]:
    """Read a whole stream."""
    return list(documents(io.BytesIO(content)))


def values(content: bytes) -> list[object]:
    """Give the documents' values; fail if anything was refused."""
    found = read(content)
    assert [str(one.refusal) for one in found if one.refusal] == []
    return [one.value for one in found]


@given(many=st.lists(st.tuples(HOLDERS, st.sampled_from([None, 0, 1, 4])), max_size=4))
def test_documents_of_any_layout_follow_one_another(many: list[tuple[object, int | None]]) -> None:
    """One a line, or laid out over many lines with any indentation, or mixed."""
    text = "\n".join(json.dumps(value, indent=indent) for value, indent in many if "\0" not in json.dumps(value))
    if "\\u0000" not in text:
        assert values(text.encode()) == [value for value, _ in many]


def test_a_document_is_known_by_its_first_line() -> None:
    """For people, who look for it in the file."""
    assert [one.number for one in read(b'{"a": 1}\n\n{\n"b": 2\n}\n[\n]\n')] == [1, 3, 6]


def test_brackets_and_quotes_within_texts_are_no_layout() -> None:
    """A text may hold what looks like JSON."""
    assert values(b'{\n"a": "}{][ \\" {",\n"b": "\\\\"\n}\n{"c": 1}') == [{"a": '}{][ " {', "b": "\\"}, {"c": 1}]


@pytest.mark.parametrize(
    "damaged",
    [b'{"a": {"b": 1', b'{"a": "text', b'{"a": [1, 2', b'{"a": 1,', b'{"a":', b"{", b"[", b'{"a": 1}x', b"}", b"]]"],
)
def test_a_line_cut_short_costs_itself_alone(damaged: bytes) -> None:
    """Whatever is missing, the lines after it are read, and what was refused is kept as it stood."""
    found = read(damaged + b'\n{"c": 1}\n{"d": 2}\n')
    assert [one.value for one in found if one.refusal is None] == [{"c": 1}, {"d": 2}]
    assert [one.raw for one in found if one.refusal is not None] == [damaged]


def test_many_documents_never_closed_cost_their_lines_alone() -> None:
    """More than are tried over many lines: from then on each line stands by itself."""
    found = read(b'[{"a": 1},\n' * (UNCLOSED_MAX * 3) + b'{"c": 1}\n')
    assert len([one for one in found if one.refusal is not None]) == UNCLOSED_MAX * 3
    assert found[-1].value == {"c": 1}


def test_a_document_over_the_limit_is_refused_and_reading_goes_on() -> None:
    """By the line, or by what its lines come to; the first bytes are kept."""
    filler = b'"' + b"x" * (1 << 20) + b'",\n'
    long = b"[" + b"1," * (DOCUMENT_BYTES_MAX // 2) + b"1]\n"
    found = read(long + b'{"a": 1}\n')
    assert (found[0].refusal is not None, found[0].refusal and found[0].refusal.code) == (True, "too-long")
    assert len(found[0].raw) <= 4096
    assert found[1].value == {"a": 1}
    found = read(b"[\n" + filler * 40 + b'1]\n{"a": 1}\n')
    assert (len(found), found[0].raw) == (43, b"[")
    assert found[-1].value == {"a": 1}
