"""What differs between two judgements of one history: findings that a candidate would open, close or change. Pure.

A finding is (rule, aggregate, discriminator), as what stands is; it is made of the entries that broke the rule, in their
order. Two findings of one identity differ where a person would see it: whose, how grave, since when, how often, on what
evidence. Ids of decisions differ with the bundle and are never compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec

from engine.domain import codec
from engine.domain.order import Place

COUNTED: Final = ("violation", "excused", "indeterminate", "error")
"""Outcomes that are counted by rule; a pass is what is left."""
SEVERITIES: Final = ("critical", "high", "medium", "low")
_COMPARED: Final = (
    "severity", "clause", "respondent", "holder", "repository", "opened_at", "last_seen_at", "count", "evidence", "sentence",
)  # fmt: skip


class Named(msgspec.Struct, frozen=True):
    """What a rule says of all its findings."""

    code: str
    title: str
    severity: str
    clause: str
    respondent: str


class Judged(msgspec.Struct, frozen=True):
    """One entry and its outcomes that aren't a pass; `decision` is the id of the decision that said so."""

    aggregate: str
    identity: str
    place: Place
    outcomes: dict[str, dict[str, Any]]
    decision: str
    bundle: str
    """Digest of the bundle that judged."""


class Finding(msgspec.Struct, frozen=True):
    """A finding as one of the two judgements makes it. Times are µs UTC."""

    id: str
    rule: str
    aggregate: str
    discriminator: tuple[str, ...]
    severity: str
    clause: str
    respondent: str
    holder: str
    repository: str
    opened_at: int
    last_seen_at: int
    count: int
    evidence: dict[str, Any]
    sentence: str
    decisions: tuple[str, ...]
    """Of each entry that makes it up, in their order."""
    entries: tuple[str, ...]
    """Identities of those entries."""

    @property
    def organisation(self) -> str:
        """The organisation."""
        return self.aggregate.split("/", 1)[0]


class Change(msgspec.Struct, frozen=True):
    """One finding that the two don't share, or don't say alike."""

    change: str
    """opened (the candidate alone finds it), closed (it no longer does), changed."""
    finding: Finding
    """As the candidate makes it; as it stood where it no longer does."""
    before: Finding | None = None
    """Of a changed one: as it stood."""
    fields: tuple[str, ...] = ()
    """Of a changed one: what is said otherwise."""


class Tally(msgspec.Struct):
    """Findings of one rule, holder or severity, before and after."""

    base: int = 0
    candidate: int = 0
    opened: int = 0
    closed: int = 0
    changed: int = 0


def findings(judged: Iterable[Judged], named: Callable[[str, str], Named]) -> dict[str, Finding]:
    """Make findings of judged entries, given by aggregate and in order; `named` tells of a bundle's rule."""
    found: dict[str, Finding] = {}
    for aggregate, entries in groupby(judged, key=lambda one: one.aggregate):
        groups: dict[tuple[str, tuple[str, ...]], list[Judged]] = {}
        for entry in entries:
            for code, outcome in entry.outcomes.items():
                if outcome["outcome"] == "violation":
                    groups.setdefault((code, tuple(outcome["discriminator"])), []).append(entry)
        for (code, discriminator), group in groups.items():
            finding = _finding(aggregate, code, discriminator, group, named(group[-1].bundle, code))
            found[finding.id] = finding
    return found


def _finding(aggregate: str, code: str, discriminator: tuple[str, ...], group: Sequence[Judged], rule: Named) -> Finding:
    outcome = group[-1].outcomes[code]
    return Finding(
        id=codec.digest(code.encode(), aggregate.encode(), codec.encode(discriminator)).hex(),
        rule=code,
        aggregate=aggregate,
        discriminator=discriminator,
        severity=rule.severity,
        clause=rule.clause,
        respondent=outcome.get("respondent", rule.respondent),
        holder=outcome["holder"],
        repository=outcome["repository"],
        opened_at=group[0].place.time,
        last_seen_at=group[-1].place.time,
        count=len(group),
        evidence=outcome["evidence"],
        sentence=outcome["sentence"],
        decisions=tuple(one.decision for one in group),
        entries=tuple(one.identity for one in group),
    )


def compare(before: Mapping[str, Finding], after: Mapping[str, Finding]) -> list[Change]:
    """Give what differs, the gravest and newest changes first, those alike in that by rule, aggregate and discriminator."""
    changes = [Change("opened", after[ident]) for ident in after.keys() - before.keys()]
    changes += [Change("closed", before[ident]) for ident in before.keys() - after.keys()]
    for ident in before.keys() & after.keys():
        was, now = before[ident], after[ident]
        if fields := tuple(name for name in _COMPARED if getattr(was, name) != getattr(now, name)):
            changes.append(Change("changed", now, was, fields))
    return sorted(changes, key=_rank)


def _rank(change: Change) -> tuple[Any, ...]:
    order = ("opened", "closed", "changed")
    one = change.finding
    grave = SEVERITIES.index(one.severity) if one.severity in SEVERITIES else len(SEVERITIES)
    return order.index(change.change), grave, one.rule, one.opened_at, one.aggregate.encode(), one.discriminator


def tallies(
    before: Mapping[str, Finding], after: Mapping[str, Finding], changes: Sequence[Change], key: Callable[[Finding], str]
) -> dict[str, Tally]:
    """Count findings by a key; one whose key itself changed counts as changed where it stands now."""
    found: dict[str, Tally] = {}
    for finding in before.values():
        found.setdefault(key(finding), Tally()).base += 1
    for finding in after.values():
        found.setdefault(key(finding), Tally()).candidate += 1
    for change in changes:
        tally = found.setdefault(key(change.finding), Tally())
        setattr(tally, change.change, getattr(tally, change.change) + 1)
    return found


def outcome_counts(judged: Iterable[Judged]) -> dict[str, Counter[str]]:
    """Count events by rule and outcome, passes left out."""
    counts: dict[str, Counter[str]] = {}
    for entry in judged:
        for code, outcome in entry.outcomes.items():
            counts.setdefault(code, Counter())[outcome["outcome"]] += 1
    return counts
