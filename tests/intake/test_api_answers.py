"""The sources `openai` and `anthropic`, by worked examples: what counts as input, who is charged, when, streamed or not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.domain.events import Event
from engine.domain.values import instant
from tests.intake.samples import arrivals, encoded, events, refusal
from tests.intake.usage_samples import completion, message, recorded


def one(source: str, record: Any) -> Event:
    """Read one record that becomes one event."""
    (event,) = events(arrivals(source, encoded(record)))
    return event


def tokens(event: Event) -> tuple[int, int, int, int]:
    """Give input, cached, output and reasoning tokens."""
    data = event.data
    return data.input_tokens, data.cached_tokens, data.output_tokens, data.reasoning_tokens


def sse(*many: Any) -> str:
    """Write server-sent events."""
    return "".join(f"event: x\r\ndata: {json.dumps(value)}\r\n\r\n" for value in many) + "data: [DONE]\n\n"


def test_openais_input_includes_what_was_cached_and_its_output_what_was_reasoned() -> None:
    """39 put in, 30 of them cached; 160 put out, 100 of them reasoning: nothing is added."""
    event = one("openai", recorded(completion()))
    assert tokens(event) == (39, 30, 160, 100)
    assert (event.data.model, event.data.operation) == ("gpt-4o-2024", "chat")
    assert (event.id, event.correlation_id) == ("chatcmpl-8", "req_1")


def test_anthropics_input_has_what_was_read_and_written_added() -> None:
    """4 fresh, 200 read from and 1,000 written to the cache are 1,204 put in, of which 200 were cached."""
    event = one("anthropic", recorded(message()))
    assert tokens(event) == (1204, 200, 50, 0)
    assert (event.source, event.id) == ("api.example.org", "msg_1")


@pytest.mark.parametrize("absent", ["cache_read_input_tokens", "cache_creation_input_tokens"])
def test_anthropics_older_answers_say_less(absent: str) -> None:
    """A count that is absent or null is none."""
    usage = {"input_tokens": 4, "output_tokens": 5, absent: None}
    assert tokens(one("anthropic", recorded(message(usage=usage)))) == (4, 0, 5, 0)


def test_a_response_of_openai_counts_under_its_newer_names() -> None:
    """The Responses API says input and output; it is timed when it was completed, and began when it was created."""
    usage = {
        "input_tokens": 11,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 15,
        "output_tokens_details": {"reasoning_tokens": 6},
    }
    body = completion(
        id="resp_1", object="response", created=None, created_at=1_772_600_000, completed_at=1_772_600_009, usage=usage
    )
    event = one("openai", recorded(body | {"user": "end-7"}))
    assert tokens(event) == (11, 4, 15, 6)
    assert (event.time, event.data.started_at) == (1_772_600_009_000_000, 1_772_600_000_000_000)
    assert (event.data.consumer.kind, event.data.consumer.value) == ("end_user", "api.example.org/end-7")


def test_a_stream_of_openai_says_it_in_its_last_chunk() -> None:
    """Which has no choices any more; ids and model are the first's."""
    first = {"id": "c-1", "object": "chat.completion.chunk", "created": 1_772_600_767, "model": "gpt-4o", "usage": None}
    last = first | {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 9}}
    event = one("openai", recorded(sse(first, last)))
    assert (event.id, tokens(event)) == ("c-1", (3, 0, 9, 0))


def test_a_stream_of_responses_says_it_in_its_completed_event() -> None:
    """Not in the created one."""
    body = {"id": "r-1", "object": "response", "created_at": 1_772_600_767, "model": "gpt-5", "usage": None}
    done = body | {"usage": {"input_tokens": 3, "output_tokens": 9}}
    event = one(
        "openai", recorded(sse({"type": "response.created", "response": body}, {"type": "response.completed", "response": done}))
    )
    assert (event.id, tokens(event)) == ("r-1", (3, 0, 9, 0))


def test_a_stream_of_anthropic_counts_the_whole_answer_in_its_last_delta() -> None:
    """The one output token of the beginning isn't added to the 108 of the end."""
    start = {
        "type": "message_start",
        "message": message(usage={"input_tokens": 17, "cache_read_input_tokens": 3, "output_tokens": 1}),
    }
    end = {"type": "message_delta", "usage": {"output_tokens": 108, "input_tokens": None}}
    assert tokens(one("anthropic", recorded(sse(start, end)))) == (20, 3, 108, 0)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_events_data_may_take_several_lines(end: str) -> None:
    """With any of the line ends that server-sent events may have."""
    parts = json.dumps(completion(id="c-1"), indent=1).split("\n")
    assert one("openai", recorded(end.join([*(f"data: {part}" for part in parts), "", ""]))).id == "c-1"


