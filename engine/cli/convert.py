"""`covenant convert`: a source's own payloads to CloudEvents lines, without a store and without judging anything."""

from __future__ import annotations

import click

from engine import bootstrap
from engine.cli import inputs
from engine.cli.shell import Shell, pass_shell
from engine.domain import codec
from engine.intake.sources import Options, open_source


@click.command(short_help="Turn a source's own payloads into CloudEvents lines.")
@click.argument("source")
@click.argument("file")
@click.option("--organisation", metavar="ID", help="Organisation of events that don't name one.")
@click.option("--trust-recorded-time", is_flag=True, help="Believe the file on when each event was learnt.")
@click.option("--strict", is_flag=True, help="Exit with 1 if anything was refused.")
@pass_shell
def convert(shell: Shell, *, source: str, file: str, organisation: str | None, trust_recorded_time: bool, strict: bool) -> None:
    """Turn FILE (- for standard input), written as SOURCE has it, into CloudEvents lines on standard output.

    SOURCE is one of those that `covenant ingest --help` names. What is refused is said on standard error, each with a
    reason.
    """
    inputs.check([file])
    settings = shell.settings
    options = Options(
        organisation=organisation or settings.organisation,
        trust_recorded=trust_recorded_time or settings.trust_recorded_time,
        now_us=bootstrap.now_us(),
    )
    refused = 0
    with inputs.opened(file) as stream:
        where = "standard input" if file == inputs.STANDARD_INPUT else file
        for arrival in open_source(source).arrivals(stream, where, options):
            if arrival.event is not None:
                click.echo(codec.write_event(arrival.event))
            else:
                refused += 1
                shell.say(f"Refused: {arrival.where}: {arrival.refusal}")
    if strict and refused:
        raise click.exceptions.Exit(1)
