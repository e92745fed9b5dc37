"""A repository keeps its history however it is called: through a rename, a transfer, and another that takes its old name."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from engine.domain.aggregates.alias import LINKING
from engine.domain.events import Event
from engine.policy.bundle import Bundle
from engine.policy.opa_child import OpaChild
from engine.service.standing import export_standing
from engine.store.memory_store import MemoryStore
from engine.store.tables import LINKS
from tests.domain.make import event
from tests.service.cluster import run_in_order
from tests.service.test_names import rules  # noqa: F401 - the fixture

pytestmark = pytest.mark.needs_opa
ONE, TWO = "github.com#1", "github.com#2"
OWNED = event("organisation.configured", "2025-01-01", owners=["github.com/acme"])


def act(kind: str, day: str, ident: str, name: str, **more: Any) -> Event:
    """An act on a repository that is known by an id or a name."""
    owner = f"github.com/{name.partition('/')[0]}"
    return event(f"repository.{kind}", day, repository=ident, name=name, owner=owner, private=True, **more)


def run(events: list[Event], rules: tuple[Bundle, OpaChild]) -> MemoryStore:  # noqa: F811
    """Take events in, in order."""
    bundle, child = rules
    return run_in_order(events, child, bundle)


def history(store: MemoryStore, ident: str) -> list[str]:
    """The days of what a repository's history holds."""
    latest = {row.identity: row for row in store.entries(f"acme/repository/{ident}")}
    return sorted(json.loads(row.event)["time"][:10] for row in latest.values() if not row.withdrawn)


def test_what_names_a_repository_goes_to_the_one_that_had_the_name_then(rules: tuple[Bundle, OpaChild]) -> None:  # noqa: F811
    """A rename keeps both names until another repository takes the old one; in any order of arrival."""
    events = [
        OWNED,
        act("created", "2026-01-01", ONE, "acme/old"),
        act("archived", "2026-01-02", "github.com/Acme/Old", "acme/old"),
        act("archived", "2026-01-10", ONE, "acme/new"),
        act("archived", "2026-01-11", "github.com/acme/new", "acme/new"),
        act("archived", "2026-01-12", "github.com/acme/old", "acme/old"),
        act("created", "2026-01-20", TWO, "acme/old"),
        act("archived", "2026-01-21", "github.com/acme/old", "acme/old"),
    ]
    for arriving in (events, list(reversed(events))):
        store = run(arriving, rules)
        assert history(store, ONE) == ["2026-01-01", "2026-01-02", "2026-01-10", "2026-01-11", "2026-01-12"]
        assert history(store, TWO) == ["2026-01-20", "2026-01-21"]
        assert history(store, "github.com/acme/old") == []


def test_a_repository_keeps_its_history_through_a_transfer(rules: tuple[Bundle, OpaChild]) -> None:  # noqa: F811
    """The name under its new owner is its own from the transfer on, before any event says so; its approvals go with it."""
    about = {"kind": "repository", "id": "github.com/acme/solver"}
    approval = event("approval.granted", "2026-01-02", approval_id="a", about=about, kind="divestiture", approver="p-9")
    moved = act("transferred", "2026-01-03", ONE, "acme/solver", to_owner="github.com/else", to_owner_kind="organisation")
    told = event("feed.completed_through", "2026-02-01", feed="approvals", through="2026-02-01")
    events = [
        OWNED, told, act("created", "2026-01-01", ONE, "acme/solver"), approval, moved,
        act("released", "2026-01-04", "github.com/else/solver", "else/solver", tag="v1"),
        act("created", "2026-01-05", TWO, "acme/solver"),
    ]  # fmt: skip
    store = run(events, rules)
    assert history(store, ONE)[:4] == ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"]
    assert history(store, TWO) == ["2026-01-05"]
    outcomes = [json.loads(line) for line in export_standing(store)]
    assert [one for one in outcomes if one.get("rule") == "IP-003" and one.get("status") == "alleged"] == []
    without = run([one for one in events if one is not approval], rules)
    assert b"IP-003" in b"".join(export_standing(without))


def test_a_name_that_no_host_numbers_is_an_id_of_its_own_until_it_is_linked(rules: tuple[Bundle, OpaChild]) -> None:  # noqa: F811
    """What a source knows by name alone has a history too; a link, said late, brings all of it to the repository."""
    pushes = [act("archived", f"2026-01-0{day}", "git.local/acme/tool", "acme/tool") for day in (1, 2, 3)]
    assert history(run([OWNED, *pushes], rules), "git.local/acme/tool") == ["2026-01-01", "2026-01-02", "2026-01-03"]
    named = {"kind": "repository", "value": "git.local/acme/Tool"}
    link = event(
        "alias.linked", "2026-02-01", alias=named, target={"kind": "repository", "id": "git.local#7"}, verified=True,
        valid_from="2026-01-02",
    )  # fmt: skip
    for order in itertools.permutations([*pushes, link]):
        store = run([OWNED, *order], rules)
        assert history(store, "git.local#7") == ["2026-01-02", "2026-01-03"]
        assert history(store, "git.local/acme/tool") == ["2026-01-01"]


def test_the_index_of_links_serves_every_word_about_a_name() -> None:
    """The index says exactly which types those are."""
    assert f"type IN ({', '.join(map(repr, LINKING))})" == LINKS
