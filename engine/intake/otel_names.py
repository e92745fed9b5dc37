"""OpenTelemetry's attributes, and the names that GenAI's have had: newest first, of which the first given counts. Pure.

Sources: semantic conventions for generative AI (gen_ai.*, from 1.25 on), OpenLLMetry before them (llm.*), OpenInference
(llm.token_count.*). An attribute's value is wrapped by its type, and a 64-bit number is text: {"intValue": "12"}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.intake.picking import Fields, wrong

Names = tuple[str, ...]

INPUT: Final[Names] = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.usage.prompt_tokens",
    "llm.token_count.prompt",
)
OUTPUT: Final[Names] = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.usage.completion_tokens",
    "llm.token_count.completion",
)
CACHED: Final[Names] = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.input_tokens.cached",
    "llm.usage.cache_read_input_tokens",
    "llm.token_count.prompt_details.cache_read",
)
WRITTEN: Final[Names] = (
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.input_tokens.cache_write",
    "llm.token_count.prompt_details.cache_write",
)
REASONING: Final[Names] = (
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "gen_ai.usage.output_tokens.reasoning",
    "llm.usage.reasoning_tokens",
    "llm.token_count.completion_details.reasoning",
)
OPERATION: Final[Names] = ("gen_ai.operation.name", "llm.request.type")
PROVIDER: Final[Names] = ("gen_ai.provider.name", "gen_ai.system", "llm.vendor", "llm.system")
MODEL: Final[Names] = (
    "gen_ai.response.model",
    "gen_ai.request.model",
    "llm.response.model",
    "llm.request.model",
    "llm.model_name",
)
SESSION: Final[Names] = ("session.id", "gen_ai.conversation.id")
CONSUMER: Final[Names] = ("enduser.id", "user.id", "gen_ai.user")


class Attributes:
    """Attributes by name, each still wrapped by its type."""

    __slots__ = ("values",)

    def __init__(self, values: Mapping[str, Fields]) -> None:
        """Hold attributes."""
        self.values = dict(values)

    def text(self, names: Names) -> str | None:
        """Give the first of these as text; a number is written out."""
        for name in names:
            value = self.values.get(name)
            if value is None:
                continue
            for key in ("stringValue", "intValue", "boolValue", "doubleValue"):
                if value.value.get(key) not in (None, ""):
                    return str(value.value[key])[:256]
        return None

    def whole(self, names: Names) -> int | None:
        """Give the first of these as a number of at least 0."""
        for name in names:
            value = self.values.get(name)
            if value is None:
                continue
            for key in ("intValue", "doubleValue", "stringValue"):
                if value.has(key):
                    return value.count(key)
        return None


def attributes(fields: Fields, key: str) -> Attributes:
    """Read a list of {"key", "value"}; of a name given twice the last counts."""
    found: dict[str, Fields] = {}
    for one in fields.objects(key):
        name = one.value.get("key")
        if not isinstance(name, str):
            wrong(one.path("key"), "an attribute's name", name)
        found[name] = one.inner("value")
    return Attributes(found)
