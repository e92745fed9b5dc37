"""Token counts as events have them, from vendors whose counts mean different things. Pure.

`input_tokens` includes the cached ones, `output_tokens` the reasoning ones, as in OpenTelemetry's GenAI conventions.
"""

from __future__ import annotations


def counted(*, fresh: int, cached: int, output: int, reasoning: int = 0, written: int = 0) -> dict[str, int]:
    """Give the counts of an event; where more was cached than put in, the source left the cached ones out: they are added.

    `written` are tokens put into a cache, which who leaves out the cached ones leaves out too.
    """
    whole = fresh if cached + written <= fresh else fresh + cached + written
    return {
        "input_tokens": whole,
        "cached_tokens": cached,
        "output_tokens": output,
        "reasoning_tokens": min(reasoning, output) if output else reasoning,
    }
