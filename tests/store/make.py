"""Rows and batches for the store's tests: complete, small, and different only where a test says so."""

from __future__ import annotations

from typing import Any

from engine.domain.errors import NotFound
from engine.domain.records import (
    AggregateRow,
    Batch,
    Checkpoint,
    DecisionRow,
    DerivedRow,
    IndeterminateRow,
    JournalRow,
    Loaded,
    OutboxRow,
    PostingRow,
    ViolationChange,
    ViolationRow,
)
from engine.store.protocol import Store

P1, P2 = "acme/person/p-1", "acme/person/p-2"


def entry(identity: str, *, aggregate: str = P1, **values: Any) -> JournalRow:
    """An entry of an aggregate."""
    given: dict[str, Any] = {
        "ordinal": 0, "organisation": "acme", "aggregate": aggregate, "identity": identity, "type": "compute.grant.issued.v1",
        "time": 10, "effective": 10, "recorded_at": 99, "origin": "inbound", "revision": 0, "withdrawn": False, "event": "{}",
    }  # fmt: skip
    return JournalRow(**given | values)


def decision(ident: str, *, aggregate: str = P1, identity: str = "", **values: Any) -> DecisionRow:
    """A decision on an entry, by default one of its own."""
    given: dict[str, Any] = {
        "id": ident, "ordinal": 0, "organisation": "acme", "aggregate": aggregate, "identity": identity or ident,
        "source": "s", "event_id": "e", "type": "compute.usage.inference.v1", "time": 10, "bundle": "b" * 32,
        "input_digest": f"input of {ident}", "fold_version": 1, "opa_version": "1.22.2", "outcomes": '{"pass":[]}',
        "verdict": "pass", "supersedes": "", "cause": "",
    }  # fmt: skip
    return DecisionRow(**given | values)


def posting(amount: int, *, aggregate: str = P1, **values: Any) -> PostingRow:
    """A change to a grant's balance."""
    given: dict[str, Any] = {
        "ordinal": 0, "organisation": "acme", "aggregate": aggregate, "identity": "i", "grant": "G1", "holder": "p-1",
        "unit": "CCU", "kind": "consumed", "amount": amount, "time": 10, "recorded_at": 99,
    }  # fmt: skip
    return PostingRow(**given | values)


def violation(ident: str, *, aggregate: str = P1, **values: Any) -> ViolationRow:
    """A violation that is provisional."""
    given: dict[str, Any] = {
        "id": ident, "organisation": "acme", "rule": "FU-007", "aggregate": aggregate, "discriminator": '["c"]',
        "severity": "critical", "clause": "G6", "respondent": "holder", "holder": "p-1", "repository": "",
        "status": "provisional", "settled": False, "opened_at": 10, "last_seen_at": 10, "count": 1, "first_decision": "d",
        "last_decision": "d", "evidence": "{}", "sentence": "p-1 used after access ended.", "version": 1, "settle_us": 5,
    }  # fmt: skip
    return ViolationRow(**given | values)


def change(ident: str, version: int, **values: Any) -> ViolationChange:
    """A step in a violation's life."""
    given: dict[str, Any] = {"change": "opened", "decision": "d", "cause": "", "time": 10, "recorded_at": 99, "count": 1}
    return ViolationChange(violation=ident, version=version, **given | values)


def missing(fact: str, *, aggregate: str = P1, **values: Any) -> IndeterminateRow:
    """A fact that couldn't be judged."""
    given: dict[str, Any] = {
        "organisation": "acme", "rule": "IP-004", "aggregate": aggregate, "fact": fact, "reason": "nobody said",
        "count": 1, "first_at": 10, "last_at": 10, "last_decision": "d",
    }  # fmt: skip
    return IndeterminateRow(**given | values)


def derived(key: str, *, aggregate: str = P1, **values: Any) -> DerivedRow:
    """A derived fact as sent."""
    given: dict[str, Any] = {"identity": "i", "target": P2, "revision": 1, "content": "c"}
    return DerivedRow(aggregate=aggregate, key=key, **given | values)


def message(sequence: int, value: bytes = b"{}") -> OutboxRow:
    """A message for a topic."""
    return OutboxRow(sequence=sequence, topic="covenant.violations", key=P1, value=value)


def batch(version: int, lane: int = 0, **values: Any) -> Batch:
    """A batch of a lane; rows of a kind are numbered, and the aggregates of its entries are named."""
    for kind in ("journal", "decisions", "postings"):
        rows = values.get(kind, ())
        values[kind] = tuple(type(row)(**{**_fields(row), "ordinal": number}) for number, row in enumerate(rows))
    named = {row.aggregate: AggregateRow(row.aggregate, lane, row.effective, -1) for row in values["journal"]}
    named |= {row.aggregate: row for row in values.get("aggregates", ())}
    given: dict[str, Any] = {
        "kind": "events", "recorded_at": 99, "reference": 0, "watermark": 10 * version, "work": "", "read": 1, "accepted": 1,
        "duplicates": 0, "outbox_sequence": 0,
    }  # fmt: skip
    return Batch(lane=lane, version=version, **given | values | {"aggregates": tuple(named.values())})


def _fields(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


def checkpoint(since: int, *, aggregate: str = P1, fold: str = "f", body: bytes = b"state") -> Checkpoint:
    """A checkpoint of an aggregate."""
    return Checkpoint(aggregate, since, fold, body)


def held(store: Store, *aggregates: str, fold: str = "") -> dict[str, Loaded]:
    """What a store holds of aggregates, rows in an order of their own."""
    loaded = store.load(aggregates or (P1, P2), fold)
    for one in loaded.values():
        for rows in (one.journal, one.decisions, one.postings, one.derived, one.violations, one.indeterminates):
            rows.sort(key=_key)
    return loaded


def _key(row: Any) -> str:
    return str([repr(value) for value in _fields(row).values()])


def everything(store: Store, *aggregates: str) -> dict[str, Any]:
    """All that can be read of a store that holds lanes −1 to 1 and these aggregates."""
    lanes = (-1, 0, 1)
    names = sorted({*store.aggregates(), *(aggregates or (P1, P2))})
    batches = {lane: list(store.batches(lane)) for lane in lanes}
    recorded = {lane: [store.decisions(lane, one.version) for one in batches[lane]] for lane in lanes}
    idents = {row.id for rows in recorded.values() for some in rows for row in some}
    return {
        "lanes": store.lanes(),
        "aggregates": store.aggregates(),
        "loaded": held(store, *names),
        "after checkpoints": held(store, *names, fold="f"),
        "seen": store.seen([row.identity for some in batches.values() for one in some for row in one.journal]),
        "batches": batches,
        "decisions": recorded,
        "recorded": {ident: store.decision(ident) for ident in sorted(idents)[:20]},
        "entries": {name: store.entries(name) for name in names},
        "reference": store.reference(0),
        "dirty": [store.dirty(lane) for lane in lanes],
        "deadlines": [store.deadlines(lane) for lane in lanes],
        "since": [store.aggregates_since(lane, 10) for lane in lanes],
        "unsettled": [store.unsettled(lane) for lane in lanes],
        "outbox": [store.outbox(lane, 0, 1000) for lane in lanes],
        "published": [store.published(lane) for lane in lanes],
        "shadows": store.shadows("b"),
        "originals": {identity: store.original(identity) for identity in "ij"},
        "inputs": {digest: _input(store, digest) for digest in ("x", "y")},
    }


def _input(store: Store, digest: str) -> bytes | None:
    try:
        return store.input(digest)
    except NotFound:
        return None
