"""The bench's arithmetic: figures, rates, ratios, and the table for people. Pure.

A rate counts *evaluated inputs* a second: one event's facts asked of the rules once. Events that no rule is asked about,
and inputs asked again because a fact came late, give no credit: every way is divided by the inputs of the same stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

RATIOS: Final = ("kafka_vs_naive", "kafka_vs_best_peer", "kafka_vs_limit", "embedded_vs_limit", "backtest_vs_limit")
"""As `build/bench.json` promises them; null until there is such a peer."""
MARKS: Final = {"embedded_vs_limit": 0.35, "backtest_vs_limit": 0.8, "kafka_vs_limit": 0.25, "kafka_vs_naive": 8.0}
"""The first marks."""
_OF: Final = {
    "kafka_vs_naive": ("kafka", "naive"),
    "kafka_vs_limit": ("kafka", "limit beside Kafka"),
    "embedded_vs_limit": ("embedded", "limit"),
    "backtest_vs_limit": ("backtest", "limit beside backtest"),
}


class Figure(msgspec.Struct, frozen=True):
    """One measurement: a stretch of work and how long it took."""

    name: str
    what: str
    """In a few words, what was done and how."""
    events: int
    """Events of the stream worked off."""
    inputs: int
    """Inputs of that stream that rules are asked about, each counted once."""
    seconds: float
    detail: dict[str, Any] = {}

    @property
    def inputs_a_second(self) -> float:
        """Evaluated inputs a second."""
        return self.inputs / self.seconds if self.seconds > 0 else 0.0

    @property
    def events_a_second(self) -> float:
        """Events of the stream a second."""
        return self.events / self.seconds if self.seconds > 0 else 0.0


def best(figures: Sequence[Figure]) -> Figure:
    """Give the fastest of several measurements of one thing, with all their rates in its detail."""
    fastest = max(figures, key=lambda figure: figure.inputs_a_second)
    runs = [round(figure.inputs_a_second) for figure in figures]
    return msgspec.structs.replace(fastest, detail=fastest.detail | {"runs_inputs_a_second": runs})


def ratios(figures: Sequence[Figure]) -> dict[str, float | None]:
    """Give each ratio of inputs a second, None where one of the two wasn't measured."""
    rates = {figure.name: figure.inputs_a_second for figure in figures}
    found: dict[str, float | None] = dict.fromkeys(RATIOS)
    for name, (ours, theirs) in _OF.items():
        if rates.get(ours) and rates.get(theirs):
            found[name] = round(rates[ours] / rates[theirs], 3)
    return found


def lateness(in_order: Figure, out_of_order: Figure) -> float:
    """Give how many times longer the same events take out of order."""
    return round(out_of_order.seconds / in_order.seconds, 2)


def document(figures: Sequence[Figure], more: dict[str, Any]) -> dict[str, Any]:
    """Give what `build/bench.json` holds."""
    return {
        **more,
        "ratios": ratios(figures),
        "marks": MARKS,
        "figures": [
            {
                "name": figure.name,
                "what": figure.what,
                "events": figure.events,
                "inputs": figure.inputs,
                "seconds": round(figure.seconds, 3),
                "events_a_second": round(figure.events_a_second, 1),
                "inputs_a_second": round(figure.inputs_a_second, 1),
                "detail": figure.detail,
            }
            for figure in figures
        ],
    }


def table(figures: Sequence[Figure], others: dict[str, float | None]) -> str:
    """Give the figures and ratios as lines for people."""
    lines = [f"{'':22}{'events':>9}{'inputs':>9}{'seconds':>9}{'events/s':>11}{'inputs/s':>11}"]
    for figure in figures:
        lines.append(
            f"{figure.name:22}{figure.events:>9,}{figure.inputs:>9,}{figure.seconds:>9.2f}"
            f"{figure.events_a_second:>11,.0f}{figure.inputs_a_second:>11,.0f}"
        )
        lines.append(f"    {figure.what}")
    lines.append("")
    for name, value in {**ratios(figures), **others}.items():
        mark = f"   (mark {MARKS[name]:g})" if name in MARKS else ""
        lines.append(f"{name:22}{'-' if value is None else f'{value:.3f}':>9}{mark}")
    return "\n".join(lines)
