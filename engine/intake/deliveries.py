"""What sources of webhooks share: lines `{"event", "delivery"?, "received"?, "host"?, "payload"}`, or bare payloads. Pure.

`event`, `delivery` and `host` are what the host's headers said, `received` is when it came in. Without `received` the
time is what the payload itself says of the act by the server's clock, else the delivery is refused. Unknown keys are
ignored. A bare payload is read where it shows by itself what it is; one that doesn't needs the line around it.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from engine.domain.errors import Refusal
from engine.domain.values import LIMIT, SECOND_US, instant
from engine.domain.wording import cut, shown
from engine.intake.hosting import Made, host_of
from engine.intake.picking import wrong
from engine.intake.records import Draft, Record, Records

_EVENT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_ :-]{0,99}")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,200}(?::[0-9]{1,5})?")
_KEYS: Final = ("event", "delivery", "received", "host", "payload")
_WORD: Final = re.compile(r"[a-z][a-z0-9_-]{0,99}")
_SPACED: Final = re.compile(r"([0-9-]{10}) ([0-9:]{8}(?:\.[0-9]{1,6})?) (?:UTC|\+0000)")
_NEVER: Final = "0001-01-01T00:00:00Z"
"""What hosts written in Go write for no time."""
DO_TIME: Final = 'Give the time at which the delivery was received, as in {"received": "…", "payload": {…}}.'


class Delivery(msgspec.Struct, gc=False):
    """One delivery as its line says it."""

    event: str
    payload: dict[str, Any]
    id: str = ""
    received: int | None = None
    host: str = ""


class Act(msgspec.Struct, gc=False):
    """What a delivery is understood as: who reports it, when it happened, and the events it makes."""

    host: str
    time: int
    data: dict[str, Any]
    """What each of the events says of the repository, its owner and the actor."""
    made: list[Made]


class Deliveries(Records):
    """Base of a host's webhooks; a subclass names itself, tells a bare payload's event, and gives `act`."""

    header = "the event's name"
    """What `event` holds, for people."""
    do = "Send the delivery as the host sent it."
    """What to do about a delivery that says too little."""

    def records(self, document: Any) -> Iterable[Record]:
        """Give the one delivery of a document."""
        if not isinstance(document, dict):
            msg = f"Expected an object with event and payload, got {shown(document)}."
            raise Refusal(msg, 'Send lines such as {"event": "push", "delivery": "…", "payload": {…}}.', code="not-an-object")
        if "payload" in document or "event" in document:
            return [("", {key: document[key] for key in _KEYS if document.get(key) is not None})]
        return [("", {"payload": document})]

    def bare(self, payload: dict[str, Any]) -> str | None:
        """Give the event of a payload that names it or shows it by its shape; None where it does neither."""
        del payload
        return None

    @abstractmethod
    def act(self, delivery: Delivery) -> Act:
        """Say what a delivery is; `Refusal` where it says too little or is about no repository."""

    def drafts(self, record: Any) -> Iterable[Draft]:
        """Give a delivery's events; the first has the delivery's own id, others are told apart by verb and ordinal."""
        delivery = self._delivery(record)
        act = self.act(delivery)
        seen: Counter[str] = Counter()
        for index, (verb, said) in enumerate(act.made):
            seen[verb] += 1
            ordinal = f"-{seen[verb]}" if seen[verb] > 1 else ""
            known = f"{delivery.id}/{verb}{ordinal}" if delivery.id and index else delivery.id
            yield Draft(f"repository.{verb}", act.host, known, act.time, {**act.data, **said})

    def _delivery(self, record: dict[str, Any]) -> Delivery:
        event, payload, known = record.get("event"), record.get("payload"), record.get("delivery")
        if event is None and isinstance(payload, dict):
            event = self.bare(payload)
        if not isinstance(event, str) or not _EVENT.fullmatch(event):
            wrong("event", self.header, event, self.do)
        if not isinstance(payload, dict):
            wrong("payload", "the delivery's body, an object", payload, self.do)
        if known is not None and (not isinstance(known, str) or not known):
            wrong("delivery", "the delivery's own id, from its header", known, self.do)
        host = host_of(record.get("host")) or record.get("host")
        if host is not None and (not isinstance(host, str) or not _HOST.fullmatch(host)):
            wrong("host", "the host's name, such as git.example.com", host, self.do)
        received = None if record.get("received") is None else moment(record["received"], "received")
        return Delivery(event, payload, known or "", received, (host or "").lower())


def word(value: Any, field: str, do: str) -> str:
    """Give a payload's action, empty where there is none."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        wrong(field, "a word such as opened", value, do)
    return value


def moment(value: Any, field: str, do: str = DO_TIME) -> int:
    """Read a time in µs UTC: RFC 3339, GitLab's `2024-01-24 16:27:40 UTC`, or seconds since 1970."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LIMIT // SECOND_US:
        return value * SECOND_US
    spaced = _SPACED.fullmatch(value) if isinstance(value, str) else None
    try:
        return int(instant(f"{spaced[1]}T{spaced[2]}Z" if spaced else value))
    except Refusal as error:
        msg = f"{field}: expected an RFC 3339 time or seconds since 1970, got {shown(value)}."
        raise Refusal(msg, do, code="invalid-time", field=field) from error


def at(value: Any, path: str) -> Any:
    """Give the value at a dotted path within an object; None where there is none."""
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def said_time(payload: dict[str, Any], paths: tuple[str, ...], kind: str) -> int:
    """Give the server's own time for an act, the first there is at these paths, in µs UTC; `Refusal` where there is none."""
    if not paths:
        msg = f"received: missing, and a delivery of {cut(kind)} says nowhere when the host acted."
        raise Refusal(msg, DO_TIME, code="no-time", field="received")
    for path in paths:
        value = at(payload, path)
        if value is not None and value != _NEVER:
            return moment(value, f"payload.{path}")
    field = f"payload.{paths[0]}"
    msg = f"received: missing, and {field}, which would say when the host acted, is missing too."
    raise Refusal(msg, DO_TIME, code="no-time", field=field)


def elsewhere(kind: str, about: str, do: str, field: str = "payload.repository") -> Refusal:
    """Make the refusal of what concerns no one repository."""
    msg = f"{field}: missing; {cut(kind)} is about {about}, and Covenant takes in acts on one repository."
    return Refusal(msg, do, code="no-repository", field=field)
