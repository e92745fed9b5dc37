"""Values and conditions of a rule in words: what a line of its text asks, what it was compared with, and how it came out.

Owns the words only. What isn't a plain comparison is shown as it is written, with the values it reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from engine.domain.values import FOREVER, instant_text, quantity_text
from engine.policy.conditions import Condition

SINCE: Final = 10**14
"""A whole number beyond this is a time in µs (from 1973 on), not a quantity anybody was granted."""
LONGEST: Final = 200
"""Characters of a value that are shown."""
VERBS: Final[Mapping[str, tuple[str, str]]] = {
    ">=": ("is at least", "is less than"),
    "<=": ("is at most", "is more than"),
    "==": ("is", "isn't"),
    "!=": ("isn't", "is"),
    ">": ("is more than", "isn't more than"),
    "<": ("is less than", "isn't less than"),
    "in": ("is one of", "is none of"),
}
_SPLIT: Final = re.compile(rf" ({'|'.join(VERBS)}) ")
_READ: Final = re.compile(r'data\.params\[input\.ps\]\["[A-Z0-9-]+"\]\.(\w+)|input\.(?:facts|event)\.([\w.]+)')
_IN_FORCE: Final = re.compile(r'approvals\.in_force\([^,()]+, "(\w+)", [^,()]+\)')
_WITHIN: Final = re.compile(r'approvals\.in_force_within\([^,()]+, "(\w+)", ([^,()]+), ([^,()]+)\)')
_IDS: Final = re.compile(r"\{(\w+)\.id \| some \1 in (.+)\}")


def shown(name: str, value: Any) -> str:
    """Say a value to a person: micro-units as decimals, µs as times, what a list holds, long ones cut."""
    text = _whole(name, value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _whole(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_whole(name, one) for one in value) or "nothing"
    if isinstance(value, dict) and value:
        return f"({', '.join(f'{key} {_whole(key, one)}' for key, one in value.items())})"
    if isinstance(value, int) and not isinstance(value, bool):
        if name.endswith("_u"):
            return quantity_text(value)
        if value == FOREVER:
            return "for ever"
        if value >= SINCE:
            return instant_text(value)
        return f"{value:,}" + (" µs" if name.endswith("_us") else "")
    if value == {}:
        return "nothing"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def said(condition: Condition) -> str:
    """Say how one condition came out: "sum_u = 5 isn't more than cap_u = 1,000"."""
    text = _READ.sub(lambda found: f"threshold {found[1]}" if found[1] else found[2], condition.text)
    parts = _SPLIT.split(text)
    if " := " in text or text.startswith("some ") or len(parts) != 3:
        name, mark, asked = text.partition(" := ")
        if mark:
            value = f"{name} = {shown(name, condition.values[name])}" if name in condition.values else f"{name} isn't there"
            return f"{value} ({_asked(asked)})" if asked != name else value
        return _with(text if condition.holds else f"not: {text}", condition.behind)
    left, operator, right = parts
    named = {one for one in (left, right) if one in condition.behind}
    rest = {name: value for name, value in condition.behind.items() if name not in named}
    plain = f"{_side(left, condition)} {VERBS[operator][not condition.holds]} {_side(right.strip('{}'), condition)}"
    return _with(plain, rest)


def _asked(text: str) -> str:
    """Say in words what our library is asked of approvals; anything else as it is written."""
    text = _IN_FORCE.sub(r"approvals of kind \1 in force then", text)
    text = _WITHIN.sub(r"approvals of kind \1 in force at some time from \2 to \3", text)
    return _IDS.sub(r"\2", text)


def _side(text: str, condition: Condition) -> str:
    return f"{text} = {shown(text, condition.behind[text])}" if text in condition.behind else text.replace('"', "")


def _with(text: str, values: Mapping[str, Any]) -> str:
    given = ", ".join(f"{name} = {shown(name, value)}" for name, value in values.items())
    return f"{text} ({given})" if given else text
