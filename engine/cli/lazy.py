"""A group of commands that are imported when they are called, share a few options, and fail in one way.

Owns how an error is told: a `CovenantError` is a sentence and its exit code, anything else a short sentence and how to
see more, a broken pipe and Ctrl-C are quiet. Knows nothing of what a command does.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import click

from engine.cli.shell import FORMATS, Shell
from engine.domain.errors import CovenantError

INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
FAULT: Final = 70
"""Exit code of an error of our own (`EX_SOFTWARE`), so that it can't be taken for an answer."""


class Told(click.ClickException):
    """An error as a person sees it."""

    def __init__(self, message: str, exit_code: int) -> None:
        """Take the sentence and the exit code."""
        super().__init__(message)
        self.exit_code = exit_code

    def show(self, file: Any = None) -> None:
        """Write the sentence on standard error."""
        click.echo(f"covenant: {self.message}", file=file, err=True)


class LazyGroup(click.Group):
    """Commands by name → ("module:attribute", short help)."""

    def __init__(self, *args: Any, entries: Mapping[str, tuple[str, str]], **more: Any) -> None:
        """Take the entries; nothing is imported yet."""
        super().__init__(*args, **more)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name all commands, in the order of the entries."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command; one whose part isn't installed says so."""
        if cmd_name not in self.entries:
            return None
        module, attribute = self.entries[cmd_name][0].split(":")
        try:
            command: click.Command = getattr(importlib.import_module(module), attribute)
        except ImportError as error:
            msg = f"`covenant {cmd_name}` can't be used here: {error}. Install Covenant with all its parts: `make setup` does."
            raise Told(msg, 3) from error
        return share_options(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.entries.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and tell its error the one way; told to end, it gives back what it holds first."""
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _end)
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            raise click.exceptions.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            _go_quietly()
        except Exception as error:  # noqa: BLE001 - the one place where every error is told
            _tell(error, ctx.ensure_object(Shell))


def _end(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)


def _go_quietly() -> NoReturn:
    """Nobody reads our output any more: say nothing, and have nothing said when Python flushes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise click.exceptions.Exit(BROKEN_PIPE) from None


def _tell(error: Exception, shell: Shell) -> NoReturn:
    if _debugging(shell):
        raise error
    if isinstance(error, CovenantError):
        raise Told(str(error), error.exit_code) from error
    said = " ".join(str(error).split())[:300]
    msg = (
        f"this is a fault in Covenant ({type(error).__name__}{': ' if said else ''}{said}). Nothing was recorded by halves. "
        "Set COVENANT_DEBUG=1 and run it again to see where it arose, and report that."
    )
    raise Told(msg, FAULT) from error


def _debugging(shell: Shell) -> bool:
    try:
        return shell.settings.debug
    except CovenantError:
        return False


def share_options(command: click.Command) -> click.Command:
    """Let every command take the shared options too, so that they may stand before or after its name."""
    if isinstance(command, click.Group):
        for child in command.commands.values():
            share_options(child)
        return command
    taken = {option for parameter in command.params for option in parameter.opts}
    command.params += [option for option in shared_options() if not taken & set(option.opts)]
    return command


def shared_options() -> list[click.Option]:
    """Make the options that every command takes."""
    return [
        _setting("--store", "store", metavar="URL", help="The store. Default: SQLite under ./.covenant."),
        _setting("--policies", "policies", metavar="DIR", help="Folder of the policies that judge."),
        click.Option(
            ["--format"], type=click.Choice(FORMATS), expose_value=False, callback=_set_format,
            help="How results are given on standard output. Default: text.",
        ),
        click.Option(
            ["--quiet", "-q"], is_flag=True, expose_value=False, callback=_set_quiet, help="Say nothing but results and errors."
        ),
    ]  # fmt: skip


def _setting(option: str, name: str, **more: Any) -> click.Option:
    def take(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.ensure_object(Shell).give(name, value)

    return click.Option([option, f"shared_{name}"], expose_value=False, callback=take, **more)


def _set_format(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Shell).format = value


def _set_quiet(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        ctx.ensure_object(Shell).quiet = True
