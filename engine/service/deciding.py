"""The second half of a batch: from answers to decisions, and from decisions to what stands.

A decision is recorded anew only where an outcome or its evidence changed. Violations and missing facts are functions
of the decisions that stand: counted in and out, never guessed from what was said before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from engine.domain import cause, codec, verdicts
from engine.domain.records import (
    DecisionRow,
    IndeterminateRow,
    InputRow,
    ShadowRow,
    ViolationChange,
    ViolationRow,
    WithdrawnDecision,
)
from engine.domain.timeline import Entry
from engine.policy.catalogue import Rule
from engine.policy.sentences import render
from engine.service import horizon
from engine.service.before import Said
from engine.service.causes import Causes, Late, Touched, is_its_own
from engine.service.judging import inapplicable
from engine.service.memory import Aggregate, Discriminator, LaneMemory
from engine.service.revisions import Revision, Revisions

FOLD_VERSION = 10
"""Raised whenever folding the same events gives other facts."""

_WEIGHT = {"pass": 0, "excused": 1, "error": 2, "indeterminate": 3, "violation": 4}


class Asked(msgspec.Struct):
    """An entry whose input changed, and the input as it was sent."""

    aggregate: Aggregate
    entry: Entry
    document: dict[str, Any]
    body: bytes
    digest: str
    rules: Sequence[Rule]
    revision: Revision


class Deciding:
    """One batch being decided; collects rows."""

    def __init__(self, memory: LaneMemory, revisions: Revisions, recorded_at: int, causes: Causes) -> None:
        """Begin where folding ended."""
        self.memory = memory
        self.revisions = revisions
        self.recorded_at = recorded_at
        self.causes = causes
        self.carried: horizon.Carried = {}
        """Outcomes that the correction horizon made in another run, to be taken over from it."""
        self.decisions: list[DecisionRow] = []
        self.withdrawn: list[WithdrawnDecision] = []
        self.inputs: list[InputRow] = []
        self.shadows: list[ShadowRow] = []
        self.violations: dict[str, ViolationRow] = {}
        self.before: dict[str, ViolationRow] = {}
        """Violation → how it stood before the batch."""
        self.changes: list[ViolationChange] = []
        self.indeterminates: list[IndeterminateRow] = []
        self._groups: dict[tuple[str, str, Discriminator], Touched] = {}
        self._missing: dict[tuple[str, str, str], Aggregate] = {}
        self._passes: dict[tuple[str, str, tuple[str, ...]], str] = {}

    def decide(self, asked: Asked, outcomes: dict[str, dict[str, Any]]) -> None:
        """Take the outcomes of one entry (passes left out); record a decision if they differ from what stands."""
        entry, aggregate = asked.entry, asked.aggregate
        outcomes = self._bounded(asked, outcomes)
        # The same outcome under another text is another decision; that a pass is one under both goes without saying.
        said = bool(entry.decision) and outcomes == entry.outcomes and (not outcomes or entry.bundle == asked.revision.digest)
        if said and entry.counted == entry.place:
            return
        late = self.causes.of(aggregate.key, entry)
        self._count_out(aggregate, entry, late)
        if not said:
            self._record(asked, outcomes, late)
        if not outcomes and not entry.outcomes:
            entry.counted = entry.place  # nothing to count
            return
        entry.outcomes, entry.bundle = outcomes, asked.revision.digest
        aggregate.count_in(entry)
        self._note(aggregate, entry, late)

    def _bounded(self, asked: Asked, outcomes: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Let a fact older than the correction horizon, or one that was, make nothing worse for a holder."""
        if not outcomes:
            return outcomes
        entry, aggregate = asked.entry, asked.aggregate
        beyond = self.causes.too_old(aggregate.key, entry)
        if beyond or horizon.made_by_it(entry.outcomes):
            outcomes = horizon.favoured(entry.outcomes, outcomes, asked.rules, beyond=beyond)
        made = self.carried.get((aggregate.key, entry.identity))
        return horizon.carried(made, outcomes, asked.rules) if made else outcomes

    def shadow(self, asked: Asked, outcomes: dict[str, dict[str, Any]]) -> None:
        """Note what a shadowed revision says of an entry; nothing comes of it."""
        event, entry = asked.entry.event, asked.entry
        written = self._written(event.type, asked, outcomes)
        self.shadows.append(
            ShadowRow(
                asked.revision.digest, asked.aggregate.key, entry.identity, event.type, event.time, _verdict(outcomes), written
            )
        )

    def move(self, aggregate: Aggregate, entry: Entry) -> None:
        """Count an entry's unchanged outcomes at its new place."""
        late = self.causes.of(aggregate.key, entry)
        self._count_out(aggregate, entry, late)
        aggregate.count_in(entry)
        self._note(aggregate, entry, late)

    def withdraw(self, aggregate: Aggregate, entry: Entry) -> None:
        """Let nothing stand of an entry that left, or that no rule is asked about any more."""
        late = self.causes.of(aggregate.key, entry)
        if entry.decision:
            self.withdrawn.append(WithdrawnDecision(entry.decision, cause.write(late.cause if late else None)))
        self._count_out(aggregate, entry, late)
        entry.decision, entry.outcomes, entry.input_digest, entry.asked = "", {}, "", ""

    def _record(self, asked: Asked, outcomes: dict[str, dict[str, Any]], late: Late | None) -> None:
        entry, aggregate = asked.entry, asked.aggregate
        verdict = _verdict(outcomes)
        ident = codec.decision(aggregate.key, entry.identity, asked.revision.digest, asked.digest)
        event = entry.event
        self.decisions.append(
            DecisionRow(
                ident,
                len(self.decisions),
                aggregate.organisation,
                aggregate.key,
                entry.identity,
                event.source,
                event.id,
                event.type,
                event.time,
                asked.revision.digest,
                asked.digest,
                FOLD_VERSION,
                asked.revision.opa_version,
                self._written(event.type, asked, outcomes),
                verdict,
                supersedes=entry.decision,
                cause=_because(entry, late),
            )
        )
        if verdict != "pass":
            self.inputs.append(InputRow(asked.digest, asked.body))
        entry.decision = ident

    def _written(self, kind: str, asked: Asked, outcomes: dict[str, dict[str, Any]]) -> str:
        """Write outcomes; those of an event of a type that passed every rule once a batch, for most are such."""
        codes, apart = [rule.code for rule in asked.rules], inapplicable(asked.rules, asked.document)
        if outcomes:
            return verdicts.write(codes, outcomes, apart)
        key = (asked.revision.digest, kind, apart)
        written = self._passes.get(key)
        if written is None:
            written = self._passes[key] = verdicts.write(codes, {}, apart)
        return written

    def _count_out(self, aggregate: Aggregate, entry: Entry, late: Late | None) -> None:
        if entry.outcomes:
            self._note(aggregate, entry, late)
            aggregate.count_out(entry)

    def _note(self, aggregate: Aggregate, entry: Entry, late: Late | None) -> None:
        for rule, outcome in entry.outcomes.items():
            if outcome["outcome"] == "violation":
                key = (aggregate.key, rule, tuple(outcome["discriminator"]))
                touched = self._groups.get(key)
                if touched is None:
                    touched = self._groups[key] = Touched(aggregate)
                if late is not None:
                    touched.owe(late, own=is_its_own(entry, late.cause))
            elif outcome["outcome"] == "indeterminate":
                for fact in outcome["missing"]:
                    self._missing[aggregate.key, rule, fact] = aggregate

    def stand(self) -> None:
        """Work out what stands now of every violation and missing fact the batch touched."""
        for (_, rule, discriminator), touched in sorted(self._groups.items(), key=lambda item: item[0]):
            self._violation(touched, rule, discriminator)
        for (_, rule, fact), aggregate in sorted(self._missing.items(), key=lambda item: item[0]):
            self._indeterminate(aggregate, rule, fact)

    def _violation(self, touched: Touched, rule: str, discriminator: Discriminator) -> None:
        aggregate = touched.aggregate
        group = aggregate.groups[rule, discriminator]
        before = aggregate.violations.get((rule, discriminator))
        # An entry that a batch still in flight has taken out counts until that batch counts it out.
        ends = group.ends(aggregate.timeline.find)
        if ends is None:
            if before is not None and before.status != "retracted":
                row = msgspec.structs.replace(before, status="retracted", count=0, version=before.version + 1)
                self._change(touched, rule, discriminator, row, "retracted", before.last_seen_at, "")
            elif before is None:
                return
            return
        last = ends[1]
        judged_by = self.revisions.rule(last.bundle, rule)
        row = self._row(aggregate, judged_by, discriminator, ends, group.count, before)
        change = _kind_of_change(before, row)
        if change:
            self._change(touched, rule, discriminator, row, change, last.time, last.decision)

    def _row(
        self,
        aggregate: Aggregate,
        rule: Rule,
        discriminator: Discriminator,
        ends: tuple[Entry | Said, Entry | Said],
        count: int,
        before: ViolationRow | None,
    ) -> ViolationRow:
        first, last = ends
        outcome = last.outcomes[rule.code]
        ident = codec.digest(rule.code.encode(), aggregate.key.encode(), codec.encode(discriminator)).hex()
        settled = before.settled if before is not None else False
        return ViolationRow(
            id=ident,
            organisation=aggregate.organisation,
            rule=rule.code,
            aggregate=aggregate.key,
            discriminator=codec.encode(discriminator).decode(),
            severity=rule.severity,
            clause=rule.clause,
            respondent=outcome.get("respondent", rule.respondent),
            holder=outcome["holder"],
            repository=outcome["repository"],
            status="alleged" if settled else "provisional",
            settled=settled,
            opened_at=first.place.time,
            last_seen_at=last.place.time,
            count=count,
            first_decision=first.decision,
            last_decision=last.decision,
            evidence=codec.encode(outcome["evidence"]).decode(),
            sentence=outcome["sentence"],
            version=before.version + 1 if before else 1,
            settle_us=rule.settle_us,
        )

    def _change(
        self,
        touched: Touched,
        rule: str,
        discriminator: Discriminator,
        row: ViolationRow,
        change: str,
        time: int,
        decision: str,
    ) -> None:
        aggregate = touched.aggregate
        before = aggregate.violations.get((rule, discriminator))
        if before is not None:
            self.before.setdefault(row.id, before)
        aggregate.violations[rule, discriminator] = row
        self.keep(row, change, time, decision, cause.write(touched.because(change)))

    def keep(self, row: ViolationRow, change: str, time: int, decision: str, because: str) -> None:
        """Record a violation's row and the step that led to it."""
        self.violations[row.id] = row
        self.changes.append(ViolationChange(row.id, row.version, change, decision, because, time, self.recorded_at, row.count))
        if row.settled or row.status == "retracted":
            self.memory.unsettled.pop(row.id, None)
        else:
            self.memory.unsettled[row.id] = row

    def hold(self, held: frozenset[tuple[str, str]]) -> None:
        """Keep internal what rules that are held have opened again: it was spoken of before, and must settle anew."""
        for change in [one for one in self.changes if one.change == "reopened"] if held else ():
            row = self.violations[change.violation]
            if row.settled and (row.organisation, row.rule) in held:
                again = msgspec.structs.replace(row, settled=False, status="provisional")
                self.violations[row.id] = self.memory.unsettled[row.id] = again
                self._remember(again)

    def due(self, watermark: int, held: frozenset[tuple[str, str]], *, ended: bool) -> list[ViolationRow]:
        """Give the violations to be spoken of now: their lane has passed them by their rule's `settle`, or the run ended.

        Not those of rules that are held, nor of aggregates that still have to be decided anew.
        """
        passed = [row for row in self.memory.unsettled.values() if ended or row.opened_at + row.settle_us <= watermark]
        return [
            row
            for row in sorted(passed, key=lambda r: r.id)
            if row.aggregate not in self.memory.dirty and (row.organisation, row.rule) not in held
        ]

    def settle(self, due: Sequence[ViolationRow]) -> None:
        """Let violations be spoken of."""
        for row in due:
            self.before.setdefault(row.id, row)
            settled = msgspec.structs.replace(row, settled=True, status="alleged", version=row.version + 1)
            self._remember(settled)
            self.keep(settled, "settled", row.last_seen_at, row.last_decision, "")

    def _remember(self, row: ViolationRow) -> None:
        aggregate = self.memory.aggregates.get(row.aggregate)
        if aggregate is not None:
            aggregate.violations[row.rule, tuple(msgspec.json.decode(row.discriminator))] = row

    def _indeterminate(self, aggregate: Aggregate, rule: str, fact: str) -> None:
        group = aggregate.missing[rule, fact]
        last = group.last(aggregate.timeline.find)
        before = aggregate.indeterminates.get((rule, fact))
        if last is None:
            if before is None:
                return
            row = msgspec.structs.replace(before, count=0, reason="", first_at=0, last_at=0, last_decision="")
        else:
            first_at, last_at = group.span
            row = IndeterminateRow(
                organisation=aggregate.organisation,
                rule=rule,
                aggregate=aggregate.key,
                fact=fact,
                reason=last.outcomes[rule]["missing"][fact],
                count=group.count,
                first_at=first_at,
                last_at=last_at,
                last_decision=last.decision,
            )
        aggregate.indeterminates[rule, fact] = row
        self.indeterminates.append(row)


