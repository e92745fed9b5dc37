"""The commands that need a broker: `worker`, `relay`, `topics` and `up`. Owns their options and texts, no step of the work."""

from __future__ import annotations

import gzip
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from engine import bootstrap
from engine.cli.shell import Shell, pass_shell
from engine.domain.errors import UsageError
from engine.settings import Settings

DRAINED_HELP: Final = "End when all is read, judged and published; violations then settle as at the end of a run."


def broker_of(settings: Settings) -> str:
    """Give the broker that the settings name."""
    if not settings.broker:
        msg = "No broker is set, and this command needs one."
        raise UsageError(
            msg, "Set COVENANT_BROKER to Kafka's HOST:PORT, such as 127.0.0.1:9092; `covenant ingest` works without."
        )
    return settings.broker


@click.command(short_help="Judge events from the broker's topics.")
@click.option("--until-drained", is_flag=True, help=DRAINED_HELP)
@pass_shell
def worker(shell: Shell, *, until_drained: bool) -> None:
    """Read the inbound topics, judge what they bring and record it; run as many workers as there are lanes at most.

    Ends in order on SIGTERM. Killed at any moment, nothing is lost and nothing counts twice: it reads on where the
    store stands.
    """
    _work(shell, until_drained=until_drained)


def _work(shell: Shell, *, until_drained: bool, beside: Callable[[Any], None] = lambda _: None) -> None:
    from streams.lanes import Pace  # noqa: PLC0415 - Faust takes a second to import
    from streams.running import run_worker  # noqa: PLC0415
    from streams.worker import Options  # noqa: PLC0415

    settings = shell.settings
    options = Options(
        settings.organisation, settings.trust_recorded_time, Pace(batch=settings.batch, quiet_s=0.2 if until_drained else 1.0)
    )
    with bootstrap.make_body(settings, lanes=settings.lanes, publish=True) as body:
        beside(body)
        run_worker(body, broker_of(settings), bootstrap.now_us, options=options, say=shell.say, until_drained=until_drained)


@click.command(short_help="Publish what was recorded to the broker's topics.")
@click.option("--until-empty", is_flag=True, help="End when nothing waits to be published.")
@pass_shell
def relay(shell: Shell, *, until_empty: bool) -> None:
    """Publish the outbox: violations, findings, audit, dead letters, and what one aggregate tells another.

    One relay for one store; a second one fences the first.
    """
    from contextlib import closing  # noqa: PLC0415

    from streams.relay import Relay  # noqa: PLC0415

    settings = shell.settings
    with closing(bootstrap.open_store(settings)) as store:
        running = Relay(store, broker_of(settings), settings.lanes, shell.say)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: running.halt())
        try:
            if until_empty:
                while running.round():
                    pass
            else:
                running.run()
        finally:
            running.close()


@click.command(short_help="Run worker, relay and console in one process.")
@click.option("--until-drained", is_flag=True, help=DRAINED_HELP)
@click.option("--no-serve", is_flag=True, help="Leave the console out.")
@pass_shell
def up(shell: Shell, *, until_drained: bool, no_serve: bool) -> None:
    """Run all that is needed beside the broker and the store in one process: for trying out, and for small companies."""
    from streams.relay import Relay  # noqa: PLC0415

    settings = shell.settings
    running: list[tuple[Relay, threading.Thread]] = []

    def beside(body: Any) -> None:
        relaying = Relay(body.store, broker_of(settings), settings.lanes, shell.say)
        thread = threading.Thread(target=_relay_or_leave, args=(relaying,), name="relay", daemon=True)
        thread.start()
        running.append((relaying, thread))
        if not no_serve and not until_drained:
            _serve(shell)

    try:
        _work(shell, until_drained=until_drained, beside=beside)
    finally:
        for relaying, thread in running:
            relaying.halt()
            thread.join(30)
            while until_drained and relaying.round():
                pass
            relaying.close()


def _relay_or_leave(relaying: Any) -> None:
    from streams.worker import leave  # noqa: PLC0415

    try:
        relaying.run()
    except BaseException as error:  # noqa: BLE001 - a thread's error would be silent
        leave(error)


def _serve(shell: Shell) -> None:
    """Serve the console beside the rest, in a thread that ends with the process."""
    try:
        from engine.cli.findings import serve_in_thread  # noqa: PLC0415
    except ImportError:
        shell.say("The console isn't installed here; worker and relay run without it.")
        return
    serve_in_thread(shell.settings)


@click.group(short_help="Create or describe the broker's topics.")
def topics() -> None:
    """Create and describe the topics, and send files of events to them."""


@topics.command(short_help="Make the topics that aren't there.")
@click.option("--replication", type=click.IntRange(1, 10), help="Copies of each partition. Default: the broker's own.")
@pass_shell
def create(shell: Shell, *, replication: int | None) -> None:
    """Make the topics that aren't there, with their settings and COVENANT_LANES partitions.

    The count of partitions is fixed then: the lane of a key depends on it. An existing topic with another count is
    refused, with what can be done about it.
    """
    from streams.topics import create as make  # noqa: PLC0415

    made = make(broker_of(shell.settings), shell.settings.lanes, replication or -1)
    text = f"Made {len(made)} topics: {', '.join(made)}." if made else "All topics are there already."
    shell.document({"created": made, "lanes": shell.settings.lanes}, text)


@topics.command(short_help="Show each topic as it is, and what is wrong with it.")
@pass_shell
def describe(shell: Shell) -> None:
    """Show each topic: what it carries, its partitions and settings; exit 1 if one isn't as it should be."""
    from streams.topics import describe as look  # noqa: PLC0415

    found = look(broker_of(shell.settings), shell.settings.lanes)
    shell.rows((msgspec.to_builtins(topic) for topic in found), ["name", "partitions", "wanted", "carries", "problems"])
    if any(topic.problems for topic in found):
        raise click.exceptions.Exit(1)


@topics.command(short_help="Send a file of CloudEvents lines to their topics.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--organisation", metavar="ID", help="Organisation of events that don't name one.")
@pass_shell
def load(shell: Shell, *, files: tuple[str, ...], organisation: str | None) -> None:
    """Send CloudEvents lines of FILEs (- for standard input) to the topics they belong on, keyed by what they are about."""
    from streams.produce import Sender  # noqa: PLC0415

    settings = shell.settings
    sender = Sender(broker_of(settings))
    for name in files:
        sender.lines(_lines(name), organisation or settings.organisation)
    sender.close()
    total = sum(sender.sent.values())
    shell.document({"sent": total, "topics": dict(sender.sent)}, f"Sent {total} messages to {len(sender.sent)} topics.")


def _lines(name: str) -> Iterator[bytes]:
    if name == "-":
        yield from sys.stdin.buffer
        return
    try:
        with Path(name).open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not zipped:
                yield from raw
                return
            with gzip.open(raw) as unzipped:
                yield from unzipped
    except (OSError, EOFError) as error:
        msg = f"{name} can't be read to its end: {error}."
        raise UsageError(msg, "Give files of CloudEvents lines, plain or gzip.") from error
