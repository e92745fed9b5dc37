"""Order, lanes and identities of events."""

from __future__ import annotations

from engine.domain.order import lane, murmur2, place
from tests.domain.make import event


def test_murmur2_agrees_with_kafkas_own_vectors() -> None:
    """Kafka's UtilsTest gives these hashes (made positive)."""
    vectors = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536, b"abc": 479470107}
    for data, expected in vectors.items():
        assert murmur2(data) == expected & 0x7FFFFFFF


def test_a_key_always_has_the_same_lane() -> None:
    """A lane is a function of key and count alone."""
    assert lane("acme/person/p-1", 1) == 0
    assert 0 <= lane("acme/person/p-1", 4) < 4


def test_a_back_dated_approval_stands_where_it_has_effect() -> None:
    """An approval decided later than it holds from precedes what happened in between."""
    about = {"kind": "person", "id": "p-1"}
    approval = event(
        "approval.granted", "2026-03-10", approval_id="a", kind="transfer", approver="b", about=about, **{"from": "2026-03-01"}
    )
    transfer = event("grant.transferred", "2026-03-05", grant_id="G1", holder="p-1", to="p-2")
    assert place(approval) < place(transfer)


def test_an_approval_of_the_same_instant_precedes_the_transfer() -> None:
    """Rank decides between events of one instant."""
    about = {"kind": "person", "id": "p-1"}
    approval = event("approval.granted", "2026-03-05", approval_id="z", kind="transfer", approver="b", about=about)
    transfer = event("grant.transferred", "2026-03-05", grant_id="A", holder="p-1", to="p-2")
    assert place(approval) < place(transfer)
