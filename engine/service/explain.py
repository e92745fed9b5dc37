"""A decision made again: its input rebuilt, asked of the rules that decided, compared, and laid open rule by rule.

The input is the one that was kept, or (for a pass) the aggregate's journal folded again as far as the decision's batch
knew it, with the reference data of that batch. Reads only; what it shows are the input's own values, as the rules saw them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from engine.domain import codec, verdicts
from engine.domain.enablement import OFF
from engine.domain.errors import IntegrityError, NotFound, PolicyError, UsageError
from engine.domain.events.reference import PolicyActivated
from engine.domain.lowering import Lowering
from engine.domain.order import place
from engine.domain.records import DecisionRow, PayloadRow, Recorded
from engine.domain.reference import Reference
from engine.domain.timeline import Entry, Timeline
from engine.policy.bundle import Bundle, from_bytes
from engine.policy.catalogue import Rule
from engine.policy.conditions import Clause, conditions
from engine.policy.evaluator import Evaluator
from engine.policy.limits import DEFAULTS, Limits
from engine.service import horizon
from engine.service.deciding import FOLD_VERSION
from engine.service.judging import document_of, inapplicable, judge
from engine.service.memory import ReferenceLog, folder
from engine.service.policy_diff import PolicyDiff, compare
from engine.store.lookups import Lookups

SHORTEST = 4
"""Characters of an id that a person has to give."""


class RuleExplained(msgspec.Struct, frozen=True):
    """What one rule says of the event, and why."""

    code: str
    title: str
    clause: str
    severity: str
    outcome: str
    """As it comes out now; `recorded` is as it was decided."""
    recorded: str
    sentence: str
    evidence: dict[str, Any]
    missing: dict[str, str]
    why: str
    """Why it doesn't apply; empty where it does."""
    excused_by: str
    facts: dict[str, Any]
    """Path → value of what the rule reads, as it saw it: micro-units and µs are whole numbers."""
    thresholds: dict[str, Any]
    conditions: list[Clause]
    clause_title: str
    clause_text: str
    """The agreement's words, as they stood under the bundle."""
    file: str


class Later(msgspec.Struct, frozen=True):
    """The text that was put in force after the event occurred: it doesn't judge it, and shows what would hold today."""

    since: int
    """µs."""
    changed: PolicyDiff
    """What differs from the text that judged, of the rules that were considered."""


class Explanation(msgspec.Struct, frozen=True):
    """A decision made again."""

    decision: DecisionRow
    stands: bool
    same: bool
    differences: list[str]
    rebuilt: str
    """kept | refolded: where the input is from."""
    opa_version: str
    """Of the OPA asked now."""
    document: dict[str, Any]
    rules: list[RuleExplained]
    original: PayloadRow | None = None
    """The record that the event was made from, as its source wrote it; None where the event itself is what came."""
    later: Later | None = None
    """None where the text that judged is the one in force last."""


def find(lookups: Lookups, wanted: str) -> Recorded:
    """Give the decision that an id begins, or that a violation whose id it begins rests on."""
    prefix = wanted.strip().lower()
    if len(prefix) < SHORTEST or not set(prefix) <= set("0123456789abcdef"):
        msg = f"{wanted[:80]!r} isn't the id of a decision or a violation."
        raise UsageError(msg, f"Give at least {SHORTEST} of its hexadecimal digits; `covenant violations list` has some.")
    found = lookups.decisions(prefix)
    if not found:
        behind = [decision for _, decision in lookups.decisions_of_violations(prefix)]
        found = [recorded for decision in behind for recorded in lookups.decisions(decision)]
    if not found:
        msg = f"There is no decision or violation {prefix}."
        raise NotFound(msg, "`covenant violations list` and `covenant export --standing` show what there is in this store.")
    if len(found) > 1:
        ids = ", ".join(recorded.decision.id[: len(prefix) + 6] for recorded in found[:4])
        msg = f"{prefix} begins several ids: {ids}."
        raise UsageError(msg, "Give more digits.")
    return found[0]


