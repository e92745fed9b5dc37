"""The sources `otel` and `litellm`, by worked examples: three generations of names, ids, numbers, and who is charged."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from engine.domain.events import Event
from engine.domain.values import instant
from tests.intake.samples import arrivals, encoded, events, refusal
from tests.intake.usage_samples import SPAN, TRACE, attribute, metrics, span, spans, spend, token_points

NEW = (attribute("gen_ai.usage.input_tokens", 120), attribute("gen_ai.usage.output_tokens", 45))


def one(source: str, record: Any) -> Event:
    """Read one record that becomes one event."""
    (event,) = events(arrivals(source, encoded(record)))
    return event


@pytest.mark.parametrize(
    ("names", "system", "model", "operation"),
    [
        (("llm.usage.prompt_tokens", "llm.usage.completion_tokens"), "llm.vendor", "llm.response.model", "llm.request.type"),
        (
            ("gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens"),
            "gen_ai.system",
            "gen_ai.request.model",
            "gen_ai.operation.name",
        ),
        (
            ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
            "gen_ai.provider.name",
            "gen_ai.response.model",
            "gen_ai.operation.name",
        ),
    ],
)
def test_all_three_generations_of_names_say_the_same(names: tuple[str, str], system: str, model: str, operation: str) -> None:
    """OpenLLMetry's, and the conventions' before and after 1.27."""
    said = [attribute(names[0], 120), attribute(names[1], 45), attribute(system, "openai"), attribute(model, "gpt-4o")]
    data = one("otel", spans(span(*said, attribute(operation, "text_completion")))).data
    assert (data.input_tokens, data.output_tokens, data.provider, data.model) == (120, 45, "openai", "gpt-4o")
    assert data.operation == "text_completion"


def test_the_newest_name_counts_where_several_are_given() -> None:
    """Instrumentations write both for a while; they are the same tokens."""
    said = (*NEW, attribute("gen_ai.usage.prompt_tokens", 7), attribute("llm.usage.completion_tokens", 7))
    data = one("otel", spans(span(*said))).data
    assert (data.input_tokens, data.output_tokens) == (120, 45)


@pytest.mark.parametrize("value", [{"intValue": "120"}, {"intValue": 120}, {"doubleValue": 120.0}, {"stringValue": "120"}])
def test_a_number_is_text_or_a_number(value: dict[str, Any]) -> None:
    """OTLP/JSON writes 64-bit numbers as text; some exporters don't."""
    assert one("otel", spans(span({"key": "gen_ai.usage.input_tokens", "value": value}))).data.input_tokens == 120


@pytest.mark.parametrize("packed", [False, True])
def test_ids_are_hex_or_base64(packed: bool) -> None:
    """Whichever way, a span is the same event."""
    ids = {"traceId": TRACE.upper(), "spanId": SPAN}
    if packed:
        ids = {key: base64.b64encode(bytes.fromhex(value)).decode() for key, value in ids.items()}
    event = one("otel", spans(span(*NEW, **ids)))
    assert (event.source, event.id) == ("otel/assistant", f"{TRACE}/{SPAN}")
    assert event.correlation_id == TRACE


def test_a_span_is_timed_at_its_end_to_the_microsecond() -> None:
    """And began when it began."""
    event = one("otel", spans(span(*NEW)))
    assert event.time == 1_772_600_768_500_000
    assert event.data.started_at == 1_772_600_767_000_000


@pytest.mark.parametrize(
    ("given", "cached", "written", "expected"),
    [(120, 30, 0, 120), (120, 30, 90, 120), (4, 200, 1000, 1204), (4, 200, 0, 204), (100, 50, 80, 230), (120, 0, 0, 120)],
)
def test_cached_tokens_are_among_the_input_or_are_added(given: int, cached: int, written: int, expected: int) -> None:
    """The conventions include them; where more was cached than put in, the instrumentation left them out."""
    said = [
        attribute("gen_ai.usage.input_tokens", given),
        attribute("gen_ai.usage.cache_read.input_tokens", cached),
        attribute("gen_ai.usage.cache_creation.input_tokens", written),
    ]
    data = one("otel", spans(span(*said))).data
    assert (data.input_tokens, data.cached_tokens) == (expected, cached)


def test_who_is_charged_is_set_by_the_program_else_it_is_the_service() -> None:
    """`enduser.id` is the client's word: the consumer, not who answers for it."""
    said = (*NEW, attribute("enduser.id", "ann"), attribute("session.id", "s-1"), attribute("client.address", "192.0.2.7"))
    data = one("otel", spans(span(*said))).data
    assert data.about() == ("alias", "service:assistant")
    assert (data.consumer.value, data.session, data.network) == ("ann", "s-1", "192.0.2.7")
    assert one("otel", spans(span(*said, attribute("covenant.credential", "k-1")))).data.about() == ("alias", "credential:k-1")
    assert one("otel", spans(span(*said, attribute("covenant.person", "p-1")))).data.about() == ("person", "p-1")


def test_a_call_that_failed_before_any_token_used_nothing() -> None:
    """One that failed after some has used them."""
    failed = {"status": {"code": 2}}
    assert one("otel", spans(span(attribute("gen_ai.usage.input_tokens", 0), **failed))).data.state == "failed"
    assert one("otel", spans(span(*NEW, **failed))).data.state == "settled"


