"""A revision put in force while workers run: they take it up with their next batch, and lose nothing."""

from __future__ import annotations

import json
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.domain import codec
from engine.domain.events import Event
from engine.domain.order import aggregate
from tests.domain.make import event
from tests.streams.cluster import Cluster

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.needs_kafka, pytest.mark.needs_opa, pytest.mark.needs_postgres]
PEOPLE = 8


def message(one: Event) -> tuple[str, str, bytes]:
    """Give an event as it is sent."""
    return (f"covenant.{one.data.TOPIC}", aggregate(one), codec.write_event(one))


def used(at: datetime, quantity: str, person: int) -> Event:
    """A person's usage at a moment."""
    return event("usage.inference", at.isoformat().replace("+00:00", "Z"), credential=f"c-{person}", quantity=quantity)


def granted(person: int) -> list[Event]:
    """What a person is granted, and by which credential they use it."""
    who = f"p-{person}"
    return [
        event("grant.issued", "2026-01-01", grant_id=f"G-{person}", holder=who, quantity="5000", vesting="immediate"),
        event("credential.created", "2026-01-01", credential=f"c-{person}", owner=who),
    ]


def test_an_activation_in_mid_stream_reaches_all_workers(cluster: Cluster, tmp_path: Path) -> None:
    """Two workers, four lanes: what occurred before it is judged by the former text, whenever sent, the rest by the new one."""
    now = datetime.now(UTC).replace(microsecond=0)
    cluster.send(message(one) for person in range(PEOPLE) for one in granted(person))
    cluster.send(message(used(now - timedelta(days=20), "500", person)) for person in range(PEOPLE))
    cluster.start("relay")
    for _ in range(2):
        cluster.start("worker")
    judged = "SELECT count(*) FROM decision WHERE stands AND type LIKE 'compute.usage.%%'"
    cluster.until(lambda: cluster.rows(judged)[0][0] == PEOPLE, 120)
    stricter = tmp_path / "stricter"
    shutil.copytree(ROOT / "policies", stricter)
    params = json.loads((stricter / "params.json").read_text())
    params["params"]["default"]["FU-001"]["cap_u"] = 100_000_000
    (stricter / "params.json").write_text(json.dumps(params))
    ((former,),) = cluster.rows("SELECT digest FROM bundle")
    report = tmp_path / "backtest.json"
    arguments = ["policy", "activate", str(stricter), "--author", "a", "--approver", "b", "--organisation", "acme"]
    report.write_text(json.dumps({"candidate": former, "opened": 8}))
    refused = cluster.start(*arguments, "--backtest", str(report))
    assert refused.wait(60) == 1
    candidate = cluster.said(refused).partition(", and this is ")[2][:12]
    shown = cluster.start("--format", "json", "policy", "build", str(stricter), "--output", str(tmp_path / "built"))
    assert shown.wait(60) == 0
    digest = json.loads(next(line for line in cluster.said(shown).splitlines() if line.startswith("{")))["revision"]
    assert digest.startswith(candidate)
    report.write_text(json.dumps({"candidate": digest, "opened": 8}))
    activated = cluster.start(*arguments, "--backtest", str(report))
    assert activated.wait(60) == 0, cluster.said(activated)
    time.sleep(1.1)  # what follows occurs after the activation's own second
    after = datetime.now(UTC).replace(microsecond=0)
    cluster.send(message(used(after, "150", person)) for person in range(PEOPLE))
    cluster.send(message(used(now - timedelta(days=10), "150", person)) for person in range(PEOPLE))
    cluster.until(lambda: cluster.rows(judged)[0][0] == 3 * PEOPLE, 120)
    by = "SELECT bundle, count(*) FROM decision WHERE stands AND type LIKE 'compute.usage.%%' GROUP BY bundle"
    assert dict(cluster.rows(by)) == {former: 2 * PEOPLE, digest: PEOPLE}
    cluster.until(lambda: len(cluster.rows("SELECT 1 FROM violation WHERE rule = 'FU-001'")) == PEOPLE, 180)
