"""Thresholds: every parameter set must give every rule what the rule's METADATA asks for, and nothing else.

Owns the JSON Schema made from METADATA (draft 7) and the sentences about a set that doesn't fit. A missing threshold
would let a rule pass in silence, so a set that lacks one is refused before it judges anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from jsonschema import Draft7Validator
from jsonschema.exceptions import SchemaError, ValidationError

from engine.policy.catalogue import Rule

PARAMS = "params.json"


class Problem(msgspec.Struct, frozen=True):
    """One mistake in a folder of policies: where (file, and line where there is one), what is wrong, what to do."""

    where: str
    what: str
    do: str

    def __str__(self) -> str:
        """Give it as one sentence for people."""
        return f"{self.where}: {self.what} {self.do}".strip()


def schema_of(rules: Sequence[Rule]) -> dict[str, Any]:
    """Make the schema of one parameter set."""
    asked = {rule.code: rule.thresholds for rule in rules if rule.thresholds}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": sorted(asked),
        "properties": {
            code: {"type": "object", "additionalProperties": False, "required": sorted(names), "properties": names}
            for code, names in sorted(asked.items())
        },
    }


def check_sets(rules: Sequence[Rule], sets: Mapping[str, Any]) -> list[Problem]:
    """Say what is wrong with the parameter sets, in order of set and rule."""
    problems: list[Problem] = []
    for rule in rules:
        for name, schema in rule.thresholds.items():
            try:
                Draft7Validator.check_schema(schema)
            except SchemaError as error:
                what = f"the threshold {name} is described by no JSON Schema: {error.message}."
                problems.append(Problem(rule.file, what, "Write a type and limits, such as {type: integer, minimum: 0}."))
    if problems:
        return problems
    validator = Draft7Validator(schema_of(rules))
    known = {rule.code: rule for rule in rules}
    for name, values in sorted(sets.items()):
        errors = sorted(validator.iter_errors(values), key=lambda error: [str(part) for part in error.absolute_path])
        problems += [problem for error in errors for problem in _explain(name, error, known)]
    return problems


def _explain(name: str, error: ValidationError, rules: Mapping[str, Rule]) -> Iterator[Problem]:
    place = [str(part) for part in error.absolute_path]
    where = f'{PARAMS}, set "{name}"'
    if error.validator == "required":
        given = error.instance if isinstance(error.instance, dict) else {}
        for missing in sorted(part for part in error.validator_value if part not in given):
            path = ".".join([*place, missing])
            yield Problem(where, f"{path} is missing.", f"Add it: {_ask(rules, [*place, missing])}.")
    elif error.validator == "additionalProperties" and len(place) < 2:
        allowed = error.schema["properties"]
        for extra in sorted(part for part in error.instance if part not in allowed):
            what = "no rule has that code or it takes no thresholds" if not place else f"{place[0]} has no such threshold"
            yield Problem(where, f"{'.'.join([*place, extra])}: {what}.", "Remove it, or correct its name.")
    else:
        yield Problem(where, f"{'.'.join(place) or 'the set'}: {error.message}.", f"Correct it: {_ask(rules, place)}.")


def _ask(rules: Mapping[str, Rule], place: Sequence[str]) -> str:
    rule = rules.get(place[0]) if place else None
    if rule is None:
        return "a set holds rule codes and their thresholds"
    if len(place) == 1:
        return f'"{rule.title}" asks for ' + "; ".join(f"{name}, {_plain(asked)}" for name, asked in rule.thresholds.items())
    return f'"{rule.title}" asks for {_plain(rule.thresholds.get(place[1], {}))}'


def _plain(schema: Mapping[str, Any]) -> str:
    """Say a schema in words, as far as thresholds need them."""
    words = {"integer": "a whole number", "number": "a number", "string": "a text", "array": "a list", "object": "an object"}
    said = words.get(str(schema.get("type")), f"what {json.dumps(schema)} describes")
    if "minimum" in schema:
        said += f", at least {schema['minimum']}"
    return said + (f", at most {schema['maximum']}" if "maximum" in schema else "")
