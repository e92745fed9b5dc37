"""`covenant dead-letters`: events that were refused, with the reason; and taking them in after what was wrong is mended."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import click
import msgspec

from engine import bootstrap
from engine.cli.ingest import Telling
from engine.cli.shell import Shell, pass_shell
from engine.domain import codec
from engine.domain.errors import NotFound, UsageError
from engine.domain.records import RefusedRow
from engine.domain.values import instant_text
from engine.intake.arrivals import Arrival
from engine.intake.sources import Options, Source, open_source
from engine.service.ingest import ingest as take_in
from engine.service.process import Body
from engine.service.taking import JOURNAL
from engine.store.lookups import Lookups

FIELDS = ("id", "code", "field", "reason", "do", "where", "source", "organisation", "recorded_at")
COLUMNS = ("id", "code", "where", "reason")
PAGE = 500


@click.group(short_help="List, show and redrive refused events.")
def dead_letters() -> None:
    """See what was refused and why, and redrive it once what was wrong is mended. Nothing refused is ever lost."""


@dead_letters.command("list")
@click.option("--code", default="", help="Only refusals of this code, such as unknown-type.")
@click.option("--limit", default=0, metavar="N", help="At most so many. Default: all.")
@pass_shell
def list_(shell: Shell, *, code: str, limit: int) -> None:
    """List refused events, oldest first."""
    with closing(bootstrap.read_store(shell.settings)) as store:
        rows = (_fields(row) for row in _all(Lookups(store), code, limit))
        shell.rows(rows, FIELDS if shell.format == "csv" else COLUMNS, empty="Nothing was refused.")


@dead_letters.command()
@click.argument("ident", metavar="ID")
@pass_shell
def show(shell: Shell, *, ident: str) -> None:
    """Show one refused event with what was sent; ID is its id or the beginning of it."""
    with closing(bootstrap.read_store(shell.settings)) as store:
        row = _one(Lookups(store), ident)
    raw = row.raw.decode("utf-8", errors="backslashreplace")
    words = [f"Refused {instant_text(row.recorded_at)}: {row.where}", f"{row.reason} {row.do}", "", raw]
    shell.document(_fields(row) | {"raw": raw}, "\n".join(words))


@dead_letters.command()
@click.argument("idents", nargs=-1, metavar="[ID]...")
@click.option("--all", "every", is_flag=True, help="All refused events.")
@click.option("--code", default="", help="All refused events of this code.")
@click.option("--from", "source", default="cloudevents", show_default=True, metavar="SOURCE", help="How they are written.")
@click.option("--organisation", metavar="ID", help="Organisation of events that don't name one.")
@pass_shell
def redrive(shell: Shell, *, idents: tuple[str, ...], every: bool, code: str, source: str, organisation: str | None) -> None:
    """Take refused events in again. What is accepted, or was accepted meanwhile, leaves the list; exit 1 if any stays.

    Where workers write the store, what can be read now is sent to its topic again, and judged there.
    """
    if bool(idents) == (every or bool(code)):
        msg = "Say which refused events: their ids, or --all, or --code."
        raise UsageError(msg, "`covenant dead-letters list` shows them.")
    settings = shell.settings
    options = Options(
        organisation=organisation or settings.organisation, trust_recorded=settings.trust_recorded_time, now_us=bootstrap.now_us()
    )
    opened = open_source(source)
    with closing(bootstrap.read_store(settings)) as store:
        lookups = Lookups(store)
        rows = [_one(lookups, ident) for ident in idents] if idents else list(_all(lookups, code, 0))
        for row in rows:
            if row.where.startswith(JOURNAL):
                shell.say(f"{row.id[:12]} was taken in already and has no effect: {row.reason}")
        again = {row.id: list(_again(row, opened, options)) for row in rows}
        lanes = lookups.lanes_of_batches()
        done, document = _send(shell, again, lanes) if lanes > 1 else _take_in(shell, again)
        lookups.forget_refused(done)
    document = {"redriven": len(rows), **document, "refused": len(rows) - len(done)}
    shell.document(document, ", ".join(f"{count:,} {name}" for name, count in document.items()).capitalize() + ".")
    if len(done) < len(rows):
        raise click.exceptions.Exit(1)


Again = dict[str, list[Arrival]]
"""Id of a refused event → what it reads as now."""


def _take_in(shell: Shell, again: Again) -> tuple[list[str], dict[str, int]]:
    """Take what can be read now in here; gives the ids that are done with."""
    telling = Telling(shell, (arrival for found in again.values() for arrival in found))
    with bootstrap.make_body(shell.settings) as body:
        taken = take_in(body, telling, clock=bootstrap.now_us, batch=shell.settings.batch)
        done = [ident for ident, found in again.items() if found and all(_taken_in(body, arrival) for arrival in found)]
    telling.tell_rest()
    return done, {"accepted": taken.accepted, "duplicates": taken.duplicates}


def _send(shell: Shell, again: Again, lanes: int) -> tuple[list[str], dict[str, int]]:
    """Send what can be read now to its topic; the broker has it before it leaves the list."""
    from engine.cli.broker import broker_of  # noqa: PLC0415 - only where there is a broker
    from streams.produce import Sender  # noqa: PLC0415
    from streams.running import check_topics  # noqa: PLC0415

    check_topics(broker_of(shell.settings), lanes)
    sender = Sender(broker_of(shell.settings))
    done = []
    for ident, found in again.items():
        events = [arrival.event for arrival in found if arrival.event is not None]
        for arrival in found:
            if arrival.refusal is not None:
                shell.say(f"Refused: {arrival.where}: {arrival.refusal}")
        if events and len(events) == len(found):
            done.append(ident)
            for event in events:
                sender.event(event, codec.write_event(event))
    sender.close()
    return done, {"sent": sum(sender.sent.values())}


def _again(row: RefusedRow, source: Source, options: Options) -> Iterator[Arrival]:
    for arrival in source.arrivals(io.BytesIO(row.raw), row.where, options):
        yield msgspec.structs.replace(arrival, where=row.where, raw=arrival.raw and row.raw)


def _taken_in(body: Body, arrival: Arrival) -> bool:
    if arrival.event is None:
        return False
    identity = codec.identity(arrival.event).hex()
    return body.store.seen([identity]).get(identity) == codec.content(arrival.event).hex()


def _all(lookups: Lookups, code: str, limit: int) -> Iterator[RefusedRow]:
    after, given = None, 0
    while rows := lookups.refused(code=code, after=after, limit=min(PAGE, limit - given) if limit else PAGE):
        yield from rows
        given += len(rows)
        after = (rows[-1].recorded_at, rows[-1].id)
        if given == limit:
            return


def _one(lookups: Lookups, ident: str) -> RefusedRow:
    found = lookups.refused_by_prefix(ident.lower())
    if not found:
        msg = f"There is no refused event {ident[:80]}."
        raise NotFound(msg, "`covenant dead-letters list` shows those there are.")
    if len(found) > 1:
        msg = f"{ident} begins several ids."
        raise UsageError(msg, "Give more digits.")
    return found[0]


def _fields(row: RefusedRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FIELDS[:-1]} | {"recorded_at": instant_text(row.recorded_at)}
