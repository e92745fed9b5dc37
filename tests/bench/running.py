"""Measuring all ways side by side in one run, on one stream, with real servers; a part that isn't here leaves its figure out."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec

from engine.policy.bundle import Bundle, load_bundle
from engine.policy.limits import DEFAULTS, environment, id_of
from tests.bench import backtest_way, embedded, figures, kafka_way, ledger_way, limit, naive_way, servers
from tests.bench import stream as streams
from tests.bench.figures import Figure
from tests.bench.kafka_way import OpaAt
from tests.service.real import PHILLY, REAL_DATA, philly
from tests.services import kafka, opa, postgres
from tests.services.parts import ROOT, MissingPart

PHILLY_FILE: Final = REAL_DATA / "gpu_jobs" / "philly_2017-09_10.csv.gz"

NO_JOBS: Final = "real jobs: set COVENANT_REAL_DATA to the folder of real input"


class Plan(msgspec.Struct, frozen=True):
    """How much is measured: counts of events, of inputs for the obvious build, and how often."""

    events: int = 50_000
    late_events: int = 12_000
    jobs: int | None = None
    """Real jobs, None for all of the file; left out where there is no real data."""
    naive_inputs: int = 3_000
    ledger_entries: int = ledger_way.ENTRIES
    rounds: int = 2
    workers: int = 2
    batch: int = 2_000
    seconds_max: float = 240.0
    """For any one measurement of the Kafka way or the obvious build."""


QUICK = Plan(events=16_000, late_events=4_000, jobs=6_000, naive_inputs=800, ledger_entries=120_000, rounds=1, seconds_max=90.0)

Say = Callable[[str], None]


class Result(msgspec.Struct):
    """What a run measured, and what it had to leave out."""

    figures: list[Figure]
    others: dict[str, float | None]
    missing: list[str]

    def document(self, plan: Plan) -> dict[str, Any]:
        """Give what `build/bench.json` holds."""
        machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
        more = {"plan": msgspec.to_builtins(plan), "machine": machine, "missing": self.missing, **self.others}
        return figures.document(self.figures, more)


def run(plan: Plan, say: Say = lambda _: None) -> Result:
    """Measure everything that can be brought up here; `say` is told what is measured next."""
    program = Path(opa.find())
    result = Result([], {}, [])
    with ExitStack() as stack:
        policies = Path(stack.enter_context(TemporaryDirectory(prefix="covenant-bench-"))) / "policies"
        shutil.copytree(ROOT / "policies", policies)  # all ways judge by the same rules, whatever is edited meanwhile
        bundle = load_bundle(policies, program)
        url = stack.enter_context(servers.opa_server(bundle, program))
        stream = streams.messages(plan.events)
        asked = _embedded_and_limit(plan, bundle, program, url, stream, result, say)
        _late(plan, bundle, program, result, say)
        _backtest(plan, bundle, program, url, stream, result, say)
        try:
            broker = stack.enter_context(kafka.KafkaServer()).bootstrap
            server = stack.enter_context(postgres.PostgresServer())
        except MissingPart as missing:
            result.missing.append(str(missing))
        else:
            _kafka_and_naive(plan, OpaAt(str(program), url, str(policies)), (broker, server), stream, asked, result, say)
            say(f"the ledger, {plan.ledger_entries:,} usage entries")
            with server.database() as store:
                result.others |= ledger_way.measure(store, plan.ledger_entries)
    return result


def _embedded_and_limit(
    plan: Plan, bundle: Bundle, program: Path, url: str, stream: list[streams.Message], result: Result, say: Say
) -> list[bytes]:
    """Measure the two in turn, so that a slow spell of the machine meets both; gives the inputs, each once."""
    ours, alone = [], []
    asked: list[bytes] = []
    for number in range(plan.rounds):
        say(f"embedded, {plan.events:,} events, round {number + 1} of {plan.rounds}")
        figure, asked = embedded.measure(bundle, program, stream, plan.batch)
        ours.append(figure)
        asked = list(dict.fromkeys(asked))
        say(f"OPA alone, {len(asked):,} inputs, round {number + 1} of {plan.rounds}")
        alone.append(limit.measure(url, asked, figure.events))
    result.figures += [figures.best(ours), figures.best(alone)]
    say(f"OPA alone, started as our own is, {len(asked):,} inputs")
    with servers.opa_server(bundle, program, environment(DEFAULTS)) as tuned:
        figure = limit.measure(tuned, asked, plan.events, name="limit, tuned", how="in the environment of our own")
    result.figures.append(figure)
    return asked


def _late(plan: Plan, bundle: Bundle, program: Path, result: Result, say: Say) -> None:
    say(f"{plan.late_events:,} events in order and out of order")
    stream = streams.messages(plan.late_events)
    in_order, _ = embedded.measure(bundle, program, stream, plan.batch, "in order")
    late, _ = embedded.measure(bundle, program, streams.out_of_order(stream), plan.batch, "out of order")
    result.figures += [in_order, late]
    result.others["late_vs_in_order_seconds"] = figures.lateness(in_order, late)
    if not PHILLY_FILE.is_file():
        result.missing.append(NO_JOBS)
        return
    jobs = philly(PHILLY_FILE.read_bytes(), plan.jobs)
    say(f"{len(jobs.as_written.splitlines()) - 1:,} real jobs, by when they ended and as they were written down")
    by_end, as_written = (
        embedded.measure_file(bundle, program, content, plan.batch, name, PHILLY, jobs.grants)[0]
        for name, content in (("jobs by their end", jobs.in_order), ("jobs as written", jobs.as_written))
    )
    result.figures += [by_end, as_written]
    result.others["jobs as written vs by their end, seconds"] = figures.lateness(by_end, as_written)


def _backtest(
    plan: Plan, bundle: Bundle, program: Path, url: str, stream: list[streams.Message], result: Result, say: Say
) -> None:
    say(f"a backtest over {plan.events:,} events, and OPA alone on its inputs, {plan.rounds + 1} rounds")
    refolding, kept, alone = backtest_way.measure(bundle, program, url, stream, plan.batch, plan.rounds + 1)
    result.figures += [refolding, kept, alone]
    result.others["backtest, a year of 10,000 people, hours"] = backtest_way.year_hours(kept)
    result.others["the same, refolding, hours"] = backtest_way.year_hours(refolding)


def _kafka_and_naive(
    plan: Plan,
    opa_at: OpaAt,
    servers_at: tuple[str, postgres.PostgresServer],
    stream: list[streams.Message],
    asked: list[bytes],
    result: Result,
    say: Say,
) -> None:
    broker, server = servers_at
    say(f"Kafka, {plan.events:,} events, {plan.workers} workers")
    with server.database() as store:
        ours = kafka_way.measure(broker, store, opa_at, stream, len(asked), plan.workers, plan.seconds_max)
    say("OPA alone again, so that Kafka is compared with the machine as it was then")
    beside = limit.measure(opa_at.url, asked, ours.events, name="limit beside Kafka")
    result.figures += [ours, beside]
    documents = list({id_of(one): one for one in asked}.values())[-plan.naive_inputs :]  # it keeps one decision an event
    say(f"the obvious build, {len(documents):,} inputs")
    with server.database() as store:
        result.figures.append(naive_way.measure(broker, store, opa_at.url, documents, plan.seconds_max))