def test_points_of_the_token_metric_are_usage_by_kind() -> None:
    """A histogram's sum is the tokens of its period; points have no ids, and the same file has the same identities."""
    request = encoded(metrics("gen_ai.client.token.usage", token_points()))
    first, second = events(arrivals("otel", request))
    assert (first.data.input_tokens, first.data.output_tokens) == (300, 0)
    assert (second.data.input_tokens, second.data.output_tokens) == (0, 70)
    assert first.time == 1_772_600_760_000_000
    assert [event.id for event in events(arrivals("otel", request))] == [first.id, second.id]
    assert first.id != second.id


@pytest.mark.parametrize("temporality", [1, "AGGREGATION_TEMPORALITY_DELTA"])
def test_an_enumeration_is_a_number_or_a_name(temporality: int | str) -> None:
    """Both are in use."""
    assert len(events(arrivals("otel", encoded(metrics("gen_ai.client.token.usage", token_points(temporality)))))) == 2


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (spans(span(attribute("http.request.method", "GET"))), "not-usage"),
        (spans(span(*NEW, attribute("gen_ai.operation.name", "invoke_agent"))), "sum-of-others"),
        (spans(span(*NEW, traceId="short")), "invalid"),
        (spans(span(*NEW, endTimeUnixNano="0")), "missing"),
        (spans(span(attribute("gen_ai.usage.input_tokens", -3))), "invalid"),
        (metrics("process.cpu.time", {"sum": {"dataPoints": [{"asInt": "1"}]}}), "not-usage"),
        (metrics("gen_ai.client.token.usage", {"gauge": {"dataPoints": [{"asInt": "1"}]}}), "cumulative"),
        ({"resourceLogs": []}, "not-otlp"),
    ],
)
def test_what_is_no_usage_is_refused(request_: dict[str, Any], code: str) -> None:
    """Each span and point for its own reason; sums of agents would count their calls twice."""
    assert refusal(arrivals("otel", encoded(request_))).code == code


def test_a_running_total_is_refused_saying_which_setting_helps() -> None:
    """It can't be taken apart without knowing what came before."""
    found = arrivals("otel", encoded(metrics("gen_ai.client.token.usage", token_points(2))))
    assert ["TEMPORALITY_PREFERENCE=delta" in str(one.refusal) for one in found] == [True, True]


def test_a_spend_record_is_its_tokens_its_cost_and_its_key() -> None:
    """Times of the database are UTC; spend is in dollars, to the millionth."""
    event = one("litellm", spend())
    data = event.data
    assert (data.input_tokens, data.cached_tokens, data.output_tokens) == (100, 40, 20)
    assert (data.cost, data.currency, data.provider, data.model) == (225, "USD", "openai", "gpt-4o")
    assert event.time == instant("2026-03-04T05:06:08.951954Z")
    assert data.started_at == instant("2026-03-04T05:06:07.847371Z")
    assert data.about() == ("alias", f"credential:{spend()['api_key']}")
    assert data.repository == "github.com#17"


@pytest.mark.parametrize(
    ("changed", "about"),
    [
        ({"api_key": "", "user": "ann"}, ("alias", "litellm_user:ann")),
        ({"api_key": "", "team_id": "t-1"}, ("alias", "litellm_team:t-1")),
        ({"api_key": None}, ("alias", "endpoint:litellm")),
        ({"api_key": None, "metadata": {"user_api_key": "k-9"}}, ("alias", "credential:k-9")),
    ],
)
def test_without_a_key_the_proxys_user_or_team_is_asked(changed: dict[str, Any], about: tuple[str, str]) -> None:
    """And without either the proxy itself, until it is linked."""
    assert one("litellm", spend(**changed)).data.about() == about


def test_an_answer_from_the_proxys_cache_used_nothing_of_a_provider() -> None:
    """No units, and free."""
    data = one("litellm", spend(cache_hit="True")).data
    assert (data.quantity, data.free) == (0, True)


def test_an_empty_column_is_none() -> None:
    """Databases write an empty text where there is no number."""
    data = one("litellm", spend(completion_tokens="", spend="")).data
    assert (data.output_tokens, data.cost) == (0, None)


def test_a_failed_request_used_nothing() -> None:
    """By its status, or that of its metadata in older versions."""
    assert one("litellm", spend(status="failure")).data.state == "failed"
    assert one("litellm", spend(status=None, metadata={"status": "failure"})).data.state == "failed"


def test_spend_records_come_as_the_api_lists_them_too() -> None:
    """In a list, or as an answer's data, with zones in their times."""
    zoned = spend(startTime="2026-03-04T06:06:07+01:00", endTime="2026-03-04T06:06:08+01:00", call_type="aembedding")
    for document in ([zoned], {"data": [zoned], "total": 1}):
        event = one("litellm", document)
        assert (event.time, event.data.operation) == (instant("2026-03-04T05:06:08Z"), "embeddings")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"request_id": None}, "missing"),
        ({"endTime": None, "startTime": None}, "missing"),
        ({"endTime": "noon"}, "invalid"),
        ({"prompt_tokens": "many"}, "invalid"),
        ({"metadata": "{"}, "not-json"),
        ({"request_tags": "{}"}, "invalid"),
        ({"spend": 1e300}, "invalid"),
    ],
)
def test_a_spend_record_that_is_wrong_is_refused(changed: dict[str, Any], code: str) -> None:
    """Naming what is wrong."""
    assert refusal(arrivals("litellm", encoded(spend(**changed)))).code == code