def explain(
    lookups: Lookups, wanted: str, opa: Path, evaluator_of: Callable[[Bundle], Evaluator], limits: Limits = DEFAULTS
) -> Explanation:
    """Make a decision again under the bundle that made it; `evaluator_of` starts one and is closed here."""
    recorded = find(lookups, wanted)
    decision = recorded.decision
    bundle = from_bytes(lookups.store.bundle(decision.bundle))
    document, rebuilt = _document(lookups, recorded, bundle)
    rules = bundle.catalogue.for_type(decision.type)
    evaluator = evaluator_of(bundle)
    try:
        (answer,) = evaluator.evaluate([codec.encode(document)])
    finally:
        evaluator.close()
    now = {code: {"outcome": verdicts.NOT_APPLICABLE} for code in inapplicable(rules, document)} | judge(rules, document, answer)
    before = _recorded_outcomes(decision)
    now = horizon.carried(horizon.made_by_it(before), now, rules)
    differences = _differences(decision, document, rules, before, now)
    clauses: dict[str, list[Clause]] = {}
    with suppress(PolicyError):  # what OPA was stopped over, it is stopped over line by line too
        clauses = conditions(opa, bundle, rules, document, limits)
    explained = [_rule(rule, bundle, document, before, now, clauses.get(rule.code, [])) for rule in rules]
    return Explanation(
        decision=decision,
        stands=recorded.stands,
        same=not differences,
        differences=differences,
        rebuilt=rebuilt,
        opa_version=evaluator.opa_version,
        document=document,
        rules=explained,
        original=lookups.store.original(decision.identity),
        later=_later(lookups, decision, bundle, {rule.code for rule in rules}),
    )


def _later(lookups: Lookups, decision: DecisionRow, bundle: Bundle, codes: set[str]) -> Later | None:
    reference = Reference(codec.parse_event(row.event) for row in lookups.store.reference_of((PolicyActivated.TYPE,)))
    activations = reference.activations(decision.organisation)
    if not activations or activations[-1][1] == decision.bundle:
        return None
    since, digest = activations[-1]
    whole = compare(bundle, from_bytes(lookups.store.bundle(digest)))
    data = tuple(change for change in whole.data if any(code in change.what for code in codes))
    rules = tuple(change for change in whole.rules if change.code in codes)
    return Later(since, msgspec.structs.replace(whole, rules=rules, data=data))


def _document(lookups: Lookups, recorded: Recorded, bundle: Bundle) -> tuple[dict[str, Any], str]:
    decision = recorded.decision
    if decision.verdict != "pass":
        document: dict[str, Any] = msgspec.json.decode(lookups.store.input(decision.input_digest))
        return document, "kept"
    if decision.fold_version != FOLD_VERSION:
        msg = f"Decision {decision.id[:12]} is a pass, folded by version {decision.fold_version}; this is {FOLD_VERSION}."
        raise IntegrityError(msg, "Explain it with the release of Covenant that made it.")
    question = _refolded(lookups, recorded, bundle).effects.question
    if question is None:
        msg = f"The event of decision {decision.id[:12]} comes out as one that no rule is asked about."
        raise IntegrityError(msg, "Run `covenant replay --check` to see how far the journal and the decisions disagree.")
    return document_of(
        bundle.data["params"], decision.organisation, question, bundle.catalogue.for_type(decision.type)
    ), "refolded"


