"""`covenant policy`: the author's workbench on a folder of policies.

Speaks only; what it says comes from `engine.service.policies` and `engine.policy`. Exit 1 where a test failed or a
mistake was found.
"""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from engine import bootstrap
from engine.cli.policy_acts import activate, retire, revisions, shadow, shadowed, sign
from engine.cli.policy_author import diff, new
from engine.cli.shell import Shell, pass_shell
from engine.domain.errors import PolicyError, StoreUnavailable
from engine.policy import checking, proving
from engine.policy.catalogue import Rule
from engine.service import holding, policies
from engine.service.policies import Case, Report
from engine.store.lookups import Lookups

WATCH_S = 0.5
"""Between two looks at a folder that is watched."""

FOLDER = click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[DIR]")


@click.group()
def policy() -> None:
    """Write, test, compare and build policies, and put them in force.

    DIR is a folder of policies: main.rego, params.json, rules below fair_use/ and ip_ownership/. Without it, the one
    that judges (--policies, COVENANT_POLICIES, else those that ship).
    """


@policy.command("list")
@FOLDER
@pass_shell
def list_rules(shell: Shell, folder: Path | None) -> None:
    """List the rules: code, title, clause, severity, whose breach it is."""
    bundle = bootstrap.load_bundle(_settings(shell, folder))
    rows: list[dict[str, Any]] = [
        {
            "code": rule.code, "severity": rule.severity, "clause": rule.clause, "respondent": rule.respondent,
            "title": rule.title, "events": list(rule.events), "guards": sorted(rule.guards), "file": rule.file,
        }
        for rule in bundle.catalogue.rules
    ]  # fmt: skip
    shell.rows(rows, ["code", "severity", "clause", "respondent", "title"])


@policy.command()
@click.argument("code")
@FOLDER
@pass_shell
def show(shell: Shell, code: str, folder: Path | None) -> None:
    """Show one rule: its words, clause, facts, thresholds, examples, what it found so far, and its page."""
    settings = _settings(shell, folder)
    bundle = bootstrap.load_bundle(settings)
    rule = policies.find_rule(bundle, code)
    clause = bundle.clauses.get(rule.clause, {})
    document = {
        "code": rule.code, "title": rule.title, "description": rule.description, "severity": rule.severity,
        "clause": {"code": rule.clause, **clause}, "respondent": rule.respondent, "events": list(rule.events),
        "one_finding_per": list(rule.discriminator), "settles_after_s": rule.settle_us // 1_000_000,
        "guards": rule.guards, "facts": policies.described_facts(rule),
        "thresholds": policies.thresholds_of(bundle, rule), "file": rule.file, "page": rule.page,
        "examples": policies.examples(
            bootstrap.find_opa(settings), settings.policy_folder, rule, bootstrap.limits_of(settings)
        ),
        "found": _found(shell, rule),
    }  # fmt: skip
    shell.document(document, lambda: _told(document))


def _found(shell: Shell, rule: Rule) -> dict[str, int] | None:
    """Give what the rule found, by status; None where there is no store yet."""
    try:
        store = bootstrap.read_store(shell.settings)
    except StoreUnavailable:
        return None
    with closing(store):
        return policies.found_by(rule, Lookups(store).violations())


def _told(document: dict[str, Any]) -> str:
    clause = document["clause"]
    lines = [
        f"{document['code']} {document['title']}",
        document["description"],
        "",
        f"Clause {clause['code']}, {clause.get('title', 'untitled')}: {clause.get('text', '')}",
        f"Severity {document['severity']}; charged to {document['respondent']}. Judged on {', '.join(document['events'])}.",
        "",
        "Reads, to accuse:",
        *_facts(document["facts"]["breach"]),
    ]
    if document["guards"]:
        lines += ["Reads, to clear:", *_facts(document["facts"]["excuse"]), "Excused when:"]
        lines += [f"  {guard}: {title}" for guard, title in sorted(document["guards"].items())]
    for name, values in document["thresholds"].items():
        lines.append(f"Thresholds of {name}: " + ", ".join(f"{key} = {value}" for key, value in values.items()))
    if document["examples"]:
        lines += ["Examples, as its tests have them:", *(f"  {case}" for case in document["examples"])]
    if document["found"] is not None:
        said = ", ".join(f"{count} {status}" for status, count in document["found"].items())
        lines.append(f"Found in this store: {said or 'nothing'}.")
    return "\n".join([*lines, "", document["page"]]).rstrip()


def _facts(paths: dict[str, str]) -> list[str]:
    return [f"  {path}: {meaning}" for path, meaning in paths.items()]


