"""A small company for the console's tests: a few people, some of whom look guilty, told through the real body.

p-1 left and went on using; p-2 passed a grant on, which was approved late; p-3 did so without any approval; p-4 has a
hostile name and forked a private repository; an unlinked login forked one too, so nobody is accused of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.domain.events import Event
from engine.intake.arrivals import Arrival
from engine.policy.bundle import load_bundle
from engine.policy.opa_child import OpaChild
from engine.service.process import Body
from engine.store.sql_store import SqlStore
from tests.domain.make import event

ROOT = Path(__file__).parents[2]
HOSTILE = "p-4<script>alert('x')</script>&\"quoted\""
RECORDED = 1_790_000_000_000_000
LEAVER, LATE, SELLER = "p-1", "p-2", "p-3"


def _person(person: str, grant: str, quantity: str, **terms: Any) -> list[Event]:
    return [
        event("person.hired", "2026-01-02", person=person),
        event("credential.created", "2026-01-02", credential=f"key-{grant}", owner=person),
        event(
            "grant.issued", "2026-01-02", grant_id=grant, holder=person, quantity=quantity, vesting="immediate",
            expires_at="2027-06-30", ip_terms="company", **terms,
        ),
    ]  # fmt: skip


def _login(value: str) -> dict[str, str]:
    return {"kind": "login", "value": value}


def _link(login: str, person: str) -> Event:
    target = {"kind": "person", "id": person}
    return event("alias.linked", "2026-01-02", alias=_login(login), target=target, verified=True)


def _fork(day: str, actor: str) -> Event:
    return event(
        "repository.forked", day, repository="github.com#77", name="acme/model <b>weights</b>", owner="github.com/acme",
        private=True, to_owner=actor, to_owner_kind="user", actor=_login(actor),
    )  # fmt: skip


def _pushes() -> list[Event]:
    common: dict[str, Any] = {"private": True, "owner": "github.com/acme", "actor": _login("github.com/leaver")}
    return [
        event("repository.pushed", f"2026-0{month}-11T10:00:00Z", repository=f"github.com#{month}", name=f"acme/tool-{month}",
              ref="refs/heads/main", commits=month, **common)
        for month in (1, 2)
    ]  # fmt: skip


SETTINGS = [
    event("organisation.configured", "2026-01-01", owners=["github.com/acme"]),
    event("feed.completed_through", "2026-03-31", feed="approvals", through="2026-03-31"),
]
FIRST = [
    *_person(LEAVER, "G1", "1000", filters={"models": ["claude-x-5"]}),
    *_person(LATE, "G2", "500"),
    *_person(SELLER, "G3", "2500.5"),
    *_person(HOSTILE, "G4", "10"),
    _link("github.com/leaver", LEAVER),
    _link("github.com/four", HOSTILE),
    *_pushes(),
    *(
        event("usage.inference", f"2026-0{month}-{day:02}T09:30:00Z", credential="key-G1", quantity=f"{month * day}.25",
              model="claude-x-5", provider="anthropic")
        for month in (1, 2, 3) for day in (3, 9, 17, 24)
    ),
    event("usage.inference", "2026-02-05T12:00:00Z", credential="key-G1", quantity="7", model="other-y", provider="elsewhere"),
    event("approval.granted", "2026-03-01", approval_id="ap-7", kind="cap_uplift", approver="cfo",
          about={"kind": "person", "id": LEAVER}, amount="200", until="2026-04-01", **{"from": "2026-02-01"}),
    event("person.notice_given", "2026-03-10", person=LEAVER),
    event("person.terminated", "2026-04-01T17:00:00Z", person=LEAVER),
    event("grant.transferred", "2026-03-04T08:15:00Z", grant_id="G2", holder=LATE, to="p-9"),
    event("grant.transferred", "2026-03-05T08:15:00Z", grant_id="G3", holder=SELLER, to="p-9"),
    _fork("2026-03-06T11:00:00Z", "github.com/four"),
    _fork("2026-03-07T11:00:00Z", "github.com/nobody-knows"),
]  # fmt: skip
SECOND = [
    event("usage.inference", f"2026-04-{day:02}T22:10:00Z", credential="key-G1", quantity="3", model="claude-x-5",
          provider="anthropic")
    for day in range(2, 14)
]  # fmt: skip
THIRD = [
    event("approval.granted", "2026-03-05T09:00:00Z", approval_id="ap-8", kind="transfer", approver="legal-1",
          about={"kind": "person", "id": LATE}, scope="G2", reason="sold to a colleague, as agreed in February",
          **{"from": "2026-03-04"}),
]  # fmt: skip
LATER = [
    event("person.hired", "2026-04-14", person="p-6"),
    event("credential.created", "2026-04-14", credential="key-G6", owner="p-6"),
    event("grant.issued", "2026-04-14", grant_id="G6", holder="p-6", quantity="5", vesting="immediate", expires_at="2026-04-20"),
    event("usage.inference", "2026-04-21T00:00:00Z", credential="key-G6", quantity="1"),
]


def _arrivals(events: Sequence[Event]) -> list[Arrival]:
    return [Arrival(e) for e in events]


def tell(store: SqlStore, opa: str) -> None:
    """Fill a store with the story; the last findings stay provisional."""
    bundle = load_bundle(ROOT / "policies", Path(opa))
    store.save_bundle(bundle.digest, bundle.to_bytes(), RECORDED)
    child = OpaChild(bundle, Path(opa))
    try:
        body = Body(store, child, bundle)
        body.refer(_arrivals(SETTINGS), {}, RECORDED)
        body.open(0)
        for step, events in enumerate((FIRST, SECOND, THIRD)):
            body.process(0, _arrivals(events), {}, RECORDED + step * 3_600_000_000)
        body.settle(0, RECORDED + 4 * 3_600_000_000, ended=True)
        body.process(0, _arrivals(LATER), {}, RECORDED + 5 * 3_600_000_000)
    finally:
        child.close()
