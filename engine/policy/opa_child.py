"""OPA as a child process on loopback: the embedded evaluator. It ends with its parent and loads exactly one bundle."""

from __future__ import annotations

import contextlib
import ctypes
import json
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from opa_client import create_opa_client

from engine.domain.errors import EvaluatorUnavailable
from engine.policy.bundle import Bundle
from engine.policy.evaluator import Answer
from engine.policy.opa_binary import version
from engine.policy.opa_http import OpaClient

_PR_SET_PDEATHSIG: Final = 1
_START_S: Final = 30.0


class OpaChild:
    """An `Evaluator` that brings its own OPA."""

    def __init__(self, bundle: Bundle, opa: Path, *, batch: int = 500, in_flight: int = 3) -> None:
        """Write the bundle to a private folder and start OPA on it; OPA ends with the thread that calls this."""
        self.revision = bundle.digest
        self.opa_version = version(opa)
        self._folder = tempfile.TemporaryDirectory(prefix="covenant-opa-")
        root = Path(self._folder.name)
        write_bundle(bundle, root / "bundle")
        port = _free_port()
        self._log = (root / "log").open("wb")
        self.process = subprocess.Popen(
            [str(opa), "run", "--server", "--addr", f"127.0.0.1:{port}", "--log-level", "error", "--skip-version-check",
             str(root / "bundle")],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, nothing that takes a lock
        )  # fmt: skip
        try:
            self._wait(port, root / "log")
        except BaseException:
            self.close()
            raise
        self.url = f"http://127.0.0.1:{port}"
        self._client = OpaClient(self.url, bundle.digest, self.opa_version, batch=batch, in_flight=in_flight)

    def evaluate(self, inputs: Sequence[bytes]) -> list[Answer]:
        """Answer inputs in order."""
        return self._client.evaluate(inputs)

    def submit(self, inputs: Sequence[bytes]) -> Future[list[Answer]]:
        """Answer in the background."""
        return self._client.submit(inputs)

    def close(self) -> None:
        """End OPA and remove its folder."""
        if hasattr(self, "_client"):
            self._client.close()
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._log.close()
        self._folder.cleanup()

    def _wait(self, port: int, log: Path) -> None:
        deadline = time.monotonic() + _START_S
        client = create_opa_client(host="127.0.0.1", port=port)
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(Exception):
                if client.check_health():
                    return
            time.sleep(0.02)
        said = log.read_text(errors="replace").strip()[-500:]
        msg = f"OPA didn't start: {said or 'no word from it'}."
        raise EvaluatorUnavailable(msg, "Run `covenant policy check`; see that nothing holds back programs on loopback.")


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


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