@policy.command()
@FOLDER
@click.option("--run", "pattern", default="", metavar="REGEX", help="Only tests whose package and name match.")
@click.option("--format", "form", type=click.Choice(["text", "json", "junit"]), help="How the results are given. Default: text.")
@click.option("--watch", is_flag=True, help="Run them again whenever a file changes, until Ctrl-C.")
@pass_shell
def test(shell: Shell, folder: Path | None, pattern: str, form: str | None, *, watch: bool) -> None:
    """Run the rules' own tests: failures last, then one line that sums up."""
    settings = _settings(shell, folder)
    opa, form = bootstrap.find_opa(settings), form or (shell.format if shell.format == "json" else "text")
    report = Report(())
    for _ in policies.changes(settings.policy_folder, lambda: time.sleep(WATCH_S)) if watch else (None,):
        try:
            report = policies.run_tests(opa, settings.policy_folder, pattern, bootstrap.limits_of(settings))
        except PolicyError as error:
            if not watch:
                raise
            click.echo(f"{error}", err=True)
        else:
            _give(shell, report, form)
    if not report.good:
        raise click.exceptions.Exit(1)


def _give(shell: Shell, report: Report, form: str) -> None:
    if form == "junit":
        click.echo(policies.junit(report))
    elif form == "json":
        shell.format = "json"
        shell.document(_report(report), "")
    else:
        _print_cases(shell, report)


def _report(report: Report) -> dict[str, Any]:
    rows = [_case(case) for case in report.cases]
    return {"passed": report.passed, "failed": len(report.cases) - report.passed, "tests": rows}


def _case(case: Case) -> dict[str, Any]:
    said = {"file": case.file, "line": case.row, "test": case.test, "case": case.case, "outcome": case.outcome}
    return said | {"seconds": round(case.seconds, 6)} | ({"detail": case.detail} if case.detail else {})


def _print_cases(shell: Shell, report: Report) -> None:
    for case in report.cases:
        if case.outcome != "pass":
            click.echo(f"{case.outcome:5} {case.file}:{case.row} {case.name}")
            if case.detail:
                click.echo(case.detail.rstrip())
        elif not shell.quiet:
            click.echo(f"{case.outcome:5} {case.file}:{case.row} {case.name}")
    click.echo(report.summary())


@policy.command()
@FOLDER
@click.option("--mutants/--no-mutants", default=True, help="Try whether the tests notice each change of a rule. Default: yes.")
@pass_shell
def check(shell: Shell, folder: Path | None, *, mutants: bool) -> None:
    """Look for mistakes: what doesn't compile, reads no fact, could convict by silence, lacks a threshold or isn't proved."""
    settings = _settings(shell, folder)
    bundle_folder = settings.policy_folder
    policies.files_of(bundle_folder)
    opa, limits = bootstrap.find_opa(settings), bootstrap.limits_of(settings)
    found = checking.problems(opa, bundle_folder, shipped=True)
    found = found or proving.unproved(opa, bundle_folder, mutants=mutants, limits=limits)
    found = found or proving.misjudged(opa, bundle_folder, bootstrap.load_bundle(settings, opa), limits)
    if shell.format == "json":
        shell.document(
            {"folder": str(bundle_folder), "problems": [{"where": p.where, "what": p.what, "do": p.do} for p in found]}, ""
        )
    else:
        for problem in found:
            click.echo(str(problem))
        many = f"{len(found)} mistake{'s' if len(found) > 1 else ''} in {bundle_folder}."
        shell.say(many if found else f"{bundle_folder}: no mistake found.")
    if found:
        raise click.exceptions.Exit(1)


@policy.command()
@click.argument("code", metavar="CODE")
@click.option("--by", required=True, metavar="WHO", help="Who lets the rule speak again.")
@click.option("--why", required=True, metavar="TEXT", help="What was found when it was looked into.")
@pass_shell
def release(shell: Shell, code: str, by: str, why: str) -> None:
    """Release a rule that is held because it opened too much in an hour; who did and why is recorded."""
    with closing(bootstrap.read_store(shell.settings)) as store:
        released = holding.release(store, code.upper(), by, why, bootstrap.now_us())
    document = {"rule": code.upper(), "organisations": [hold.organisation for hold in released], "by": by, "why": why}
    told = f"{code.upper()} is released. Its findings are spoken of with the next batch of a worker, or the next ingest."
    shell.document(document, told)


@policy.command()
@FOLDER
@click.option("--output", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A new or empty folder.")
@pass_shell
def build(shell: Shell, folder: Path | None, output: Path) -> None:
    """Write the bundle for an OPA server of your own (COVENANT_OPA_URL), with the revision its answers must carry."""
    settings = _settings(shell, folder)
    bundle = policies.build(bootstrap.find_opa(settings), settings.policy_folder, output)
    document = {"output": str(output), "revision": bundle.digest, "rules": len(bundle.catalogue.rules)}
    shell.document(document, f"Revision {bundle.digest} with {document['rules']} rules is in {output}.")
    shell.say(f"Serve it: {policies.server_command(output)}")


policy.add_command(new)
policy.add_command(diff)
for act in (sign, activate, shadow, shadowed, retire, revisions):
    policy.add_command(act)


def _settings(shell: Shell, folder: Path | None) -> Any:
    if folder is not None:
        shell.give("policies", folder)
    return shell.settings
