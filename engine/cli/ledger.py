"""`covenant ledger`: balances of grants as a table or as the document programs hold on to. Adds nothing up itself."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import Any

import click

from engine import bootstrap
from engine.cli.inputs import Moment
from engine.cli.shell import Shell, pass_shell, table
from engine.domain.values import quantity_text
from engine.policy.bundle import from_bytes
from engine.service.ledger import COLUMNS, Line, balances, total
from engine.store.lookups import Lookups

SHOWN = (
    "granted",
    "transferred_in",
    "consumed",
    "expired",
    "forfeited",
    "voided",
    "transferred_out",
    "outstanding",
    "unvested",
    "overage",
)


@click.command(short_help="Show the balances of grants.")
@click.option("--as-of", type=Moment(), help="As it was at this time, that instant left out. Default: now.")
@click.option("--known-at", type=Moment(), help="As we knew it at this time. Default: all that is known now.")
@click.option("--holder", default="", metavar="P", help="Only this person's grants.")
@click.option("--grant", default="", metavar="G", help="Only this grant.")
@pass_shell
def ledger(shell: Shell, *, as_of: int | None, known_at: int | None, holder: str, grant: str) -> None:
    """Show what was granted and what became of it, grant by grant, and the total of each unit.

    Always: granted + transferred in + rolled in = consumed + expired + forfeited + voided + transferred out + rolled out
    + outstanding + unvested. Liability needs prices and isn't computed yet: it is null.
    """
    moment = bootstrap.now_us() if as_of is None else as_of
    with closing(bootstrap.read_store(shell.settings)) as store:
        lookups = Lookups(store)
        judged_by = lookups.judged_by() if known_at is not None else ""
        windows = from_bytes(store.bundle(judged_by)).windows if judged_by else bootstrap.load_bundle(shell.settings).windows
        lines = balances(lookups, as_of=moment, known_at=known_at, holder=holder, grant=grant, windows=windows)
    units = sorted({line.unit for line in lines})
    by_unit = {unit: total(line for line in lines if line.unit == unit) for unit in units}
    if shell.format == "csv":
        shell.rows([_row(line) for line in lines], ["organisation", "holder", "grant", "unit", *COLUMNS, "liability"])
        return
    document = {
        "total": _amounts(by_unit[units[0]] if len(units) == 1 else None if units else Line("", "", "", "")),
        "by_unit": {unit: _amounts(line) for unit, line in by_unit.items()},
        "lines": [_row(line) for line in lines],
    }
    shell.document(document, lambda: _in_words(lines, by_unit.values()))


def _row(line: Line) -> dict[str, Any]:
    return {"organisation": line.organisation, "holder": line.holder, "grant": line.grant, "unit": line.unit} | _amounts(line)


def _amounts(line: Line | None) -> dict[str, Any]:
    """Give amounts as decimal strings; null where units differ, since their sum means nothing."""
    amounts = {name: None if line is None else quantity_text(getattr(line, name)) for name in COLUMNS}
    return amounts | {"liability": None}


def _in_words(lines: Iterable[Line], totals: Iterable[Line]) -> str:
    rows = [[line.holder, line.grant, line.unit, *(quantity_text(getattr(line, name)) for name in SHOWN)] for line in lines]
    if not rows:
        return "No grants."
    rows += [["total", "", line.unit, *(quantity_text(getattr(line, name)) for name in SHOWN)] for line in totals]
    return table(["holder", "grant", "unit", *SHOWN], rows)
