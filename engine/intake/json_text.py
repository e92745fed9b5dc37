"""JSON text under limits: strict UTF-8, no duplicate keys, no NaN, bounded depth, no U+0000, no lone surrogates. Pure.

Follows RFC 8259 and, in what it refuses beyond it, I-JSON (RFC 7493). This is the hot path: the decoder is msgspec's,
and a check that costs anything runs only where the bytes show that it could find something.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

import msgspec

from engine.domain.errors import Refusal
from engine.domain.wording import cut

DEPTH_MAX: Final = 64
"""Lists and objects within each other; every source's real payloads stay below 20."""
LINE_BYTES_MAX: Final = 1 << 20
"""One line or message: 1 MiB, a broker's own default."""

_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_NOT_A_NUMBER: Final = re.compile(rb"-?(?:NaN|Infinity)")
_HOLDERS: Final = frozenset({dict, list})
_BYTE: Final = re.compile(r"\(byte (\d+)\)")

_decode = msgspec.json.Decoder().decode


def parse(text: bytes, limit: int = LINE_BYTES_MAX) -> Any:
    """Decode one JSON value of at most `limit` bytes; `Refusal` says what is wrong, where, and what to send instead."""
    if len(text) > limit:
        raise too_long(len(text), "The message", limit)
    try:
        value = _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        _explain(text, error)
    keys, depth = measured(value)
    if depth > DEPTH_MAX:
        raise _too_deep()
    # One byte is searched for much faster than several, so what is rare is looked for by its rarest byte first.
    if b"\\" in text and b"\\u0000" in text:
        _check_zero(value)
    if text.count(b'":') != keys or _spaced(text):
        _check_duplicates(text)
    return value


def too_long(size: int, what: str, limit: int = LINE_BYTES_MAX) -> Refusal:
    """Refuse what is over the limit."""
    msg = f"{what} has {size:,} bytes; {limit:,} is the most that is read."
    return Refusal(msg, "Send what it holds in smaller events.", code="too-long")


def measured(value: Any) -> tuple[int, int]:
    """Count the keys of all objects within a value, and how deep lists and objects lie within each other."""
    keys = depth = 0
    level = [value] if type(value) in _HOLDERS else []
    while level:
        depth += 1
        below: list[Any] = []
        for one in level:
            if type(one) is dict:
                keys += len(one)
                below += [inner for inner in one.values() if type(inner) in _HOLDERS]
            else:
                below += [inner for inner in one if type(inner) in _HOLDERS]
        level = below
    return keys, depth


def _spaced(text: bytes) -> bool:
    """Whether a key may be followed by space, and so not be counted as `":`."""
    if b" " in text and b" :" in text:
        return True
    return (b"\t" in text or b"\n" in text or b"\r" in text) and any(mark in text for mark in (b"\t:", b"\n:", b"\r:"))


def _too_deep() -> Refusal:
    msg = f"Lists and objects lie more than {DEPTH_MAX} deep within each other."
    return Refusal(msg, "Send a flatter object.", code="too-deep")


def _check_zero(value: Any) -> None:
    """Refuse U+0000, which databases and most programs can't hold in a text."""
    found = _zero(value, "")
    if found is not None:
        msg = f"{cut(found) or 'The text'}: holds the character U+0000."
        raise Refusal(msg, "Remove the character at the source.", code="invalid-text", field=found.replace("\0", "")[:256])


def _zero(value: Any, path: str) -> str | None:
    if isinstance(value, str):
        return path if "\0" in value else None
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        at = f"{path}.{key}" if path else str(key)
        if isinstance(key, str) and "\0" in key:
            return at.replace("\0", "\\u0000")
        found = _zero(one, at)
        if found is not None:
            return found
    return None


def _check_duplicates(text: bytes) -> None:
    """Refuse an object that says the same key twice: programs differ on which of the two counts."""
    json.loads(text.decode(), object_pairs_hook=_unique, parse_int=len, parse_float=len)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    msg = f"{cut(twice)}: given twice in one object."
    raise Refusal(msg, "Give each key once.", code="duplicate-key", field=twice[:256])


def _explain(text: bytes, error: Exception) -> NoReturn:
    """Turn the decoder's words into a sentence for a person."""
    check_utf8(text)
    do = "Send one JSON object a line, without anything before or after it."
    if isinstance(error, RecursionError):
        raise _too_deep() from error
    if _SURROGATE.search(text) and _loads(text):
        msg = "A text holds half of a surrogate pair (\\ud800 to \\udfff), which is no character."
        raise Refusal(msg, "Send whole characters, such as \\ud83d\\ude00.", code="invalid-text") from error
    found = _BYTE.search(str(error))
    where = int(found[1]) if found else len(text)
    if _NOT_A_NUMBER.match(text, where):
        msg = f"NaN and Infinity are no numbers in JSON (byte {where})."
        raise Refusal(msg, "Leave the field out where there is no number.", code="not-json") from error
    sentence = str(error).removeprefix("JSON is malformed: ")
    if "truncated" in sentence:
        sentence = "it ends in the middle"
        do = "Send the whole object on one line."
    msg = f"This is not JSON: {sentence[:1].lower() + sentence[1:]}; it begins {text[:24].decode(errors='replace')!r}."
    raise Refusal(msg, do, code="not-json") from error


def _loads(text: bytes) -> bool:
    """Whether Python's decoder, which lets lone surrogates pass, finds nothing else wrong."""
    try:
        json.loads(text.decode(), parse_int=len, parse_float=len)
    except (ValueError, RecursionError):
        return False
    return True


def check_utf8(text: bytes) -> None:
    """Refuse binary data and text that isn't UTF-8."""
    if b"\0" in text:
        msg = f"This is not text: byte {text.index(0)} is zero."
        raise Refusal(msg, "Send UTF-8 text; UTF-16 and binary files must be converted.", code="not-text")
    try:
        text.decode()
    except UnicodeDecodeError as error:
        msg = f"This is not UTF-8: byte {error.start} is 0x{text[error.start]:02x}."
        raise Refusal(msg, "Send UTF-8 text; another encoding must be converted.", code="not-text") from error
