"""The whole way on the embedded default: events in, decisions and violations in the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.domain.events import Event
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, load_bundle
from engine.policy.opa_child import OpaChild
from engine.service.process import Body
from engine.store.opening import open_store
from engine.store.sql_store import SqlStore
from tests.domain.make import event

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.needs_opa


@pytest.fixture(scope="module")
def rules(opa_binary: str) -> Iterator[tuple[Bundle, OpaChild]]:
    """The shipped policies on a child OPA."""
    bundle = load_bundle(ROOT / "policies", Path(opa_binary))
    child = OpaChild(bundle, Path(opa_binary))
    yield bundle, child
    child.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """A fresh store."""
    opened = open_store(f"sqlite:///{tmp_path / 'covenant.db'}")
    yield opened
    opened.close()


def arrivals(*events: Event) -> list[Arrival]:
    """Wrap events as intake does."""
    return [Arrival(e) for e in events]


def standing(store: SqlStore) -> list[tuple[object, ...]]:
    """Rule, holder, count and status of each violation."""
    query = "SELECT rule, holder, count, status FROM violation ORDER BY rule"
    with store.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


LEAVER = (
    event("credential.created", "2026-01-01", credential="c", owner="p-1"),
    event("grant.issued", "2026-01-01", grant_id="G1", holder="p-1", quantity="100", vesting="immediate"),
    event("person.terminated", "2026-02-01", person="p-1"),
    event("usage.inference", "2026-02-02", credential="c", quantity="5"),
    event("usage.inference", "2026-02-03", credential="c", quantity="5"),
)


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_leaver_who_keeps_using_is_found_whatever_the_batches_and_the_order(
    rules: tuple[Bundle, OpaChild], store: SqlStore, size: int, *, backwards: bool
) -> None:
    """One finding, counted twice, in every order of arrival and every batching; a duplicate changes nothing."""
    bundle, child = rules
    body = Body(store, child, bundle)
    body.open(0)
    ordered = list(reversed(LEAVER) if backwards else LEAVER)
    for start in range(0, len(ordered), size):
        body.process(0, arrivals(*ordered[start : start + size]), {}, 1)
    again = body.process(0, arrivals(*LEAVER), {}, 2)
    body.settle(0, 3, ended=True)
    assert again.duplicates == len(LEAVER)
    assert standing(store) == [("FU-007", "p-1", 2, "alleged")]


def test_an_unlinked_login_is_accused_of_nothing_until_it_is_linked(rules: tuple[Bundle, OpaChild], store: SqlStore) -> None:
    """The fork is indeterminate; the late link makes it a finding against the person behind the login."""
    bundle, child = rules
    body = Body(store, child, bundle)
    login = {"kind": "login", "value": "github.com/x"}
    told = event("feed.completed_through", "2026-03-01", feed="approvals", through="2026-03-01")
    body.refer(arrivals(event("organisation.configured", "2026-01-01", owners=["github.com/acme"]), told), {}, 1)
    body.open(0)
    fork = event(
        "repository.forked", "2026-02-03", repository="r", name="n", owner="github.com/acme", private=True,
        to_owner="github.com/x", to_owner_kind="user", actor=login,
    )  # fmt: skip
    body.process(0, arrivals(fork), {}, 1)
    assert standing(store) == []
    target = {"kind": "person", "id": "p-1"}
    body.process(0, arrivals(event("alias.linked", "2026-01-01", alias=login, target=target, verified=True)), {}, 2)
    body.settle(0, 3, ended=True)
    assert standing(store) == [("IP-004", "p-1", 1, "alleged")]


def test_a_restart_goes_on_where_the_store_stands(rules: tuple[Bundle, OpaChild], store: SqlStore) -> None:
    """A second body over the same store ends where one body would have."""
    bundle, child = rules
    first = Body(store, child, bundle)
    first.open(0)
    first.process(0, arrivals(*LEAVER[:4]), {}, 1)
    second = Body(store, child, bundle)
    second.open(0)
    second.process(0, arrivals(*LEAVER[4:]), {}, 2)
    second.settle(0, 3, ended=True)
    assert standing(store) == [("FU-007", "p-1", 2, "alleged")]
