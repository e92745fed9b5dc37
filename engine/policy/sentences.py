"""Sentences for people, made from a rule's template after evaluation: `{name}` or `{name:kind}`.

A name is looked up in the evidence, then the event, then the facts; a dotted path starts at `event` or `facts`.
Kinds: `ccu` (micro-units as decimals), `time` (µs as RFC 3339), `duration` (µs in days, hours and minutes), `list`,
and `permitted` (a list whose being empty permits everything).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.domain.values import SECOND_US, instant_text, quantity_text

PLACEHOLDER = re.compile(r"\{([a-z_0-9.]+)(?::([a-z]+))?\}")
KINDS = frozenset({"", "ccu", "time", "duration", "list", "permitted"})


def render(template: str, evidence: Mapping[str, Any], event: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """Fill a template; what isn't known reads as "unknown"."""

    def fill(found: re.Match[str]) -> str:
        value = _find(found[1], evidence, event, facts)
        return "unknown" if value is None else _say(value, found[2] or "")

    return PLACEHOLDER.sub(fill, template).strip()


def _find(name: str, evidence: Mapping[str, Any], event: Mapping[str, Any], facts: Mapping[str, Any]) -> Any:
    if "." in name:
        value: Any = {"event": event, "facts": facts}
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value
    return next((where[name] for where in (evidence, event, facts) if name in where), None)


def _say(value: Any, kind: str) -> str:
    if kind == "ccu":
        return quantity_text(value)
    if kind == "time":
        return instant_text(value)
    if kind == "duration":
        return _duration(value)
    if isinstance(value, list):
        return ", ".join(map(str, value)) or ("any" if kind == "permitted" else "none")
    return str(value)


def _duration(micros: int) -> str:
    """Say a length of time: "1 day 2 hours"; less than a minute is said in seconds."""
    seconds = micros // SECOND_US
    parts = [(seconds // 86_400, "day"), (seconds // 3600 % 24, "hour"), (seconds // 60 % 60, "minute")]
    said = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count]
    return " ".join(said) or f"{seconds} seconds"
