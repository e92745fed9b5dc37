"""`covenant events`: what each type of event says, in which units and whose words, with an example and its JSON Schema.

Reads the classes only: no store, no settings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from engine.cli.shell import Shell, pass_shell, table
from engine.domain.events import TYPES, Data
from engine.domain.events import schemas as told
from engine.domain.events.examples import example
from engine.service.outgoing import OUTGOING, published_schema, samples

COLUMNS = ("type", "topic", "aggregate")
TYPE = click.argument("kind", metavar="TYPE")
SENT = {one.name: [o for o in OUTGOING if o.name == one.name] for one in OUTGOING}
"""What Covenant itself says on topics: type → how it is on each topic."""


@click.group(short_help="Describe the types of events, with examples and schemas.")
def events() -> None:
    """Describe the types of events. TYPE is a name such as compute.grant.issued.v1, or grant.issued for short."""


@events.command("list")
@pass_shell
def list_(shell: Shell) -> None:
    """List every type with its topic and whom or what it is about.

    Types on covenant.derived are made by Covenant alone; the last ones are what it says, on the topics that go out.
    """
    shell.rows(
        [*(_row(kind) for kind in TYPES.values()), *map(_sent, SENT)],
        ("type", "topic", "aggregate", "says") if shell.format == "csv" else COLUMNS,
    )


@events.command()
@TYPE
@pass_shell
def show(shell: Shell, *, kind: str) -> None:
    """Show what a type says: every field with its shape, unit and meaning, what is refused, and an example."""
    if (sent := _among_sent(kind)) is not None:
        shape = published_schema(sent)
        told_of = _sent(sent) | {
            "standard": _STANDARD.get(sent.split(".")[1], "Covenant"),
            "refuses": "",
            "fields": list(_fields(shape)),
        }
        document = told_of | {"example": samples()[SENT[sent][0].topic, sent]}
        shell.document(document, lambda: _text(document, document["fields"]))
        return
    found = told.event_class(kind)
    schema = told.schema(found.TYPE)
    fields = list(_fields(schema))
    document = _row(found) | {
        "standard": told.standard(found),
        "refuses": told.refuses(found),
        "fields": fields,
        "example": example(found.TYPE),
    }
    shell.document(document, lambda: _text(document, fields))


@events.command()
@TYPE
@pass_shell
def schema(shell: Shell, *, kind: str) -> None:
    """Give the JSON Schema (draft 2020-12) of a type's data, whatever the format asked for."""
    sent = _among_sent(kind)
    found = told.schema(told.event_class(kind).TYPE) if sent is None else published_schema(sent)
    click.echo(json.dumps(found, indent=None if shell.format == "json" else 2, ensure_ascii=False))


def _row(kind: type[Data]) -> dict[str, Any]:
    return {
        "type": kind.TYPE,
        "topic": told.topic(kind),
        "aggregate": told.aggregate(kind),
        "says": told.description(kind),
    }


def _among_sent(name: str) -> str | None:
    return next((known for known in (name, f"compute.{name}", f"compute.{name}.v1") if known in SENT), None)


def _sent(name: str) -> dict[str, Any]:
    """Give a type that goes out as a row."""
    topics = ", ".join(dict.fromkeys(one.topic for one in SENT[name]))
    return {"type": name, "topic": topics, "aggregate": "what the message's key says", "says": SENT[name][0].says}


def _fields(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give every field, those of a part below the field that holds it: filters, filters.models."""
    for name, shape in _of(schema, "", schema.get("$defs", {})):
        needed = "required" if shape["required"] else ""
        unit = shape.get("x-unit", "")
        said = {"field": name, "shape": _shape(shape), "unit": unit, "required": needed, "meaning": shape["description"]}
        yield said | ({"choices": choices} if (choices := _choices(shape)) else {})


def _of(part: Mapping[str, Any], above: str, parts: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, shape in part["properties"].items():
        yield above + name, shape | {"required": name in part["required"]}
        for inner in _inner(shape):
            yield from _of(parts[inner], f"{above}{name}.", parts)


def _inner(shape: Mapping[str, Any]) -> Iterator[str]:
    """Name the parts that a field holds."""
    if "$ref" in shape:
        yield shape["$ref"].rpartition("/")[2]
    for one in (*shape.get("anyOf", ()), *([shape["items"]] if "items" in shape else ())):
        yield from _inner(one)


def _choices(shape: Mapping[str, Any]) -> list[str]:
    """Give what may be chosen of, where a field is a choice."""
    return [*shape.get("enum", ()), *(choice for one in shape.get("anyOf", ()) for choice in _choices(one))]


def _shape(shape: Mapping[str, Any]) -> str:
    """Say a schema's shape in a word or a few."""
    if "anyOf" in shape:
        return " or ".join(_shape(one) for one in shape["anyOf"] if one.get("type") != "null")
    if "$ref" in shape:
        return "object"
    if "enum" in shape:
        return "choice"
    if "const" in shape:
        return f"always {shape['const']}"
    if shape["type"] == "array":
        return f"list of {_shape(shape['items'])}"
    if shape.get("format") == "date-time":
        return "instant"
    if shape.get("pattern") == told.QUANTITY["pattern"]:
        return "decimal"
    kinds = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
    return " or ".join(_PLAIN[one] for one in kinds if one != "null")


_STANDARD = {"violation": "OCSF, Compliance Finding"}
_PLAIN = {"string": "text", "integer": "whole number", "boolean": "yes or no", "object": "object"}


def _text(document: Mapping[str, Any], fields: list[dict[str, Any]]) -> str:
    parts = [f"{document['type']}\n{document['says']}"]
    told_of = {"Topic": document["topic"], "About": document["aggregate"], "Words of": document["standard"]}
    parts.append("\n".join(f"{name}: {text}" for name, text in told_of.items()))
    if document["refuses"]:
        parts.append(f"Refused: {document['refuses']}.")
    if fields:
        columns = ("field", "shape", "unit", "required", "meaning")
        parts.append(table(columns, [[_cell(field, name) for name in columns] for field in fields]))
    parts.append("Example\n" + json.dumps(document["example"], indent=2, ensure_ascii=False))
    return "\n\n".join(parts)


def _cell(field: Mapping[str, Any], name: str) -> str:
    text = str(field[name])
    choices = " | ".join(str(choice) or "(empty)" for choice in field.get("choices", ()))
    return f"{text} {choices}" if name == "meaning" and choices else text
