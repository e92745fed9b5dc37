"""`covenant violations` and `covenant serve`: findings on the terminal, and the console and API for browsers and programs.

Lays out what `service.findings` gives; reads no table and judges nothing.
"""

from __future__ import annotations

import textwrap
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import click

from engine import bootstrap
from engine.api.app import make_api
from engine.cli.shell import Shell, pass_shell, table, visible
from engine.console import serving
from engine.console.app import make_console
from engine.console.guard import LOOPBACK, Guard
from engine.domain.values import instant_text
from engine.service.findings import Cause, Detail, Finding, Findings, as_document
from engine.settings import Settings
from engine.store.sql_store import SqlStore

COLUMNS: Final = Finding.__struct_fields__
WIDTH: Final = 100
SHORT: Final = 12
"""Characters of an id that are shown to people; any unambiguous beginning can be given back."""


@click.group()
def violations() -> None:
    """List violations, or show one with its evidence."""


@violations.command(name="list")
@click.argument("query", nargs=-1)
@pass_shell
def list_(shell: Shell, *, query: tuple[str, ...]) -> None:
    """List the violations that match QUERY, newest first; without one, all of them.

    QUERY is free text and qualifiers, such as: rule:FU-001 holder:p-7 status:open severity:high since:2026-01-01
    """
    with closing(bootstrap.read_store(shell.settings)) as store:
        findings = Findings(store)
        found = findings.all(" ".join(query))
        if shell.format == "text":
            for said in findings.attention():
                shell.say(said)
            click.echo(visible(_listed(list(found))))
        else:
            shell.rows((as_document(one) for one in found), COLUMNS)


@violations.command()
@click.argument("ident", metavar="ID")
@pass_shell
def show(shell: Shell, *, ident: str) -> None:
    """Show the violation ID (or the one whose id begins so): what happened, under which clause, on what evidence."""
    with closing(bootstrap.read_store(shell.settings)) as store:
        detail = Findings(store).detail(ident)
    shell.document(as_document(detail), lambda: "\n".join(_shown(detail)))


@click.command(short_help="Serve the console and the API on loopback.")
@click.option("--host", help="Address to listen on. Default: 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on; 0 takes a free one. Default: 8600.")
@pass_shell
def serve(shell: Shell, *, host: str | None, port: int | None) -> None:
    """Serve the console and the API, on loopback unless told otherwise, until interrupted."""
    settings = shell.settings
    at = settings.host if host is None else host
    serving.check_host(at, beyond=settings.beyond_loopback)
    with closing(bootstrap.read_store(settings)) as store:
        bound = serving.listen(at, settings.port if port is None else port, beyond=settings.beyond_loopback)
        click.echo(f"The console is at {serving.address(bound)} (Ctrl-C ends it).", err=True)
        serving.serve(web(store, at), bound)


def web(store: SqlStore, host: str = "127.0.0.1") -> Guard:
    """Make the console with the API beside it. On loopback it answers to this machine's names alone."""
    findings = Findings(store)
    api = make_api(findings, clock=bootstrap.now_us)
    return make_console(findings, clock=bootstrap.now_us, api=api, hosts=LOOPBACK if serving.is_loopback(host) else None)


def serve_in_thread(settings: Settings) -> None:
    """Serve beside other work, in a thread that ends with the process; the address is had before this returns."""
    bound = serving.listen(settings.host, settings.port, beyond=settings.beyond_loopback)

    def run() -> None:
        with closing(bootstrap.open_store(settings)) as store:
            serving.serve(web(store, settings.host), bound)

    threading.Thread(target=run, name="console", daemon=True).start()
    click.echo(f"The console is at {serving.address(bound)}.", err=True)


def _listed(found: list[Finding]) -> str:
    if not found:
        return "No violation matches."
    rows = [
        [f.id[:SHORT], f.rule, f.severity, f.status, f.holder or "-", str(f.count), instant_text(f.last_seen_at), f.title]
        for f in found
    ]
    names = ["id", "rule", "severity", "status", "holder", "count", "last seen", "title"]
    return f"{table(names, rows)}\n\n{len(found):,} found. `covenant violations show ID` tells one whole."


def _shown(detail: Detail) -> Iterator[str]:
    yield f"{detail.title or detail.rule} ({detail.rule}, {detail.severity}, {detail.status})"
    yield from _wrapped(detail.standing)
    yield from _wrapped(detail.unfinished)
    yield ""
    yield from _wrapped(detail.sentence)
    if detail.clause_text:
        yield ""
        yield f"Clause {detail.clause}: {detail.clause_text.title}"
        yield from _wrapped(detail.clause_text.text)
    yield ""
    yield "Evidence"
    for name, value in detail.evidence.items():
        yield f"  {name.replace('_', ' ')}: {_value(value)}"
    yield from _excuses(detail)
    yield ""
    yield "Timeline"
    for step in detail.timeline:
        yield f"  {instant_text(step.at)}  {step.words}" + (f" {step.count:,} in all." if step.count else "")
        if step.cause:
            yield from _wrapped(_because(step.cause), 24)
    yield ""
    yield f"Finding {detail.id}; first seen {instant_text(detail.opened_at)}, {detail.count:,} in all."
    if detail.events:
        yield f"To make its last decision again: covenant explain {detail.events[0].decision}"


def _because(cause: Cause) -> str:
    learnt = f", learnt {instant_text(cause.recorded_at)}" if cause.recorded_at is not None else ""
    return f"because of {cause.words} ({cause.type} {cause.id} from {cause.source}, {instant_text(cause.at)}){learnt}"


def _excuses(detail: Detail) -> Iterator[str]:
    if detail.rule_text and detail.rule_text.excuses and detail.events:
        yield ""
        yield "What would excuse it"
        for excuse in detail.rule_text.excuses:
            yield from _wrapped(excuse.title)


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _wrapped(text: str, indent: int = 2) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent, break_long_words=False)
