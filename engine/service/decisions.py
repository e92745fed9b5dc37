"""What was decided, rule by rule: every outcome can be listed, not violations alone. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from engine.domain import verdicts
from engine.domain.records import DecisionRow
from engine.policy.bundle import Bundle, from_bytes
from engine.service import telling
from engine.service.explain import find
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


class RuleSaid(msgspec.Struct, frozen=True):
    """What one rule said, with the clause it holds people to."""

    code: str
    title: str
    severity: str
    outcome: str
    why: str
    evidence: dict[str, Any]
    kinds: dict[str, str]
    """Of evidence: how each is written (time, ccu, duration, list), empty for as it is."""
    clause: str
    clause_title: str
    clause_text: str


class OneDecided(msgspec.Struct, frozen=True):
    """A decision as it is on record. Times are µs UTC."""

    id: str
    verdict: str
    stands: bool
    organisation: str
    aggregate: str
    source: str
    event: str
    type: str
    time: int
    bundle: str
    supersedes: str
    rules: list[RuleSaid]
    """Those that said something first, then those that passed, then those that didn't apply."""


def one_decided(lookups: Lookups, wanted: str) -> OneDecided:
    """Give the decision that an id begins, or that a violation whose id it begins rests on; nothing is judged again."""
    recorded = find(lookups, wanted)
    row = recorded.decision
    bundle = from_bytes(lookups.store.bundle(row.bundle))
    outcomes = verdicts.read(row.outcomes)
    every = [(code, said["outcome"], said) for code, said in sorted(outcomes.said.items())]
    every += [(code, verdicts.PASSED, {}) for code in outcomes.passed]
    every += [(code, verdicts.NOT_APPLICABLE, {}) for code in outcomes.inapplicable]
    return OneDecided(
        row.id, row.verdict, recorded.stands, row.organisation, row.aggregate, row.source, row.event_id, row.type, row.time,
        row.bundle, row.supersedes, [_rule_said(bundle, code, outcome, said) for code, outcome, said in every],
    )  # fmt: skip


def _rule_said(bundle: Bundle, code: str, outcome: str, said: dict[str, Any]) -> RuleSaid:
    rule = bundle.catalogue.rule(code)
    clause = bundle.clauses.get(rule.clause, {}) if rule is not None else {}
    items = telling.evidence(said.get("evidence", {}), rule.sentence if rule else "")
    return RuleSaid(
        code, rule.title if rule else code, rule.severity if rule else said.get("severity", ""), outcome,
        _why(said) if said else "", {item.name: item.value for item in items}, {item.name: item.kind for item in items},
        rule.clause if rule else "", clause.get("title", ""), clause.get("text", ""),
    )  # fmt: skip


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
