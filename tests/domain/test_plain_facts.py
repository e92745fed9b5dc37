"""What the rules compare is plain numbers: a scaled integer that still knows its wire form would be sent as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.domain.events import Event
from tests.domain.make import event
from tests.domain.test_person import grant, run, usage

ABOUT = {"kind": "person", "id": "p-1"}


def approval(kind: str, **more: Any) -> Event:
    """A back-dated approval with an end and an amount."""
    data = {"approval_id": "a-1", "kind": kind, "approver": "cfo", "about": ABOUT, "from": "2026-01-05", "until": "2026-12-01"}
    return event("approval.granted", "2026-02-03", **data | {"amount": "50"} | more)


def leaves(value: Any) -> Iterator[Any]:
    """All values within a document."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


@pytest.mark.parametrize(
    "last",
    [
        usage("2026-02-05"),
        usage("2026-12-31", model="m"),
        event("grant.transferred", "2026-02-05", grant_id="G1", holder="p-1", to="p-2"),
    ],
    ids=["usage", "usage after expiry", "transfer"],
)
def test_facts_are_plain_numbers_and_texts(last: Event) -> None:
    """No value in a question is of a type that is encoded otherwise than it is compared."""
    given = grant(effective_at="2026-01-02", expires_at="2026-06-01", termination_window_days=30)
    ended = event("person.terminated", "2026-07-01", person="p-1")
    _, effects = run([given, approval("transfer", scope="G1"), approval("cap_uplift", approval_id="a-2"), ended, last])
    question = next(e.question for e in effects if e.question is not None)
    kinds = {type(leaf) for leaf in leaves([question.event, question.facts])}
    assert kinds <= {int, str, bool}
