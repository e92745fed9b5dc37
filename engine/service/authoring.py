"""A new rule to begin with: rule, tests, page, threshold and registered code, which pass `policy check` as they are written.

Owns the texts of the scaffold: one number of an input against one threshold, and an approval that excuses if asked for.
Never overwrites a file and never takes a code that was ever used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.domain.errors import UsageError
from engine.policy.layout import CODES, read_codes
from engine.policy.modules import INPUT, run
from engine.policy.thresholds import PARAMS

_CODE: Final = re.compile(r"(FU|IP)-[0-9]{3}")
_THRESHOLD: Final = re.compile(r"([a-z][a-z_0-9]*)=([0-9]{1,15})")
_FAMILY: Final = {"FU": "fair_use", "IP": "ip_ownership"}
_OTHER: Final = "compute.agreement.signed.v1", "compute.pool.planned.v1"


class Wanted(msgspec.Struct, frozen=True):
    """What an author asks for; what is empty is chosen."""

    code: str
    title: str
    clause: str = "A"
    severity: str = "low"
    respondent: str = "holder"
    event: str = "compute.usage.inference.v1"
    fact: str = ""
    """Path of a whole number below `input`."""
    threshold: str = "most=100"
    """Name and value."""
    excuse: str = ""
    """Kind of approval that excuses."""


class _Plan(msgspec.Struct, frozen=True):
    wanted: Wanted
    kind: str
    """Name of the fixture the tests begin with."""
    fixture: dict[str, Any]
    fact: str
    name: str
    limit: int

    @property
    def word(self) -> str:
        return self.wanted.code.lower().replace("-", "_")


def scaffold(opa: Path, folder: Path, wanted: Wanted) -> list[str]:
    """Write a rule's files and give their names below the folder; `UsageError` says what can't be so."""
    plan = _planned(folder, wanted)
    clause = _clause(folder, wanted.clause)
    place = folder / _FAMILY[wanted.code[:2]] / plan.word
    rule, tests, page = (place.with_name(f"{plan.word}{end}") for end in (".rego", "_test.rego", ".md"))
    if there := next((path for path in (rule, tests, page) if path.exists()), None):
        msg = f"{there} is there already."
        raise UsageError(msg, "Take another code: nothing is overwritten.")
    params = _with_threshold((folder / PARAMS).read_text(encoding="utf-8"), wanted.code, {plan.name: plan.limit})
    register = {"codes": dict(sorted({**read_codes(folder)[0], wanted.code: wanted.title}.items()))}
    place.parent.mkdir(exist_ok=True)
    rule.write_text(_rule(plan), encoding="utf-8")
    tests.write_text(_tests(plan), encoding="utf-8")
    page.write_text(_page(plan, clause), encoding="utf-8")
    run(opa, "fmt", "--write", str(rule), str(tests))
    (folder / PARAMS).write_text(params, encoding="utf-8")
    (folder / CODES).write_text(json.dumps(register, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return [path.relative_to(folder).as_posix() for path in (rule, tests, page, folder / PARAMS, folder / CODES)]


def _planned(folder: Path, wanted: Wanted) -> _Plan:
    if not _CODE.fullmatch(wanted.code):
        msg = f"{wanted.code!r} isn't a rule's code."
        raise UsageError(msg, f"Write it as FU-020; the next free one is {next_code(folder, 'FU')} or {next_code(folder, 'IP')}.")
    if used := read_codes(folder)[0].get(wanted.code):
        msg = f'The code {wanted.code} was used for "{used}". A code is never reused.'
        raise UsageError(msg, f"The next free one is {next_code(folder, wanted.code[:2])}.")
    threshold = _THRESHOLD.fullmatch(wanted.threshold)
    if not threshold:
        msg = f"{wanted.threshold!r} isn't a threshold."
        raise UsageError(msg, "Write its name and a whole number, such as most=100.")
    schema = json.loads(INPUT.read_text(encoding="utf-8"))["properties"]
    approvals = schema["facts"]["properties"]["approvals"]["items"]["properties"]["kind"]["enum"]
    if wanted.excuse and wanted.excuse not in approvals:
        msg = f"No approval is of the kind {wanted.excuse}."
        raise UsageError(msg, f"--excuse may be {', '.join(approvals)}.")
    kinds = schema["event"]["properties"]["type"]["enum"]
    if wanted.event not in kinds:
        msg = f"No input is made for {wanted.event}."
        raise UsageError(msg, f"It can be one of {', '.join(kinds)}.")
    fixtures: dict[str, Any] = json.loads((folder / "fixtures.json").read_text(encoding="utf-8"))["fixtures"]
    alike = sorted(fixtures, key=lambda kind: fixtures[kind]["event"]["type"].split(".")[:2] != wanted.event.split(".")[:2])
    kind = next((kind for kind in alike if fixtures[kind]["event"]["type"] == wanted.event), alike[0])
    numbers = list(_numbers(fixtures[kind]))
    fact = wanted.fact.removeprefix("input.") or next(iter(numbers), "")
    if fact not in numbers:
        msg = f"{fact or 'What the rule reads'} isn't a whole number of the fixture {kind}."
        raise UsageError(msg, f"--fact may be {', '.join(numbers) or 'none of it: write a fixture that has one'}.")
    return _Plan(wanted, kind, fixtures[kind], fact, threshold[1], int(threshold[2]))


def next_code(folder: Path, family: str) -> str:
    """Give the code after the highest that was ever used in a family (FU, IP)."""
    used = [int(code[3:]) for code in read_codes(folder)[0] if code.startswith(family)]
    return f"{family}-{max(used, default=0) + 1:03}"


def _numbers(document: Mapping[str, Any]) -> Iterator[str]:
    """Give the paths of whole numbers that say how much, those of facts first."""
    for part in ("facts", "event"):
        yield from (path for path in _integers(part, document[part]) if not path.endswith((".at", ".until", ".since")))


def _integers(prefix: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _integers(f"{prefix}.{name}", part)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield prefix


def _rule(plan: _Plan) -> str:
    wanted, code = plan.wanted, plan.wanted.code
    family = _FAMILY[code[:2]]
    imports = "import data.covenant.lib.approvals\n\n" if wanted.excuse else ""
    rule = f"""package covenant.{family}

