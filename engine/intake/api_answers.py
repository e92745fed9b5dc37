"""Recorded answers of model providers' APIs: what is common to the sources `openai` and `anthropic`. Pure.

A record is the answer's body, or an object that holds it beside what was known of the call:
`{"response", "request"?, "headers"?, "uri"?, "status"?, "received"?, "credential"?, "user"?, "person"?}`. `response`
is the body or, of a streamed answer, its server-sent events as text. Answers name no caller, so the proxy that records
them does (`credential` is a key's hash, never the key); without one the usage waits for a link of its endpoint's alias.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, Final, NoReturn

import msgspec

from engine.domain.errors import Refusal
from engine.domain.wording import cut, shown
from engine.intake.json_text import parse
from engine.intake.picking import Fields, http_time, time_of, wrong
from engine.intake.records import Draft, Record, Records

_HOST: Final = re.compile(r"https?://([A-Za-z0-9.-]{1,200}(?::[0-9]{1,5})?)(?:/|$)")
_WRAPPED: Final = "response"


class Call(msgspec.Struct, gc=False):
    """One recorded call: its body or stream, and what else the record says."""

    body: Fields | None
    """None where the answer was streamed."""
    stream: str
    host: str
    """Where it was sent, such as api.openai.com; empty where the record doesn't say."""
    record: Fields
    headers: dict[str, str]
    """By name in small letters."""

    def header_time(self) -> int | None:
        """Give when the server sent the answer."""
        date = self.headers.get("date")
        return None if date is None else http_time(date, "headers.date")

    def request_model(self) -> str | None:
        """Give the model asked for."""
        return self.record.inner("request").text("model")


class ApiAnswers(Records):
    """Base of sources of recorded answers: one record a document, or a list of them."""

    def records(self, document: Any) -> Iterable[Record]:
        """Give the document itself, or the members of a list."""
        if isinstance(document, list):
            return [(f"[{index}]", one) for index, one in enumerate(document)]
        return [("", document)]

    def drafts(self, record: Any) -> Iterable[Draft]:
        """Give the usage of one call; a call that failed, or doesn't say what it used, is refused."""
        return [self.usage(call_of(record))]

    @abstractmethod
    def usage(self, call: Call) -> Draft:
        """Turn one call into its usage."""


def call_of(record: Any) -> Call:
    """Read a record, wrapped or bare."""
    whole = Fields(record)
    wrapped = _WRAPPED in whole.value and "object" not in whole.value
    body = whole.value[_WRAPPED] if wrapped else record
    outer = whole if wrapped else Fields({})
    headers = {name.lower(): value for name, value in outer.inner("headers").value.items() if isinstance(value, str)}
    uri = outer.text("uri") or outer.text("url") or ""
    host = _HOST.match(uri)
    status = outer.whole("status")
    if status is not None and not 200 <= status < 300:
        msg = f"The call failed with status {status}: it has used nothing."
        raise Refusal(msg, "Record only calls that were answered, to be rid of these lines.", code="failed-call", field="status")
    stream = body if isinstance(body, str) else ""
    if not isinstance(body, (dict, str)):
        wrong(_WRAPPED if wrapped else "the record", "an answer's body", body)
    inner = None if stream or isinstance(body, str) else Fields(body, _WRAPPED if wrapped else "")
    if inner is not None and isinstance(inner.value.get("error"), dict):
        msg = f"The call failed ({shown(inner.inner('error').text('type'))}): it has used nothing."
        raise Refusal(msg, "Record only calls that were answered, to be rid of these lines.", code="failed-call")
    return Call(inner, stream, host[1].lower() if host else "", outer, headers)


def streamed(text: str) -> Iterator[dict[str, Any]]:
    """Give the JSON objects of server-sent events (WHATWG HTML, 9.2), in their order; `[DONE]` is none."""
    parts: list[str] = []
    for line in [*text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), ""]:
        if line.startswith("data:"):
            parts.append(line[5:].removeprefix(" "))
        elif not line and parts:
            data, parts = "\n".join(parts), []
            if data.strip() == "[DONE]":
                continue
            value = parse(data.encode())
            if isinstance(value, dict):
                yield value


def charged(call: Call, provider: str) -> dict[str, Any]:
    """Say who is charged: whom the record names, else the vendor's project or organisation, else the endpoint."""
    person, credential, user = (call.record.text(key) for key in ("person", "credential", "user"))
    if person or credential:
        return {"person": person, "credential": credential}
    if user:
        return {"user": {"kind": "user", "value": user}}
    for header, kind in (
        ("openai-project", "openai_project"),
        ("openai-organization", "openai_organisation"),
        ("anthropic-organization-id", "anthropic_organisation"),
    ):
        if call.headers.get(header):
            return {"user": {"kind": kind, "value": call.headers[header]}}
    return {"user": {"kind": "endpoint", "value": call.host or provider}}


def when(call: Call, *times: int | None) -> int:
    """Give the first time there is: the answer's own, then when it was received or sent."""
    received = call.record.value.get("received")
    for time in (*times, None if received is None else time_of(received, "received"), call.header_time()):
        if time is not None:
            return time
    msg = "received: missing, and neither the answer nor its Date header says when it was given."
    raise Refusal(msg, "Record when each answer was received, as the record's `received`.", code="no-time", field="received")


def without_usage(what: str, why: str, do: str) -> NoReturn:
    """Refuse an answer that doesn't say what it used."""
    msg = f"{what[:1].upper()}{what[1:]} doesn't say how many tokens it used{why}."
    raise Refusal(msg, do, code="no-usage", field="usage")


def named(text: str | None) -> str:
    """Name an answer in a sentence."""
    return f"the answer {cut(text)}" if text else "the answer"
