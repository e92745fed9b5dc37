"""`covenant names`: the names that nobody has linked to a person or repository, what waits under them, what was dropped."""

from __future__ import annotations

from contextlib import closing

import click

from engine import bootstrap
from engine.cli.shell import Shell, pass_shell
from engine.domain.values import instant_text
from engine.store import names as stored

FIELDS = ("organisation", "kind", "value", "count", "since", "linked", "drops_at")
DROPPED = ("organisation", "kind", "count", "last_at")


@click.command(short_help="List unknown names, what waits under them, and what was dropped.")
@click.option("--kind", default="", help="Only names of a kind, such as login, credential or grant.")
@click.option("--limit", default=0, metavar="N", help="At most so many, those with most first. Default: all.")
@click.option("--dropped", is_flag=True, help="How much was dropped instead, by kind of name.")
@pass_shell
def names(shell: Shell, *, kind: str, limit: int, dropped: bool) -> None:
    """List logins, addresses, credentials, users and grants that no verified link says the owner of.

    What names them waits, charged to nobody, and goes to its owner once `alias.linked` says who that is. What a name
    did outside the organisation's repositories is dropped 30 days after it happened and was learnt, and only counted.
    """
    with closing(bootstrap.read_store(shell.settings)) as store, store.reading() as connection:
        gone = stored.all_dropped(connection)
        if dropped:
            rows = [dict(zip(DROPPED, (d.organisation, d.kind, d.count, instant_text(d.last_at)), strict=True)) for d in gone]
            shell.rows(rows, DROPPED, empty="Nothing was dropped.")
            return
        waits = stored.waits(connection, kind, limit)
    shell.rows(map(_fields, waits), FIELDS, empty="No name waits for a link.")
    if gone:
        shell.say(f"{sum(d.count for d in gone):,} facts of unknown names were dropped: `covenant names --dropped`.")


def _fields(row: stored.Waits) -> dict[str, object]:
    return {
        "organisation": row.organisation, "kind": row.kind, "value": row.value, "count": row.count,
        "since": instant_text(row.since), "linked": row.linked,
        "drops_at": instant_text(row.drops_at) if row.drops_at >= 0 else "",
    }  # fmt: skip
