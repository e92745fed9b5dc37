"""Readers of our own types are made while modules are imported, never within a function: see `engine.domain.prepared`."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def made_within_functions(source: str) -> Iterator[str]:
    """Give what a module's functions have msgspec learn: decoders of a type, conversions, decoding to a type of ours."""
    for outer in ast.walk(ast.parse(source)):
        if not isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        for node in ast.walk(outer):
            if isinstance(node, ast.Call) and _learns(node):
                yield f"line {node.lineno}: {ast.unparse(node)}"


def _learns(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    if name in ("msgspec.convert", "converter", "prepared.converter"):
        return True
    kinds = [word.value for word in call.keywords if word.arg == "type"]
    if name.endswith("Decoder"):
        kinds += call.args[:1]
    elif not (name.startswith("msgspec.") and name.endswith(".decode")) and name != "partial":
        return False
    names = [node.id for kind in kinds for node in ast.walk(kind) if isinstance(node, ast.Name)]
    return any(not hasattr(builtins, one) for one in names)


@pytest.mark.parametrize(
    "call",
    [
        "msgspec.json.Decoder(Event)",
        "msgspec.msgpack.Decoder(type=list[Event], dec_hook=hook)",
        "msgspec.convert(raw, Event)",
        "converter(Event)",
        "msgspec.json.decode(wire, type=Event)",
        "partial(msgspec.msgpack.decode, type=person.State)",
    ],
)
def test_a_reader_made_within_a_function_is_found(call: str) -> None:
    """The search finds each way in which msgspec learns a class, and none where it stands at the module's top."""
    assert list(made_within_functions(f"def read(raw):\n    return {call}")) == [f"line 2: {call}"]
    assert list(made_within_functions(f"READ = {call}")) == []


@pytest.mark.parametrize("call", ["msgspec.json.decode(wire)", "msgspec.json.decode(wire, type=list[str])", "wire.decode()"])
def test_a_reader_of_builtin_types_may_stand_anywhere(call: str) -> None:
    """Only struct classes are learnt."""
    assert list(made_within_functions(f"def read(wire):\n    return {call}")) == []


def test_no_function_makes_a_reader_of_a_type_of_ours() -> None:
    """Two threads that first read a class at once can end the process, so all readers are made at import."""
    found = {
        str(path.relative_to(ROOT)): calls
        for folder in ("engine", "streams")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.name != "prepared.py" and (calls := list(made_within_functions(path.read_text(encoding="utf-8"))))
    }
    assert found == {}
