"""What was decided, rule by rule: every outcome can be listed, not violations alone. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from engine.domain import verdicts
from engine.domain.records import DecisionRow
from engine.store.lookups import Lookups

OUTCOMES: Final = ("violation", "excused", "indeterminate", "error", verdicts.NOT_APPLICABLE, verdicts.PASSED)


class Decided(msgspec.Struct, frozen=True):
    """What one rule said of one event."""

    decision: str
    time: int
    """When the event happened (µs)."""
    aggregate: str
    event: str
    """The event's source and id."""
    type: str
    rule: str
    outcome: str
    why: str
    """A violation's sentence, the guard and approvals of an excuse, the facts that are missing, the error."""


def decided(lookups: Lookups, *, outcome: str = "", rule: str = "", aggregate: str = "", all_: bool = False) -> Iterator[Decided]:
    """Give outcomes in the order in which they were recorded; without `outcome` all but passes and what doesn't apply."""
    passes = outcome in (verdicts.NOT_APPLICABLE, verdicts.PASSED)
    for row in lookups.decided(aggregate=aggregate, passes=passes, all_=all_):
        for code, said, why in sorted(_of(row, outcome)):
            if rule in ("", code):
                event = f"{row.source} {row.event_id}"
                yield Decided(row.id, row.time, row.aggregate, event, row.type, code, said, why)


def _of(row: DecisionRow, outcome: str) -> Iterator[tuple[str, str, str]]:
    outcomes = verdicts.read(row.outcomes)
    if outcome == verdicts.PASSED:
        yield from ((code, outcome, "") for code in outcomes.passed)
    elif outcome == verdicts.NOT_APPLICABLE:
        yield from ((code, outcome, "") for code in outcomes.inapplicable)
    else:
        for code, said in outcomes.said.items():
            if outcome in ("", said["outcome"]):
                yield code, said["outcome"], _why(said)


def _why(said: dict[str, Any]) -> str:
    if "guard" in said:
        by = f" by {', '.join(said['by'])}" if said["by"] else ""
        return f"{said['guard']}{by}{', back-dated' if said['back_dated'] else ''}"
    if "missing" in said:
        return "; ".join(f"{path}: {why}" for path, why in said["missing"].items())
    return str(said.get("sentence") or said["evidence"].get("error", ""))
