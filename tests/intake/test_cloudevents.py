"""The source `cloudevents`, and the words in which an event is refused."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.codec import parse_event, write_event
from engine.domain.values import instant
from engine.intake.cloudevents import decode
from engine.intake.contract import SKEW_US, Options
from tests.intake.samples import ACME, NOW, arrivals, encoded, events, refusal, usage


def decoded(value: Any, options: Options = ACME) -> Any:
    """Decode one message of one value."""
    return decode(encoded(value), "t", options)


def test_an_object_becomes_its_event() -> None:
    """Attributes and data arrive typed: µs, micro-units."""
    (event,) = events(decoded(usage()))
    assert (event.organisation, event.source, event.id, event.time) == ("acme", "gateway", "u-1", instant("2026-03-04T05:06:07Z"))
    assert (event.data.credential, event.data.quantity) == ("k-1", 1_250_000)


def test_members_of_a_batch_are_arrivals_of_their_own() -> None:
    """One that is wrong is refused by itself and kept as it was; the others are taken in."""
    found = decoded([usage(), {"id": 5}, "x", usage(id="u-2")])
    assert [arrival.event.id if arrival.event else None for arrival in found] == ["u-1", None, None, "u-2"]
    assert [arrival.raw for arrival in found] == [b"", b'{"id":5,"organisation":"acme"}', b'"x"', b""]
    assert [arrival.where for arrival in found] == ["t [0]", "t [1]", "t [2]", "t [3]"]


def test_an_empty_batch_is_no_arrival_and_an_empty_message_is_refused() -> None:
    """CloudEvents permits the one; the other is a fault of whoever sent it."""
    assert decoded([]) == []
    assert refusal(decode(b"", "t", ACME)).code == "empty"


def test_the_default_organisation_is_for_events_that_name_none() -> None:
    """An event's own is kept."""
    options = Options(organisation="other")
    assert [
        event.organisation for event in events(decoded([usage(), usage(organisation=None), usage(organisation="")], options))
    ] == [
        "acme",
        "other",
        "other",
    ]
    assert refusal(decoded(usage(organisation=None), Options())).code == "missing"


def test_an_organisation_of_the_wrong_type_is_not_replaced() -> None:
    """What a producer wrote wrongly isn't hidden by the default."""
    assert refusal(decoded(usage(organisation=False))).field == "organisation"


def test_an_event_from_the_future_is_refused() -> None:
    """Five minutes are permitted for clocks that differ; without a present nothing is from the future."""
    options = Options(organisation="acme", now_us=NOW)
    late = usage(time="2026-06-01T00:05:00.000001Z")
    assert refusal(decoded(late, options)).code == "in-the-future"
    assert events(decoded(usage(time="2026-06-01T00:05:00Z"), options))[0].time == NOW + SKEW_US
    assert len(events(decoded(late))) == 1


def test_a_recorded_time_counts_only_where_it_is_trusted() -> None:
    """A producer's word on when something was learnt needs an explicit setting."""
    raw = usage(recordedat="2026-03-05")
    assert events(decoded(raw))[0].recorded_at == 0
    assert events(decoded(raw, Options(organisation="acme", trust_recorded=True)))[0].recorded_at == instant("2026-03-05")
    assert events(decoded(usage(recordedat="soon")))[0].recorded_at == 0
    assert refusal(decoded(usage(recordedat="soon"), Options(trust_recorded=True))).field == "recordedat"


def test_bad_lines_are_refused_one_by_one_and_the_rest_goes_on() -> None:
    """Broken, binary, empty and far too long lines between good ones."""
    long = b'{"x":"' + b"y" * 10_000_000 + b'"}\n'
    content = encoded(usage()) + b"{\n\n\xff\xfe\n" + long + b"\x00\n[[[\n" + encoded(usage(id="u-2"))
    found = arrivals("cloudevents", content)
    assert [arrival.event.id if arrival.event else arrival.refusal and arrival.refusal.code for arrival in found] == [
        "u-1",
        "not-json",
        "not-text",
        "too-long",
        "not-text",
        "not-json",
        "u-2",
    ]
    assert [arrival.where for arrival in found] == ["file:1", "file:2", "file:4", "file:5", "file:6", "file:7", "file:8"]
    assert found[1].raw == b"{"
    assert len(found[3].raw) == 4096


