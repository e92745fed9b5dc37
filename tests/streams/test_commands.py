"""The commands that need a broker, as a person runs them."""

from __future__ import annotations

import gzip
import json
import urllib.request
from pathlib import Path

import pytest

from engine.policy.bundle import Bundle
from engine.policy.opa_child import OpaChild
from tests.streams.cluster import Cluster, embedded
from tests.streams.story import story, values

pytestmark = [pytest.mark.needs_kafka, pytest.mark.needs_opa]


@pytest.fixture
def small(four_lanes: str, opa_binary: str, tmp_path: Path) -> Cluster:
    """Commands over fresh topics and a SQLite store."""
    return Cluster(four_lanes, f"sqlite:///{tmp_path / 'covenant.db'}", opa_binary, tmp_path)


def run(cluster: Cluster, *arguments: str) -> tuple[int, str]:
    """Run a command to its end; gives its exit code and what it said."""
    process = cluster.start(*arguments)
    code = process.wait(120)
    return code, cluster.said(process)


def test_a_file_is_loaded_judged_and_published_by_one_process(
    small: Cluster, tmp_path: Path, rules: tuple[Bundle, OpaChild]
) -> None:
    """`topics load` sends each line to its topic, `up` does all the rest, and it ends where `ingest` ends."""
    file = tmp_path / "story.jsonl.gz"
    file.write_bytes(gzip.compress(b"\n".join(values(100)) + b"\n"))
    code, said = run(small, "topics", "load", str(file), "--format", "json")
    assert code == 0, said
    sent = json.loads(said.splitlines()[-1])
    assert sent["sent"] == len(story(100))
    assert sent["topics"].keys() >= {"covenant.usage", "covenant.people", "covenant.grants", "covenant.reference"}
    code, said = run(small, "up", "--until-drained")
    assert code == 0, said
    with small:
        assert small.left() == ""
        assert small.standing() == embedded(values(100), tmp_path, rules)
        told = {json.loads(value)["data"]["id"] for _, value in small.topic("covenant.violations")}
        assert told == {ident for (ident,) in small.rows("SELECT id FROM violation WHERE settled")}


def test_up_serves_the_console_beside_the_rest_and_ends_in_order(small: Cluster) -> None:
    """The console answers while worker and relay run; SIGTERM ends all of it with success."""
    process = small.start("up", COVENANT_PORT="0")
    with small:
        small.until(lambda: "The console is at http://127.0.0.1:" in small.said(process), 60)
        address = small.said(process).split("The console is at ", 1)[1].split()[0].rstrip("./")
        with urllib.request.urlopen(f"{address}/healthz", timeout=30) as answer:
            assert answer.status == 200
        small.until(lambda: "Working on lanes 0, 1, 2, 3 and the reference data." in small.said(process), 60)
        process.terminate()
        assert process.wait(60) == 0, small.said(process)


def test_topics_are_described_for_people_and_programs(small: Cluster) -> None:
    """As JSON lines with all fields and as a table; with another count of lanes exit 1 and what to do."""
    code, said = run(small, "topics", "describe", "--format", "json")
    assert code == 0, said
    found = {row["name"]: row for row in map(json.loads, said.splitlines())}
    assert found["covenant.usage"]["partitions"] == found["covenant.usage"]["wanted"] == 4
    assert "usage.*" in run(small, "topics", "describe")[1]
    wrong = small.start("topics", "describe", COVENANT_LANES="6")
    assert wrong.wait(60) == 1
    assert "murmur2" in small.said(wrong)
    assert run(small, "topics", "create")[1].strip() == "All topics are there already."


def test_a_relay_ends_when_nothing_waits(small: Cluster) -> None:
    """Asked to, it publishes what waits and ends."""
    with small:
        assert run(small, "relay", "--until-empty")[0] == 0


def test_a_file_that_cannot_be_read_is_one_clear_message(small: Cluster, tmp_path: Path) -> None:
    """Missing, or cut off in the middle of its compression."""
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(b"{}\n" * 1000)[:-20])
    for name in (str(tmp_path / "nothing"), str(cut)):
        code, said = run(small, "topics", "load", name)
        assert (code, "can't be read" in said, "Traceback" in said) == (2, True, False), said
