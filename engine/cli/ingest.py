"""`covenant ingest`: files of events through the whole pipeline. Prints what became of them; owns no step of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import click
import msgspec

from engine import bootstrap
from engine.cli import inputs
from engine.cli.shell import Shell, pass_shell
from engine.domain import codec
from engine.domain.errors import Refusal
from engine.domain.values import instant_text
from engine.intake.arrivals import Arrival
from engine.intake.sources import SKEW_US, Options, Source, open_source, source_names
from engine.service.ingest import Taking
from engine.service.ingest import ingest as take_in
from engine.service.process import Body
from engine.store.lookups import Lookups, Standing
from engine.store.sql_store import SqlStore

TOLD = 20
"""Refusals that are told one by one."""


@click.command(short_help="Take in files of events, judge them and record what was found.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--from",
    "source",
    default="cloudevents",
    show_default=True,
    metavar="SOURCE",
    help=f"How the files are written: {', '.join(source_names())}.",
)
@click.option("--organisation", metavar="ID", help="Organisation of events that don't name one.")
@click.option("--until", type=inputs.Moment(), help="The run ends here: events from this time on are left alone.")
@click.option("--trust-recorded-time", is_flag=True, help="Believe the files on when each event was learnt.")
@click.option("--strict", is_flag=True, help="Exit with 1 if anything was refused.")
@pass_shell
def ingest(
    shell: Shell,
    *,
    files: tuple[str, ...],
    source: str,
    organisation: str | None,
    until: int | None,
    trust_recorded_time: bool,
    strict: bool,
) -> None:
    """Take in FILEs of events (- for standard input), judge them by the policies and record what was found.

    Plain or gzip. A line that can't be understood is refused with a reason and the rest goes on; see `covenant
    dead-letters`. Run it again over the same file, after an interruption too: what was taken in counts as a duplicate.
    """
    total = inputs.check(files)
    settings = shell.settings
    options = Options(
        organisation=organisation or settings.organisation,
        trust_recorded=trust_recorded_time or settings.trust_recorded_time,
        now_us=bootstrap.now_us(),
    )
    opened = open_source(source)
    counter = inputs.Counter()
    with bootstrap.make_body(settings) as body, shell.progress("Taking in", total) as progress:
        arrivals = Telling(shell, read(files, opened, options, counter))
        taken = take_in(
            body, arrivals, clock=bootstrap.now_us, progress=lambda _: progress(counter.read), until=until, batch=settings.batch
        )
        summary = summarise(taken, standing(body))
    arrivals.tell_rest()
    if taken.later:
        shell.say(f"{taken.later} events are of --until or later and were left alone.")
    shell.document(summary, lambda: in_words(summary))
    if strict and taken.refused:
        raise click.exceptions.Exit(1)


def read(files: Sequence[str], source: Source, options: Options, counter: inputs.Counter) -> Iterator[Arrival]:
    """Give the arrivals of all files. A pipe may go on for days, so its events are held against the clock one by one."""
    for name in files:
        live = name == inputs.STANDARD_INPUT or not Path(name).is_file()
        given = msgspec.structs.replace(options, now_us=0) if live else options
        with inputs.opened(name, counter) as stream:
            arrivals = source.arrivals(stream, "standard input" if name == inputs.STANDARD_INPUT else name, given)
            yield from (map(_in_time, arrivals) if live else arrivals)


def _in_time(arrival: Arrival) -> Arrival:
    event, now = arrival.event, bootstrap.now_us()
    if event is None or event.time <= now + SKEW_US:
        return arrival
    msg = f"time: {instant_text(event.time)} is more than 5 minutes after now ({instant_text(now)})."
    refusal = Refusal(msg, "Correct the producer's clock or the event's time.", code="in-the-future", field="time")
    return Arrival(None, refusal, codec.write_event(event), arrival.where)


class Telling:
    """Arrivals on their way, the first refusals among them told to a person."""

    def __init__(self, shell: Shell, arrivals: Iterator[Arrival]) -> None:
        """Wrap arrivals."""
        self._shell = shell
        self._arrivals = arrivals
        self._refused = 0

    def __iter__(self) -> Iterator[Arrival]:
        """Give them on."""
        for arrival in self._arrivals:
            if arrival.refusal is not None:
                self._refused += 1
                if self._refused <= TOLD:
                    self._shell.say(f"Refused: {arrival.where}: {arrival.refusal}")
            yield arrival

    def tell_rest(self) -> None:
        """Say how many were not told, and where they are."""
        if self._refused > TOLD:
            self._shell.say(f"Refused: {self._refused - TOLD} more. `covenant dead-letters list` shows them all.")


def standing(body: Body) -> Standing:
    """Give what stands in a body's store."""
    return Lookups(cast("SqlStore", body.store)).standing()


def summarise(taken: Taking, stands: Standing) -> dict[str, Any]:
    """Give the summary that programs hold on to: of this run, but `parked`, `indeterminate` and `violations` as they stand."""
    return {
        "read": taken.read,
        "accepted": taken.accepted,
        "duplicates": taken.duplicates,
        "refused": taken.refused,
        "parked": stands.parked,
        "decisions": taken.decisions,
        "indeterminate": stands.indeterminate,
        "violations": stands.violations,
        "held": list(taken.held),
        "seconds": taken.seconds,
    }


def in_words(summary: dict[str, Any]) -> str:
    """Say a summary to a person."""
    found = ", ".join(f"{code}: {count}" for code, count in summary["violations"].items()) or "none"
    lines = [
        f"Read {summary['read']:,}: {summary['accepted']:,} accepted, {summary['duplicates']:,} duplicates, ",
        f"{summary['refused']:,} refused.\n",
        f"Decided {summary['decisions']:,} in {summary['seconds']:.1f} s.\n",
        f"Violations standing: {found}.\n",
        f"Waiting: {summary['parked']:,} facts for a verified link, {summary['indeterminate']:,} missing facts.",
    ]
    lines += [
        f"\nHeld: {code} opened too much in an hour, and nobody is told of what it finds: see `covenant doctor`."
        for code in summary["held"]
    ]
    return "".join(lines)
