"""The embedded way, whole: lines of a file → intake → the body, two batches in flight → SQLite, on a child OPA.

What `covenant ingest` does, on a store of its own; nothing is left out and nothing is prepared but the store's tables.
"""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from engine import bootstrap
from engine.intake.arrivals import Arrival
from engine.intake.sources import Options, open_source
from engine.policy.bundle import Bundle
from engine.policy.evaluator import Answer, Evaluator
from engine.policy.opa_child import OpaChild
from engine.service.ingest import ingest
from engine.service.process import Body
from engine.store.opening import open_store
from tests.bench import stream as streams
from tests.bench.figures import Figure


class Noting:
    """An evaluator that remembers what it was asked."""

    def __init__(self, evaluator: Evaluator) -> None:
        """Ask `evaluator`."""
        self._evaluator = evaluator
        self.revision = evaluator.revision
        self.opa_version = evaluator.opa_version
        self.asked: list[bytes] = []

    def evaluate(self, inputs: Sequence[bytes]) -> list[Answer]:
        """Note and answer."""
        self.asked += inputs
        return self._evaluator.evaluate(inputs)

    def submit(self, inputs: Sequence[bytes]) -> Future[list[Answer]]:
        """Note and answer in the background."""
        self.asked += inputs
        return self._evaluator.submit(inputs)

    def close(self) -> None:
        """Close what is asked."""
        self._evaluator.close()


def measure(
    bundle: Bundle, opa: Path, stream: Sequence[streams.Message], batch: int, name: str = "embedded"
) -> tuple[Figure, list[bytes]]:
    """Take a stream in; gives the figure, and every input that OPA was asked."""
    return measure_file(bundle, opa, streams.lines(stream), batch, name)


def measure_file(
    bundle: Bundle, opa: Path, content: bytes, batch: int, name: str, source: str = "cloudevents", before: Sequence[Arrival] = ()
) -> tuple[Figure, list[bytes]]:
    """Take a file's content in through its source, after what is told `before` and isn't timed."""
    file = io.BytesIO(content)
    options = Options(now_us=bootstrap.now_us(), organisation="" if source == "cloudevents" else "acme")
    with (
        TemporaryDirectory(prefix="covenant-bench-") as folder,
        closing(Noting(OpaChild(bundle, opa))) as evaluator,
        closing(open_store(f"sqlite:///{folder}/covenant.db")) as store,
        bootstrap.calm_collector(),
    ):
        body = Body(store, evaluator, bundle)
        if before:
            ingest(body, before, clock=bootstrap.now_us)
        started = time.perf_counter()
        arrivals = open_source(source).arrivals(file, "bench", options)
        taken = ingest(body, arrivals, clock=bootstrap.now_us, batch=batch)
        seconds = time.perf_counter() - started
    what = f"file → intake → body → SQLite, child OPA, {batch:,} events a batch, two batches in flight"
    detail = {"accepted": taken.accepted, "decisions": taken.decisions, "asked": len(evaluator.asked)}
    return Figure(name, what, taken.read, len(set(evaluator.asked)), seconds, detail), evaluator.asked
