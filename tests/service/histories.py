"""Histories of a small world for property tests: few people, names and repositories, many ties and many late facts."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from engine.domain.codec import read_event
from engine.domain.errors import Refusal
from engine.domain.events import Event

PEOPLE = ("p-1", "p-2")
GRANTS = ("G1", "G2")
KEYS = ("k1", "k2")
LOGINS = ("github.com/a", "github.com/b")
REPOSITORIES = ("r1", "github.com#1", "github.com#2", "github.com/acme/n")
OWNERS = ("github.com/acme", "github.com/a", "github.com/else")

people, grants, keys = st.sampled_from(PEOPLE), st.sampled_from(GRANTS), st.sampled_from(KEYS)
repositories, owners = st.sampled_from(REPOSITORIES), st.sampled_from(OWNERS)
days = st.integers(0, 45).map(lambda day: f"2026-{1 + day // 28:02d}-{1 + day % 28:02d}")
times = st.one_of(days, days.map(lambda day: f"{day}T12:00:00Z"))
logins = st.sampled_from(LOGINS).map(lambda login: {"kind": "login", "value": login})
authors = st.sampled_from(["a@acme.example", "x[bot]@b.example"])
names = st.one_of(logins, authors.map(lambda author: {"kind": "email", "value": author}))
consumers = st.one_of(logins, people.map(lambda person: {"kind": "person", "value": person}))
amounts = st.sampled_from(["1", "5", "40", "700.5", "1200"])
feeds = st.sampled_from(["agreements", "approvals", "usage", "people", "repositories"])
sessions = st.sampled_from(["s1", "s2"])


def _maybe(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), value)


def _event(kind: str, needed: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[tuple[Any, ...]]:
    more = {name: value for name, value in (optional or {}).items() if name not in needed}
    return st.tuples(st.just(kind), times, st.fixed_dictionaries(needed, optional=more))


_ABOUT = st.one_of(
    people.map(lambda person: {"kind": "person", "id": person}),
    repositories.map(lambda repository: {"kind": "repository", "id": repository}),
    grants.map(lambda grant: {"kind": "grant", "id": grant}),
)
_DOCUMENT = {"person": people, "kind": st.just("ip_assignment"), "version": st.just("1")}
_CORRECTED = st.integers(0, 40).map(lambda number: {"source": "test", "id": f"e-{number:03d}"})
_REPOSITORY = {"repository": repositories, "name": st.sampled_from(["acme/n", "a/n", "n"]), "owner": owners}
_ACT = {"actor": logins, "private": st.booleans()}
_USAGE = {
    "person": people, "credential": keys, "consumer": consumers, "grant_id": grants, "session": sessions,
    "repository": repositories, "branch": st.just("main"), "model": st.sampled_from(["m1", "m2"]), "job_id": st.just("j"),
    "state": st.sampled_from(["settled", "provisional", "failed"]), "quantity": amounts,
}  # fmt: skip

INBOUND = st.one_of(
    _event(
        "grant.issued",
        {"grant_id": grants, "holder": people, "quantity": amounts},
        {
            "vesting": st.sampled_from(["immediate", "by_event"]), "expires_at": times, "effective_at": times,
            "ip_terms": st.sampled_from(["company", "holder"]), "personal": st.booleans(),
            "pool": st.just("pool-1"), "termination_window_days": st.sampled_from([0, 5]), "priority": st.sampled_from([1, 2]),
            "filters": st.just({"models": ["m1"]}),
        },
    ),
    _event(
        "grant.issued",
        {
            "grant_id": grants, "holder": people, "quantity": amounts, "vesting": st.just("scheduled"),
            "schedule": st.sampled_from(
                [
                    {"segments": [{"occurrences": 3, "every": 9, "unit": "days", "denominator": 3}]},
                    {"segments": [{"occurrences": 2, "every": 1, "denominator": 2}], "on_event": True},
                ]
            ),
        },
        {"expires_at": times, "legal_character": st.sampled_from(["pay", "benefit"])},
    ),
    _event("pool.planned", {"pool": st.just("pool-1")}, {"quantity": amounts, "gpus": st.sampled_from([0, 1])}),
    _event("grant.vesting_started", {"grant_id": grants}, {"holder": people, "starts_at": times}),
    _event("grant.accelerated", {"grant_id": grants}, {"holder": people, "quantity": amounts}),
    _event("grant.amended", {"grant_id": grants}, {"holder": people, "expires_at": times}),
    _event("grant.rolled_over", {"grant_id": grants, "to_grant": grants}, {"holder": people}),
    _event("usage.corrected", {"usage": _CORRECTED, "occurred_at": times, "person": people}, {"quantity": amounts}),
    _event("person.on_leave", {"person": people}, {"until": times}),
    _event("agreement.signed", _DOCUMENT, {"signed_on": times, "notice_given": st.booleans()}),
    _event("agreement.sent", _DOCUMENT),
    _event("agreement.attested", {"person": people, "kind": st.just("attestation"), "version": st.just("1")}),
    _event("person.jurisdiction_changed", {"person": people, "jurisdiction": st.sampled_from(["US-CA", "DE"])}),
    _event("agreement.superseded", {**_DOCUMENT, "by": st.just("2")}),
    *(
        _event(f"disclosure.{verb}", {"person": people, "disclosure_id": st.just("d")})
        for verb in ("questioned", "answered")
    ),
    _event("grant.vested", {"grant_id": grants, "quantity": amounts}, {"holder": people}),
    *(
        _event(f"grant.{verb}", {"grant_id": grants}, {"holder": people})
        for verb in ("suspended", "resumed", "expired", "voided", "revoked", "forfeited")
    ),
    _event("grant.transferred", {"grant_id": grants, "to": people}, {"holder": people}),
    _event("usage.inference", {"credential": keys}, {**_USAGE, "input_tokens": st.just(1_000_000)}),
    _event("usage.gpu", {"user": st.just({"kind": "unix_user", "value": "u"})}, {**_USAGE, "gpu_seconds": st.just("3600")}),
    _event("job.started", {"job_id": st.just("j"), "person": people, "limit_seconds": st.sampled_from([0, 3600])}),
    *(_event(f"person.{verb}", {"person": people}) for verb in ("hired", "notice_given", "terminated")),
    _event(
        "approval.granted",
        {
            "approval_id": st.sampled_from(["a1", "a2"]), "about": _ABOUT, "approver": st.just("p-9"),
            "kind": st.sampled_from(["cap_uplift", "transfer", "fork", "divestiture", "release", "licence"]),
        },
        {"from": times, "until": times, "amount": amounts},
    ),
    _event("approval.revoked", {"approval_id": st.sampled_from(["a1", "a2"]), "about": _ABOUT}),
    _event(
        "alias.linked",
        {"alias": names, "target": people.map(lambda p: {"kind": "person", "id": p}), "verified": st.booleans()},
        {"valid_from": times, "valid_until": times},
    ),
    _event("alias.unlinked", {"alias": logins}, {"valid_until": times}),
    _event("credential.created", {"credential": keys, "owner": people}),
    _event(
        "disclosure.submitted",
        {
            "person": people, "disclosure_id": st.just("d"), "kind": st.just("prior_invention"), "repository": repositories,
        },
    ),
    _event(
        "repository.pushed", _REPOSITORY,
        {**_ACT, "session": sessions, "ref": st.just("refs/heads/main"), "authors": st.lists(authors, max_size=2)},
    ),
    _event("person.membership_recorded", {"person": people, "member_of": st.just("Rival"), "basis": st.just("declared")}),
    _event("person.handover_recorded", {"person": people}, {"repository": repositories, "until": times}),
    _event("repository.downloaded", _REPOSITORY, _ACT),
    _event(
        "repository.forked",
        {**_REPOSITORY, "to_owner": owners, "to_owner_kind": st.sampled_from(["user", "organisation"])},
        _ACT,
    ),
    _event("repository.transferred", {**_REPOSITORY, "to_owner": owners}, _ACT),
    _event("repository.visibility_changed", {**_REPOSITORY, "to": st.sampled_from(["public", "private"])}, _ACT),
    _event("repository.released", _REPOSITORY, {**_ACT, "tag": st.just("v1")}),
    _event("repository.licence_changed", _REPOSITORY, {**_ACT, "after": st.sampled_from(["MIT", "none", "unknown"])}),
    _event(
        "determination.recorded",
        {
            "determination_id": st.just("det"), "about": _ABOUT, "decided_by": st.just("p-9"),
            "question": st.sampled_from(["ownership", "own_time", "relatedness"]), "repository": repositories,
            "answer": st.sampled_from(["holder", "company", "unrelated", "yes"]),
        },
        {"from": times},
    ),
)  # fmt: skip
REFERENCE = st.one_of(
    _event("feed.completed_through", {"feed": feeds, "through": times}),
    _event("organisation.configured", {"owners": st.just([OWNERS[0]])}, {"effective_from": times}),
    _event(
        "rate.published",
        {"meter": st.sampled_from(["input_tokens", "gpu_seconds"]), "units": amounts},
        {"effective_from": times},
    ),
)  # fmt: skip


@st.composite
def histories(draw: st.DrawFn, most: int = 40, least: int = 3) -> list[Event]:
    """Draw a history: events that intake would accept, reference data among them, each with an id of its own."""
    drawn = draw(st.lists(INBOUND, min_size=least, max_size=most)) + draw(st.lists(REFERENCE, max_size=3))
    events = []
    for number, (kind, time, data) in enumerate(drawn):
        raw = {
            "id": f"e-{number:03d}", "source": "test", "type": f"compute.{kind}.v1", "time": time,
            "organisation": "acme", "data": data,
        }  # fmt: skip
        try:
            events.append(read_event(raw))
        except Refusal:
            continue
    return events


HOLDERS = ("p-1", "p-2", "p-3")
_INSTANTS = st.sampled_from(["2026-01-05", "2026-01-06"])
_MOVES = st.one_of(
    st.tuples(
        st.just("grant.transferred"), _INSTANTS,
        st.fixed_dictionaries(
            {"grant_id": grants, "to": st.sampled_from(HOLDERS)}, optional={"holder": st.sampled_from(HOLDERS)}
        ),
    ),
    st.tuples(
        st.just("grant.rolled_over"), _INSTANTS,
        st.fixed_dictionaries({"grant_id": grants, "to_grant": grants}, optional={"holder": st.sampled_from(HOLDERS)}),
    ),
)  # fmt: skip
_ENDS = st.tuples(
    st.sampled_from(["grant.voided", "grant.revoked", "grant.suspended", "grant.resumed", "grant.forfeited", "grant.vested"]),
    _INSTANTS,
    st.fixed_dictionaries({"grant_id": grants}, optional={"holder": st.sampled_from(HOLDERS)}),
)


@st.composite
def moves(draw: st.DrawFn) -> list[Event]:
    """Draw two grants that go from hand to hand and into each other at one instant or two, and are ended on the way.

    Issued before, at the same instants or by two people; ids in any order, since they order what happens at one instant.
    """
    terms = {"quantity": "100", "rollover_max": "100"}
    issued = [
        (
            "grant.issued", draw(st.one_of(st.just("2026-01-01"), _INSTANTS)),
            {
                "grant_id": one, "holder": draw(st.sampled_from(HOLDERS)),
                "vesting": draw(st.sampled_from(["immediate", "immediate", "by_event"])), **terms,
            },
        )
        for one in (*GRANTS, *draw(st.lists(grants, max_size=1)))
    ]  # fmt: skip
    drawn = [*issued, *draw(st.lists(st.one_of(_MOVES, _MOVES, _ENDS), min_size=2, max_size=12))]
    numbers = draw(st.permutations(range(len(drawn))))
    events = []
    for number, (kind, time, data) in zip(numbers, drawn, strict=True):
        more = {"quantity": "40"} if kind == "grant.vested" else {}
        raw = {
            "id": f"e-{number:03d}", "source": "test", "type": f"compute.{kind}.v1", "time": time,
            "organisation": "acme", "data": data | more,
        }  # fmt: skip
        try:
            events.append(read_event(raw))
        except Refusal:
            continue
    return events
