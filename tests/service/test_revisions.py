"""Several revisions in force over time: an event is judged by the text in force when it occurred, whenever it arrives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.domain.errors import EvaluatorUnavailable
from engine.domain.events import Event
from engine.domain.reference import Reference
from engine.domain.values import DAY_US, instant, instant_text
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, digest_of, from_bytes, load_bundle
from engine.policy.opa_child import OpaChild
from engine.service import replay
from engine.service.activation import Conditions
from engine.service.policy_acts import counted_from_before, differing
from engine.service.process import Body
from engine.service.revisions import Others
from engine.store.lookups import Lookups
from engine.store.opening import open_store
from engine.store.sql_store import SqlStore
from tests.domain.make import event

Start = Callable[[Bundle], OpaChild]
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.needs_opa


@pytest.fixture(scope="module")
def former(opa_binary: str) -> Bundle:
    """The policies that ship: a cap of 1,000 CCU."""
    return load_bundle(ROOT / "policies", Path(opa_binary))


def changed(bundle: Bundle, change: Callable[[dict[str, Any]], None]) -> Bundle:
    """Give a bundle with other data, under the name that belongs to it."""
    params = bundle.data
    change(params)
    files = bundle.files | {"params.json": json.dumps(params)}
    return msgspec.structs.replace(bundle, files=files, digest=digest_of(files))


@pytest.fixture(scope="module")
def stricter(former: Bundle) -> Bundle:
    """The same with a cap of 100 CCU."""
    return changed(former, lambda params: params["params"]["default"]["FU-001"].update(cap_u=100_000_000))


@pytest.fixture(scope="module")
def start(opa_binary: str) -> Iterator[Start]:
    """Start an OPA on a bundle; all end with the module."""
    started: list[OpaChild] = []

    def begin(bundle: Bundle) -> OpaChild:
        started.append(OpaChild(bundle, Path(opa_binary)))
        return started[-1]

    yield begin
    for child in started:
        child.close()


@pytest.fixture
def store(tmp_path: Path, former: Bundle, stricter: Bundle) -> Iterator[SqlStore]:
    """A store that was begun with the former policies and keeps the stricter ones too."""
    with closing(open_store(f"sqlite:///{tmp_path / 'covenant.db'}")) as opened:
        opened.save_bundle(former.digest, former.to_bytes(), 1)
        opened.save_bundle(stricter.digest, stricter.to_bytes(), 2)
        yield opened


@pytest.fixture
def body(store: SqlStore, former: Bundle, start: Start) -> Iterator[Body]:
    """A body that follows activations, and holds them to their conditions."""
    others = Others(lambda digest: from_bytes(store.bundle(digest)), start)
    opened = Body(store, start(former), former, others=others)
    opened.conditions = Conditions(others.bundle, former)
    opened.open(0)
    yield opened
    opened.revisions.close()


def activation(revision: Bundle, **fields: Any) -> Event:
    """An activation of February 28, with effect from March 1; a field that is None is left out."""
    said: dict[str, Any] = {"effective_from": "2026-03-01T00:00:00Z", "author": "a", "approver": "b", "opens": 1}
    said |= {"bundle": revision.digest, "backtest": "0" * 64} | fields
    return event("policy.activated", "2026-02-28", **{name: value for name, value in said.items() if value is not None})


BEFORE = (
    event("grant.issued", "2026-01-01", grant_id="G1", holder="p-1", quantity="5000", vesting="immediate"),
    event("credential.created", "2026-01-01", credential="c", owner="p-1"),
    event("usage.inference", "2026-02-01", credential="c", quantity="500"),
)
AFTER = event("usage.inference", "2026-04-10", credential="c", quantity="150")
LATE = event("usage.inference", "2026-02-10", credential="c", quantity="150")


def judged(store: SqlStore) -> dict[str, str]:
    """Time of each usage whose decision stands → digest of the bundle that judged it."""
    query = "SELECT time, bundle FROM decision WHERE stands AND type LIKE 'compute.usage%' ORDER BY time"
    with store.reading() as connection:
        rows = connection.exec_driver_sql(query).all()
    return {instant_text(row[0])[:10]: row[1] for row in rows}


def found(store: SqlStore) -> list[tuple[str, str, str]]:
    """Rule, discriminator and status of what stands."""
    query = "SELECT rule, discriminator, status FROM violation WHERE status <> 'retracted' ORDER BY rule, discriminator"
    with store.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_an_event_is_judged_by_the_text_in_force_when_it_occurred(
    body: Body, store: SqlStore, former: Bundle, stricter: Bundle
) -> None:
    """What occurred before the activation is judged by the former text, though it arrives after; what follows by the new one."""
    body.process(0, [Arrival(e) for e in BEFORE], {}, 1)
    assert body.refer([Arrival(activation(stricter))], {}, 2).accepted == 1
    body.process(0, [Arrival(AFTER)], {}, 3)
    body.process(0, [Arrival(LATE)], {}, 4)
    body.settle(0, 5, ended=True)
    assert judged(store) == {"2026-02-01": former.digest, "2026-02-10": former.digest, "2026-04-10": stricter.digest}
    assert found(store) == [("FU-001", '["2026-04"]', "alleged")]


def test_a_lowered_cap_counts_from_its_date(body: Body, store: SqlStore, stricter: Bundle) -> None:
    """90 CCU used before the cap was lowered to 100 were allowed, and aren't held against who uses 90 after."""
    body.process(0, [Arrival(e) for e in BEFORE[:2]], {}, 1)
    body.refer([Arrival(activation(stricter))], {}, 2)
    used = [event("usage.inference", day, credential="c", quantity="90") for day in ("2026-02-20", "2026-03-05")]
    body.process(0, [Arrival(e) for e in used], {}, 3)
    assert found(store) == []
    body.process(0, [Arrival(event("usage.inference", "2026-03-06", credential="c", quantity="11"))], {}, 4)
    body.settle(0, 5, ended=True)
    assert found(store) == [("FU-001", '["2026-03"]', "alleged")]


