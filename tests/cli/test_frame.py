"""What holds of every command: help, shared options, exit codes, how an error is told, and that start-up stays light."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from engine.cli.lazy import BROKEN_PIPE, FAULT, INTERRUPTED, LazyGroup
from engine.cli.main import COMMANDS, main
from engine.cli.shell import table
from engine.domain.errors import NotFound, StoreUnavailable, UsageError
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
PROMISED = (
    "demo ingest convert events violations explain replay export ledger policy worker relay serve up topics doctor dead-letters "
    "backtest decisions names"
)


def test_help_lists_every_promised_command(covenant: Run) -> None:
    """With a line of help each."""
    result = covenant("--help")
    assert result.exit_code == 0
    assert set(PROMISED.split()) == set(COMMANDS)
    for name, (_, text) in COMMANDS.items():
        assert f"  {name} " in result.stdout
        assert text.split()[0] in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_and_takes_the_shared_options(covenant: Run, name: str) -> None:
    """So that they may stand before or after its name."""
    result = covenant(name, "--help")
    assert result.exit_code == 0, result.stderr
    command = main.get_command(click.Context(main), name)
    assert command is not None
    if not isinstance(command, click.Group):
        for option in ("--store", "--format", "--quiet", "--policies"):
            assert option in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_line_in_the_list_is_its_own(name: str) -> None:
    """The list is written apart, so that it needs no import; it must say what the command says."""
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.get_short_help_str(200) == COMMANDS[name][1]


def test_the_list_of_commands_imports_none_of_them() -> None:
    """Help answers at once, whatever parts are installed."""
    code = "import sys; from engine.cli.main import main; main(['--help'], standalone_mode=False); "
    code += "print(sorted(m for m in ('sqlalchemy', 'faust', 'starlette', 'opa_client', 'rich') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_version_is_the_distributions(covenant: Run) -> None:
    """One line."""
    result = covenant("--version")
    assert result.exit_code == 0
    assert result.stdout == "covenant 0.1.0\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["ingest"], ["ingest", "--nonsense", "x"], ["--format", "xml", "doctor"]])
def test_a_command_written_wrongly_exits_with_2(covenant: Run, arguments: list[str]) -> None:
    """And says so on standard error."""
    result = covenant(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr


def failing(error: BaseException) -> click.Group:
    """A group with one command that raises."""

    def fail() -> None:
        raise error

    group = LazyGroup("covenant", entries={"fail": ("tests.cli.test_frame:unused", "")})
    command = click.Command("fail", callback=fail)
    group.get_command = lambda ctx, cmd_name: command  # type: ignore[method-assign]  # noqa: ARG005
    return group


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (NotFound("No such.", "Look."), 1, "covenant: No such. Look.\n"),
        (UsageError("Wrong.", "Right."), 2, "covenant: Wrong. Right.\n"),
        (StoreUnavailable("Gone."), 3, "covenant: Gone.\n"),
        (KeyboardInterrupt(), INTERRUPTED, ""),
        (BrokenPipeError(), BROKEN_PIPE, ""),
    ],
)
def test_an_error_is_one_sentence_and_its_exit_code(folder: Path, error: BaseException, code: int, says: str) -> None:
    """Ctrl-C and a reader who left are no errors: nothing is said of them."""
    result = CliRunner().invoke(failing(error), ["fail"])
    assert (result.exit_code, result.stderr, result.stdout) == (code, says, "")


def test_a_fault_of_ours_says_how_to_see_more(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an exit code that can't be taken for an answer; with COVENANT_DEBUG the trace is shown."""
    result = CliRunner().invoke(failing(ValueError("odd")), ["fail"])
    assert result.exit_code == FAULT
    assert "ValueError: odd" in result.stderr
    assert "COVENANT_DEBUG=1" in result.stderr
    assert "Traceback" not in result.stderr
    monkeypatch.setenv("COVENANT_DEBUG", "1")
    shown = CliRunner().invoke(failing(ValueError("odd")), ["fail"])
    assert isinstance(shown.exception, ValueError)


def test_a_part_that_is_not_installed_is_named(folder: Path) -> None:
    """The other commands go on working."""
    group = LazyGroup("covenant", entries={"gone": ("engine.no_such_module:gone", "")})
    result = CliRunner().invoke(group, ["gone"])
    assert result.exit_code == 3
    assert "no_such_module" in result.stderr


def test_a_reader_who_leaves_early_is_no_error(
    events: Path, covenant: Run, program: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """`covenant export --standing | head -1` says nothing on standard error."""
    assert covenant("ingest", events, "--quiet").exit_code == 0
    process = program("export", "--standing")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == BROKEN_PIPE
    process.stderr.close()


def test_tables_line_up_and_numbers_stand_right() -> None:
    """So that a person can compare them."""
    assert table(["name", "an_amount"], [["a", "1,000"], ["bcd", "2.5"]]) == "name  an amount\na         1,000\nbcd         2.5"


def test_progress_is_drawn_for_a_person_and_never_on_standard_output(
    events: Path, program: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """Standard error is a terminal here; with --quiet nothing is drawn on it."""
    for flags, drawn in (([], True), (["--quiet"], False)):
        theirs, ours = os.openpty()
        process = program("--format", "json", "ingest", events, *flags, stderr=ours)
        os.close(ours)
        out, _ = process.communicate(timeout=120)
        seen = os.read(theirs, 65536) if drawn else _rest(theirs)
        os.close(theirs)
        assert process.returncode == 0
        assert json.loads(out)["read"] == 7
        assert (b"Taking in" in seen) == drawn


def _rest(terminal: int) -> bytes:
    """What was written on a terminal that nobody writes on any more."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_what_would_steer_a_terminal_is_made_visible(covenant: Run, folder: Path) -> None:
    """A refused line with escape codes in it: shown to a person harmlessly, given to a program as it was."""
    (folder / "evil.jsonl").write_bytes(b'{"id": "\x1b[2J", "type": "\x1b]0;owned\x07"}\n')
    result = covenant("ingest", "evil.jsonl")
    assert "\x1b" not in result.stderr + result.stdout
    shown = covenant("dead-letters", "list", "--format", "json")
    assert json.loads(shown.stdout)["where"] == "evil.jsonl:1"
