"""Workers over a broker end where the embedded body ends, byte for byte, and say what they found on the topics."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from engine.policy.bundle import Bundle
from engine.policy.opa_child import OpaChild
from engine.service.publishing import Publisher
from engine.service.replay import check
from examples import company
from tests.examples.found import expected_of, found_in
from tests.streams.cluster import KEY, Cluster, embedded
from tests.streams.frozen import SOON_MISSED
from tests.streams.story import story, values

pytestmark = [pytest.mark.needs_kafka, pytest.mark.needs_postgres, pytest.mark.needs_opa]
Rules = tuple[Bundle, OpaChild]


def test_the_example_companys_findings_are_the_same_through_the_broker(
    cluster: Cluster, tmp_path: Path, rules: Rules, opa_binary: str
) -> None:
    """Four partitions, two workers that come and go, all loaded before: exactly the findings expected, the same standing export.

    The run's journal, replayed by the embedded body in recorded order, gives the same decisions.
    """
    sent = cluster.send(company.messages())
    come_and_go(cluster, sent)
    cluster.drain(workers=2)
    assert cluster.recorded() == sent
    without_reference = "read > 0 AND lane >= 0 AND reference < (SELECT count(*) FROM journal WHERE lane = -1)"
    assert cluster.rows(f"SELECT count(*) FROM batch WHERE {without_reference}") == [(0,)]
    assert cluster.standing() == embedded(company.lines(), tmp_path, rules)
    found = found_in(cluster.store, cluster.standing().split(b"\n"))
    expected = expected_of(company.expected())
    assert {kind: found[kind] for kind in expected} == expected
    again = check(cluster.store, Path(opa_binary))
    assert (again.differences, again.first) == (0, ())
    assert again.decisions > 40_000


def come_and_go(cluster: Cluster, sent: int) -> None:
    """Have two workers take in most of what was sent: one leaves and another joins, one is killed, in the end all are gone."""
    relay, first, second = cluster.start("relay"), cluster.start_python(SOON_MISSED), cluster.start_python(SOON_MISSED)
    cluster.until(lambda: cluster.recorded() > sent // 5, 400)
    first.terminate()
    assert first.wait(60) == 0, cluster.said(first)
    third = cluster.start_python(SOON_MISSED)
    cluster.until(lambda: cluster.recorded() > sent * 2 // 5, 400)
    second.kill()
    second.wait()
    cluster.until(lambda: cluster.recorded() > sent * 3 // 5, 400)
    for process in (third, relay):
        process.terminate()
        assert process.wait(60) == 0, cluster.said(process)


def test_what_arrives_piece_by_piece_ends_the_same(cluster: Cluster, tmp_path: Path, rules: Rules) -> None:
    """Topics filled one after the other, the grants last and the reference data in between: late facts change nothing."""
    cluster.environment["COVENANT_BREAKER"] = "0"  # a feed that says it is complete while the grants are missing is held, rightly
    relay, worker = cluster.start("relay"), cluster.start("worker")
    names = ["covenant.usage", "covenant.reference", "covenant.repository-activity", "covenant.people", "covenant.grants"]
    for name in names:
        cluster.send([message for message in story(40) if message[0] == name], "gzip")
        cluster.until(lambda: not cluster.left(), 300)
    for process in (worker, relay):
        process.terminate()
        assert process.wait(30) == 0, cluster.said(process)
    cluster.drain()
    assert cluster.standing() == embedded(values(40), tmp_path, rules)


def test_violations_are_told_once_each_by_pseudonym_and_never_as_more_than_an_allegation(cluster: Cluster) -> None:
    """Every settled violation stands on its topics as it stands in the store; no person's id leaves on the public ones."""
    cluster.send(story())
    cluster.drain(workers=2)
    rows = cluster.rows("SELECT id, status, version, holder, count FROM violation WHERE settled")
    told = [json.loads(value) for _, value in cluster.topic("covenant.violations")]
    assert rows
    assert {event["data"]["id"] for event in told} == {row[0] for row in rows}
    assert max(Counter(event["id"] for event in told).values()) == 1
    assert not any(event["data"]["actionable"] for event in told)
    current = {key.decode(): json.loads(value)["data"] for key, value in cluster.topic("covenant.violations.current") if key}
    pseudonym = Publisher(KEY.encode()).pseudonym
    seen = {(i, c["status"], c["version"], c["holder"], c["count"]) for i, c in current.items()}
    assert seen == {(i, status, version, pseudonym(holder), count) for i, status, version, holder, count in rows}
    holders = {row[3] for row in rows if row[3]}
    public = b"\n".join(key + value for key, value in cluster.topic("covenant.violations") if key)
    assert not [holder for holder in holders if f"/{holder}".encode() in public or f'"{holder}"'.encode() in public]
    findings = [json.loads(value)["data"] for _, value in cluster.topic("covenant.findings")]
    assert {finding["holder"] for finding in findings if finding["holder"]} == holders
    assert all(finding["evidence"] for finding in findings)


def test_what_cannot_be_read_becomes_a_dead_letter_and_the_partition_goes_on(
    cluster: Cluster, tmp_path: Path, rules: Rules
) -> None:
    """Broken, empty, binary, deep, oversized, unknown, on the wrong topic, forged: each is refused once, with a reason."""
    good = story(200)
    bad = [
        ("covenant.usage", b"{oops"), ("covenant.usage", b""), ("covenant.people", b"\x00\xff\xfe binary"),
        ("covenant.people", b"[" * 30_000), ("covenant.grants", b'{"a": "' + b"x" * 1_500_000 + b'"}'),
        ("covenant.usage", b'{"specversion":"1.0","type":"compute.magic.done.v1","id":"1","source":"s"}'),
        ("covenant.usage", next(value for topic, _, value in good if topic == "covenant.reference")),
        ("covenant.derived", b'{"covenanttarget": 7}'), ("covenant.derived", b"[" * 30_000),
        ("covenant.reference", b"not json"), ("covenant.reference", next(v for t, _, v in good if t == "covenant.people")),
    ]  # fmt: skip
    cluster.send([(topic, "k", value) for topic, value in bad])
    cluster.send(good, "zstd")
    cluster.drain()
    refused = cluster.rows("SELECT id FROM refused")
    letters = [json.loads(value) for _, value in cluster.topic("covenant.dead-letters")]
    assert sorted(letter["data"]["id"] for letter in letters) == sorted(ident for (ident,) in refused)
    wheres = {letter["data"]["where"].rpartition("/")[0] for letter in letters[: len(refused)]}
    assert len(letters) >= len(bad)
    assert wheres >= {topic for topic, _ in bad}
    assert all(letter["data"]["reason"] for letter in letters)
    assert {letter["id"] for letter in letters} <= {json.loads(value)["id"] for _, value in cluster.topic("covenant.audit")}
    assert cluster.standing() == embedded([value for _, _, value in good], tmp_path, rules)
