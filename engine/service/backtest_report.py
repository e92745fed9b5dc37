"""A backtest's report: one document for programs, words for people. The page is made of the same document.

The document is promised to programs: `candidate`, `base`, `since`, `until`, `opened`, `closed`, `changed`, the counts by
`rules`, `holders`, `severities` and `months`, and a row for each finding that differs. It holds no clock and no path, so
the same store and candidate give the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import msgspec

from engine.domain.values import instant_text
from engine.service.backtest import Result
from engine.service.backtest_diff import COUNTED, SEVERITIES, Change, Finding, Tally, tallies

TOLD: Final = 40
"""Findings that the words spell out."""
HOLDERS: Final = 20
NOBODY: Final = ""
"""Whom a finding stands against that isn't a holder's breach."""
_MARKS: Final = {"opened": "new", "closed": "gone", "changed": "changed"}


def document(result: Result) -> dict[str, Any]:
    """Give the report as one document."""
    changes = Counter(change.change for change in result.changes)
    differing = changes["closed"] + changes["changed"]
    return {
        "candidate": result.candidate.digest,
        "base": result.bases[0].digest,
        "bases": [bundle.digest for bundle in result.bases],
        "since": _text(result.window.since),
        "until": _text(result.window.until),
        "events": result.events,
        "opened": changes["opened"],
        "closed": changes["closed"],
        "changed": changes["changed"],
        "unchanged": len(result.before) - differing,
        "rules": _rules(result),
        "holders": _counted(result, "holder", lambda finding: finding.holder, lambda name: (name == NOBODY, name)),
        "severities": _counted(result, "severity", lambda finding: finding.severity, _gravity),
        "months": _counted(result, "month", lambda finding: instant_text(finding.opened_at)[:7], lambda month: month),
        "rows": [_row(change, result.recorded.get(change.finding.id, {})) for change in result.changes],
    }


def _text(micros: int | None) -> str | None:
    return None if micros is None else instant_text(micros)


def _gravity(severity: str) -> tuple[int, str]:
    return (SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES), severity)


def _tally(tally: Tally) -> dict[str, int]:
    return msgspec.structs.asdict(tally)


def _counted(result: Result, name: str, key: Callable[[Finding], str], order: Callable[[str], Any]) -> list[dict[str, Any]]:
    found = tallies(result.before, result.after, result.changes, key)
    return [{name: value} | _tally(found[value]) for value in sorted(found, key=order)]


def _rules(result: Result) -> list[dict[str, Any]]:
    found = tallies(result.before, result.after, result.changes, lambda finding: finding.rule)
    known = {r.code: r for bundle in (*reversed(result.bases), result.candidate) for r in bundle.catalogue.rules}
    ours, theirs = ({rule.code for rule in bundle.catalogue.rules} for bundle in (result.bases[0], result.candidate))
    rows = []
    for code in sorted(known):
        events = [{name: counts.get(code, Counter())[name] for name in COUNTED} for counts in result.counts]
        rows.append(
            {"rule": code, "title": known[code].title, "severity": known[code].severity}
            | {"standing": "both" if code in ours & theirs else "new" if code in theirs else "gone"}
            | _tally(found.get(code, Tally()))
            | {"events": {"base": events[0], "candidate": events[1]}}
        )
    return rows


def _row(change: Change, recorded: dict[str, str]) -> dict[str, Any]:
    finding = change.finding
    said = {"change": change.change, "id": finding.id} | _said(finding)
    said["decisions"] = [recorded[entry] for entry in finding.entries if entry in recorded]
    said["candidate_decisions"] = list(finding.decisions) if change.change != "closed" else []
    if change.before is not None:
        before = _said(change.before)
        said["before"] = {name: before[name] for name in change.fields}
    return said


def _said(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "clause": finding.clause,
        "respondent": finding.respondent,
        "holder": finding.holder,
        "repository": finding.repository,
        "organisation": finding.organisation,
        "aggregate": finding.aggregate,
        "discriminator": list(finding.discriminator),
        "opened_at": instant_text(finding.opened_at),
        "last_seen_at": instant_text(finding.last_seen_at),
        "count": finding.count,
        "sentence": finding.sentence,
        "evidence": finding.evidence,
    }


def in_words(said: dict[str, Any]) -> str:
    """Say the report to a person: what differs in numbers, by rule, severity and holder, then finding by finding."""
    lines = [headline(said), f"Candidate {said['candidate'][:12]} over {period(said)}, {said['events']:,} events judged.", ""]
    differing = [rule for rule in said["rules"] if differs(rule)]
    lines += _table("rule", differing, lambda row: f"{row['rule']} {row['title']}")
    lines += _table("severity", [row for row in said["severities"] if differs(row)], lambda row: row["severity"])
    holders = [row for row in said["holders"] if differs(row)]
    lines += _table("holder", holders[:HOLDERS], lambda row: row["holder"] or "nobody, or the company")
    if len(holders) > HOLDERS:
        lines += [f"And {len(holders) - HOLDERS} holders more.", ""]
    for row in said["rows"][:TOLD]:
        lines += [f"{_MARKS[row['change']]:8}{row['rule']} {row['severity']}: {row['sentence']}"]
        if row["change"] == "changed":
            lines += [f"{'':8}was: {was(row)}"]
        if row["decisions"]:
            lines += [f"{'':8}covenant explain {row['decisions'][-1][:16]}"]
    if len(said["rows"]) > TOLD:
        lines += [f"And {len(said['rows']) - TOLD} findings more: --format json, or --html FILE, has them all."]
    if errors := sum(rule["events"]["candidate"]["error"] for rule in said["rules"]):
        lines += ["", f"The candidate failed {errors:,} times: see `events` of --format json, by rule."]
    return "\n".join(lines).rstrip()


def headline(said: dict[str, Any]) -> str:
    """Say in one sentence what the candidate would do."""
    if not said["rows"]:
        return f"Nothing would change: all {said['unchanged']:,} findings stand as they are."
    parts = [f"{said['opened']:,} would be new", f"{said['closed']:,} gone", f"{said['changed']:,} changed"]
    return f"Of the findings, {', '.join(parts)}; {said['unchanged']:,} stand as they are."


def period(said: dict[str, Any]) -> str:
    """Say which events were compared."""
    since, until = said["since"], said["until"]
    if since and until:
        return f"events from {since} until before {until}"
    return f"events from {since} on" if since else f"events before {until}" if until else "all of history"


def was(row: dict[str, Any]) -> str:
    """Say how a changed finding stood before, as far as that can be put short."""
    before = row["before"]
    parts = [f"{name.replace('_', ' ')} {value}" for name, value in before.items() if name not in ("sentence", "evidence")]
    return "; ".join([*([before["sentence"]] if "sentence" in before else []), *parts]) or "on other evidence"


def differs(row: dict[str, Any]) -> bool:
    """Whether a count's row tells of any change; a rule's also where events came out otherwise."""
    events = row.get("events", {"base": None, "candidate": None})
    return bool(row["opened"] or row["closed"] or row["changed"] or events["base"] != events["candidate"])


def _table(name: str, rows: list[dict[str, Any]], label: Callable[[dict[str, Any]], str]) -> list[str]:
    if not rows:
        return []
    columns = ("base", "candidate", "opened", "closed", "changed")
    heads = ("now", "then", "new", "gone", "changed")
    width = max(len(name), *(len(label(row)) for row in rows))
    lines = [f"{name:{width}}" + "".join(f"{head:>9}" for head in heads)]
    lines += [f"{label(row):{width}}" + "".join(f"{row[column]:>9,}" for column in columns) for row in rows]
    return [*lines, ""]
