"""Other people's data, the whole way: taken in, decided, explained, and decided again from the journal alone.

No public set of compute grants to employees exists: the grants here are made up for the groups, teams and logins that
the files name, and say nothing about anybody.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from engine.domain.errors import Refusal
from engine.domain.records import DecisionRow
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, load_bundle
from engine.policy.opa_child import OpaChild
from engine.service.explain import explain
from engine.service.ingest import Taking, ingest
from engine.service.process import Body
from engine.service.replay import canonical, check
from engine.service.standing import export_standing
from engine.store.lookups import Lookups
from engine.store.opening import open_store
from engine.store.sql_store import SqlStore
from tests.domain.make import event
from tests.service.real import PHILLY, ROOT, granted, philly, read, rows

NOW = 1_790_000_000_000_000
pytestmark = [pytest.mark.needs_opa, pytest.mark.needs_real_data]


class Run:
    """A fresh store under the shipped policies."""

    def __init__(self, folder: Path, opa: Path) -> None:
        """Start OPA and open the store."""
        self.opa = opa
        self.bundle: Bundle = load_bundle(ROOT / "policies", opa)
        self.child = OpaChild(self.bundle, opa)
        self.store: SqlStore = open_store(f"sqlite:///{folder / 'covenant.db'}")
        self.store.save_bundle(self.bundle.digest, self.bundle.to_bytes(), NOW)

    def take(self, arrivals: Iterable[Arrival]) -> Taking:
        """Take arrivals in."""
        return ingest(Body(self.store, self.child, self.bundle), arrivals, clock=lambda: NOW)

    def close(self) -> None:
        """End OPA and let go of the store."""
        self.child.close()
        self.store.close()

    def holds(self) -> None:
        """Every decision is made again identically from the journal, and can be explained."""
        replayed = check(self.store, self.opa)
        assert (replayed.differences, replayed.first) == (0, ())
        for decision in self._some():
            again = explain(Lookups(self.store), decision.id, self.opa, lambda bundle: OpaChild(bundle, self.opa))
            assert again.same, again.differences

    def _some(self) -> list[DecisionRow]:
        found = []
        for batch in self.store.batches(0):
            found += self.store.decisions(0, batch.version)[:2]
        return found[:2]


@pytest.fixture
def run(tmp_path: Path, opa_binary: str) -> Iterator[Run]:
    """A fresh store and OPA."""
    running = Run(tmp_path, Path(opa_binary))
    yield running
    running.close()


def test_image_requests_of_a_provider_are_charged_to_their_groups(run: Run, real_data: Path) -> None:
    """14,279 requests: what is pending isn't consumption and what failed is no usage; the seconds add up."""
    data = (real_data / "llm_usage" / "alibaba_genai_2024-11.csv.gz").read_bytes()
    lines = rows(gzip.decompress(data))
    grants = [
        arrival
        for group in sorted({line["groupId"] for line in lines})
        for arrival in granted(
            group,
            event("credential.created", "2024-01-01", ident=f"key-{group}", credential=f"alibaba/{group}", owner=f"p-{group}"),
            "second", "100000", "2024-01-01",
        )
    ]  # fmt: skip
    assert run.take(grants).refused == 0
    taking = run.take(read("map:" + str(ROOT / "examples/mappings/alibaba_genai.yaml"), data))
    assert (taking.read, taking.accepted, taking.duplicates, taking.refused) == (14_279, 14_279, 0, 0)
    settled = sum(int(float(line["exec_time_seconds"])) for line in lines if line["predict_status"] == "SUCCEED")
    with run.store.reading() as connection:
        query = "SELECT kind, sum(amount) FROM posting WHERE kind IN ('consumed', 'overage') GROUP BY kind"
        consumed: dict[str, int] = dict(connection.exec_driver_sql(query).all())
    assert sum(consumed.values()) == settled * 1_000_000
    run.holds()
    assert canonical(run.store, run.opa).first == ()


def test_jobs_out_of_order_end_where_the_same_jobs_in_order_do(run: Run, real_data: Path, tmp_path: Path) -> None:
    """52,849 jobs of all teams, tens of thousands of them late: the standing exports are the same, byte for byte."""
    packed = (real_data / "gpu_jobs" / "philly_2017-09_10.csv.gz").read_bytes()
    jobs = philly(packed)
    assert sorted(jobs.as_written.splitlines()) == sorted(jobs.in_order.splitlines())
    assert jobs.as_written != jobs.in_order
    (tmp_path / "ordered").mkdir()
    ordered = Run(tmp_path / "ordered", run.opa)
    exports = []
    for one, data in ((run, jobs.as_written), (ordered, jobs.in_order)):
        one.take(jobs.grants)
        taking = one.take(read(PHILLY, data))
        assert (taking.read, taking.accepted, taking.duplicates, taking.refused) == (52_849, 52_849, 0, 0)
        exports.append(list(export_standing(one.store)))
    ordered.close()
    assert exports[0] == exports[1]
    run.holds()


def test_every_webhook_is_an_event_or_a_refusal_with_a_reason(run: Run, real_data: Path) -> None:
    """163 deliveries of 30 kinds; a second time they are all duplicates, or refused again."""
    data = (real_data / "webhooks" / "github_octokit_7.6.1.jsonl.gz").read_bytes()
    configured = event("organisation.configured", "2019-01-01", owners=["github.com/Octocoders"])
    run.take([Arrival(configured)])
    first = run.take(read("github", data))
    assert first.read == first.accepted + first.duplicates + first.refused == 163
    for arrival in read("github", data):
        refusal = arrival.refusal
        assert (arrival.event is None) == isinstance(refusal, Refusal)
        assert refusal is None or (len(refusal.message) > 20 and refusal.do)
    again = run.take(read("github", data))
    assert (again.accepted, again.duplicates, again.refused) == (0, first.accepted + first.duplicates, first.refused)
    run.holds()
    assert canonical(run.store, run.opa).first == ()
