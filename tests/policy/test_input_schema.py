"""The input's schema says what the fold makes, and holds every rule to it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft7Validator

from engine.domain.events import Event
from engine.policy.bundle import Bundle, load_bundle
from engine.policy.checking import compile_problems
from engine.policy.evaluator import Answer
from engine.policy.modules import CAPABILITIES, INPUT
from tests.domain.make import event
from tests.policy.servers import POLICIES
from tests.service.cluster import run_in_order
from tests.service.histories import histories

pytestmark = pytest.mark.needs_opa
SCHEMA = json.loads(INPUT.read_text())
VALIDATOR = Draft7Validator(SCHEMA)
PATIENT = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
LOGIN = {"kind": "login", "value": "github.com/a"}
TIED = [
    event("credential.created", "2026-01-01", credential="k1", owner="p-1"),
    event("alias.linked", "2026-01-01", alias=LOGIN, target={"kind": "person", "id": "p-1"}, verified=True),
    event("grant.issued", "2026-01-01", grant_id="G1", holder="p-1", quantity="100", vesting="immediate"),
    event("usage.inference", "2026-01-02", credential="k1", quantity="1", session="s1", branch="main"),
    event(
        "repository.pushed", "2026-01-03", repository="r1", name="n", owner="github.com/a", actor=LOGIN, private=True,
        session="s1", ref="refs/heads/main", authors=["eve@b.example", "x[bot]@b.example"],
    ),
    event("organisation.configured", "2026-01-01", owners=["github.com/acme"]),
    event("disclosure.submitted", "2026-01-02", person="p-1", disclosure_id="d", kind="outside_activity", repository="r1"),
    event("feed.completed_through", "2026-03-01", feed="people", through="2026-03-01"),
    event("feed.completed_through", "2026-03-01", feed="repositories", through="2026-03-01"),
    event("repository.downloaded", "2026-01-03", repository="r1", name="n", owner="github.com/a", actor=LOGIN, private=True),
    event("person.notice_given", "2026-01-04", person="p-1"),
    event("person.membership_recorded", "2026-01-05", person="p-1", member_of="Rival", basis="declared"),
    *(
        event(f"repository.{verb}", "2026-01-04", repository="r1", name="n", owner="github.com/a", actor=LOGIN, **more)
        for verb, more in (
            ("visibility_changed", {"to": "public", "private": True}),
            ("licence_changed", {"before": "MIT", "after": "none"}),
            ("released", {"tag": "v1"}),
            ("transferred", {"to_owner": "github.com/b", "private": False}),
            ("forked", {"to_owner": "github.com/b", "private": False}),
        )
    ),
    event(
        "approval.granted", "2026-01-01", approval_id="a", about={"kind": "person", "id": "p-1"}, kind="cap_uplift", approver="b",
        amount="5", **{"from": "2026-01-01", "until": "2026-03-01"},
    ),
    event("person.jurisdiction_changed", "2026-01-04", person="p-1", jurisdiction="US-CA"),
    event("agreement.signed", "2026-01-05", person="p-1", kind="ip_assignment", version="1", notice_given=True),
    event("grant.transferred", "2026-02-20", grant_id="G1", holder="p-1", to="p-2"),
    event("pool.planned", "2026-01-01", pool="pool-1", quantity="1"),
    event("pool.resized", "2026-01-01", pool="pool-1", gpus=1),
    event(
        "grant.issued", "2026-01-01", grant_id="G3", holder="p-1", quantity="2", pool="pool-1", vesting="immediate",
        expires_at="2026-02-05",
    ),
    event("usage.inference", "2026-01-02", credential="k1", quantity="1", grant_id="G3"),
    event("usage.gpu", "2026-01-02", credential="k1", quantity="1"),
    event(
        "grant.issued", "2026-01-01", grant_id="G4", holder="p-1", quantity="2", vesting="immediate",
        filters={"models": ["m"], "providers": ["q"]},
    ),
    event("usage.inference", "2026-01-02", credential="k1", quantity="1", grant_id="G4", model="other"),
    event("feed.completed_through", "2026-03-01", feed="agreements", through="2026-03-01"),
    event("feed.completed_through", "2026-03-01", feed="approvals", through="2026-03-01"),
    event("feed.completed_through", "2026-03-01", feed="grants", through="2026-03-01"),
]  # fmt: skip
"""A push that shares two traces with a usage, a pool, a grant that expires: chance makes such things too seldom."""


class Recorder:
    """An evaluator that keeps what it is asked and accuses nobody."""

    revision = opa_version = ""

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self.asked: list[dict[str, Any]] = []

    def evaluate(self, inputs: Sequence[bytes]) -> list[Answer]:
        """Keep the inputs; all pass."""
        documents = [msgspec.json.decode(one, type=dict) for one in inputs]
        self.asked += documents
        return [Answer(document["event"]["id"]) for document in documents]

    def submit(self, inputs: Sequence[bytes]) -> Future[list[Answer]]:
        """Answer at once."""
        answers: Future[list[Answer]] = Future()
        answers.set_result(self.evaluate(inputs))
        return answers

    def close(self) -> None:
        """Hold nothing."""


@pytest.fixture(scope="module")
def bundle(opa_binary: str) -> Bundle:
    """The shipped policies."""
    return load_bundle(POLICIES, Path(opa_binary))


def asked_of(events: list[Event], bundle: Bundle) -> list[dict[str, Any]]:
    """Give every input that a history makes under a bundle."""
    recorder = Recorder()
    run_in_order(events, recorder, bundle)
    return recorder.asked


def paths(prefix: str, value: Any) -> Iterator[str]:
    """Give every path of a document; items of a list stand at the list's own."""
    yield prefix
    if isinstance(value, list):
        for part in value:
            yield from paths(prefix, part)
    if isinstance(value, dict):
        for name, part in value.items():
            yield from paths(f"{prefix}.{name}", part)


