"""Every event type is documented: an example that goes in and out, a schema that takes it, units, and whose words they are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from engine.domain.codec import read_event, write_event
from engine.domain.errors import NotFound, Refusal
from engine.domain.events import TYPES, words
from engine.domain.events.examples import _EXAMPLES, example
from engine.domain.events.schemas import QUANTITY, aggregate, description, event_class, refuses, schema, short, standard, topic
from engine.domain.values import LIMIT, instant, quantity, quantity_text

EACH = pytest.mark.parametrize("name", TYPES)
CHECK = jsonschema.Draft202012Validator
FORMATS = jsonschema.FormatChecker(())


def _is_a_time(value: object) -> bool:
    return not isinstance(value, str) or (instant(value) >= 0 and "T" in value)


FORMATS.checks("date-time", raises=Refusal)(_is_a_time)


def validator(name: str) -> Any:
    """The validator of a type's data."""
    return CHECK(schema(name), format_checker=FORMATS)


def fields(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of a type and of its parts."""
    whole = schema(name)
    yield from whole["properties"].items()
    for part in whole.get("$defs", {}).values():
        yield from part["properties"].items()


@EACH
def test_every_type_has_an_example_that_goes_in_and_comes_out_the_same(name: str) -> None:
    """As the wire has it, and in one canonical form only."""
    shown = example(name)
    event = read_event(shown, internal=True)
    assert json.loads(write_event(event)) == shown
    assert read_event(json.loads(write_event(event)), internal=True) == event
    assert event.data.about()[0] in {"person", "repository", "alias", "pool", "organisation"}


@EACH
def test_every_example_satisfies_its_own_schema(name: str) -> None:
    """And the schema is one itself, found under the name that events give."""
    CHECK.check_schema(schema(name))
    validator(name).validate(example(name)["data"])
    assert schema(name)["$id"] == example(name)["dataschema"] == f"urn:covenant:schema:{name}"
    assert schema(name)["examples"] == [example(name)["data"]]


@EACH
def test_every_example_shows_every_field(name: str) -> None:
    """None is left to be guessed."""
    assert set(example(name)["data"]) == set(schema(name)["properties"])


@EACH
def test_every_type_says_what_it_is_and_where_its_words_come_from(name: str) -> None:
    """Whom it is about and on which topic it travels, too."""
    kind = TYPES[name]
    assert description(kind).endswith(".")
    assert schema(name)["description"] == description(kind)
    assert standard(kind)
    assert aggregate(kind)
    assert topic(kind) == "covenant." + (kind.TOPIC or "derived")


@EACH
def test_every_field_says_what_it_is_and_every_number_its_unit(name: str) -> None:
    """Those of an event's parts as well."""
    for field, shape in fields(name):
        assert len(shape["description"]) > 5, field
        text = json.dumps(shape)
        numeric = '"integer"' in text or QUANTITY["pattern"] == shape.get("pattern") or json.dumps(QUANTITY) in text
        assert ("x-unit" in shape) == numeric, field


def test_no_words_are_kept_for_fields_that_are_not_there() -> None:
    """Each word is some field's, each standard some entity's, each example some type's."""
    names = {short(name) for name in TYPES}
    entities = {name.partition(".")[0] for name in names}
    there = {field for name in TYPES for field, _ in fields(name)}
    parts = {f"{part}.{field}" for name in TYPES for part, shape in schema(name).get("$defs", {}).items()
             for field in shape["properties"]}  # fmt: skip
    typed = {f"{short(name)}.{field}" for name in TYPES for field in schema(name)["properties"]}
    by_entity = {f"{key.split('.')[0]}.{key.split('.')[2]}" for key in typed}
    known = there | parts | typed | by_entity
    assert [key for key in (*words.WORDS, *words.UNITS) if key not in known] == []
    assert set(words.STANDARDS) == entities
    assert set(_EXAMPLES) == names


@EACH
def test_a_schema_refuses_what_reading_refuses(name: str) -> None:
    """An unknown field, a missing one, a value of another type: both say no."""
    shown = example(name)["data"]
    wrong = [shown | {"surprise": 1}]
    wrong += [{key: value for key, value in shown.items() if key != field} for field in schema(name)["required"]]
    wrong += [shown | {field: {"no": "such"}} for field in shown]
    for data in wrong:
        assert not validator(name).is_valid(data), data
        with pytest.raises(Refusal):
            read_event(example(name) | {"data": data}, internal=True)


def test_the_pattern_of_quantities_takes_what_is_written() -> None:
    """The greatest, the least, nothing and a millionth; no exponents, no seventh decimal."""
    pattern = re.compile(QUANTITY["pattern"])
    for micros in (0, 1, -1, LIMIT, -LIMIT, 12_500_000):
        assert pattern.fullmatch(quantity_text(micros))
        assert quantity(quantity_text(micros)) == micros
    for text in ("1e3", "0.0000001", "01", ".5", "5.", "+1", ""):
        assert not pattern.fullmatch(text)
        with pytest.raises(Refusal):
            quantity(text)


def test_what_is_refused_beyond_types_is_said() -> None:
    """From the class that refuses and from those it builds on."""
    assert "transfer to nobody" in refuses(event_class("grant.transferred"))
    assert [name for name, kind in TYPES.items() if "Refuse" in refuses(kind) or refuses(kind).endswith(".")] == []
    said = refuses(event_class("usage.inference"))
    assert "cached tokens" in said
    assert "names nobody" in said
    assert "x-refuses" not in schema("compute.grant.resumed.v1")


def test_defaults_and_bounds_are_published() -> None:
    """Scaled integers as decimal strings; an empty text that wouldn't be taken isn't offered."""
    rate = schema("compute.rate.published.v1")["properties"]
    assert rate["per"]["default"] == "1000000"
    issued = schema("compute.grant.issued.v1")
    assert (issued["properties"]["priority"]["minimum"], issued["properties"]["priority"]["maximum"]) == (0, 255)
    assert issued["$defs"]["Vesting"]["properties"]["segments"]["minItems"] == 1
    assert "default" not in schema("compute.person.hired.v1")["properties"]["jurisdiction"]


def test_a_type_is_found_by_its_short_name_and_an_unknown_one_is_not() -> None:
    """The nearest is named."""
    assert event_class("grant.issued") is event_class("compute.grant.issued.v1") is event_class("grant.issued.v1")
    with pytest.raises(NotFound) as caught:
        event_class("grant.isued")
    assert caught.value.do == "Did you mean grant.issued?"
