"""The source `otel`: calls of models in OpenTelemetry's OTLP/JSON, one request of an exporter a document. Pure.

Spans and token metrics by the GenAI conventions in all three generations of their names: `llm.usage.*`,
`gen_ai.usage.prompt_tokens` and `gen_ai.usage.input_tokens`. OTLP/JSON writes 64-bit numbers as text and ids in hex;
collectors that follow protobuf's own JSON write ids in base64: both are read. Spans and metrics of one program count
the same tokens: take in one of the two. Identity: trace and span id; a metric's point is identified by its content.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from engine.domain.errors import Refusal
from engine.domain.values import LIMIT, instant_text
from engine.domain.wording import cut
from engine.intake.otel_names import (
    CACHED,
    CONSUMER,
    INPUT,
    MODEL,
    OPERATION,
    OUTPUT,
    PROVIDER,
    REASONING,
    SESSION,
    WRITTEN,
    Attributes,
    attributes,
)
from engine.intake.picking import Fields, wrong
from engine.intake.records import Draft, Record, Records
from engine.intake.tokens import counted

_SUMS: Final = frozenset({"invoke_agent", "create_agent", "invoke_workflow", "execute_tool"})
"""Operations whose spans repeat what the calls within them used."""
_TOKEN_METRICS: Final = frozenset({"gen_ai.client.token.usage", "gen_ai.client.tokens", "llm.openai.chat_completions.tokens"})
_KINDS: Final = {
    "input": "input_tokens",
    "prompt": "input_tokens",
    "output": "output_tokens",
    "completion": "output_tokens",
}
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_DELTA: Final = (1, "1", "AGGREGATION_TEMPORALITY_DELTA")
_ERROR: Final = (2, "2", "STATUS_CODE_ERROR")
"""Enumerations come as numbers or by name; tuples, since anything else may come too."""


class OTel(Records):
    """Requests of OTLP exporters, and lines of a collector's file exporter."""

    name = "otel"
    what = "a request of OpenTelemetry"

    def records(self, document: Any) -> Iterable[Record]:
        """Give the spans and the metrics' points of a request."""
        request = Fields(document)
        known = [key for key in ("resourceSpans", "resourceMetrics", "span", "point") if key in request.value]
        if not known:
            msg = "Expected an OTLP/JSON request with resourceSpans or resourceMetrics."
            raise Refusal(msg, "Export as http/json, or with the collector's file exporter.", code="not-otlp")
        if known[0] in {"span", "point"}:
            return [("", document)]
        return [*_spans(request), *_metrics(request)]

    def drafts(self, record: Any) -> Iterable[Draft]:
        """Give the usage of one span or point."""
        whole = Fields(record)
        resource = attributes(whole, "resource")
        return [_of_span(whole, resource) if "span" in whole.value else _of_point(whole, resource)]


def _spans(request: Fields) -> Iterator[Record]:
    for one in request.objects("resourceSpans"):
        resource = one.inner("resource").items("attributes")
        for scope in one.objects("scopeSpans") or one.objects("instrumentationLibrarySpans"):
            for index, span in enumerate(scope.items("spans")):
                yield f"{scope.at}.spans[{index}]", {"resource": resource, "span": span}


def _metrics(request: Fields) -> Iterator[Record]:
    for one in request.objects("resourceMetrics"):
        resource = one.inner("resource").items("attributes")
        for scope in one.objects("scopeMetrics") or one.objects("instrumentationLibraryMetrics"):
            for metric in scope.objects("metrics"):
                yield from _points(metric, resource)


def _points(metric: Fields, resource: list[Any]) -> Iterator[Record]:
    """Give a metric's points, each with what the metric says of all."""
    name = metric.text("name") or ""
    for kind in ("histogram", "sum", "exponentialHistogram", "gauge", "summary"):
        if kind not in metric.value:
            continue
        held = metric.inner(kind)
        shared = {"resource": resource, "metric": name, "kind": kind, "temporality": held.value.get("aggregationTemporality")}
        for index, point in enumerate(held.items("dataPoints")):
            yield f"{held.at}.dataPoints[{index}]", {**shared, "point": point}
        return
    yield metric.at, {"resource": resource, "metric": name, "kind": "unknown", "point": {}}


