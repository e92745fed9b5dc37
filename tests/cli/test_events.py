"""`covenant events`: what may be sent, told by the program itself."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from engine.domain.events import TYPES
from engine.domain.events.examples import example
from engine.domain.events.schemas import schema
from engine.service.outgoing import OUTGOING, published_schema
from tests.cli.conftest import Run, document, ingested


def test_every_type_is_listed_with_its_topic_and_aggregate(covenant: Run) -> None:
    """As JSON lines, as CSV, and as a table."""
    rows = [json.loads(line) for line in covenant("--format", "json", "events", "list").stdout.splitlines()]
    assert [row["type"] for row in rows] == [*TYPES, *dict.fromkeys(one.name for one in OUTGOING)]
    vested = next(row for row in rows if row["type"] == "compute.grant.vested.v1")
    assert (vested["topic"], vested["aggregate"]) == ("covenant.grants", "the holder, else the grant's alias")
    assert covenant("--format", "csv", "events", "list").stdout.count("\n") > len(TYPES)
    assert "compute.usage.gpu.v1 " in covenant("events", "list").stdout


@pytest.mark.parametrize("name", TYPES)
def test_every_type_is_shown_with_fields_units_and_an_example(covenant: Run, name: str) -> None:
    """Every field that the example has, to those of its parts."""
    said = document(covenant("--format", "json", "events", "show", name))
    assert said["example"] == example(name)
    assert said["standard"]
    shown = {field["field"]: field for field in said["fields"]}
    assert set(example(name)["data"]) <= set(shown)
    assert all(field["meaning"] and field["shape"] for field in said["fields"])
    assert all(field["unit"] for field in said["fields"] if field["shape"] in ("decimal", "whole number"))
    text = covenant("events", "show", name)
    assert text.exit_code == 0
    assert text.stdout.startswith(name + "\n")


@pytest.mark.parametrize("name", sorted({one.name for one in OUTGOING}))
def test_what_goes_out_is_shown_alike(covenant: Run, name: str) -> None:
    """Its topics, every field of its example with a meaning and a shape, and the schema that is published."""
    said = document(covenant("--format", "json", "events", "show", name))
    assert said["topic"].split(", ") == [one.topic for one in OUTGOING if one.name == name]
    assert set(said["example"]["data"]) <= {field["field"] for field in said["fields"]}
    assert all(field["meaning"] and field["shape"] for field in said["fields"])
    assert covenant("events", "show", name.removeprefix("compute.").removesuffix(".v1")).stdout.startswith(name + "\n")
    assert json.loads(covenant("events", "schema", name).stdout) == published_schema(name)


def test_a_part_stands_below_the_field_that_holds_it(covenant: Run) -> None:
    """A schedule's segments, a grant's filters."""
    fields = {
        field["field"]: field for field in document(covenant("--format", "json", "events", "show", "grant.issued"))["fields"]
    }
    assert fields["schedule.segments.every"]["unit"] == "as `unit` says"
    assert fields["filters.models"]["shape"] == "list of text"
    assert (fields["quantity"]["required"], fields["priority"]["required"]) == ("required", "")
    assert fields["vesting"]["choices"] == ["by_event", "immediate", "scheduled"]


def test_the_schema_given_is_the_published_one(covenant: Run) -> None:
    """By the short name as by the full one, indented for people, on one line for programs."""
    for name in ("usage.inference", "compute.usage.inference.v1"):
        assert json.loads(covenant("events", "schema", name).stdout) == schema("compute.usage.inference.v1")
    said = covenant("--format", "json", "events", "schema", "usage.inference").stdout
    assert said.count("\n") == 1
    jsonschema.Draft202012Validator.check_schema(json.loads(said))


def test_an_unknown_type_is_an_answer_that_helps(covenant: Run) -> None:
    """The nearest name is given."""
    result = covenant("events", "show", "usage.inferrence")
    assert result.exit_code != 0
    assert "Did you mean usage.inference?" in result.stderr


def test_the_examples_shown_can_be_taken_in(covenant: Run, folder: Path) -> None:
    """All that come from outside, in one file; refused are policies alone that nobody has, and the reason says so."""
    names = [name for name, kind in TYPES.items() if kind.TOPIC]
    path = folder / "examples.jsonl"
    path.write_text("".join(json.dumps(example(name)) + "\n" for name in names))
    said = ingested(covenant, "--quiet", path)
    policies = [name for name in names if name.startswith(("compute.policy.activated.", "compute.policy.shadowed."))]
    assert (said["read"], said["refused"]) == (len(names), len(policies))
    refused = covenant("dead-letters", "list").stdout
    assert refused.count("keeps no bundle") == len(policies) == 2
