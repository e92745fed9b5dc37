"""The source `anthropic`: recorded answers of Anthropic's Messages API, of its own and on Bedrock. Pure.

Whole or streamed; see `api_answers` for the record. Anthropic counts input tokens without those read from and written
to its cache, so they are added here: `input_tokens` includes all three, `cached_tokens` those read. Tokens written are
dearer than others and read ones cheaper; that they were written isn't kept. Messages carry no time: the record's
`received` or the answer's Date header says when.
"""

from __future__ import annotations

from typing import Any, Final

from engine.domain.errors import Refusal
from engine.domain.wording import cut
from engine.intake.api_answers import ApiAnswers, Call, charged, named, streamed, when, without_usage
from engine.intake.picking import Fields, wrong
from engine.intake.records import Draft

_OWN: Final = "api.anthropic.com"


class Anthropic(ApiAnswers):
    """Answers of the Messages API."""

    name = "anthropic"
    what = "an answer of Anthropic"

    def usage(self, call: Call) -> Draft:
        """Turn one message into its usage."""
        message = call.body if call.body is not None else _joined(call.stream)
        if message.text("type") != "message":
            msg = f"{message.path('type')}: {cut(str(message.value.get('type')))!r} is no answer that uses tokens."
            raise Refusal(msg, "Send messages; batches say what each of theirs used.", code="not-usage", field="type")
        own = message.need("id")
        if not message.has("usage"):
            without_usage(named(own), "", "Record the whole answer.")
        usage = message.inner("usage")
        if not usage.has("input_tokens"):
            wrong(usage.path("input_tokens"), "the tokens of the input", usage.value.get("input_tokens"))
        read, written = usage.count("cache_read_input_tokens"), usage.count("cache_creation_input_tokens")
        provider = "aws.bedrock" if call.host.endswith(".amazonaws.com") else "anthropic"
        data: dict[str, Any] = {
            **charged(call, provider),
            "operation": "chat",
            "provider": provider,
            "model": message.text("model", cut_to=256) or call.request_model() or "unknown",
            "input_tokens": usage.count("input_tokens") + read + written,
            "cached_tokens": read,
            "output_tokens": usage.count("output_tokens"),
        }
        request = call.headers.get("request-id") or call.headers.get("x-amzn-requestid", "")
        return Draft("usage.inference", call.host or _OWN, own, when(call), data, request)


def _joined(stream: str) -> Fields:
    """Give the message that begins a stream, with the counts of its last delta, which are of the whole answer."""
    message: dict[str, Any] = {}
    for event in streamed(stream):
        if event.get("type") == "message_start" and isinstance(event.get("message"), dict):
            message = event["message"]
        elif event.get("type") == "message_delta" and isinstance(event.get("usage"), dict):
            usage = message.get("usage")
            counts = {key: value for key, value in event["usage"].items() if value is not None}
            message = {**message, "usage": {**(usage if isinstance(usage, dict) else {}), **counts}}
    if not message:
        msg = "The stream holds no answer of Anthropic."
        raise Refusal(msg, "Record the whole stream, from message_start to message_stop.", code="no-answer", field="response")
    return Fields(message, "response")