{imports}# METADATA
# title: {json.dumps(wanted.title, ensure_ascii=False)}
# description: {json.dumps(f"{_subject(plan.fact)} is more than the agreement allows.", ensure_ascii=False)}
# custom:
#   code: {code}
#   clause: {wanted.clause}
#   severity: {wanted.severity}
#   respondent: {wanted.respondent}
#   discriminator: [event.month]
#   settle: PT24H
#   material: [limit]
#   thresholds: {{{plan.name}: {{type: integer, minimum: 0}}}}
#   sentence: >-
#     {_subject(plan.fact)} was {{value}} at {{at:time}}; the agreement allows {{limit}}.
breach contains {{"code": "{code}", "evidence": {{"value": value, "limit": limit}}}} if {{
	input.event.type in {{"{wanted.event}"}}
	value := input.{plan.fact}
	limit := data.params[input.ps]["{code}"].{plan.name}
	value > limit
}}
"""
    if not wanted.excuse:
        return rule
    return f"""{rule}
# METADATA
# title: An approval in force when it happened permits it
# custom: {{code: {code}, guard: {wanted.excuse}}}
excuse contains {{"code": "{code}", "guard": "{wanted.excuse}", "by": by}} if {{
	by := {{a.id | some a in approvals.in_force(input.facts.approvals, "{wanted.excuse}", input.event.at)}}
	count(by) > 0
}}
"""


def _tests(plan: _Plan) -> str:
    wanted, word = plan.wanted, plan.word
    family = _FAMILY[wanted.code[:2]]
    other = next(kind for kind in _OTHER if kind != wanted.event)
    over = f"{word}_over({plan.limit + 1})"
    cases = [
        f'"just under": [{max(plan.limit - 1, 0)}, {{}}, set(), set()]',
        f'"as much as is allowed": [{plan.limit}, {{}}, set(), set()]',
        f'"just over": [{plan.limit + 1}, {{}}, {over}, set()]',
        f'"another event": [{plan.limit + 1}, {{"/event/type": "{other}"}}, set(), set()]',
    ]
    approval = ""
    if wanted.excuse:
        at = plan.fixture["event"]["at"]
        approval = f"""
{word}_approved(kind, from, until) := {{"/facts/approvals": [{{
	"kind": kind, "id": "ap-1", "about": "x", "from": from, "until": until, "decided": from, "amount_u": 0,
}}]}}

