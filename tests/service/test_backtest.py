"""A backtest against the long way round: everything taken in again under the candidate; and one that is ended and resumed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest

from engine.domain.errors import EvaluatorUnavailable, UsageError
from engine.domain.events import Event
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, from_bytes, load_bundle
from engine.policy.evaluator import Answer, Evaluator
from engine.policy.opa_child import OpaChild
from engine.service.backtest import NOTHING_UNKNOWN, Options, backtest
from engine.service.backtest_inputs import BLOCK, count_inputs, keep_inputs, read_inputs
from engine.service.backtest_report import document
from engine.service.ingest import ingest
from engine.service.process import Body
from engine.service.replay import finish_lane
from engine.service.revisions import Others
from engine.service.standing import export_standing
from engine.store.memory_store import MemoryStore
from engine.store.opening import open_store
from engine.store.protocol import Store
from engine.store.sql_store import SqlStore
from tests.domain.make import event
from tests.service.brute import differences, put_otherwise, report_of, told
from tests.service.real import read
from tests.service.test_horizon import GRANT, KEY, USED, VOIDED
from tests.service.test_horizon import NOW as LATER
from tests.service.test_revisions import activation

ROOT = Path(__file__).parents[2]
HANDOVER = "2023-11-16T18:55:00Z"
NOW = 1_790_000_000_000_000
pytestmark = [pytest.mark.needs_opa]


@pytest.fixture(scope="module")
def shipped(opa_binary: str) -> Bundle:
    """The shipped policies."""
    return load_bundle(ROOT / "policies", Path(opa_binary))


@pytest.fixture(scope="module")
def lower(shipped: Bundle, opa_binary: str, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The same with a cap of 300."""
    folder = tmp_path_factory.mktemp("candidate") / "policies"
    return put_otherwise(ROOT / "policies", folder, Path(opa_binary), {"FU-001": {"cap_u": 300_000_000}})


@pytest.fixture(scope="module")
def evaluators(shipped: Bundle, lower: Bundle, opa_binary: str) -> Iterator[dict[str, OpaChild]]:
    """An OPA for each, by digest."""
    with closing(OpaChild(shipped, Path(opa_binary))) as one, closing(OpaChild(lower, Path(opa_binary))) as two:
        yield {shipped.digest: one, lower.digest: two}


@pytest.fixture
def store(tmp_path: Path, shipped: Bundle) -> Iterator[SqlStore]:
    """A fresh store that holds the shipped bundle."""
    opened = open_store(f"sqlite:///{tmp_path / 'covenant.db'}")
    opened.save_bundle(shipped.digest, shipped.to_bytes(), NOW)
    with closing(opened):
        yield opened


def take(store: Store, evaluator: Evaluator, bundle: Bundle, arrivals: Sequence[Arrival]) -> list[bytes]:
    """Take arrivals in, and give what stands then."""
    assert ingest(Body(store, evaluator, bundle), arrivals, clock=lambda: NOW).refused == 0
    return list(export_standing(store))


@pytest.mark.needs_real_data
def test_a_lower_cap_over_real_usage_is_the_difference_of_two_whole_runs(
    store: SqlStore, shipped: Bundle, lower: Bundle, evaluators: dict[str, OpaChild], real_data: Path, tmp_path: Path
) -> None:
    """19,366 requests of a provider under made-up rates, a service that changes hands: new and changed, to the last word."""
    data = (real_data / "llm_usage" / "azure_llm_2023_conv.csv.gz").read_bytes()
    service = {"kind": "service", "value": "azure-llm-inference"}
    setting = [
        event("rate.published", "2023-01-01", ident=f"rate-{meter}", meter=meter, units="60")
        for meter in ("input_tokens", "output_tokens")
    ]
    for name, since, until in (("a", "2023-11-16T00:00:00Z", HANDOVER), ("b", HANDOVER, None)):
        person = {"kind": "person", "id": f"p-{name}"}
        valid = {"valid_from": since, "valid_until": until} if until else {"valid_from": since}
        setting += [
            event("alias.linked", since, ident=f"link-{name}", alias=service, target=person, verified=True, **valid),
            event(
                "grant.issued", "2023-01-01", ident=f"grant-{name}", grant_id=f"G-{name}", holder=person["id"],
                quantity="100000", vesting="immediate",
            ),
        ]  # fmt: skip
    arrivals = [*map(Arrival, setting), *read("map:" + str(ROOT / "examples/mappings/azure_llm.yaml"), data)]
    before = take(store, evaluators[shipped.digest], shipped, arrivals)
    again = MemoryStore()
    after = take(again, evaluators[lower.digest], lower, arrivals)
    report = report_of(store, lower, evaluators[lower.digest], tmp_path)
    expected = differences(before, after)
    assert told(report) == expected
    assert {how for how, _ in expected.values()} == {"opened", "changed"}
    for row in report["rows"]:
        assert all(again.decision(ident).stands for ident in row["candidate_decisions"])
        assert all(store.decision(ident).stands for ident in row["decisions"])


