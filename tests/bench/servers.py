"""An OPA server with our rules on loopback, for whoever asks one by its URL."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import urllib3

from engine.policy.bundle import Bundle
from engine.policy.opa_child import write_bundle
from tests.services.parts import Program, free_ports, tail, wait_until

READY_S_MAX = 30.0


@contextmanager
def opa_server(bundle: Bundle, opa: Path, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start OPA on a bundle, in our environment or in another; gives its URL."""
    with tempfile.TemporaryDirectory(prefix="covenant-bench-opa-") as folder:
        write_bundle(bundle, Path(folder) / "bundle")
        (port,) = free_ports(1)
        url = f"http://127.0.0.1:{port}"
        command = [str(opa), "run", "--server", "--addr", f"127.0.0.1:{port}", "--log-level", "error", "--disable-telemetry"]
        program = Program([*command, f"{folder}/bundle"], Path(folder) / "log", env=env)
        program.start()
        try:
            wait_until(lambda: _ready(url), READY_S_MAX, lambda: f"OPA isn't ready:\n{tail(program.log)}")
            yield url
        finally:
            program.end()


def _ready(url: str) -> bool:
    try:
        return urllib3.request("GET", f"{url}/health", timeout=1.0, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False
