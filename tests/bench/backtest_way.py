"""The backtest: a candidate over a history that is in the store, compared with OPA alone on the same inputs, in turn.

Measured twice: `backtest` is a candidate after the first, asked of the inputs that are kept, from reading them to the
report; `backtest, refolding` is the first one, which refolds the journal too. `limit beside backtest` asks the very same
inputs of the same OPA process with nobody else at work.
"""

from __future__ import annotations

import io
import json
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from engine import bootstrap
from engine.intake.sources import Options as Reading
from engine.intake.sources import open_source
from engine.policy.bundle import Bundle, digest_of
from engine.policy.opa_child import OpaChild
from engine.service.backtest import Options, backtest, cores
from engine.service.backtest_inputs import keep_inputs, read_inputs
from engine.service.backtest_page import page
from engine.service.backtest_report import document
from engine.service.ingest import ingest
from engine.service.process import Body
from engine.store.opening import open_store
from engine.store.sql_store import SqlStore
from tests.bench import figures, limit
from tests.bench import stream as streams
from tests.bench.figures import Figure

PEOPLE: Final = 10_000
EVENTS_A_PERSON: Final = 50_000 / 60 / 0.75
"""A year's events of one of the example company's sixty people, who make 50,000 in nine months."""


def measure(bundle: Bundle, opa: Path, url: str, stream: list[streams.Message], batch: int, rounds: int) -> list[Figure]:
    """Take a stream in, then backtest a lower cap over it, beside the OPA at `url` on its inputs; gives the three figures."""
    candidate = lower_cap(bundle)
    with (
        TemporaryDirectory(prefix="covenant-bench-") as folder,
        closing(open_store(f"sqlite:///{folder}/covenant.db")) as store,
        bootstrap.calm_collector(),
    ):
        work = Path(folder) / "work"
        _take_in(store, bundle, opa, stream, batch)
        with closing(OpaChild(candidate, opa, in_flight=cores() + 1)) as child:
            first = _figure(store, candidate, child, work, "backtest, refolding", len(stream))
            bodies = _bodies(store, candidate, work)
            ours, alone = [], []
            for _ in range(rounds):
                ours.append(_figure(store, candidate, child, work, "backtest", len(stream)))
                alone.append(limit.measure(url, bodies, len(stream), name="limit beside backtest"))
    return [first, figures.best(ours), figures.best(alone)]


def lower_cap(bundle: Bundle) -> Bundle:
    """The same bundle with a cap of 700."""
    data = bundle.data
    for held in data["params"].values():
        held["FU-001"]["cap_u"] = 700_000_000
    files = bundle.files | {"params.json": json.dumps(data)}
    return Bundle(digest_of(files), files, bundle.catalogue)


def year_hours(figure: Figure) -> float:
    """How long a year of 10,000 people takes at a figure's rate of events, in hours."""
    return round(PEOPLE * EVENTS_A_PERSON / figure.events_a_second / 3600, 2)


def _take_in(store: SqlStore, bundle: Bundle, opa: Path, stream: list[streams.Message], batch: int) -> None:
    file = io.BytesIO(streams.lines(stream))
    store.save_bundle(bundle.digest, bundle.to_bytes(), 1)
    with closing(OpaChild(bundle, opa)) as evaluator:
        arrivals = open_source("cloudevents").arrivals(file, "bench", Reading(now_us=bootstrap.now_us()))
        ingest(Body(store, evaluator, bundle), arrivals, clock=bootstrap.now_us, batch=batch)


def _figure(store: SqlStore, candidate: Bundle, child: OpaChild, work: Path, name: str, events: int) -> Figure:
    started = time.perf_counter()
    inputs = keep_inputs(store, candidate, work)
    said = document(backtest(store, candidate, child, inputs, Options()))
    page(said, "")
    seconds = time.perf_counter() - started
    what = "a candidate over the store's history, child OPA, to the report and its page"
    detail = {"opened": said["opened"], "changed": said["changed"]}
    return Figure(name, what, events, said["events"], seconds, detail)


def _bodies(store: SqlStore, candidate: Bundle, work: Path) -> list[bytes]:
    return [one.body for block in read_inputs(keep_inputs(store, candidate, work)) for one in block]
