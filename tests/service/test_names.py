"""Names that nobody knows: they wait on disk and not in memory, go where a link says, and are dropped where they may not stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.domain.events import Event
from engine.domain.values import DAY_US, instant
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, load_bundle
from engine.policy.opa_child import OpaChild
from engine.service import replay
from engine.service.process import Body
from engine.service.replay import check, finish_lane
from engine.store import names
from engine.store.opening import open_store
from engine.store.sql_store import SqlStore
from tests.domain.make import event

ROOT = Path(__file__).parents[2]
LOGIN = {"kind": "login", "value": "github.com/Stranger"}
ALIAS = "acme/alias/login:github.com/stranger"
OURS = event("organisation.configured", "2025-01-01", owners=["github.com/acme"])
NOW = int(instant("2026-01-02"))
pytestmark = pytest.mark.needs_opa
Rules = tuple[Bundle, OpaChild]


@pytest.fixture(scope="module")
def rules(opa_binary: str) -> Iterator[Rules]:
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


@pytest.fixture
def body(store: SqlStore, rules: Rules) -> Body:
    """One lane, of an organisation that said which owners are its own."""
    bundle, child = rules
    store.save_bundle(bundle.digest, bundle.to_bytes(), 0)
    body = Body(store, child, bundle)
    body.refer([Arrival(OURS)], {}, NOW)
    body.open(0)
    return body


def push(day: str, owner: str = "github.com/else", repository: str = "r1") -> Event:
    """A push by a login, somewhere."""
    return event("repository.pushed", day, repository=repository, name="n", owner=owner, private=False, actor=LOGIN, commits=1)


def link(day: str, person: str = "p-1", **more: Any) -> Event:
    """A verified link of the login."""
    return event("alias.linked", day, alias=LOGIN, target={"kind": "person", "id": person}, verified=True, **more)


def take(body: Body, *events: Event, at: int = NOW) -> None:
    """Take events in as one batch."""
    body.process(0, [Arrival(one) for one in events], {}, at)


def waiting(store: SqlStore) -> list[tuple[str, int, bool]]:
    """What waits: value, how many, whether the name was ever linked."""
    with store.reading() as connection:
        return [(row.value, row.count, row.linked) for row in names.waits(connection)]


def dropped(store: SqlStore) -> int:
    """How many facts were dropped."""
    with store.reading() as connection:
        return sum(row.count for row in names.all_dropped(connection))


def received(store: SqlStore, person: str) -> list[str]:
    """The days of the contributions a person has now, in the order in which they came."""
    days = {}
    for row in store.entries(f"acme/person/{person}"):
        if row.type == "compute.contribution.attributed.v1":
            days[row.identity] = "" if row.withdrawn else json.loads(row.event)["time"][:10]
    return [day for day in days.values() if day]


def test_what_waits_for_a_name_is_not_in_memory(body: Body, store: SqlStore) -> None:
    """Once recorded it is on disk alone, however much it is; a restarted lane loads none of it for one more."""
    days = [f"2026-01-{day:02d}" for day in range(1, 29)]
    for day in days:
        take(body, push(day))
    memory = body._memory[0]
    assert [key for key in memory.aggregates if "/alias/" in key] == []
    assert waiting(store) == [("github.com/stranger", len(days), False)]
    body.open(0)
    work = body.begin(0, [Arrival(push("2026-02-01"))], {}, NOW)
    assert len(body._memory[0].aggregates[ALIAS].timeline.entries) == 1
    body.finish(work)


def test_a_link_releases_all_that_waits_in_order(body: Body, store: SqlStore) -> None:
    """What came in any order, and what is still in flight when the link comes, goes to its person in order of time."""
    take(body, push("2026-01-03"), push("2026-01-01"))
    take(body, push("2026-01-02"))
    flying = body.begin(0, [Arrival(push("2026-01-04"))], {}, NOW)
    linking = body.begin(0, [Arrival(link("2026-01-05", valid_from="2026-01-02"))], {}, NOW)
    body.finish(flying)
    body.finish(linking)
    assert received(store, "p-1") == ["2026-01-02", "2026-01-03", "2026-01-04"]
    assert waiting(store) == [("github.com/stranger", 1, True)]
    take(body, push("2026-01-06"))
    assert received(store, "p-1")[-1] == "2026-01-06"


def test_the_word_said_last_about_an_instant_holds(body: Body, store: SqlStore) -> None:
    """A correction of a link takes back what went to the wrong person, whatever the events are called."""
    wrong = event("alias.linked", "2026-01-10", ident="z", alias=LOGIN, target={"kind": "person", "id": "p-1"}, verified=True, valid_from="2026-01-01")  # fmt: skip # noqa: E501
    right = event("alias.linked", "2026-02-10", ident="a", alias=LOGIN, target={"kind": "person", "id": "p-2"}, verified=True, valid_from="2026-01-01")  # fmt: skip # noqa: E501
    take(body, push("2026-01-05"), wrong)
    assert received(store, "p-1") == ["2026-01-05"]
    take(body, right)
    assert (received(store, "p-1"), received(store, "p-2")) == ([], ["2026-01-05"])


def test_a_login_that_changes_hands_follows_validity(body: Body, store: SqlStore) -> None:
    """Each act is its owner's of that day; a day between two owners is nobody's."""
    take(body, *(push(f"2026-01-{day:02d}") for day in (1, 10, 20, 30)))
    take(body, link("2026-02-01", "p-2", valid_from="2026-01-15"), link("2026-02-01", valid_from="2026-01-01", valid_until="2026-01-08"))  # fmt: skip # noqa: E501
    assert received(store, "p-1") == ["2026-01-01"]
    assert received(store, "p-2") == ["2026-01-20", "2026-01-30"]
    assert waiting(store) == [("github.com/stranger", 1, True)]


def test_unknown_names_outside_are_dropped_after_thirty_days_and_counted(body: Body, store: SqlStore, opa_binary: str) -> None:
    """Inside the organisation's repositories they stay; a link that comes afterwards finds only those; a replay agrees."""
    take(body, push("2026-01-01"), push("2026-01-20"), push("2026-01-01", "github.com/acme", "r2"))
    body.settle(0, NOW, until=NOW + 30 * DAY_US - 1)
    assert (dropped(store), waiting(store)) == (0, [("github.com/stranger", 3, False)])
    body.settle(0, NOW, until=NOW + 30 * DAY_US)
    assert (dropped(store), waiting(store)) == (1, [("github.com/stranger", 2, False)])
    finish_lane(body, 0, NOW, until=NOW + 90 * DAY_US)
    assert (dropped(store), waiting(store)) == (2, [("github.com/stranger", 1, False)])
    take(body, link("2026-01-01"))
    assert received(store, "p-1") == ["2026-01-01"]
    again = check(store, Path(opa_binary))
    assert (again.differences, again.first) == (0, ())


