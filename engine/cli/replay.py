"""`covenant replay` and `covenant export`: the journal decided again, and what stands, for comparing. Thin: services do it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import click

from engine import bootstrap
from engine.cli.shell import Shell, pass_shell
from engine.domain.errors import UsageError
from engine.service import replay as service
from engine.service.standing import export_standing
from engine.store import names
from engine.store.sql_store import SqlStore


@click.command(short_help="Refold the whole journal and compare with what was decided.")
@click.option("--check", is_flag=True, help="Compare every decision with the one recorded (the default).")
@click.option("--canonical", is_flag=True, help="Refold in the order of event time instead, and compare what stands.")
@click.option("--rebuild", is_flag=True, help="Write the projections anew from the journal.")
@pass_shell
def replay(shell: Shell, *, check: bool, canonical: bool, rebuild: bool) -> None:
    """Fold the whole journal again under the bundle that decided, and compare; exit 1 on a difference."""
    if check + canonical + rebuild > 1:
        msg = "--check, --canonical and --rebuild exclude each other."
        raise UsageError(msg, "Run them one after the other.")
    how: Callable[..., Any] = service.canonical if canonical else service.rebuild if rebuild else service.check
    opa = bootstrap.find_opa(shell.settings)
    with closing(bootstrap.read_store(shell.settings)) as store, shell.progress("Replaying") as progress:
        report = how(store, opa, progress, bootstrap.limits_of(shell.settings))
        gone = _dropped(store) if canonical and report.differences else 0
    for line in report.first:
        shell.say(line)
    if report.differences > len(report.first) > 0:
        shell.say(f"And {report.differences - len(report.first)} differences more.")
    if gone:
        shell.say(
            f"Of unknown names {gone:,} facts were dropped after 30 days. A refold finds them again where their repositories "
            "tell of them: if a name was linked after that, what it did before is in the refold only."
        )
    noun = "lines of what stands" if canonical else "decisions"
    verdict = "none differs" if not report.differences else f"{report.differences:,} differ"
    text = f"{report.decisions:,} {noun} made again: {verdict}." + (" The projections were written anew." if rebuild else "")
    shell.document({"decisions": report.decisions, "differences": report.differences}, text)
    if report.differences:
        raise click.exceptions.Exit(1)


def _dropped(store: SqlStore) -> int:
    """Count the facts of unknown names that were dropped."""
    with store.reading() as connection:
        return sum(row.count for row in names.all_dropped(connection))


@click.command(short_help="Write what stands now, in a form two stores can be compared by.")
@click.option("--standing", is_flag=True, required=True, help="What stands: outcomes, violations, missing facts, balances.")
@pass_shell
def export(shell: Shell, *, standing: bool) -> None:  # noqa: ARG001 - the only thing there is to export so far
    """Write what stands now as JSON lines in a canonical order: two stores of the same events give the same bytes."""
    with closing(bootstrap.read_store(shell.settings)) as store:
        out = click.get_binary_stream("stdout")
        for line in export_standing(store):
            out.write(line + b"\n")
        out.flush()
