"""The bench's arithmetic."""

from __future__ import annotations

import pytest

from tests.bench import figures
from tests.bench.figures import Figure


def figure(name: str, inputs: int, seconds: float) -> Figure:
    """Make a figure of twice as many events as inputs."""
    return Figure(name, "as told", inputs * 2, inputs, seconds)


def test_a_rate_is_what_was_done_over_how_long_it_took() -> None:
    """Inputs and events have a rate each; no time gives no rate, never a division by zero."""
    one = figure("limit", 3_000, 1.5)
    assert (one.inputs_a_second, one.events_a_second) == (2_000, 4_000)
    assert figure("limit", 3_000, 0.0).inputs_a_second == 0


def test_the_best_of_several_runs_keeps_the_rates_of_all() -> None:
    """So that a spread can be seen beside the figure that counts."""
    fastest = figures.best([figure("limit", 100, 2.0), figure("limit", 100, 1.0), figure("limit", 100, 4.0)])
    assert fastest.seconds == 1.0
    assert fastest.detail["runs_inputs_a_second"] == [50, 100, 25]


def test_a_ratio_compares_inputs_a_second_and_is_null_without_its_peer() -> None:
    """Ours over theirs; what was not measured gives no number."""
    measured = [figure("embedded", 700, 1.0), figure("limit", 2_000, 1.0), figure("naive", 50, 1.0)]
    measured += [figure("kafka", 500, 1.0), figure("limit beside Kafka", 2_000, 1.0)]
    measured += [figure("backtest", 900, 1.0), figure("limit beside backtest", 1_000, 1.0)]
    assert figures.ratios(measured) == {
        "kafka_vs_naive": 10.0,
        "kafka_vs_best_peer": None,
        "kafka_vs_limit": 0.25,
        "embedded_vs_limit": 0.35,
        "backtest_vs_limit": 0.9,
    }
    assert figures.ratios(measured[:2])["kafka_vs_naive"] is None


def test_the_document_holds_the_ratios_that_are_promised() -> None:
    """All names are there whatever was measured, beside each figure with its rates."""
    document = figures.document([figure("limit", 10, 2.0)], {"missing": ["a broker"]})
    assert set(document["ratios"]) == set(figures.RATIOS)
    assert document["missing"] == ["a broker"]
    assert document["figures"][0]["inputs_a_second"] == 5.0


def test_lateness_is_how_many_times_longer_it_takes() -> None:
    """Three times at most is what is wanted of it."""
    assert figures.lateness(figure("in order", 10, 2.0), figure("out of order", 10, 5.0)) == 2.5


@pytest.mark.parametrize(
    ("ratio", "shown"), [("embedded_vs_limit", "0.500   (mark 0.35)"), ("kafka_vs_limit", "-   (mark 0.25)")]
)
def test_the_table_shows_each_ratio_with_its_mark(ratio: str, shown: str) -> None:
    """And a dash where there is none."""
    lines = figures.table([figure("embedded", 50, 1.0), figure("limit", 100, 1.0)], {}).splitlines()
    assert next(line for line in lines if line.startswith(ratio)).endswith(shown)
