"""`covenant demo`: the example company through the whole pipeline, its findings told story by story. Judges nothing itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click
import msgspec

from engine import bootstrap
from engine.cli.ingest import in_words, standing, summarise
from engine.cli.shell import Shell, pass_shell
from engine.domain import verdicts
from engine.domain.records import ViolationRow
from engine.intake.arrivals import Arrival
from engine.intake.cloudevents import decode
from engine.intake.sources import Options
from engine.service.ingest import ingest as take_in
from engine.settings import Settings
from engine.store.lookups import Lookups

if TYPE_CHECKING:
    from examples.company.expecting import Story

Key = tuple[str, str, str, tuple[str, ...]]
"""What tells one finding from another: rule, holder, aggregate within its organisation, discriminator."""


@click.command(short_help="Load the example company, judge it, and explain what was found.")
@click.option("--serve", "serving", is_flag=True, help="Open the console on it afterwards.")
@click.pass_context
@pass_shell
def demo(shell: Shell, ctx: click.Context, *, serving: bool) -> None:
    """Take in the example company (60 people, 25 repositories, nine months), judge it, and tell what was found and why.

    Runs in a store of its own, made anew each time, unless --store names one. Exit 1 if a story ends otherwise than it must.
    """
    from examples import company  # noqa: PLC0415 - the example is made only where it is played

    if not shell.settings.store:
        shell.give("store", _fresh_store(shell.settings))
    shell.say(f"Taking in the example company: {company.EVENTS:,} events in {shell.settings.store_shown}.")
    with bootstrap.make_body(shell.settings) as body, shell.progress("Judging", company.EVENTS) as progress:
        arrivals = _arrivals(company.lines())
        taken = take_in(body, arrivals, clock=bootstrap.now_us, progress=progress, batch=shell.settings.batch)
        summary = summarise(taken, standing(body))
    with closing(bootstrap.read_store(shell.settings)) as store:
        told = tell(Lookups(store), company.expected())
    command = f"covenant --store {shell.settings.store_shown}"
    document = {"summary": summary, **told, "explain": f"{command} explain", "console": f"{command} serve"}
    shell.document(document, lambda: "\n".join(stories_in_words(document)))
    if serving:
        _serve(ctx)
    if told["missing"] or told["extra"]:
        raise click.exceptions.Exit(1)


def _fresh_store(settings: Settings) -> str:
    """Give the URL of the demo's own store, with what an earlier demo left there removed."""
    file = settings.home / "demo" / "covenant.db"
    for ending in ("", "-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)
    return f"sqlite:///{file}"


def _arrivals(lines: Iterator[bytes]) -> Iterator[Arrival]:
    options = Options()  # the example's months are what they are, whatever this machine's clock says
    for number, line in enumerate(lines, 1):
        yield from decode(line, f"example:{number}", options)


def _serve(ctx: click.Context) -> None:
    root = ctx.find_root()
    command = root.command.get_command(root, "serve") if isinstance(root.command, click.Group) else None
    if command is not None:
        ctx.invoke(command)


def tell(lookups: Lookups, stories: Sequence[Story]) -> dict[str, Any]:
    """Lay what stands beside what each story must lead to."""
    found = {_key(row): row for row in lookups.violations()}
    excused = _excused(lookups)
    told, missing, wanted = [], [], set()
    for story in stories:
        findings = []
        for finding in story.findings:
            key: Key = (finding.rule, finding.holder, finding.about, tuple(finding.parts))
            wanted.add(key)
            row = found.get(key)
            if row is None or row.count != finding.count:
                missing.append({"story": story.key, "rule": finding.rule, "about": finding.about, "parts": list(finding.parts)})
            if row is not None:
                findings.append(_violation(row))
        excuses = [
            {"rule": e.rule, "about": e.about, "guard": e.guard, "count": excused.get((e.rule, e.about, e.guard), 0)}
            for e in story.excuses
        ]
        told.append({"key": story.key, "title": story.title, "tale": story.tale, "findings": findings, "excused": excuses})
    extra = [_violation(row) for key, row in found.items() if key not in wanted]
    return {"stories": told, "missing": missing, "extra": extra}


def _key(row: ViolationRow) -> Key:
    parts: tuple[str, ...] = msgspec.json.decode(row.discriminator, type=tuple[str, ...])
    return row.rule, row.holder, row.aggregate.partition("/")[2], parts


def _excused(lookups: Lookups) -> dict[tuple[str, str, str], int]:
    """Count the events that a guard excused, by rule, aggregate and guard."""
    counts: dict[tuple[str, str, str], int] = {}
    for aggregate, outcomes in lookups.outcomes():
        for rule, outcome in verdicts.read(outcomes).said.items():
            if outcome["outcome"] == "excused":
                key = (rule, aggregate.partition("/")[2], outcome["guard"])
                counts[key] = counts.get(key, 0) + 1
    return counts


def _violation(row: ViolationRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "rule": row.rule,
        "severity": row.severity,
        "clause": row.clause,
        "respondent": row.respondent,
        "holder": row.holder,
        "repository": row.repository,
        "count": row.count,
        "sentence": row.sentence,
    }


def stories_in_words(document: dict[str, Any]) -> Iterator[str]:
    """Tell the stories, what was found of each, and what to do next."""
    for story in document["stories"]:
        yield str(story["title"])
        yield f"  {story['tale']}"
        for found in story["findings"]:
            times = _times(found["count"])
            yield f"  {found['rule']}, {found['severity']}, clause {found['clause']}, {times}: finding {found['id'][:12]}"
            yield f"    {found['sentence']}"
        for excuse in story["excused"]:
            yield f"  {excuse['rule']} is excused {_times(excuse['count'])}: {excuse['guard']}."
        if not story["findings"]:
            yield "  Nobody is accused."
        yield ""
    yield in_words(document["summary"])
    yield ""
    for missing in document["missing"]:
        yield f"MISSING: {missing['rule']} of {missing['about']} in the story {missing['story']}."
    for extra in document["extra"]:
        yield f"EXTRA: {extra['rule']} in no story: {extra['sentence']}"
    if not document["missing"] and not document["extra"]:
        yield "Every story ends as it must, and nothing else was found."
    yield f"See why: {document['explain']} FINDING"
    yield f"Open the console: {document['console']}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
