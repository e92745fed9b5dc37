"""The source `openai`: recorded answers of OpenAI's API and of what speaks it (Azure, vLLM). Pure.

Chat and text completions, responses, embeddings and runs of assistants, whole or streamed; see `api_answers` for the
record. OpenAI's input tokens include the cached ones, its output tokens the reasoning ones, as OpenTelemetry's do. The
identity is the answer's own id; embeddings have none, so there it is the request's.
"""

from __future__ import annotations

from typing import Any, Final

from engine.domain.errors import Refusal
from engine.domain.values import instant_text
from engine.domain.wording import cut
from engine.intake.api_answers import ApiAnswers, Call, charged, named, streamed, when, without_usage
from engine.intake.picking import Fields, wrong
from engine.intake.records import Draft

_OPERATIONS: Final = {
    "chat.completion": "chat",
    "chat.completion.chunk": "chat",
    "text_completion": "text_completion",
    "response": "chat",
    "list": "embeddings",
    "thread.run": "invoke_agent",
}
"""By the answer's `object`; operations are named as in OpenTelemetry's GenAI conventions."""
_UNFINISHED: Final = frozenset({"queued", "in_progress", "requires_action", "cancelling"})


class OpenAI(ApiAnswers):
    """Answers of OpenAI's API."""

    name = "openai"
    what = "an answer of OpenAI"

    def usage(self, call: Call) -> Draft:
        """Turn one answer into its usage."""
        body = call.body if call.body is not None else _joined(call.stream)
        kind = body.text("object")
        operation = _OPERATIONS.get(kind or "")
        if operation is None:
            msg = f"{body.path('object')}: {cut(kind or 'nothing')!r} is no answer that uses tokens."
            raise Refusal(msg, "Send chat, completions, responses, embeddings and runs.", code="not-usage", field="object")
        own = body.text("id")
        tokens = _tokens(body, own)
        started = body.time("started_at") or body.time("created") or body.time("created_at")
        time = when(call, body.time("completed_at"), started)
        provider = _provider(call.host)
        data = {
            **charged(call, provider),
            **tokens,
            "operation": operation,
            "provider": provider,
            "model": body.text("model", cut_to=256) or call.request_model() or "unknown",
            "started_at": instant_text(started) if started is not None and started < time else None,
            "consumer": _consumer(body, provider),
        }
        request = call.headers.get("x-request-id", "")
        return Draft("usage.inference", call.host or provider, own or request, time, data, request)


def _tokens(body: Fields, own: str | None) -> dict[str, Any]:
    if not body.has("usage"):
        status = body.text("status")
        if status in _UNFINISHED:
            without_usage(named(own), f", being {status.replace('_', ' ')}", "Send it again once it has ended.")
        why = "" if status is None else f", being {cut(status)}"
        without_usage(named(own), why, 'Ask for it: streams say it with "stream_options": {"include_usage": true}.')
    usage = body.inner("usage")
    both = [usage.inner(key) for key in ("prompt_tokens_details", "input_tokens_details", "prompt_token_details")]
    out = [usage.inner(key) for key in ("completion_tokens_details", "output_tokens_details")]
    given = [key for key in ("prompt_tokens", "input_tokens") if usage.has(key)]
    if not given:
        wrong(usage.path("prompt_tokens"), "the tokens of the input", None)
    return {
        "input_tokens": usage.count(given[0]),
        "cached_tokens": max(one.count("cached_tokens") for one in both),
        "output_tokens": usage.count("completion_tokens") or usage.count("output_tokens"),
        "reasoning_tokens": max(one.count("reasoning_tokens") for one in out),
    }


def _joined(stream: str) -> Fields:
    """Give a stream's last word: the finished response, or the first chunk's names with the usage of the last."""
    found: dict[str, Any] = {}
    for event in streamed(stream):
        response = event.get("response")
        if isinstance(response, dict):
            found = response
        elif "object" in event:
            found = {**event, **{key: found[key] for key in ("id", "created", "model") if key in found}}
    if not found:
        msg = "The stream holds no answer of OpenAI."
        raise Refusal(msg, "Record the whole stream, from the first event to [DONE].", code="no-answer", field="response")
    return Fields(found, "response")


def _provider(host: str) -> str:
    """Name the provider as OpenTelemetry does; whoever else speaks OpenAI's protocol is named by their host."""
    if host.endswith(".azure.com"):
        return "azure.ai.openai"
    return "openai" if not host or host == "openai.com" or host.endswith(".openai.com") else host


def _consumer(body: Fields, provider: str) -> dict[str, str] | None:
    """Give who the client says used it, as it was passed on to OpenAI."""
    claimed = body.text("safety_identifier", cut_to=200) or body.text("user", cut_to=200)
    return {"kind": "end_user", "value": f"{provider}/{claimed}"} if claimed else None
