"""OPA servers and what pretends to be one: what evaluators by URL are tried on."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import urllib3

from engine.policy.bundle import Bundle, load_bundle
from engine.policy.opa_child import write_bundle
from tests.services.parts import ROOT, Program, free_ports, tail, wait_until

POLICIES = ROOT / "policies"
DIVIDES = """
# METADATA
# title: Divides by the consumers
# description: For tests, an input without consumers makes a built-in fail.
# custom:
#   code: FU-099
#   clause: A
#   severity: low
#   respondent: holder
#   discriminator: [event.month]
#   settle: PT1H
#   sentence: "{holder} divided by {consumers}, which was none."
breach contains {"code": "FU-099", "evidence": {"consumers": 1}} if {
	input.event.type in {"compute.usage.gpu.v1", "compute.usage.inference.v1"}
	100 / input.facts.use.consumers_24h > 1000
}
"""


def usage(number: int, total: int = 0, consumers: int = 1) -> bytes:
    """Give an input of usage that names itself by number."""
    document = json.loads((POLICIES / "fixtures.json").read_text())["fixtures"]["usage"]
    document["event"]["id"] = f"test {number}"
    document["facts"]["use"] = {"ccu_30d_u": total, "consumers_24h": consumers}
    return json.dumps(document).encode()


def dividing(opa: Path, folder: Path) -> Bundle:
    """Make a bundle of the shipped policies and a rule whose built-in fails on an input without consumers."""
    shutil.copytree(POLICIES, folder)
    (folder / "fair_use" / "fu_099.rego").write_text(f"package covenant.fair_use\n{DIVIDES}")
    return load_bundle(folder, opa)


class OpaServer:
    """`opa run --server` on loopback, on a bundle; to be ended and started again."""

    def __init__(self, opa: Path, bundle: Bundle | Path) -> None:
        """Start on a bundle, or on a folder that holds one."""
        self._folder = Path(tempfile.mkdtemp(prefix="covenant-test-opa-"))
        if isinstance(bundle, Bundle):
            write_bundle(bundle, self._folder / "bundle")
        served = bundle if isinstance(bundle, Path) else self._folder / "bundle"
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        command = [
            str(opa),
            "run",
            "--server",
            "--addr",
            f"127.0.0.1:{port}",
            "--skip-version-check",
            str(served),
        ]
        self._program = Program(command, self._folder / "log")
        self.start()

    def start(self) -> None:
        """Start and wait until it answers."""
        self._program.start()
        wait_until(self._answers, 30.0, lambda: tail(self._folder / "log"))

    def kill(self) -> None:
        """Kill -9."""
        self._program.end(signal.SIGKILL)

    def stop(self) -> None:
        """Hold it up: it takes connections and says nothing."""
        os.kill(self._pid(), signal.SIGSTOP)
        stat = Path(f"/proc/{self._pid()}/stat")
        wait_until(lambda: " T " in stat.read_text(), 10.0, lambda: "it can't be held up")

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self._pid(), signal.SIGCONT)

    def close(self) -> None:
        """End it and remove what it had."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _pid(self) -> int:
        assert self._program.pid is not None
        return self._program.pid

    def _answers(self) -> bool:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            return urllib3.request("GET", f"{self.url}/health", retries=False, timeout=1.0).status == 200
        return False


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """Give the URL of something that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextlib.contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """Give the URL of something that answers every POST with one status and body."""

    class Handler(BaseHTTPRequestHandler):
        """Answers, and keeps no log."""

        def do_POST(self) -> None:
            """Read what was sent, answer."""
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
