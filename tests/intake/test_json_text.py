"""JSON under limits: what is refused, and in which words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import Refusal
from engine.intake.json_text import DEPTH_MAX, LINE_BYTES_MAX, measured, parse

DEEP = b"[" * DEPTH_MAX + b"]" * DEPTH_MAX
CASES = {
    "half an object": (b'{"a":1', "not-json", "it ends in the middle"),
    "single quotes": (b"{'a':1}", "not-json", "keys must be strings"),
    "two values": (b"{} {}", "not-json", "trailing characters"),
    "a comma too many": (b"[1,]", "not-json", "trailing comma"),
    "a word": (b"hello", "not-json", "it begins 'hello'"),
    "not a number": (b'{"a":NaN}', "not-json", "NaN and Infinity"),
    "infinity": (b"[-Infinity]", "not-json", "NaN and Infinity"),
    "a number too big": (b"[1e999]", "not-json", "out of range"),
    "a number of 5,000 digits": (b"9" * 5000, "not-json", "out of range"),
    "zeros": (b"a\0b", "not-text", "byte 1 is zero"),
    "utf-16": ("{}".encode("utf-16"), "not-text", "zero"),
    "latin-1": ('{"a":"é"}'.encode("latin-1"), "not-text", "byte 6 is 0xe9"),
    "an encoded surrogate": (b'"\xed\xa0\x80"', "not-text", "byte 1 is 0xed"),
    "half a surrogate pair": (b'{"a":"\\ud800"}', "invalid-text", "half of a surrogate pair"),
    "a pair the wrong way round": (b'["\\udc00\\ud800 "]', "invalid-text", "half of a surrogate pair"),
    "U+0000 in a text": (b'{"a":{"b":["x\\u0000"]}}', "invalid-text", "a.b.0: holds the character U+0000"),
    "U+0000 in a key": (b'{"a\\u0000":1}', "invalid-text", "holds the character U+0000"),
    "U+0000 alone": (b'"\\u0000"', "invalid-text", "The text: holds"),
    "a key twice": (b'{"a":1,"b":2,"a":1}', "duplicate-key", "a: given twice in one object"),
    "a key twice, deep and spaced": (b'{"x":[{"a" :1,"a"\t:2}]}', "duplicate-key", "a: given twice"),
    "a key twice, once escaped": (b'{"a":1,"\\u0061":2}', "duplicate-key", "a: given twice"),
    "too deep lists": (b"[" + DEEP + b"]", "too-deep", "more than 64 deep"),
    "100,000 brackets": (b"[" * 100_000, "too-deep", "more than 64 deep"),
    "too deep objects": (b'{"a":' * 65 + b"1" + b"}" * 65, "too-deep", "more than 64 deep"),
    "too long": (b" " * (LINE_BYTES_MAX + 1), "too-long", "1,048,577 bytes"),
    "nothing": (b"", "not-json", "it ends in the middle"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_sound_json_is_refused_with_a_sentence(name: str) -> None:
    """Each kind of fault has its code and says where it is or what it is."""
    text, code, words = CASES[name]
    with pytest.raises(Refusal) as caught:
        parse(text)
    assert caught.value.code == code
    assert words in caught.value.message
    assert caught.value.do.endswith(".")


SOUND = {
    "the depth permitted": DEEP,
    "brackets in a text": b'{"a":"' + b"[{" * 200 + b'"}',
    "an escaped quote before a colon": b'{"a":"x\\":y\\\\"}',
    "a colon in a text": b'{"a" : "b : c", "d":{"a":1}}',
    "a written-out escape": b'{"a":"\\\\u0000"}',
    "a whole surrogate pair": b'["\\ud83d\\ude00"]',
    "a key that ends in a backslash": b'{"a\\\\":1}',
    "as long as permitted": b'"' + b"x" * (LINE_BYTES_MAX - 2) + b'"',
}


@pytest.mark.parametrize("name", SOUND)
def test_what_only_looks_wrong_is_taken(name: str) -> None:
    """The quick checks on bytes never refuse; they only ask for a closer look."""
    assert parse(SOUND[name]) == json.loads(SOUND[name])


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON, st.sampled_from([None, 1]), st.booleans())
def test_sound_json_is_read_as_it_was_written(value: object, indent: int | None, ascii_only: bool) -> None:
    """Whatever the layout and the escapes."""
    assert parse(json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()) == value


@settings(deadline=None)
@given(JSON)
def test_keys_and_depth_are_measured(value: object) -> None:
    """As an independent count over the text's own pairs, and a recursion over the value, say."""
    count = 0

    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal count
        count += len(found)
        return dict(found)

    def depth(one: object) -> int:
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    json.loads(json.dumps(value), object_pairs_hook=pairs)
    assert measured(value) == (count, depth(value))