def test_embeddings_put_nothing_out_and_are_known_by_their_request() -> None:
    """Their answers have no id and no time, so the request's id and the Date header are taken."""
    event = one(
        "openai", recorded({"object": "list", "data": [], "model": "ada", "usage": {"prompt_tokens": 8, "total_tokens": 8}})
    )
    assert (event.id, event.data.operation, tokens(event)) == ("req_1", "embeddings", (8, 0, 0, 0))
    assert event.time == instant("2026-03-04T05:06:07Z")


@pytest.mark.parametrize(
    ("changed", "about"),
    [
        ({}, ("alias", "credential:k-1")),
        ({"person": "p-1"}, ("person", "p-1")),
        ({"credential": None, "user": "ann"}, ("alias", "user:ann")),
        ({"credential": None, "headers": {"OpenAI-Project": "proj_1"}}, ("alias", "openai_project:proj_1")),
        ({"credential": None}, ("alias", "endpoint:api.example.org")),
        ({"credential": None, "uri": None}, ("alias", "endpoint:openai")),
    ],
)
def test_whom_the_record_names_is_charged_else_the_endpoint_waits_for_a_link(
    changed: dict[str, Any], about: tuple[str, str]
) -> None:
    """Answers name no caller; what the proxy knew goes first."""
    assert one("openai", recorded(completion(), **changed)).data.about() == about


@pytest.mark.parametrize(
    ("uri", "provider"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai"),
        ("https://acme.openai.azure.com/openai/deployments/x", "azure.ai.openai"),
        ("http://localhost:8000/v1", "localhost:8000"),
    ],
)
def test_the_provider_is_who_answered(uri: str, provider: str) -> None:
    """Named as OpenTelemetry does; others who speak OpenAI's protocol by their host."""
    event = one("openai", recorded(completion(), uri=uri))
    assert event.data.provider == provider


def test_an_answer_itself_is_a_record_too() -> None:
    """Without what was known of the call, on one line or over many."""
    assert one("openai", completion()).data.about() == ("alias", "endpoint:openai")
    laid_out = json.dumps([completion(), completion(id="chatcmpl-9")], indent=2).encode()
    assert [event.id for event in events(arrivals("openai", laid_out))] == ["chatcmpl-8", "chatcmpl-9"]


@pytest.mark.parametrize(
    ("source", "record", "code"),
    [
        ("openai", recorded({"error": {"type": "rate_limit"}}, status=429), "failed-call"),
        ("openai", recorded({"error": {"type": "rate_limit"}}), "failed-call"),
        ("openai", recorded(completion(usage=None)), "no-usage"),
        ("openai", recorded(completion(object="thread.run", status="in_progress", usage=None)), "no-usage"),
        ("openai", recorded(completion(object="model")), "not-usage"),
        ("openai", recorded(sse({"type": "ping"})), "no-answer"),
        ("openai", recorded(""), "no-answer"),
        ("openai", recorded(completion(usage={"completion_tokens": 1})), "missing"),
        ("openai", recorded(completion(usage={"prompt_tokens": -1})), "invalid"),
        ("openai", recorded(completion(created=None), headers={}), "no-time"),
        ("openai", recorded(7), "invalid"),
        ("anthropic", recorded(message(), headers={"date": "now"}), "invalid"),
        ("anthropic", message(), "no-time"),
        ("anthropic", recorded(message(usage=None)), "no-usage"),
        ("anthropic", recorded({"type": "error", "error": {"type": "overloaded_error"}}), "failed-call"),
        ("anthropic", recorded({"type": "completion"}), "not-usage"),
        ("anthropic", recorded(sse({"type": "ping"})), "no-answer"),
    ],
)
def test_an_answer_that_says_too_little_is_refused(source: str, record: Any, code: str) -> None:
    """Each for its reason, in a sentence for a person."""
    assert refusal(arrivals(source, encoded(record))).code == code


def test_a_received_time_helps_an_answer_that_has_none() -> None:
    """As the proxy that records it knows it."""
    event = one("anthropic", recorded(message(), headers={}, received="2026-03-04T05:06:07.5Z"))
    assert event.time == instant("2026-03-04T05:06:07.5Z")
