"""The AsyncAPI document covers every topic and message, its references lead somewhere, and its examples fit its schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from engine.domain.codec import _Envelope, read_event
from engine.domain.errors import Refusal
from engine.domain.events import TYPES
from engine.domain.events.examples import example
from engine.domain.events.schemas import schema, short
from engine.domain.order import aggregate
from streams import topics
from streams.asyncapi import ENVELOPE, KEYS, document

HERE = "https://covenant.example/asyncapi.json"
WHOLE = document()


def found(reference: str) -> Any:
    """What a reference within the document leads to."""
    at: Any = WHOLE
    for step in reference.removeprefix("#/").split("/"):
        at = at[step]
    return at


def references(value: Any) -> Iterator[str]:
    """Every reference in a document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def registry() -> Registry[Any]:
    """The document, and the schemas' files beside it."""
    files = {HERE: WHOLE} | {HERE.replace("asyncapi", f"schemas/{name}"): schema(name) for name in TYPES}
    nameless = {uri: {key: value for key, value in text.items() if key != "$id"} for uri, text in files.items()}
    empty: Registry[Any] = Registry()
    return empty.with_resources((uri, DRAFT202012.create_resource(text)) for uri, text in nameless.items())


ALL = registry()


def test_every_topic_is_a_channel_with_what_it_carries() -> None:
    """Its key and settings are told; what comes in is received, what goes out is sent."""
    channels = {channel["address"]: channel for channel in WHOLE["channels"].values()}
    assert list(channels) == [topic.name for topic in topics.ALL] == list(KEYS)
    for topic in topics.ALL:
        settings = channels[topic.name]["bindings"]["kafka"]["topicConfiguration"]
        assert str(settings["retention.ms"]) == topic.configs["retention.ms"]
        assert settings["cleanup.policy"] == ["compact" if topic.compacted else "delete"]
        assert channels[topic.name]["messages"]
    actions = {WHOLE["channels"][op["channel"]["$ref"].rpartition("/")[2]]["address"]: op["action"]
               for op in WHOLE["operations"].values()}  # fmt: skip
    assert {name for name, action in actions.items() if action == "send"} == {topic.name for topic in topics.OUTBOUND}


def test_every_reference_leads_somewhere() -> None:
    """Within the document, or to a schema's file beside it."""
    for reference in references(WHOLE):
        if reference.startswith("#/"):
            assert found(reference)
        else:
            assert reference.removeprefix("./schemas/").removesuffix(".json") in TYPES


def test_every_event_type_is_a_message_of_one_channel() -> None:
    """Of the topic on which it travels."""
    carried = [name for channel in WHOLE["channels"].values() for name in channel["messages"]]
    assert len(carried) == len(set(carried))
    assert set(carried) == set(WHOLE["components"]["messages"]) >= {short(name) for name in TYPES}


@pytest.mark.parametrize("name", WHOLE["components"]["messages"])
def test_every_example_fits_its_message(name: str) -> None:
    """The envelope and what it carries; with another type or none it doesn't fit."""
    message = WHOLE["components"]["messages"][name]
    pointer = {"$ref": f"{HERE}#/components/messages/{name}/payload"}
    validator = jsonschema.Draft202012Validator(pointer, registry=ALL)
    (shown,) = message["examples"]
    validator.validate(shown["payload"])
    assert not validator.is_valid(shown["payload"] | {"type": "compute.other.v1"})
    assert not validator.is_valid(shown["payload"] | {"data": {"surprise": 1}})
    assert not validator.is_valid({key: value for key, value in shown["payload"].items() if key != "organisation"})


def test_the_envelope_is_the_one_that_is_read() -> None:
    """The same attributes, required alike, refused alike."""
    required = list(_Envelope.__struct_fields__[: -len(_Envelope.__struct_defaults__)])
    assert set(ENVELOPE["properties"]) == set(_Envelope.__struct_fields__)
    assert ENVELOPE["required"] == required
    good = example("compute.clock.ticked.v1")
    for wrong in ({"specversion": "0.3"}, {"organisation": "a/b"}, {"id": ""}, {"surprise": "1"}, {"subject": "x" * 257}):
        assert not jsonschema.Draft202012Validator(ENVELOPE).is_valid(good | wrong)
        with pytest.raises(Refusal):
            read_event(good | wrong)


def test_the_keys_shown_are_the_keys_sent() -> None:
    """Each example's key is among those that its topic's key is described by."""
    for name in ("grant.issued", "usage.corrected", "repository.pushed", "alias.linked", "pool.planned", "review.waived"):
        event = read_event(example(f"compute.{name}.v1"))
        assert aggregate(event) in KEYS[f"covenant.{event.data.TOPIC}"], name