def test_an_activation_that_arrives_late_judges_anew_what_occurred_from_its_date(
    body: Body, store: SqlStore, former: Bundle, stricter: Bundle
) -> None:
    """The usage of April passed under the former text, until the activation of February is learnt of."""
    body.process(0, [Arrival(e) for e in (*BEFORE, AFTER, LATE)], {}, 1)
    assert set(judged(store).values()) == {former.digest}
    assert found(store) == []
    body.refer([Arrival(activation(stricter))], {}, 2)
    body.process(0, [], {}, 3)
    body.settle(0, 4, ended=True)
    assert judged(store)["2026-04-10"] == stricter.digest
    assert judged(store)["2026-02-10"] == former.digest
    assert found(store) == [("FU-001", '["2026-04"]', "alleged")]


def test_what_several_revisions_decided_is_decided_again_alike(
    body: Body, store: SqlStore, stricter: Bundle, opa_binary: str
) -> None:
    """A replay judges each event by the revision that judged it; folding in order of time ends where the run did."""
    body.process(0, [Arrival(e) for e in BEFORE], {}, 1)
    body.refer([Arrival(activation(stricter))], {}, 2)
    body.process(0, [Arrival(AFTER)], {}, 3)
    body.process(0, [Arrival(LATE)], {}, 4)
    body.settle(0, 5, ended=True)
    for report in (replay.check(store, Path(opa_binary)), replay.canonical(store, Path(opa_binary))):
        assert report.decisions > 0
        assert (report.differences, report.first) == (0, ())


def test_a_second_body_goes_on_with_the_revision_that_is_in_force(
    body: Body, store: SqlStore, former: Bundle, stricter: Bundle, start: Start
) -> None:
    """A restart reads activations from the store, and judges as one body would."""
    body.process(0, [Arrival(e) for e in BEFORE], {}, 1)
    body.refer([Arrival(activation(stricter))], {}, 2)
    again = Body(store, start(former), former, others=Others(lambda d: from_bytes(store.bundle(d)), start))
    again.open(0)
    again.process(0, [Arrival(AFTER)], {}, 3)
    again.settle(0, 4, ended=True)
    again.revisions.close()
    assert judged(store)["2026-04-10"] == stricter.digest
    assert found(store) == [("FU-001", '["2026-04"]', "alleged")]


def test_a_shadowed_revision_is_recorded_and_accuses_nobody(
    body: Body, store: SqlStore, former: Bundle, stricter: Bundle, opa_binary: str
) -> None:
    """What it would have said of events from its date on stands beside what was decided, and is told apart by rule."""
    shadow = event("policy.shadowed", "2026-02-28", bundle=stricter.digest, author="a", effective_from="2026-03-01T00:00:00Z")
    body.process(0, [Arrival(e) for e in BEFORE], {}, 1)
    body.refer([Arrival(shadow)], {}, 2)
    body.process(0, [Arrival(AFTER), Arrival(LATE)], {}, 3)
    body.settle(0, 4, ended=True)
    assert set(judged(store).values()) == {former.digest}
    assert found(store) == []
    assert [instant_text(row.time)[:10] for row in store.shadows(stricter.digest)] == ["2026-04-10"]
    (one,) = differing(Lookups(store), stricter.digest)
    assert (one.rule, one.in_force, one.shadowed) == ("FU-001", "pass", "violation")
    assert replay.check(store, Path(opa_binary)).differences == 0
    retired = event("policy.retired", "2026-05-01", bundle=stricter.digest, author="a")
    body.refer([Arrival(retired)], {}, 5)
    body.process(0, [Arrival(event("usage.inference", "2026-05-02", credential="c", quantity="1"))], {}, 6)
    assert len(store.shadows(stricter.digest)) == 1