def test_over_what_several_revisions_judged_it_is_the_difference_of_two_whole_runs(
    store: SqlStore, shipped: Bundle, lower: Bundle, evaluators: dict[str, OpaChild], opa_binary: str, tmp_path: Path
) -> None:
    """A cap of 1,000 until March, of 100 from then on, and late facts of both times: against 300 from the beginning."""
    strict = put_otherwise(ROOT / "policies", tmp_path / "strict", Path(opa_binary), {"FU-001": {"cap_u": 100_000_000}})
    store.save_bundle(strict.digest, strict.to_bytes(), NOW)
    others = Others(lambda digest: from_bytes(store.bundle(digest)), lambda bundle: OpaChild(bundle, Path(opa_binary)))
    events, late = several_years()
    runs: list[Iterator[bytes]] = []
    again = MemoryStore()
    for body in (
        Body(store, evaluators[shipped.digest], shipped, others=others), Body(again, evaluators[lower.digest], lower)
    ):  # fmt: skip
        body.refer([Arrival(activation(strict))], {}, 1)
        body.open(0)
        for number, batch in enumerate((events, late), 2):
            body.process(0, [Arrival(one) for one in batch], {}, number)
        finish_lane(body, 0, 4)
        body.revisions.close()
        runs.append(export_standing(body.store))
    expected = differences(*runs)
    report = report_of(store, lower, evaluators[lower.digest], tmp_path / "work")
    assert told(report) == expected
    assert report["bases"] == [strict.digest, shipped.digest]
    assert {one["holder"]: (how, one["opened_at"][:7]) for how, one in expected.values()} == {
        "p-1": ("opened", "2026-02"), "p-2": ("changed", "2026-04"), "p-3": ("closed", "2026-04"), "p-4": ("changed", "2026-02"),
        "p-5": ("opened", "2026-02"),
    }  # fmt: skip
    for row in report["rows"]:
        assert all(store.decision(ident).stands for ident in row["decisions"])


def several_years() -> tuple[list[Event], list[Event]]:
    """Five holders' usage before and after an activation of March, and what is told of it late."""
    events = []
    for name, day, quantity in (
        ("1", "2026-02-01", "400"), ("2", "2026-04-10", "350"), ("3", "2026-04-10", "200"), ("4", "2026-02-01", "1200"),
        ("5", "2026-02-01", "200"),
    ):  # fmt: skip
        events += [
            event("grant.issued", "2026-01-01", grant_id=f"G{name}", holder=f"p-{name}", quantity="5000", vesting="immediate"),
            event("credential.created", "2026-01-01", credential=name, owner=f"p-{name}"),
            event("usage.inference", day, credential=name, quantity=quantity),
        ]
    return events, [event("usage.inference", "2026-02-05", credential="5", quantity="150")]


