"""What every real part has in common: finding its programs, starting them, waiting, reading their logs.

Never skips and never decides what a missing part means: it raises `MissingPart`,
and `tests/conftest.py` decides.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"
STOP_S_MAX = 30.0


class MissingPart(Exception):
    """A real part can't be brought up on this machine; the text says what to install or set."""


# Below the ports that systems give to whoever connects: none of those takes one before its server, or while that restarts.
PORTS = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """`count` different TCP ports that were free on the loopback address a moment ago, drawn so that two runs differ."""
    found: list[int] = []
    with contextlib.ExitStack() as stack:
        for port in random.SystemRandom().sample(PORTS, len(PORTS)):
            if len(found) == count:
                return found
            one = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                one.bind(("127.0.0.1", port))
                found.append(port)
    message = f"no {count} ports are free from {PORTS.start} to {PORTS.stop - 1}"
    raise OSError(message)


@functools.cache
def container_engine() -> str | None:
    """The `docker` program where its daemon answers, else None."""
    docker = shutil.which("docker")
    if docker is None:
        return None
    try:
        answer = subprocess.run([docker, "info"], capture_output=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return None
    return docker if answer.returncode == 0 else None


def tail(path: Path, lines: int = 30) -> str:
    """The last lines of a log file, for an error message."""
    if not path.exists():
        return f"(no log at {path.name})"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def wait_until(ready: Callable[[], bool], seconds_max: float, describe: Callable[[], str]) -> None:
    """Return once `ready()` is true; raise TimeoutError with `describe()` after `seconds_max`."""
    deadline = time.monotonic() + seconds_max
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(describe())
        time.sleep(0.2)


def run(command: Sequence[str], *, seconds_max: float = 600, **options: object) -> str:
    """Run a command to its end and return its output; RuntimeError carries the output's tail."""
    done = subprocess.run(  # type: ignore[call-overload]
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds_max,
        check=False,
        **options,
    )
    output: str = done.stdout
    if done.returncode != 0:
        last = "\n".join(output.splitlines()[-30:])
        message = f"{command[0]} ended with {done.returncode}:\n{last}"
        raise RuntimeError(message)
    return output


class Program:
    """A server program in the foreground, its output appended to one log file.

    It is told to die with the thread that started it where the system can do so
    (`setpriv --pdeathsig`), so that a killed test run leaves nothing behind.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        user_id: int | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Remember how to start; nothing runs yet."""
        setpriv = shutil.which("setpriv")
        self._command = [*([setpriv, "--pdeathsig", "KILL"] if setpriv else []), *command]
        self._user_id, self._env, self._cwd = user_id, env, cwd
        self._process: subprocess.Popen[bytes] | None = None
        self.log = log

    @property
    def pid(self) -> int | None:
        """The process id while it was started and not yet ended by us."""
        return self._process.pid if self._process else None

    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the program; the caller waits until it is ready."""
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                user=self._user_id,
                env=dict(os.environ if self._env is None else self._env),
                cwd=self._cwd,
                start_new_session=True,
            )

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Signal the process (by its id) and wait; after half a minute it is killed."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(how)
        try:
            process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S_MAX)

    def send(self, what: signal.Signals) -> None:
        """Send a signal without waiting, for example SIGSTOP and SIGCONT."""
        if self._process is not None:
            self._process.send_signal(what)