{word}_excused := {{{{"code": "{wanted.code}", "guard": "{wanted.excuse}", "by": {{"ap-1"}}}}}}
"""
        args = {
            "approved from this instant": (wanted.excuse, at, at + 1, f"{word}_excused"),
            "approved from the next": (wanted.excuse, at + 1, at + 2, "set()"),
            "approved until this instant": (wanted.excuse, at - 1, at, "set()"),
            "approved something else": ("other", at, at + 1, "set()"),
        }
        for case, (kind, since, until, excuse) in args.items():
            cases.append(f'"{case}": [{plan.limit + 1}, {word}_approved("{kind}", {since}, {until}), {over}, {excuse}]')
    none = '"/facts/approvals": []' if "approvals" in plan.fixture["facts"] else ""
    listed = "".join(f"\t{case},\n" for case in cases)
    return f"""package covenant.{family}_test

import data.covenant.{family}
import data.covenant.testing

{word}_over(value) := {{{{"code": "{wanted.code}", "evidence": {{"value": value, "limit": {plan.limit}}}}}}}
{approval}
# The fixture {plan.kind}, in which {plan.name} is {plan.limit}. Each case: the value, what else changes, breach, excuse.
{word}_cases := {{
{listed}}}

test_{word}[case] if {{
	some case, [value, changes, breach, excuse] in {word}_cases
	base := {{"/event/type": "{wanted.event}", "/{plan.fact.replace(".", "/")}": value{", " + none if none else ""}}}
	doc := testing.with_facts("{plan.kind}", object.union(base, changes))
	testing.only("{wanted.code}", {family}.breach) == breach with input as doc
	testing.only("{wanted.code}", {family}.excuse) == excuse with input as doc
}}
"""


def _subject(fact: str) -> str:
    return fact.rpartition(".")[2].replace("_", " ").capitalize()


def _clause(folder: Path, clause: str) -> str:
    clauses = json.loads((folder / "clauses.json").read_text(encoding="utf-8"))["clauses"]
    if clause not in clauses:
        msg = f"There is no clause {clause}."
        raise UsageError(msg, f"The clauses are {', '.join(clauses)}; their words stand in clauses.json.")
    return str(clauses[clause]["title"]).lower()


def _page(plan: _Plan, clause: str) -> str:
    wanted, title = plan.wanted, plan.wanted.title
    guard = f"\nGuard: `{wanted.excuse}`, an approval in force when it happened.\n" if wanted.excuse else ""
    charged = {"nobody": "nobody", "company": "the company"}.get(wanted.respondent, "the holder")
    return f"""# {wanted.code}: {title[:1].lower()}{title[1:]}

Clause {wanted.clause} ({clause}) · {wanted.severity} · charged to {charged} · one finding a month

## Summary

{_subject(plan.fact)} was more than the agreement allows.

## Avoid

- Say here what somebody does who breaks the rule.

## Prefer

- Say here what they should do instead.

## Rationale

Say here why the rule is there, and what it doesn't show.

## Configuration

| threshold | meaning | as shipped |
|---|---|---|
| `{plan.name}` | the most that is allowed | {plan.limit:,} |
{guard}"""


def _with_threshold(text: str, code: str, values: Mapping[str, int]) -> str:
    """Give every parameter set a new rule's thresholds, in a line of its own; the rest of the file stays as it is laid out."""
    before = json.loads(text)
    wanted = json.loads(text)
    for name in wanted["params"]:
        wanted["params"][name][code] = dict(values)
    line = f'\n      "{code}": {json.dumps(values)}'
    changed = text
    for name in before["params"]:
        opening = re.compile(rf"{re.escape(json.dumps(name))}: \{{(?=\s)")
        added = line + ("," if before["params"][name] else "")
        at = found.end() if (found := opening.search(changed)) else 0
        changed = changed[:at] + added + changed[at:]
    try:
        if json.loads(changed) == wanted:
            return changed
    except json.JSONDecodeError:
        pass
    return json.dumps(wanted, indent=2, ensure_ascii=False) + "\n"
