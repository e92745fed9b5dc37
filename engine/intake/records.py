"""What sources of JSON documents share: document → records → drafts of events → arrivals, each refused by itself. Pure.

A source says how a document falls into records and what a record becomes. A record may become several events: a job
that ended is its usage and its end. A record that becomes none is refused with the reason, never dropped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Final

import msgspec

from engine.domain.errors import Refusal
from engine.domain.values import LIMIT, instant_text
from engine.intake.arrivals import Arrival
from engine.intake.contract import Options, admitted, of_organisation, refused
from engine.intake.documents import documents
from engine.intake.identical import Identities
from engine.intake.json_text import LINE_BYTES_MAX
from engine.intake.reading import RAW_BYTES_MAX

_encode: Final = msgspec.json.Encoder(order="deterministic").encode


class Draft(msgspec.Struct, gc=False):
    """An event before it is checked: `data` as JSON values, `time` in µs UTC, `id` empty where the source has none."""

    type: str
    """Between compute. and the version, such as usage.inference."""
    source: str
    id: str
    time: int
    data: dict[str, Any]
    correlation: str = ""
    """What it belongs together with, such as a trace; not part of what the event says."""


Record = tuple[str, Any]
"""Where it stands in its document, such as jobs[3], and what it says."""


class Records(ABC):
    """Base of sources that read JSON documents; a subclass names itself and gives `records` and `drafts`."""

    name = ""
    what = "the file"
    """What is read, in a sentence such as: an answer of Slurm names none."""

    @abstractmethod
    def records(self, document: Any) -> Iterable[Record]:
        """Give a document's records; `Refusal` where it is no document of this source."""

    @abstractmethod
    def drafts(self, record: Any) -> Iterable[Draft]:
        """Give a record's events, at least one; `Refusal` where it has none or says too little."""

    def arrivals(self, stream: BinaryIO, where: str, options: Options) -> Iterator[Arrival]:
        """Read a whole stream, document by document."""
        identities = Identities()
        for document in documents(stream):
            at = f"{where}:{document.number}"
            refusal = document.refusal
            try:
                found = [] if refusal is not None else list(self.records(document.value))
            except Refusal as error:
                refusal = error
            if refusal is not None:
                yield refused(refusal, kept(document.raw), at)
                continue
            alone = document.raw if len(found) == 1 else b""
            for place, record in found:
                yield from self.read(record, f"{at} {place}".rstrip(), identities, options, alone)

    def read(self, record: Any, at: str, identities: Identities, options: Options, written: bytes = b"") -> Iterator[Arrival]:
        """Give the arrivals of one record; `written` is how it came, where it came by itself."""
        try:
            drafts = list(self.drafts(record))
        except Refusal as refusal:
            yield refused(refusal, kept(_encode(record)), at)
            return
        original = written or _encode(record)
        for draft in drafts:
            try:
                yield Arrival(admitted(cloudevent(draft, record, self.what, identities, options), options), None, original, at)
            except Refusal as refusal:
                yield refused(refusal, kept(_encode(record)), at)


def cloudevent(draft: Draft, record: Any, what: str, identities: Identities, options: Options) -> dict[str, Any]:
    """Make the CloudEvents object of a draft; without an id of its source's it is identified by the record's content."""
    if not 0 <= draft.time <= LIMIT:
        msg = "time: expected a time after 1970 and before 2255."
        raise Refusal(msg, "Send the record as the source wrote it.", code="invalid-time", field="time")
    whole: dict[str, Any] = {
        "organisation": of_organisation(options, what),
        "source": draft.source,
        "id": draft.id or identities.of(record),
        "type": f"compute.{draft.type}.v1",
        "time": instant_text(draft.time),
        "data": {key: value for key, value in draft.data.items() if value is not None},
    }
    if draft.correlation:
        whole["correlationid"] = draft.correlation[:256]
    return whole


def kept(raw: bytes) -> bytes:
    """Give as much of a record as is kept with its refusal."""
    return raw if len(raw) <= LINE_BYTES_MAX else raw[:RAW_BYTES_MAX]
