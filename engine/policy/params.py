"""Which parameter set judges an event: the agreement's, else the organisation's default, else everybody's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def parameter_set(sets: Mapping[str, Any], organisation: str, agreement: str) -> str:
    """Give the name of a set that exists: "org/agreement", "org/default" or "default"."""
    for name in (f"{organisation}/{agreement}", f"{organisation}/default"):
        if name in sets:
            return name
    return "default"
