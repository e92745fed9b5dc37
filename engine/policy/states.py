"""Each fact a rule needs, in each of its states: known, known to be absent, unknown; what the rule must then say, and does.

Owns making the inputs, from the fixtures and the schema. A missing fact may never accuse and never pass in silence: where
what a breach needs is unknown the rule is indeterminate, and where what an excuse needs is unknown nobody is accused.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from engine.policy.catalogue import Rule
from engine.policy.evaluator import Evaluator
from engine.policy.modules import INPUT
from engine.policy.outcomes import outcomes
from engine.policy.thresholds import Problem

DECIDED: Final = frozenset({"pass", "violation", "excused"})
CLEARED: Final = frozenset({"pass", "excused", "indeterminate"})
EMPTY: Final[Mapping[str, Any]] = {"integer": 0, "number": 0, "boolean": False, "array": [], "string": ""}


class State(msgspec.Struct, frozen=True):
    """One input: which fact is in which state, and which outcomes the rule may have."""

    rule: Rule
    fact: str
    state: str
    """known | absent | unknown."""
    document: dict[str, Any]
    allowed: frozenset[str]


def states(rules: Sequence[Rule], fixtures: Mapping[str, dict[str, Any]]) -> Iterator[State]:
    """Make the inputs of all rules: everything known, and each fact they need absent and unknown."""
    schema = json.loads(INPUT.read_text(encoding="utf-8"))
    for rule in rules:
        for kind in rule.events:
            base = _base(rule, kind, fixtures, schema)
            yield State(rule, "", "known", base, DECIDED)
            needed = dict.fromkeys(rule.breach_needs, frozenset({"indeterminate"}))
            for path, allowed in {**dict.fromkeys(rule.excuse_needs, CLEARED), **needed}.items():
                if path.startswith("facts."):
                    absent = copy.deepcopy(base)
                    _put(absent, path, _nothing(_described(schema, path)))
                    yield State(rule, path, "absent", absent, DECIDED)
                    unknown = copy.deepcopy(base)
                    _put(unknown, path, None)
                    yield State(rule, path, "unknown", unknown | {"unknown": {path: "nobody knows"}}, allowed)


def wrong(rules: Sequence[Rule], fixtures: Mapping[str, dict[str, Any]], evaluator: Evaluator) -> list[Problem]:
    """Give the rules that say something else than they must, by fact and state."""
    made = list(states(rules, fixtures))
    documents = [one.document for one in made]
    for number, document in enumerate(documents):
        document["event"]["id"] = f"state {number}"
    found = []
    for one, answer in zip(made, evaluator.evaluate([msgspec.json.encode(d) for d in documents]), strict=True):
        (outcome,) = outcomes([one.rule], one.document, answer)
        if outcome.outcome not in one.allowed:
            what = f"with {one.fact or 'everything'} {one.state} it says {outcome.outcome}."
            do = f"It may say {' or '.join(sorted(one.allowed))}: a missing fact accuses nobody, and is never passed over."
            found.append(Problem(one.rule.file, what, do))
    return found


def _base(rule: Rule, kind: str, fixtures: Mapping[str, dict[str, Any]], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Give an input that the rule speaks of, with every fact it needs."""
    alike = [one for one in fixtures.values() if one["event"]["type"] == kind and rule.concerns(one["event"])]
    same = [one for one in fixtures.values() if one["event"]["type"] == kind]
    document = copy.deepcopy((alike or same or list(fixtures.values()))[0])
    document["event"] |= {"type": kind, **{name: values[0] for name, values in rule.selects.items()}}
    document["unknown"] = {}
    for path in rule.asserted:
        document["event"][path.removeprefix("event.")] = _some(_described(schema, path))
    for path in (*rule.breach_needs, *rule.excuse_needs):
        if _get(document, path) is None:
            _put(document, path, _some(_described(schema, path)))
    return document


def _described(schema: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    for part in path.split("."):
        schema = schema["properties"][part]
    return schema


def _some(schema: Mapping[str, Any]) -> Any:
    """Give a value that a field may have, not "none" where there is another."""
    if "enum" in schema:
        return next((value for value in schema["enum"] if value != "none"), schema["enum"][0])
    if schema["type"] == "object":
        return {name: _some(schema["properties"][name]) for name in schema.get("required", [])}
    return "x" if schema["type"] == "string" else EMPTY[schema["type"]]


def _nothing(schema: Mapping[str, Any]) -> Any:
    """Give the value by which a fact is known to be absent."""
    if "enum" in schema:
        return "none" if "none" in schema["enum"] else schema["enum"][-1]
    if schema["type"] == "object":
        return {name: _nothing(schema["properties"][name]) for name in schema.get("required", [])}
    return "none" if schema["type"] == "string" else EMPTY[schema["type"]]


def _get(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    """Set what stands at a path; None takes it away."""
    *above, last = path.split(".")
    for part in above:
        document = document.setdefault(part, {})
    if value is None:
        document.pop(last, None)
    else:
        document[last] = value
