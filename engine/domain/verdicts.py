"""A decision's outcomes as they are written: those of its rules that say something, those that passed, those that don't apply.

Owns the form: an object of rule code → outcome, with the lists `pass` and, where any rule is in it, `not-applicable`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

from engine.domain import codec

PASSED: Final = "pass"
NOT_APPLICABLE: Final = "not-applicable"


class Outcomes(NamedTuple):
    """What one decision says, rule by rule."""

    said: dict[str, dict[str, Any]]
    """Rule code → outcome, of all but those below."""
    passed: list[str]
    inapplicable: list[str]


def write(codes: Iterable[str], said: dict[str, dict[str, Any]], inapplicable: Iterable[str] = ()) -> str:
    """Write the outcomes of the rules of these codes."""
    apart = sorted(set(inapplicable) - said.keys())
    passed = [code for code in codes if code not in said and code not in apart]
    return codec.encode(said | {PASSED: passed} | ({NOT_APPLICABLE: apart} if apart else {})).decode()


def read(written: str) -> Outcomes:
    """Read them back."""
    said: dict[str, Any] = msgspec.json.decode(written)
    return Outcomes(said, said.pop(PASSED, []), said.pop(NOT_APPLICABLE, []))
