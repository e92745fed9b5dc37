"""What every file of the repository keeps to: sizes, docstrings, nothing of one machine, nothing left undone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.tracked import files, name, tracked, tree

MODULE_LINES, FUNCTION_LINES, RULE_LINES, TEMPLATE_LINES = 400, 70, 60, 120
OF_A_MACHINE = re.compile(
    r"/(?:work|root|farm|home)/[a-z]|index-url [a-z]|https?://[^\s/]*(?:pypi|npmjs|proxy\.golang|crates)[^\s]*"
)
LEFT_UNDONE = re.compile(r"\b(?:TODO|FIXME|XXX)\b|raise NotImplementedError(?!\(type\(value\)\))")
"""An encoder's hook tells msgspec by that error that it doesn't know a type."""
LEFT_OUT = re.compile(r"pytest\.(?:skip|xfail|importorskip)\b|mark\.(?:skip|skipif|xfail)\b")
OWN = "tests/house/test_tree.py"
BINARY = (".png", ".ico", ".gz", ".woff2")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Give every function of a file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def matches(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    """Give where a pattern matches, but for this file, which has to spell it."""
    return [
        f"{name(path)}:{number}"
        for path in paths
        if name(path) != OWN
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_every_module_says_what_it_is() -> None:
    """A docstring on each."""
    assert [name(path) for path in files(".py") if path.read_text().strip() and not ast.get_docstring(tree(path))] == []


def test_every_test_says_what_it_shows() -> None:
    """A sentence on each."""
    tests = [path for path in files(".py") if path.name.startswith("test_")]
    silent = [
        f"{name(path)}: {function.name}"
        for path in tests
        for function in functions(path)
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]
    assert silent == []


def test_modules_are_short() -> None:
    """400 lines at the most."""
    assert [name(path) for path in files(".py") if len(path.read_text().splitlines()) > MODULE_LINES] == []


def test_functions_are_short() -> None:
    """70 lines at the most."""
    long = [
        f"{name(path)}: {function.name}"
        for path in files(".py")
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno >= FUNCTION_LINES
    ]
    assert long == []


def test_rules_and_templates_are_short() -> None:
    """60 lines of a rule, 120 of a template."""
    rules = [path for path in files(".rego") if not path.name.endswith("_test.rego")]
    assert [name(path) for path in rules if len(path.read_text().splitlines()) > RULE_LINES] == []
    assert [name(path) for path in files(".html") if len(path.read_text().splitlines()) > TEMPLATE_LINES] == []


def test_nothing_belongs_to_one_machine() -> None:
    """No path of a machine, no host of a package registry."""
    texts = [path for path in tracked() if not path.name.endswith(BINARY)]
    assert matches(OF_A_MACHINE, texts) == []


def test_nothing_is_left_undone() -> None:
    """No stub, no note to oneself."""
    assert matches(LEFT_UNDONE, files(".py", ".rego", ".md", ".html", ".css", ".js", ".sh", "Makefile")) == []


def test_no_test_is_left_out() -> None:
    """Where a part is missing the tests' own set-up says so, and in CI they fail."""
    assert matches(LEFT_OUT, [path for path in files(".py") if name(path).startswith("tests/")]) == []
