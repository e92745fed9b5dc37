"""`covenant decisions`: what each rule said of each event. Lays out what `service.decisions` gives; judges nothing."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from typing import Any, Final

import click

from engine import bootstrap
from engine.cli.shell import Shell, pass_shell, table, visible
from engine.domain.values import instant_text
from engine.service.decisions import OUTCOMES, Decided, decided
from engine.store.lookups import Lookups

COLUMNS: Final = Decided.__struct_fields__
SHORT: Final = 12


@click.group()
def decisions() -> None:
    """List what the rules said of events, by outcome, rule and aggregate."""


@decisions.command(name="list")
@click.option("--outcome", type=click.Choice(OUTCOMES), help="Only this outcome. Default: all that say something.")
@click.option("--rule", default="", metavar="CODE", help="Only this rule, such as FU-001.")
@click.option("--aggregate", default="", metavar="KEY", help="Only this aggregate, such as person/p-7.")
@click.option("--all", "all_", is_flag=True, help="Those that were superseded or withdrawn as well.")
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="So many at most.")
@pass_shell
def list_(shell: Shell, *, outcome: str | None, rule: str, aggregate: str, all_: bool, limit: int) -> None:
    """List outcomes, a line a rule and event, as they were recorded; `covenant explain DECISION` says more of each.

    Without --outcome, passes and rules that don't apply are left out: most are such.
    """
    with closing(bootstrap.read_store(shell.settings)) as store:
        found = decided(Lookups(store), outcome=outcome or "", rule=rule, aggregate=aggregate, all_=all_)
        rows = [_document(one) for one in islice(found, limit)]
    if shell.format == "text":
        click.echo(visible(_table(rows) if rows else "Nothing."))
    else:
        shell.rows(rows, COLUMNS)


def _document(one: Decided) -> dict[str, Any]:
    return {name: getattr(one, name) for name in COLUMNS} | {"time": instant_text(one.time)}


def _table(rows: list[dict[str, Any]]) -> str:
    names = ["decision", "time", "rule", "outcome", "aggregate", "why"]
    return table(names, [[row["decision"][:SHORT], *(row[name] for name in names[1:])] for row in rows])
