"""The source `litellm`: spend records of a LiteLLM proxy (LiteLLM_SpendLogs), as its API and its database give them. Pure.

One record is one request. `metadata` and `request_tags` are JSON, or JSON within a text. LiteLLM's prompt tokens
include the cached ones since its version 1.6x, which is checked. Its times are UTC, written with a zone or without; its
spend is in US dollars. A request answered from the proxy's own cache used nothing of a provider.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from engine.domain.errors import Refusal
from engine.domain.values import instant, instant_text
from engine.intake.json_text import parse
from engine.intake.picking import Fields, unlike, wrong
from engine.intake.records import Draft, Record, Records
from engine.intake.tokens import counted

_OPERATIONS: Final = {
    "completion": "chat",
    "responses": "chat",
    "anthropic_messages": "chat",
    "text_completion": "text_completion",
    "embedding": "embeddings",
    "image_generation": "image_generation",
    "transcription": "transcription",
    "speech": "speech",
    "rerank": "rerank",
    "moderation": "moderation",
}
"""By `call_type` without the a of asynchronous calls."""
_TAGS: Final = {
    "branch": "branch",
    "compute-job": "job_id",
    "compute-session": "session",
    "job": "job_id",
    "repository": "repository",
    "session": "session",
    "workload": "workload",
}
"""Request tags of the form key:value that say what the request was for."""


class LiteLLM(Records):
    """Spend records: one a document, a list of them, or the `data` of an answer."""

    name = "litellm"
    what = "a spend record of LiteLLM"

    def records(self, document: Any) -> Iterable[Record]:
        """Give a document's spend records."""
        if isinstance(document, dict) and isinstance(document.get("data"), list):
            return [(f"data[{index}]", one) for index, one in enumerate(document["data"])]
        if isinstance(document, list):
            return [(f"[{index}]", one) for index, one in enumerate(document)]
        if isinstance(document, dict) and "sample_spec" in document:
            msg = "This is LiteLLM's list of prices, which says what providers charge and not since when."
            do = "Publish what units cost with compute.rate.published.v1, from a date."
            raise Refusal(msg, do, code="price-list")
        return [("", document)]

    def drafts(self, record: Any) -> Iterable[Draft]:
        """Give the usage of one request."""
        row = Fields(record)
        call = row.need("request_id")
        end, start = _time(row, "endTime"), _time(row, "startTime")
        time = start if end is None else end
        if time is None:
            wrong("endTime", "when the request ended", None)
        metadata = _json(row, "metadata")
        extra = Fields(metadata, "metadata") if metadata else Fields({}, "metadata")
        cached = row.text("cache_hit") == "True" if not isinstance(row.value.get("cache_hit"), bool) else row.value["cache_hit"]
        failed = row.text("status") == "failure" or extra.text("status") == "failure"
        data = {
            **_charged(row, extra),
            **_tokens(row, extra),
            **_tagged(row),
            "operation": _operation(row),
            "provider": row.text("custom_llm_provider") or "unknown",
            "model": row.text("model") or row.text("model_group") or "unknown",
            "state": "failed" if failed else None,
            "started_at": instant_text(start) if start is not None and start <= time else None,
            "network": row.text("requester_ip_address"),
            "cost": row.quantity("spend"),
            "currency": "USD" if row.has("spend") else None,
        }
        if cached:
            data |= {"quantity": "0", "free": True}
        data["session"] = data.get("session") or row.text("session_id")
        return [Draft("usage.inference", "litellm", call, time, data)]


def _time(row: Fields, key: str) -> int | None:
    """Read a time of the database, UTC without saying so, or of the API, with its zone."""
    text = row.text(key)
    if text is None:
        return None
    for suffix in ("", "Z"):
        try:
            return int(instant(text + suffix))
        except Refusal:
            continue
    raise unlike(key, "a time such as 2026-01-31 08:00:00.5", text)


def _json(row: Fields, key: str) -> Any:
    """Give a column that holds JSON, itself or as text; None where there is none."""
    value = row.value.get(key)
    if isinstance(value, str):
        return parse(value.encode()) if value else None
    return value


def _charged(row: Fields, extra: Fields) -> dict[str, Any]:
    """Say who is charged: the key's owner, else the proxy's user, team or the proxy itself."""
    key = row.text("api_key") or extra.text("user_api_key")
    user, team = row.text("user") or extra.text("user_api_key_user_id"), row.text("team_id")
    consumer = row.text("end_user", cut_to=240)
    found: dict[str, Any] = {"consumer": {"kind": "end_user", "value": f"litellm/{consumer}"} if consumer else None}
    if key:
        return {**found, "credential": key}
    if user:
        return {**found, "user": {"kind": "litellm_user", "value": user}}
    if team:
        return {**found, "user": {"kind": "litellm_team", "value": team}}
    return {**found, "user": {"kind": "endpoint", "value": "litellm"}}


def _tokens(row: Fields, extra: Fields) -> dict[str, int]:
    usage, more = extra.inner("usage_object"), extra.inner("additional_usage_values")
    cached = max(
        one.inner("prompt_tokens_details").count("cached_tokens") or one.count("cache_read_input_tokens") for one in (usage, more)
    )
    written = max(one.count("cache_creation_input_tokens") for one in (usage, more))
    reasoning = max(one.inner("completion_tokens_details").count("reasoning_tokens") for one in (usage, more))
    prompt, completion = row.count("prompt_tokens"), row.count("completion_tokens")
    return counted(fresh=prompt, cached=cached, written=written, output=completion, reasoning=reasoning)


def _operation(row: Fields) -> str:
    kind = row.text("call_type") or "completion"
    return _OPERATIONS.get(kind) or _OPERATIONS.get(kind.removeprefix("a")) or kind


def _tagged(row: Fields) -> dict[str, str]:
    """Read the tags that say what a request was for; the others are its users' own."""
    tags = _json(row, "request_tags")
    if tags is None:
        return {}
    if not isinstance(tags, list):
        wrong("request_tags", "a list of tags", tags)
    pairs = [tag.partition(":") for tag in tags if isinstance(tag, str)]
    known = [(_TAGS.get(key.strip().lower()), value.strip()) for key, _, value in pairs]
    return {key: value[:256] for key, value in known if key and value}