def _refolded(lookups: Lookups, recorded: Recorded, bundle: Bundle) -> Entry:
    """Fold the aggregate again as its lane knew it when it decided."""
    decision, store = recorded.decision, lookups.store
    log = ReferenceLog()
    known = lookups.reference_of(recorded.lane, recorded.version)
    if known:
        log.extend([codec.parse_event(row.event) for row in store.reference(0)[:known]])
    first = from_bytes(store.bundle(store.first_bundle() or bundle.digest))
    lowering = Lowering(first.data["params"], lambda digest: from_bytes(store.bundle(digest)).data["params"])
    timeline = Timeline(decision.aggregate, folder(decision.aggregate, bundle.windows, log, lowering))
    latest = {row.identity: row for row in store.entries(decision.aggregate, recorded.version)}
    for row in latest.values():
        if not row.withdrawn:
            event = codec.parse_event(row.event)
            timeline.insert(Entry(row.identity, place(event), event))
    for _ in timeline.refold():
        pass
    entry = timeline.find(decision.identity)
    if entry is None:
        msg = f"The journal doesn't have the event of decision {decision.id[:12]}."
        raise IntegrityError(msg, "The store lost part of its journal; restore it from a backup.")
    return entry


def _excused_by(rule: Rule, guard: str) -> str:
    if guard == horizon.GUARD:
        return "the fact that says so came too late to charge anybody with it (COVENANT_CORRECTION_HORIZON)"
    return rule.guards.get(guard, guard)


def _recorded_outcomes(decision: DecisionRow) -> dict[str, dict[str, Any]]:
    outcomes = verdicts.read(decision.outcomes)
    return outcomes.said | {code: {"outcome": verdicts.NOT_APPLICABLE} for code in outcomes.inapplicable}


def _differences(
    decision: DecisionRow,
    document: dict[str, Any],
    rules: Sequence[Rule],
    before: dict[str, dict[str, Any]],
    now: dict[str, dict[str, Any]],
) -> list[str]:
    found = []
    if codec.digest(codec.encode(document)).hex() != decision.input_digest:
        found.append("The input comes out otherwise than it was when it was decided.")
    passes = {"outcome": "pass"}
    for code in sorted({rule.code for rule in rules} | before.keys()):
        then, again = before.get(code, passes), now.get(code, passes)
        if then["outcome"] != again["outcome"]:
            found.append(f"{code} was {then['outcome']} and comes out {again['outcome']}.")
        elif codec.encode(then) != codec.encode(again):
            found.append(f"{code} is {again['outcome']} as before, with other evidence.")
    return found


def _rule(
    rule: Rule,
    bundle: Bundle,
    document: dict[str, Any],
    before: dict[str, dict[str, Any]],
    now: dict[str, dict[str, Any]],
    clauses: list[Clause],
) -> RuleExplained:
    nothing = {"outcome": "pass"}
    outcome = now.get(rule.code, nothing)
    needs = dict.fromkeys((*rule.breach_needs, *rule.excuse_needs))
    return RuleExplained(
        code=rule.code,
        title=rule.title,
        clause=rule.clause,
        severity=rule.severity,
        outcome=outcome["outcome"],
        recorded=before.get(rule.code, nothing)["outcome"],
        sentence=outcome.get("sentence", ""),
        evidence=outcome.get("evidence", {}),
        missing=outcome.get("missing", {}),
        why=_why_not(rule, document) if outcome["outcome"] == verdicts.NOT_APPLICABLE else "",
        excused_by=_excused_by(rule, outcome.get("guard", "")),
        facts={path: value for path in needs if (value := _value(document, path)) is not None},
        thresholds=bundle.data["params"].get(document["ps"], {}).get(rule.code, {}),
        conditions=clauses,
        clause_title=bundle.clauses.get(rule.clause, {}).get("title", ""),
        clause_text=bundle.clauses.get(rule.clause, {}).get("text", ""),
        file=rule.file,
    )


def _why_not(rule: Rule, document: dict[str, Any]) -> str:
    """Say why a rule doesn't apply."""
    if document.get("off", {}).get(rule.code) == OFF:
        return "no record enables it then, where the person is employed"
    silent = ", ".join(path for path in rule.asserted if _value(document, path) == "none")
    return f"the source asserts nothing of {silent}"


def _value(document: dict[str, Any], path: str) -> Any:
    value: Any = document
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
