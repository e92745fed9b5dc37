"""The source `cloudevents`: CloudEvents 1.0 in JSON, one object (structured mode) or one array (batch mode) a line. Pure.

`decode` also reads one Kafka message. A batch's members are arrivals of their own: one refused leaves the others be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from engine.domain.errors import Refusal
from engine.intake.arrivals import Arrival
from engine.intake.contract import Options, admitted, refused
from engine.intake.json_text import parse
from engine.intake.reading import RAW_BYTES_MAX, lines


class CloudEvents:
    """CloudEvents lines, the format everything else is converted to."""

    name = "cloudevents"

    def arrivals(self, stream: BinaryIO, where: str, options: Options) -> Iterator[Arrival]:
        """Read a whole stream, line by line."""
        for line in lines(stream):
            at = f"{where}:{line.number}"
            if line.refusal is not None:
                yield refused(line.refusal, line.text, at)
            else:
                yield from decode(line.text, at, options)


def decode(value: bytes, where: str, options: Options) -> list[Arrival]:
    """Read one line or message; never raises. An empty batch gives no arrival, an empty value a refusal."""
    if not value:
        msg = "The message is empty."
        return [refused(Refusal(msg, "Send one CloudEvents object.", code="empty"), b"", where)]
    try:
        parsed = parse(value)
    except Refusal as refusal:
        return [refused(refusal, value if refusal.code != "too-long" else value[:RAW_BYTES_MAX], where)]
    if type(parsed) is not list:
        return [_one(parsed, value, where, options)]
    return [_one(member, None, f"{where} [{index}]", options) for index, member in enumerate(parsed)]


def _one(raw: Any, value: bytes | None, where: str, options: Options) -> Arrival:
    """Read one object; `value` is how it was written, or None for a batch's member."""
    if options.organisation and type(raw) is dict and raw.get("organisation") in (None, ""):
        raw["organisation"] = options.organisation
    try:
        return Arrival(admitted(raw, options), None, b"", where)
    except Refusal as refusal:
        return refused(refusal, msgspec.json.encode(raw) if value is None else value, where)
