"""Every code that something is refused by is told in docs/refusals.md, and nothing is told there that isn't."""

from __future__ import annotations

import re
from pathlib import Path

from engine.domain import units

ROOT = Path(__file__).parents[2]
TOLD = ROOT / "docs" / "refusals.md"


def codes() -> set[str]:
    """The codes written anywhere in the program."""
    whole = "\n".join(path.read_text() for top in ("engine", "streams") for path in sorted((ROOT / top).rglob("*.py")))
    patterns = (
        r'Problem\(\s*"([a-z-]+)"',
        r'code="([a-z-]+)"',
        r'\.code = "([a-z-]+)"',
        r'^ +return "([a-z]+-(?:unit|quantity))"$',
    )
    found = {code for pattern in patterns for code in re.findall(pattern, whole, re.MULTILINE)}
    return found | {"invalid", "missing", "too-long"}


def test_every_code_is_told_and_every_code_told_exists() -> None:
    """Whoever counts refusals by code finds what each means."""
    rows = [line for line in TOLD.read_text().splitlines() if line.startswith("| `")]
    assert {code for row in rows for code in re.findall(r"`([a-z-]+)`", row.split("|")[1])} == codes()


def test_every_unit_is_told() -> None:
    """The page names them all."""
    text = TOLD.read_text()
    assert all(f"`{unit}`" in text for unit in units.KNOWN)
