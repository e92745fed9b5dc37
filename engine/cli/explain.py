"""`covenant explain`: a decision made again, laid open rule by rule. Words only; the service makes and compares it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import click
import msgspec

from engine import bootstrap
from engine.cli.policy_author import in_words as in_words_of
from engine.cli.shell import Shell, pass_shell
from engine.cli.wording import said, shown
from engine.domain import cause, verdicts
from engine.domain.records import PayloadRow
from engine.domain.values import instant_text
from engine.policy.conditions import Clause
from engine.policy.opa_child import OpaChild
from engine.service.explain import Explanation, Later, RuleExplained
from engine.service.explain import explain as make_again
from engine.store.lookups import Lookups

QUIET = ("pass", verdicts.NOT_APPLICABLE)
"""Outcomes that are told in a line or two."""
ERROR = "error"
ORDER = ("violation", ERROR, "indeterminate", "excused", *QUIET)


@click.command(short_help="Make a decision again and show why it came out as it did.")
@click.argument("decision")
@click.option("--all", "every", is_flag=True, help="Show the rules that passed in full too.")
@pass_shell
def explain(shell: Shell, *, decision: str, every: bool) -> None:
    """Make DECISION again under the policies and the input that it was made with, and show why it came out so.

    DECISION is its id or the beginning of it, or that of a violation. Exit 1 if the result differs from what was recorded.
    """
    opa = bootstrap.find_opa(shell.settings)
    limits = bootstrap.limits_of(shell.settings)
    with closing(bootstrap.read_store(shell.settings)) as store:
        explanation = make_again(Lookups(store), decision, opa, lambda bundle: OpaChild(bundle, opa, limits=limits), limits)
    shell.document(document(explanation), lambda: "\n".join(in_words(explanation, every=every)))
    if not explanation.same:
        raise click.exceptions.Exit(1)


def document(explanation: Explanation) -> dict[str, Any]:
    """Give the explanation as programs see it."""
    made = explanation.decision
    return {
        "decision": made.id,
        "event": {"source": made.source, "id": made.event_id, "type": made.type, "time": instant_text(made.time)},
        "aggregate": made.aggregate,
        "verdict": made.verdict,
        "stands": explanation.stands,
        "same": explanation.same,
        "differences": explanation.differences,
        "bundle": made.bundle,
        "input_digest": made.input_digest,
        "input_from": explanation.rebuilt,
        "input": explanation.document,
        "supersedes": made.supersedes,
        "cause": msgspec.to_builtins(cause.read(made.cause)),
        "fold_version": made.fold_version,
        "opa_version": made.opa_version,
        "opa_version_now": explanation.opa_version,
        "rules": msgspec.to_builtins(explanation.rules),
        "original": _original(explanation.original),
        "later": _later(explanation.later),
    }


def _later(later: Later | None) -> dict[str, Any] | None:
    return None if later is None else {"effective_from": instant_text(later.since), **msgspec.to_builtins(later.changed)}


def _original(row: PayloadRow | None) -> dict[str, Any] | None:
    """Give the record an event was made from; `cut` where only its beginning is kept."""
    if row is None:
        return None
    return {"size": row.size, "cut": row.size > len(row.body), "text": row.body.decode("utf-8", errors="backslashreplace")}


def in_words(explanation: Explanation, *, every: bool) -> Iterator[str]:
    """Say the explanation to a person."""
    made = explanation.decision
    yield f"Decision {made.id}: {made.verdict}{'' if explanation.stands else ', superseded or withdrawn since'}."
    yield f"Of {made.type}, {instant_text(made.time)}, {made.source} {made.event_id}, about {made.aggregate}."
    if (behind := cause.read(made.cause)) is not None:
        yield f"Because of a late fact: {behind.type} {behind.id} from {behind.source}, {instant_text(behind.time)}."
    if explanation.original is not None:
        written = _original(explanation.original) or {}
        yield f"Made from a record of {written['size']:,} bytes, as its source wrote it: {shown('', written['text'].strip())}"
    source = "kept with it" if explanation.rebuilt == "kept" else "folded again from the journal"
    same = "comes out the same" if explanation.same else "COMES OUT OTHERWISE"
    yield f"Policies {made.bundle[:12]}, input {source}. Made again with OPA {explanation.opa_version} it {same}."
    yield from (f"  {difference}" for difference in explanation.differences)
    whole = [rule for rule in explanation.rules if every or rule.outcome not in QUIET]
    if any(rule.outcome == ERROR for rule in explanation.rules):
        yield "One query asks all rules of an event, so a rule that fails leaves all of them undecided."
        yield "Correct it (`covenant policy check DIR`) and put it in force (`covenant policy activate DIR`)."
    for rule in sorted(explanation.rules, key=lambda rule: ORDER.index(rule.outcome)):
        yield ""
        yield f"{rule.code}  {rule.outcome}  {rule.title} (clause {rule.clause}, {rule.severity})"
        if rule.recorded != rule.outcome:
            yield f"  It was decided: {rule.recorded}."
        yield from (f"  {line}" for line in _rule(rule, full=rule in whole))
    yield from _clauses(explanation.rules, {rule.clause for rule in whole})
    if explanation.later is not None:
        yield ""
        yield f"Another text is in force from {instant_text(explanation.later.since)}; it doesn't judge what occurred before."
        changed = explanation.later.changed
        some = changed.rules or changed.data or changed.libraries
        yield from (f"  {line}" for line in (in_words_of(changed) if some else ["It changed none of these rules."]))


def _rule(rule: RuleExplained, *, full: bool) -> Iterator[str]:
    if rule.sentence:
        yield rule.sentence
    if rule.why:
        yield f"It doesn't apply: {rule.why}."
    if rule.outcome == ERROR:
        yield f"Not decided, and held against nobody: {rule.evidence.get('error', 'the policies failed')}"
    if rule.excused_by:
        yield f"Excused: {rule.excused_by}."
    yield from (f"Unknown: {path} ({why})." for path, why in rule.missing.items())
    if not full:
        if rule.outcome == verdicts.NOT_APPLICABLE:
            return
        yield from (f"Stopped: {line}." for line in _stopped(rule))
        return
    if rule.clause_text:
        yield _clause(rule)
    for clause in rule.conditions:
        yield _headed(clause)
        yield from (f"  {'yes' if c.holds else 'no '}  {said(c)}  ({rule.file}:{c.line})" for c in clause.conditions)
    if rule.facts:
        yield "values: " + ", ".join(f"{path} = {shown(path, value)}" for path, value in rule.facts.items())
    if rule.thresholds:
        yield "thresholds: " + ", ".join(f"{name} = {shown(name, value)}" for name, value in rule.thresholds.items())


def _clause(rule: RuleExplained) -> str:
    return f"Clause {rule.clause}, {rule.clause_title}: {rule.clause_text}"


def _clauses(rules: Sequence[RuleExplained], told: set[str]) -> Iterator[str]:
    """Say the text of each clause that a rule named and that wasn't said with it."""
    left = {rule.clause: _clause(rule) for rule in rules if rule.clause_text and rule.clause not in told}
    if left:
        yield ""
    yield from (left[clause] for clause in sorted(left))


def _headed(clause: Clause) -> str:
    head = "A breach" if clause.kind == "breach" else f"Excused ({clause.guard})"
    return f"{head} when all of this is so{', and it was' if clause.applies else ''}:"


def _stopped(rule: RuleExplained) -> Iterator[str]:
    """Say for each way to break a rule the first condition that wasn't so."""
    for clause in rule.conditions:
        if clause.kind == "breach":
            failed = next((c for c in clause.conditions if not c.holds), None)
            together = f"no one of them is all that is asked ({rule.file})"
            yield f"{said(failed)} ({rule.file}:{failed.line})" if failed else together
