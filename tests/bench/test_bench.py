"""The bench itself, on very little: every way runs on real servers, and all work off the same inputs."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.bench import running, stream
from tests.bench.running import Plan

BACKTEST = ("backtest, refolding", "backtest", "limit beside backtest")


def test_a_stream_out_of_order_is_the_same_events_in_another_order() -> None:
    """Nothing lost, nothing twice, the same every time."""
    given = stream.messages(2_000)
    late = stream.out_of_order(given)
    assert late != given
    assert Counter(late) == Counter(given)
    assert late == stream.out_of_order(given)


@pytest.mark.needs_opa
@pytest.mark.needs_kafka
@pytest.mark.needs_postgres
@pytest.mark.timeout(300)
def test_every_way_is_measured_on_real_servers() -> None:
    """All figures come out above nothing, and only the ratios whose peer isn't built yet are null."""
    plan = Plan(
        events=1_500,
        late_events=600,
        jobs=100,
        naive_inputs=40,
        ledger_entries=2_400,
        rounds=1,
        workers=1,
        batch=200,
        seconds_max=120.0,
    )
    result = running.run(plan)
    jobs = ["jobs by their end", "jobs as written"] if running.PHILLY_FILE.is_file() else []
    assert result.missing == ([] if jobs else [running.NO_JOBS])
    found = {figure.name: figure for figure in result.figures}
    embedded = ["embedded", "limit", "limit, tuned", "in order", "out of order", *jobs]
    assert list(found) == [*embedded, *BACKTEST, "kafka", "limit beside Kafka", "naive"]
    assert all(figure.inputs_a_second > 0 for figure in found.values())
    assert found["embedded"].inputs == found["limit"].inputs == found["limit, tuned"].inputs == found["kafka"].inputs
    assert len({found[name].inputs for name in BACKTEST}) == 1
    assert found["naive"].inputs == plan.naive_inputs - 1
    document = json.loads(json.dumps(result.document(plan)))
    nulls = {name for name, ratio in document["ratios"].items() if ratio is None}
    assert nulls == {"kafka_vs_best_peer"}
    assert document["backtest, a year of 10,000 people, hours"] > 0
    assert document["the same, refolding, hours"] > 0
    assert document["late_vs_in_order_seconds"] > 0
    assert 0 < document["ledger, 12 months, snapshots"] < 1