def test_folded_in_order_what_was_loaded_waits_as_long_as_it_did(
    body: Body, store: SqlStore, opa_binary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link told months after the push, of a history that was loaded in a day: in order of time the push isn't dropped."""
    monkeypatch.setattr(replay, "AT_ONCE", 1)
    other = event("credential.created", "2025-08-15", credential="c", owner="p-2")
    take(body, push("2025-06-01"), other, link("2025-09-01", valid_from="2025-01-01T00:00:00Z"))
    finish_lane(body, 0, NOW)
    assert received(store, "p-1") == ["2025-06-01"]
    again = replay.canonical(store, Path(opa_binary))
    assert (again.differences, again.first) == (0, ())


def test_what_arrives_late_waits_as_long_as_what_comes_in_today(body: Body, store: SqlStore) -> None:
    """Thirty days from when it was learnt; of a name with nothing left nothing is kept."""
    take(body, push("2025-03-01"))
    body.settle(0, NOW, until=NOW + 29 * DAY_US)
    assert dropped(store) == 0
    body.open(0)
    body.settle(0, NOW, until=NOW + 31 * DAY_US)
    assert dropped(store) == 1
    assert ALIAS not in store.aggregates()
    assert store.entries(ALIAS) == []


def test_a_name_that_was_ever_linked_drops_nothing(body: Body, store: SqlStore) -> None:
    """What a link doesn't cover waits on: the name isn't unknown."""
    take(body, push("2026-01-01"))
    take(body, link("2026-01-05"))
    finish_lane(body, 0, NOW, until=NOW + 90 * DAY_US)
    assert (dropped(store), waiting(store)) == (0, [("github.com/stranger", 1, True)])