def _verdict(outcomes: dict[str, dict[str, Any]]) -> str:
    return max((o["outcome"] for o in outcomes.values()), key=_WEIGHT.__getitem__) if outcomes else "pass"


def _because(entry: Entry, late: Late | None) -> str:
    """Name the late fact behind a decision: none behind the first about an event that merely came late itself."""
    if late is None or (not entry.decision and is_its_own(entry, late.cause)):
        return ""
    return cause.write(late.cause)


def _kind_of_change(before: ViolationRow | None, row: ViolationRow) -> str:
    if before is None:
        return "opened"
    if before.status == "retracted":
        return "reopened"
    same = ("severity", "respondent", "holder", "repository", "evidence", "opened_at", "first_decision")
    grew = row.count > before.count and row.opened_at == before.opened_at and row.last_seen_at >= before.last_seen_at
    if grew:
        return "recurred"
    changed = any(getattr(before, name) != getattr(row, name) for name in same)
    changed = changed or (row.count, row.last_seen_at, row.last_decision) != (
        before.count,
        before.last_seen_at,
        before.last_decision,
    )
    return "superseded" if changed else ""


def sentence_of(rule: Rule, document: dict[str, Any], evidence: dict[str, Any]) -> str:
    """Say the violation in plain words."""
    return render(rule.sentence, evidence, document["event"], document["facts"])