def _of_span(whole: Fields, resource: Attributes) -> Draft:
    span = whole.inner("span")
    said = attributes(span, "attributes")
    title = cut(span.text("name") or "without a name")
    operation = said.text(OPERATION) or "chat"
    fresh, output = said.whole(INPUT), said.whole(OUTPUT)
    if fresh is None and output is None:
        msg = f"The span {title!r} says nothing of tokens: it is no call of a model."
        raise Refusal(msg, "Filter spans by the presence of gen_ai.usage.input_tokens.", code="not-usage")
    if operation in _SUMS:
        msg = f"The span {title!r} sums up calls of models (operation {cut(operation)}), whose own spans count."
        raise Refusal(msg, "Nothing is to be done about it where the calls' spans are exported too.", code="sum-of-others")
    start, end = _nanos(span, "startTimeUnixNano"), _nanos(span, "endTimeUnixNano")
    if end is None:
        wrong(span.path("endTimeUnixNano"), "when the call ended, in ns since 1970", None)
    failed = span.inner("status").value.get("code") in _ERROR and not (fresh or output)
    data = {
        **_common(said, resource),
        **counted(
            fresh=fresh or 0,
            cached=said.whole(CACHED) or 0,
            written=said.whole(WRITTEN) or 0,
            output=output or 0,
            reasoning=said.whole(REASONING) or 0,
        ),
        "operation": operation,
        "state": "failed" if failed else None,
        "started_at": instant_text(start) if start is not None and start <= end else None,
    }
    trace, own = _id(span, "traceId", 16), _id(span, "spanId", 8)
    return Draft("usage.inference", _source(resource), f"{trace}/{own}", end, data, trace)


def _of_point(whole: Fields, resource: Attributes) -> Draft:
    metric, point = whole.text("metric") or "", whole.inner("point")
    if metric not in _TOKEN_METRICS:
        msg = f"The metric {cut(metric)!r} doesn't count tokens."
        raise Refusal(msg, "Export gen_ai.client.token.usage alone, to be rid of the others.", code="not-usage")
    if whole.text("kind") not in {"histogram", "sum", "exponentialHistogram"} or whole.value.get("temporality") not in _DELTA:
        msg = f"The metric {metric} is exported as a running total, which can't be taken apart into usage."
        raise Refusal(msg, "Set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta.", code="cumulative")
    said = attributes(point, "attributes")
    kind = said.text(("gen_ai.token.type", "gen_ai.usage.token_type", "llm.usage.token_type"))
    field = _KINDS.get(kind or "")
    if field is None:
        wrong(f"{point.at}.attributes.gen_ai.token.type", "input or output", kind)
    key = next((key for key in ("sum", "asInt", "asDouble") if point.has(key)), "sum")
    tokens, end, start = point.whole(key), _nanos(point, "timeUnixNano"), _nanos(point, "startTimeUnixNano")
    if tokens is None or tokens < 0:
        wrong(point.path(key), "a number of tokens", point.value.get(key))
    if end is None:
        wrong(point.path("timeUnixNano"), "when it was counted, in ns since 1970", None)
    data = {
        **_common(said, resource),
        field: tokens,
        "operation": said.text(OPERATION) or "chat",
        "started_at": instant_text(start) if start and start <= end else None,
    }
    return Draft("usage.inference", _source(resource), "", end, data)


def _common(said: Attributes, resource: Attributes) -> dict[str, Any]:
    """Say who and what: `covenant.person` and `covenant.credential` where the program sets them, else its service."""
    both = Attributes(resource.values | said.values)
    person, credential = both.text(("covenant.person",)), both.text(("covenant.credential",))
    consumer = both.text(CONSUMER)
    service = "/".join(filter(None, (both.text(("service.namespace",)), both.text(("service.name",)))))
    named = person is None and credential is None
    return {
        "person": person,
        "credential": credential,
        "user": {"kind": "service", "value": service or "unknown_service"} if named else None,
        "consumer": {"kind": "end_user", "value": consumer[:256]} if consumer else None,
        "provider": both.text(PROVIDER) or "unknown",
        "model": both.text(MODEL) or "unknown",
        "session": both.text(SESSION),
        "network": both.text(("client.address", "net.peer.ip")),
        "region": both.text(("cloud.region",)),
        "repository": both.text(("covenant.repository",)),
        "branch": both.text(("covenant.branch", "vcs.ref.head.name")),
        "job_id": both.text(("covenant.job_id",)),
        "workload": both.text(("covenant.workload",)),
    }


def _source(resource: Attributes) -> str:
    return f"otel/{(resource.text(('service.name',)) or 'unknown_service')[:200]}"


def _nanos(fields: Fields, key: str) -> int | None:
    """Read ns since 1970, as text or a number, as µs."""
    value = fields.value.get(key)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        value = int(value)
    if value in (None, 0):
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value // 1000 <= LIMIT:
        wrong(fields.path(key), "ns since 1970", value)
    return value // 1000


def _id(span: Fields, key: str, size: int) -> str:
    """Give an id of `size` bytes in hex, from hex (OTLP/JSON) or base64 (protobuf's JSON)."""
    text = span.need(key)
    if len(text) == 2 * size and _HEX.fullmatch(text):
        return text.lower()
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != size:
        wrong(span.path(key), f"{size} bytes in hex or base64", text)
    return raw.hex()
