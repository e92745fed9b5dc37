"""OPA as a child process on loopback: the embedded evaluator. It ends with its parent and loads exactly one bundle."""

from __future__ import annotations

import contextlib
import ctypes
import json
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from opa_client import create_opa_client

from engine.domain.errors import EvaluatorUnavailable
from engine.policy.bundle import Bundle
from engine.policy.evaluator import Answer
from engine.policy.limits import DEFAULTS, MEMORY, TIME, Gate, Limits, TookTooLong, carefully, confine, environment
from engine.policy.opa_binary import version
from engine.policy.opa_http import OpaClient

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)
_START_S: Final = 30.0
_DYING_S: Final = 1.0
"""How long a process may take to be seen as dead after it stopped answering."""


class OpaChild:
    """An `Evaluator` that brings its own OPA, and starts it again should it die."""

    def __init__(self, bundle: Bundle, opa: Path, *, batch: int = 500, in_flight: int = 3, limits: Limits = DEFAULTS) -> None:
        """Write the bundle to a private folder and start OPA on it."""
        self.revision = bundle.digest
        self.opa_version = version(opa)
        self.limits = limits
        self._gate = Gate()
        self._opa, self._batch, self._in_flight = opa, batch, in_flight
        self._folder = tempfile.TemporaryDirectory(prefix="covenant-opa-")
        self._root = Path(self._folder.name)
        write_bundle(bundle, self._root / "bundle")
        self._log = (self._root / "log").open("ab")
        # A child ends with the thread that started it, so one thread that lives as long as we do starts it.
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="opa-keeper")
        self._batches = ThreadPoolExecutor(max(4, in_flight), thread_name_prefix="opa-batch")
        self._starting = threading.Lock()
        self._clients: list[OpaClient] = []
        self._closed = False
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def evaluate(self, inputs: Sequence[bytes]) -> list[Answer]:
        """Answer inputs in order."""
        client = self._clients[-1]
        try:
            with self._gate.shared():
                return client.at_once(inputs)
        except EvaluatorUnavailable as error:
            self._stopped(error, client)
        with self._gate.alone():
            parts = client.parts(inputs)
            return [answer for part in parts for answer in carefully(part, self.limits, self._ask, self._stopped)]

    def _ask(self, inputs: Sequence[bytes], seconds: float) -> list[Answer]:
        return self._clients[-1].one_call(inputs, seconds)

    def _stopped(self, error: EvaluatorUnavailable, client: OpaClient | None = None) -> str:
        """Make sure that an OPA answers, a new one where the former died or hangs; say over which limit it was stopped."""
        client = client or self._clients[-1]
        if isinstance(error, TookTooLong):
            if not client.well() and not self._started_again(client, hanging=True):
                raise error
            return TIME
        if not self._started_again(client):
            raise error
        return MEMORY

    def submit(self, inputs: Sequence[bytes]) -> Future[list[Answer]]:
        """Answer in the background."""
        return self._batches.submit(self.evaluate, inputs)

    def close(self) -> None:
        """End OPA and remove its folder."""
        self._closed = True
        self._batches.shutdown(wait=False, cancel_futures=True)
        for client in self._clients:
            client.close()
        if hasattr(self, "process"):
            _end(self.process)
        self._keeper.shutdown()
        self._log.close()
        self._folder.cleanup()

    def _start(self) -> None:
        port = _free_port()
        self.process = self._keeper.submit(self._spawn, port).result()
        self._wait(port)
        self.url = f"http://127.0.0.1:{port}"
        client = OpaClient(
            self.url, self.revision, self.opa_version, batch=self._batch, in_flight=self._in_flight, limits=self.limits
        )  # fmt: skip
        self._clients.append(client)

    def _started_again(self, failed: OpaClient, *, hanging: bool = False) -> bool:
        """Start OPA again if it has died, or is `hanging` and so is ended; False where it lives."""
        with self._starting:
            if self._closed:
                return False
            if self._clients[-1] is failed:
                if hanging:
                    self.process.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(_DYING_S)
                if self.process.poll() is None:
                    return False
                self._start()
            return True

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        command = [
            str(self._opa),
            "run",
            "--server",
            "--addr",
            f"127.0.0.1:{port}",
            "--log-level",
            "error",
            "--skip-version-check",
        ]
        process = subprocess.Popen(
            [*command, "--skip-version-check", str(self._root / "bundle")],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=environment(self.limits),
            preexec_fn=_die_with_the_parent,  # noqa: PLW1509 - one system call, nothing that takes a lock
        )
        confine(self.limits, process.pid)
        return process

    def _wait(self, port: int) -> None:
        deadline = time.monotonic() + _START_S
        client = create_opa_client(host="127.0.0.1", port=port)
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(Exception):
                if client.check_health():
                    return
            time.sleep(0.02)
        said = (self._root / "log").read_text(errors="replace").strip()[-500:]
        msg = f"OPA didn't start: {said or 'no word from it'}."
        raise EvaluatorUnavailable(msg, "Run `covenant policy check`; see that nothing holds back programs on loopback.")


def _die_with_the_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    if process.poll() is None:
        process.kill()
        process.wait()


def write_bundle(bundle: Bundle, folder: Path) -> None:
    """Lay out what OPA loads: the files, and the digest that every answer repeats."""
    for name, text in bundle.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "revision.json").write_text(json.dumps({"revision": {"digest": bundle.digest}}))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