def schema_paths(prefix: str, schema: dict[str, Any]) -> set[str]:
    """Give every path that the schema describes, in the same way."""
    found = {prefix}
    for name, part in (schema.get("properties") or schema.get("items", {}).get("properties") or {}).items():
        found |= schema_paths(f"{prefix}.{name}", part)
    return found


def resolves(document: dict[str, Any], path: str) -> bool:
    """Whether a document has a path."""
    value: Any = document
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def test_every_input_the_fold_makes_is_as_the_schema_says(bundle: Bundle) -> None:
    """Whatever happened, for every kind of question; and nothing in the schema is never there."""
    every = tuple(SCHEMA["properties"]["event"]["properties"]["type"]["enum"])
    rules = tuple(msgspec.structs.replace(rule, events=every) for rule in bundle.catalogue.rules)
    curious = msgspec.structs.replace(bundle, catalogue=type(bundle.catalogue)(rules))
    seen: set[str] = set()
    kinds: set[str] = set()

    @given(events=histories())
    @PATIENT
    def look(events: list[Event]) -> None:
        for document in asked_of([*TIED, *events], curious):
            VALIDATOR.validate(document)
            seen.update(paths("input", document))
            kinds.add(document["event"]["type"])

    look()
    assert kinds == set(every)
    assert schema_paths("input", SCHEMA) - {"input.batch"} <= seen


@given(events=histories())
@PATIENT
def test_what_a_rule_needs_is_there_or_said_to_be_unknown(bundle: Bundle, events: list[Event]) -> None:
    """So no rule accuses, and none clears, on a fact that silently isn't there."""
    for document in asked_of([*TIED, *events], bundle):
        for rule in filter(lambda rule: rule.concerns(document["event"]), bundle.catalogue.for_type(document["event"]["type"])):
            for path in (*rule.breach_needs, *rule.excuse_needs):
                assert resolves(document, path) or path in document["unknown"], (rule.code, path)


def test_the_fixtures_of_the_rules_own_tests_are_inputs() -> None:
    """What rules are tested on is what they will be asked."""
    for document in json.loads((POLICIES / "fixtures.json").read_text())["fixtures"].values():
        VALIDATOR.validate(document)


TYPO = """package covenant.fair_use

breach contains {"code": "FU-001", "evidence": {}} if {
	input.event.type in {"compute.usage.gpu.v1"}
	input.facts.use.ccu_30d == 1
}
"""


def copy(folder: Path) -> Path:
    """Copy the shipped policies."""
    return Path(shutil.copytree(POLICIES, folder / "policies"))


def test_a_typo_in_a_rule_without_annotations_is_found(opa_binary: str, tmp_path: Path) -> None:
    """And the message knows what was meant."""
    folder = copy(tmp_path)
    (folder / "fair_use" / "typo.rego").write_text(TYPO)
    (found,) = compile_problems(Path(opa_binary), folder, tests=False)
    assert found.where == "fair_use/typo.rego:5"
    assert found.what == "input.facts.use.ccu_30d isn't in any input."
    assert "Did you mean input.facts.use.ccu_30d_u?" in found.do


@pytest.mark.parametrize("path", ["event.typ", "facts.grant.ids", "facts.exit.stat", "fact.holder"])
def test_a_typo_anywhere_in_the_input_is_found(opa_binary: str, tmp_path: Path, path: str) -> None:
    """Whichever part it is in."""
    folder = copy(tmp_path)
    (folder / "fair_use" / "typo.rego").write_text(TYPO.replace("facts.use.ccu_30d", path))
    (found,) = compile_problems(Path(opa_binary), folder, tests=False)
    assert found.what == f"input.{path} isn't in any input."


def test_the_built_ins_are_few_and_none_gives_another_answer_tomorrow() -> None:
    """At most 60, none marked nondeterministic, no network, clock, chance or parsing of text."""
    allowed = json.loads(CAPABILITIES.read_text())
    names = {one["name"] for one in allowed["builtins"]}
    assert len(names) <= 60
    assert allowed["allow_net"] == []
    assert not any(one.get("nondeterministic") for one in allowed["builtins"])
    assert not names & {"http.send", "time.now_ns", "rand.intn", "uuid.rfc4122", "net.lookup_ip_addr", "opa.runtime"}
    assert not names & {"io.jwt.decode_verify", "walk", "numbers.range", "json.unmarshal", "sprintf", "rego.parse_module"}


@pytest.mark.parametrize(
    "call",
    [
        'http.send({"method": "GET", "url": "http://127.0.0.1"})', "time.now_ns() > 1", 'rand.intn("x", 2) == 1',
        "opa.runtime()", 'net.lookup_ip_addr("localhost")', 'uuid.rfc4122("x")', 'json.unmarshal("{}")', 'sprintf("%d", [1])',
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused_when_policies_are_loaded(opa_binary: str, tmp_path: Path, call: str) -> None:
    """A rule that calls it judges nobody."""
    folder = copy(tmp_path)
    (folder / "fair_use" / "typo.rego").write_text(TYPO.replace("input.facts.use.ccu_30d == 1", call))
    (found,) = compile_problems(Path(opa_binary), folder, tests=False)
    assert found.what == f"{call.partition('(')[0]} may not be called."
    assert "the same for ever" in found.do