def test_what_is_written_is_read_back() -> None:
    """The canonical wire form of an event is a line of this source."""
    (event,) = events(decoded(usage()))
    (again,) = events(arrivals("cloudevents", write_event(event) + b"\n"))
    assert again == event == parse_event(write_event(event))


def data(**changed: Any) -> dict[str, Any]:
    """Make a usage whose data differs."""
    return usage(data={"credential": "k-1", **changed})


REFUSED: dict[str, tuple[Any, str, str, str]] = {
    "a number": (5, "not-an-object", "", "got the number 5"),
    "id missing": (usage(id=None), "missing", "id", "id: missing; expected a text of 1 to 256 characters. Give id."),
    "id too long": (usage(id="x" * 257), "too-long", "id", "expected a text of 1 to 256 characters"),
    "id a number": (usage(id=7), "invalid", "id", "got the number 7"),
    "another version": (usage(specversion="0.3"), "invalid", "specversion", "expected 1.0, got '0.3'"),
    "time without zone": (usage(time="2026-01-01T00:00:00"), "invalid-time", "time", "expected a time with its zone"),
    "time before 1970": (usage(time="1969-12-31"), "invalid-time", "time", "expected a time after 1970"),
    "no time": (usage(time=None), "missing", "time", "expected an RFC 3339 time such as 2026-01-31T08:00:00Z"),
    "a slash": (usage(organisation="a/b"), "invalid", "organisation", "a text without a slash"),
    "a misspelt attribute": (usage(suject="x"), "unknown-attribute", "suject", "Did you mean subject?"),
    "a payload field outside": (usage(credential="x"), "unknown-attribute", "credential", "under data, as data.credential."),
    "some other attribute": (usage(zzz=1), "unknown-attribute", "zzz", "Leave it out"),
    "a misspelt type": (usage(type="compute.usage.inferense.v1"), "unknown-type", "type", "you mean compute.usage.inference.v1?"),
    "a short type": (usage(type="usage.gpu"), "unknown-type", "type", "Did you mean compute.usage.gpu.v1?"),
    "a later version": (usage(type="compute.usage.gpu.v9"), "unknown-type", "type", "Did you mean compute.usage.gpu.v1?"),
    "a foreign type": (usage(type="com.example.thing"), "unknown-type", "type", "Types are named as"),
    "an internal type": (usage(type="compute.grant.assigned.v1"), "unknown-type", "type", "not an event type Covenant accepts"),
    "a misspelt field": (data(input_token=5), "unknown-field", "data.input_token", "Did you mean data.input_tokens?"),
    "a foreign field": (data(zzz=5), "unknown-field", "data.zzz", "data may have person, credential, user"),
    "a deep foreign field": (data(consumer={"kind": "a", "kinds": 1}), "unknown-field", "data.consumer.kinds", "consumer.kind?"),
    "a deep missing field": (data(consumer={"kind": "a"}), "missing", "data.consumer.value", "Give data.consumer.value."),
    "a text for a number": (data(input_tokens="5"), "invalid", "data.input_tokens", "a whole number of at least 0, got '5'"),
    "a negative count": (data(input_tokens=-1), "negative-quantity", "data.input_tokens", "got the number -1"),
    "a number for a quantity": (data(quantity=1.5), "invalid-quantity", "data.quantity", "a decimal number in quotes"),
    "an unknown unit": (data(unit="9 seconds"), "unknown-unit", "data.unit", "expected a unit such as CCU or GPU-h"),
    "an unknown state": (data(state="done"), "invalid", "data.state", "expected one of failed, provisional, settled, got 'done'"),
    "a list member": (data(artifacts=["a", 1]), "invalid", "data.artifacts[1]", "got the number 1"),
    "too many members": (data(artifacts=["a"] * 33), "too-long", "data.artifacts", "a list, at most 32"),
    "a text for an object": (data(consumer="x"), "invalid", "data.consumer", "expected an object with kind, value, got 'x'"),
    "nothing for a text": (data(model=None), "invalid", "data.model", "got nothing"),
    "a list for data": (usage(data=[]), "invalid", "data", "got a list"),
    "nobody": (usage(data={}), "names-nobody", "data", "names nobody"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_names_the_field_what_was_expected_and_what_to_do(name: str) -> None:
    """In a sentence for the person who sent it."""
    raw, code, field, words = REFUSED[name]
    found = refusal(decoded(raw))
    assert (found.code, found.field) == (code, field)
    assert words in str(found)
