"""What documents show of the program: made from the program, compared by the tests, written by `python -m tests.house`.

Owns the parts of documents that nobody writes by hand, and where they begin and end.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from click.testing import CliRunner

from engine.cli.main import main
from engine.domain.records import ViolationRow
from engine.domain.values import instant
from engine.intake.sources import open_source, source_names
from engine.policy.bundle import load_bundle
from engine.service.publishing import Publisher, Recorded
from engine.settings import table
from tests.services.parts import ROOT

KEY = b"0123456789abcdef"
"""Makes the pseudonym that the subscribers' page shows."""


def help_block() -> str:
    """Give the program's own help."""
    said = CliRunner(env={"COLUMNS": "100"}).invoke(main, ["--help"], prog_name="covenant").stdout
    return f"$ covenant --help\n{said}"


def settings_rows() -> str:
    """Give the rows of the table of settings."""
    return "\n".join(f"| `{name}` | {f'`{default}`' if default else ''} | {text} |" for name, default, text in table())


def source_rows() -> str:
    """Give the row of each source, as its own module says what it reads."""
    return "\n".join(_source_rows())


def _source_rows() -> Iterator[str]:
    for source in source_names():
        if not source.startswith("map:"):
            said = str(sys.modules[type(open_source(source)).__module__].__doc__).split("\n")[0]
            said = said.removeprefix(f"The source `{source}`: ").removesuffix(" Pure.").removesuffix(".")
            yield f"| `{source}` | {said.replace('|', chr(92) + '|')} |"
    yield "| `map:FILE.yaml` | any CSV or JSON-lines file, by [a declared mapping](mappings.md) |"


def rule_rows(opa: Path) -> str:
    """Give counsel's list of rules."""
    rules = load_bundle(ROOT / "policies", opa).catalogue.rules
    rows = [(rule, rule.file.removesuffix(".rego") + ".md") for rule in rules]
    return "\n".join(f"| {rule.code} {rule.title} | {rule.clause} | [page](../policies/{page}) |" for rule, page in rows)


def message() -> str:
    """Give the message about README's violation, as subscribers get it under `KEY`."""
    body = re.search(r"```json\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert body is not None
    shown = json.loads(body[1])
    row = ViolationRow(
        id=shown["id"], organisation="acme", rule=shown["rule"], aggregate=f"acme/person/{shown['holder']}",
        discriminator='["2026-05"]', severity=shown["severity"], clause=shown["clause"], respondent=shown["respondent"],
        holder=shown["holder"], repository="", status=shown["status"], settled=True, opened_at=instant(shown["opened_at"]),
        last_seen_at=instant(shown["last_seen_at"]), count=shown["count"], first_decision="", last_decision="", evidence="{}",
        sentence=shown["sentence"], version=2, settle_us=0,
    )  # fmt: skip
    said = {m.topic: m.value for m in Publisher(KEY).messages(Recorded(0, 1, row.last_seen_at, violations=[row]))}
    return json.dumps(json.loads(said["covenant.violations"]), indent=2) + "\n"


def parts(opa: Path) -> list[tuple[str, str, str, Callable[[], str]]]:
    """Give (document, what stands before, what stands after, how it is made) of each part."""
    return [
        ("README.md", "```console\n", "```", help_block),
        ("README.md", "| variable | default | meaning |\n|---|---|---|\n", "\n\n", settings_rows),
        ("docs/sources.md", "| source | reads |\n|---|---|\n", "\n\n", source_rows),
        ("docs/legal.md", "| rule | clause | page |\n|---|---|---|\n", "\n\n", lambda: rule_rows(opa)),
        ("docs/subscriber.md", "```json\n", "```", message),
    ]


def split(text: str, before: str, after: str) -> tuple[str, str, str]:
    """Part a document into what precedes a part, the part, and what follows."""
    start = text.index(before) + len(before)
    end = text.find(after, start)
    end = len(text.rstrip("\n")) if end < 0 else end
    return text[:start], text[start:end], text[end:]
