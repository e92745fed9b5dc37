"""What is said of outgoing messages is so: every kind there is, closed schemas, and examples that the publisher made."""

from __future__ import annotations

import jsonschema
import pytest

from engine.service.outgoing import OUTGOING, Outgoing, published_schema, samples
from engine.service.publishing import CURRENT, FINDINGS, VIOLATIONS, Publisher

EACH = pytest.mark.parametrize("one", OUTGOING, ids=lambda one: f"{one.topic} {one.type}")


def test_every_kind_of_message_is_described_and_none_else() -> None:
    """By topic and type, as the publisher sends them."""
    assert set(samples()) == {(one.topic, one.name) for one in OUTGOING}


@EACH
def test_a_message_has_the_fields_described_and_no_others(one: Outgoing) -> None:
    """And the published schema, which allows for every topic, takes it too."""
    data = samples()[one.topic, one.name]["data"]
    for schema in (one.schema, published_schema(one.name)):
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(data, schema)
    assert list(one.schema["properties"].keys() - data.keys()) == []
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data | {"surprise": 1}, one.schema)


@EACH
def test_a_message_names_the_schema_that_is_published(one: Outgoing) -> None:
    """By its dataschema."""
    assert samples()[one.topic, one.name]["dataschema"] == published_schema(one.name)["$id"]


def test_examples_keep_to_who_may_read_what() -> None:
    """Names stand on the findings topic alone; nobody is accused of more than an allegation."""
    person = Publisher(b"an example's key").pseudonym("p-17")
    for (topic, _), event in samples().items():
        if topic in (VIOLATIONS, CURRENT, FINDINGS):
            assert event["data"]["actionable"] is False
            assert event["data"]["holder"] == ("p-17" if topic == FINDINGS else person)