class Failing:
    """An evaluator that answers so many calls and then is gone; counts what it was asked."""

    def __init__(self, evaluator: Evaluator, calls: int) -> None:
        """Ask `evaluator`."""
        self.revision, self.opa_version = evaluator.revision, evaluator.opa_version
        self._evaluator, self._calls = evaluator, calls
        self.asked = 0

    def evaluate(self, inputs: Sequence[bytes]) -> list[Answer]:
        """Answer while there are calls left."""
        self._calls -= 1
        if self._calls < 0:
            msg = "Gone."
            raise EvaluatorUnavailable(msg, "Start it.")
        self.asked += len(inputs)
        return self._evaluator.evaluate(inputs)

    def submit(self, inputs: Sequence[bytes]) -> Future[list[Answer]]:
        """Answer at once, or fail when asked for it."""
        future: Future[list[Answer]] = Future()
        try:
            future.set_result(self.evaluate(inputs))
        except EvaluatorUnavailable as error:
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Nothing of its own."""


def usage(count: int) -> list[Arrival]:
    """One holder's usage, a unit a minute."""
    events = [
        event("credential.created", "2026-01-01", credential="c", owner="p-1"),
        event("grant.issued", "2026-01-01", grant_id="G", holder="p-1", quantity="5000", vesting="immediate"),
    ]
    minutes = [divmod(n, 60) for n in range(count)]
    times = [f"2026-01-{2 + hour // 24:02}T{hour % 24:02}:{minute:02}:00Z" for hour, minute in minutes]
    return [Arrival(one) for one in (*events, *(event("usage.inference", at, credential="c", quantity="1") for at in times))]


def test_resumed_it_asks_only_what_is_left(
    store: SqlStore, shipped: Bundle, lower: Bundle, evaluators: dict[str, OpaChild], tmp_path: Path
) -> None:
    """What was answered before the end isn't asked again, the report is the same; without `resume` all is asked anew."""
    take(store, evaluators[shipped.digest], shipped, usage(2 * BLOCK + 10))
    inputs = keep_inputs(store, lower, tmp_path / "work")
    total = count_inputs(inputs)
    assert 2 * BLOCK < total < 3 * BLOCK
    assert all(one.body.endswith(NOTHING_UNKNOWN) for block in read_inputs(inputs) for one in block if "usage" in one.type)
    ours = evaluators[lower.digest]
    whole = document(backtest(store, lower, ours, inputs, Options()))
    assert (whole["opened"], whole["changed"]) == (0, 1)
    for resume, left in ((True, total - 2 * BLOCK), (False, total)):
        with pytest.raises(EvaluatorUnavailable):
            backtest(store, lower, Failing(ours, 2), inputs, Options())
        counting = Failing(ours, 9)
        assert document(backtest(store, lower, counting, inputs, Options(resume=resume))) == whole
        assert counting.asked == left


def test_two_runs_of_one_backtest_do_not_mix(
    store: SqlStore, shipped: Bundle, lower: Bundle, evaluators: dict[str, OpaChild], tmp_path: Path
) -> None:
    """The second is refused while the first one is at it."""
    take(store, evaluators[shipped.digest], shipped, usage(10))
    inputs = keep_inputs(store, lower, tmp_path / "work")

    def meanwhile(_: int) -> None:
        with pytest.raises(UsageError, match="running already"):
            backtest(store, lower, evaluators[lower.digest], inputs, Options(resume=True))

    assert backtest(store, lower, evaluators[lower.digest], inputs, Options(), meanwhile).events > 0


def test_whom_the_horizon_spared_for_a_late_fact_a_backtest_spares(
    store: SqlStore, shipped: Bundle, lower: Bundle, evaluators: dict[str, OpaChild], tmp_path: Path
) -> None:
    """A voiding told months late charges nobody beyond the horizon: a candidate with the same rule doesn't either."""
    body = Body(store, evaluators[shipped.digest], shipped, horizon_days=30)
    body.open(0)
    for number, batch in enumerate(([GRANT, KEY, USED, LATER], [VOIDED]), 1):
        body.process(0, [Arrival(one) for one in batch], {}, number)
    finish_lane(body, 0, 3)
    said = report_of(store, lower, evaluators[lower.digest], tmp_path)
    assert said["rows"] == []
    (rule,) = (rule for rule in said["rules"] if rule["rule"] == "FU-008")
    assert rule["events"]["base"] == rule["events"]["candidate"] == {"violation": 0, "excused": 2, "indeterminate": 0, "error": 0}
