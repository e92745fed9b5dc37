"""A repository that its host numbers keeps its history through a rename and a transfer, and from one that takes its name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.domain.events import Event
from engine.policy.bundle import Bundle
from engine.policy.opa_child import OpaChild
from engine.store.memory_store import MemoryStore
from tests.domain.make import event
from tests.service.cluster import run_in_order
from tests.service.test_names import rules  # noqa: F401 - the fixture

pytestmark = pytest.mark.needs_opa
ONE, TWO = "github.com#1", "github.com#2"


def act(kind: str, day: str, ident: str, name: str, **more: Any) -> Event:
    """An act on a repository, by the name it had then."""
    owner = f"github.com/{name.partition('/')[0]}"
    return event(f"repository.{kind}", day, repository=ident, name=name, owner=owner, private=True, **more)


def history(store: MemoryStore, ident: str) -> list[str]:
    """The days of what a repository's history holds."""
    rows = store.entries(f"acme/repository/{ident}")
    return sorted(json.loads(row.event)["time"][:10] for row in rows if not row.withdrawn)


def test_a_repository_keeps_its_history_through_rename_and_transfer(rules: tuple[Bundle, OpaChild]) -> None:  # noqa: F811
    """Whoever takes its old name later begins with a history of its own, and an approval is that of the number."""
    bundle, child = rules
    about = {"kind": "repository", "id": ONE}
    events = [
        event("organisation.configured", "2025-01-01", owners=["github.com/acme"]),
        act("created", "2026-01-01", ONE, "acme/old"),
        act("archived", "2026-01-02", ONE, "acme/new"),
        event("approval.granted", "2026-01-03", approval_id="a", about=about, kind="divestiture", approver="p-9"),
        act("transferred", "2026-01-04", ONE, "acme/new", to_owner="github.com/else", to_owner_kind="organisation"),
        act("archived", "2026-01-05", ONE, "else/new"),
        act("created", "2026-01-06", TWO, "acme/old"),
        act("archived", "2026-01-07", TWO, "acme/old"),
    ]
    for arriving in (events, events[::-1]):
        store = run_in_order(arriving, child, bundle)
        assert history(store, ONE) == [f"2026-01-0{day}" for day in range(1, 6)]
        assert history(store, TWO) == ["2026-01-06", "2026-01-07"]