def test_a_shadow_whose_engine_cannot_be_had_holds_up_nobody(
    store: SqlStore, former: Bundle, stricter: Bundle, start: Start
) -> None:
    """The revision in force goes on judging; of the shadow nothing is recorded."""

    def fails(_: Bundle) -> OpaChild:
        msg = "OPA didn't start."
        raise EvaluatorUnavailable(msg)

    body = Body(store, start(former), former, others=Others(lambda digest: from_bytes(store.bundle(digest)), fails))
    body.open(0)
    shadow = event("policy.shadowed", "2026-02-28", bundle=stricter.digest, author="a")
    body.refer([Arrival(shadow)], {}, 1)
    body.process(0, [Arrival(e) for e in (*BEFORE, AFTER)], {}, 2)
    assert judged(store)["2026-04-10"] == former.digest
    assert store.shadows(stricter.digest) == []


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "kept": ({"bundle": "f" * 64}, "keeps no bundle"),
    "past": ({"effective_from": "2026-02-27T00:00:00Z"}, "before the activation itself"),
    "no backtest": ({"backtest": None}, "names no backtest"),
    "not confirmed": ({"opens": 21}, "It would open 21 findings, more than 20, and no number is confirmed"),
    "another number": ({"opens": 21, "confirmed": 20}, "20 was confirmed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_activation_that_lacks_a_condition_is_refused_and_changes_nothing(
    body: Body, store: SqlStore, former: Bundle, stricter: Bundle, case: str
) -> None:
    """It is refused with a reason, whichever way it came; the former text stays in force."""
    fields, said = REFUSED[case]
    result = body.refer([Arrival(activation(stricter, **fields))], {}, 1)
    assert (result.accepted, result.refused) == (0, 1)
    with store.reading() as connection:
        ((reason, code),) = connection.exec_driver_sql("SELECT reason, code FROM refused").all()
    assert said in reason
    assert code == "not-activated"
    body.process(0, [Arrival(e) for e in (*BEFORE, AFTER)], {}, 2)
    assert set(judged(store).values()) == {former.digest}


def test_an_older_revision_does_not_come_back(body: Body, former: Bundle, stricter: Bundle) -> None:
    """What was replaced isn't put in force again by its old name; a confirmed activation of the new one was."""
    late = {"effective_from": "2026-03-02T00:00:00Z", "opens": 30, "confirmed": 30}
    assert body.refer([Arrival(activation(stricter, **late))], {}, 1).accepted == 1
    back = activation(former, effective_from="2026-03-03T00:00:00Z")
    refusal = body.conditions and body.conditions.refusal(back, Reference(body.log.events))
    assert refusal is not None
    assert "is an older revision than the active one" in str(refusal)


def test_a_bundle_that_folds_otherwise_is_not_put_in_force(body: Body, store: SqlStore, stricter: Bundle) -> None:
    """Facts are folded with one set of lengths; another set needs another store, and a sentence says so."""
    other = changed(stricter, lambda params: params["facts"].update(consumption_window_us=1))
    store.save_bundle(other.digest, other.to_bytes(), 3)
    refusal = body.conditions and body.conditions.refusal(activation(other), Reference())
    assert refusal is not None
    assert "folds with another consumption_window_us" in str(refusal)
    assert "back to consumption_window_us: 2592000000000; or take the events in anew, with" in str(refusal)
    shadow = event("policy.shadowed", "2026-02-28", bundle=other.digest, author="a")
    refusal = body.conditions and body.conditions.refusal(shadow, Reference())
    assert "folds with another consumption_window_us" in str(refusal)


def test_a_shadow_says_of_which_sums_it_counts_what_was_before(
    body: Body, store: SqlStore, former: Bundle, stricter: Bundle
) -> None:
    """Of those whose threshold it sets lower than what is in force at its date, and of no others."""
    conditions = Conditions(lambda digest: from_bytes(store.bundle(digest)), former)
    at = int(instant("2026-03-02"))
    assert counted_from_before(store, conditions, "acme", stricter, at) == ["FU-001"]
    assert counted_from_before(store, conditions, "acme", former, at) == []
    body.refer([Arrival(activation(stricter))], {}, 1)
    assert counted_from_before(store, conditions, "acme", stricter, at) == []
    assert counted_from_before(store, conditions, "acme", stricter, at - 2 * DAY_US) == ["FU-001"]
