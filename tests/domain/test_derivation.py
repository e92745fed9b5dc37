"""Derived facts as they travel: packed many to a message, and read back as they were."""

from __future__ import annotations

import pytest

from engine.domain import cause, derivation
from engine.domain.derivation import Delivery, pack, read_deliveries
from engine.domain.errors import Refusal
from engine.domain.written import write
from tests.domain.make import event


def delivery(number: int, time: str = "2026-01-01") -> Delivery:
    """Make a delivery to a person."""
    usage = event("usage.inference", time, person="p-1", quantity="1.5", ident=f"u-{number}")
    behind = cause.of_event(event("person.hired", time, person="p-1"), "aa") if number % 3 == 1 else None
    target, ident = f"acme/person/p-{number}", write(usage).identity
    return Delivery(target, ident, number + 1, withdrawn=number % 2 == 1, event=usage, cause=behind, late=number % 4 == 1)


def packed(*deliveries: Delivery) -> list[tuple[str, bytes]]:
    """Pack deliveries with their events as written."""
    return list(pack([(one, write(one.event).wire) for one in deliveries]))


def test_packed_facts_are_read_back_as_they_were() -> None:
    """In order of event time, under the key of the first."""
    late, early = delivery(1, "2026-01-02"), delivery(2, "2026-01-01")
    ((key, value),) = packed(late, early)
    assert key == early.target
    assert read_deliveries(value) == [early, late]


def test_a_message_holds_no_more_than_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in number nor in bytes; nothing is lost where one ends."""
    many = [delivery(number) for number in range(10)]
    monkeypatch.setattr(derivation, "PACKED", 4)
    assert [len(read_deliveries(value)) for _, value in packed(*many)] == [4, 4, 2]
    monkeypatch.setattr(derivation, "PACKED_BYTES", 10)
    assert [read_deliveries(value) for _, value in packed(*many)] == [[one] for one in many]


@pytest.mark.parametrize("value", [b"", b"{", b"7", b"[7]", b'{"covenanttarget": "x"}', b'[{"covenantrevision": "a"}]', b"\xff"])
def test_what_covenant_did_not_write_is_refused(value: bytes) -> None:
    """With a sentence that says who may write there."""
    with pytest.raises(Refusal, match="Not a derived fact") as said:
        read_deliveries(value)
    assert "ACL" in said.value.do
