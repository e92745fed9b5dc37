"""The example company through the embedded body: all that is found is what its stories state, both ways."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine.domain.order import aggregate
from engine.intake.arrivals import Arrival
from engine.intake.cloudevents import decode
from engine.intake.contract import Options
from engine.policy.bundle import Bundle, load_bundle
from engine.policy.opa_child import OpaChild
from engine.service.ingest import Taking, ingest
from engine.service.process import Body
from engine.service.standing import export_standing
from engine.settings import Settings
from engine.store.memory_store import MemoryStore
from engine.store.opening import open_store
from engine.store.protocol import Store
from examples import company
from examples.company.telling import tell
from tests.examples.found import corrections_in, expected_of, found_in
from tests.service.brute import candidates, decided, differences, put_otherwise, report_of, told

ROOT = Path(__file__).parents[2]
BATCH = 1000


class Run(NamedTuple):
    """What one run over the example left behind."""

    url: str
    """Of the store, which is closed."""
    taking: Taking
    standing: tuple[bytes, ...]
    found: dict[str, set[Any]]
    corrections: list[company.Correction]


@pytest.fixture(scope="module")
def bundle(opa_binary: str) -> Bundle:
    """The shipped policies."""
    return load_bundle(ROOT / "policies", Path(opa_binary))


def arrivals(lines: Iterable[bytes]) -> Iterator[Arrival]:
    """Read lines as a file's."""
    return (one for number, line in enumerate(lines, 1) for one in decode(line, f"company:{number}", Options()))


@pytest.fixture(scope="module")
def take_in(bundle: Bundle, opa_binary: str) -> Iterator[Callable[[Iterable[bytes], Store], Taking]]:
    """Takes lines into a store, judged by the shipped policies on a child OPA."""
    child = OpaChild(bundle, Path(opa_binary))

    def run(lines: Iterable[bytes], store: Store) -> Taking:
        return ingest(Body(store, child, bundle), arrivals(lines), clock=lambda: 1, batch=BATCH)

    yield run
    child.close()


@pytest.fixture(scope="module")
def as_it_arrived(
    take_in: Callable[[Iterable[bytes], Store], Taking], bundle: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """The example in the order in which it arrived, in SQLite."""
    url = f"sqlite:///{tmp_path_factory.mktemp('company') / 'covenant.db'}"
    store = open_store(url)
    store.save_bundle(bundle.digest, bundle.to_bytes(), 1)
    taking = take_in(company.lines(), store)
    standing = tuple(export_standing(store))
    done = Run(url, taking, standing, found_in(store, standing), corrections_in(store))
    store.close()
    return done


@pytest.mark.parametrize("kind", ["findings", "excuses", "questions", "refused"])
def test_all_that_is_found_is_what_the_stories_state(as_it_arrived: Run, kind: str) -> None:
    """Nothing is missing and nothing is extra, of findings, excuses, open questions and refusals."""
    expected, found = expected_of(company.expected())[kind], as_it_arrived.found[kind]
    assert {"missing": expected - found, "extra": found - expected} == {"missing": set(), "extra": set()}


def test_every_correction_is_stated_and_names_the_late_fact_it_is_owed_to(as_it_arrived: Run) -> None:
    """A grant, an approval, a link, a rate, a signature, a feed's word that came late: each step, nothing missing or extra."""
    expected = Counter(correction for story in company.expected() for correction in story.corrections)
    found = Counter(as_it_arrived.corrections)
    assert {"missing": expected - found, "extra": found - expected} == {"missing": Counter(), "extra": Counter()}


def test_taking_the_example_in_at_once_holds_no_rule() -> None:
    """Nine months in a minute: what each rule finds in all, taken back or not, is less than the breaker lets open in an hour."""
    stories = company.expected()
    opened = Counter(finding.rule for story in stories for finding in story.findings)
    opened += Counter(one.rule for story in stories for one in story.corrections if one.change == "retracted")
    assert max(opened.values()) <= Settings.model_fields["breaker"].default


def test_every_line_is_accepted_a_duplicate_or_refused(as_it_arrived: Run) -> None:
    """The counts add up, and are those that the stories state."""
    taking, stories = as_it_arrived.taking, company.expected()
    assert taking.read == company.EVENTS == taking.accepted + taking.duplicates + taking.refused
    assert taking.duplicates == sum(story.duplicates for story in stories)
    assert taking.refused == sum(one.count for story in stories for one in story.refused)


def test_the_order_of_arrival_changes_nothing(take_in: Callable[[Iterable[bytes], Store], Taking], as_it_arrived: Run) -> None:
    """Sorted by the time at which things happened, and in another kind of store, the same lines end in the same place."""
    lines = company.company()[0]
    ordered = sorted(lines, key=lambda line: line.event.time if line.event is not None else line.arrives)
    store = MemoryStore()
    taking = take_in((line.value for line in ordered), store)
    assert tuple(export_standing(store)) == as_it_arrived.standing
    assert (taking.accepted, taking.refused) == (as_it_arrived.taking.accepted, as_it_arrived.taking.refused)


def test_a_backtest_of_another_cap_is_the_difference_of_two_whole_runs(
    as_it_arrived: Run, opa_binary: str, tmp_path: Path
) -> None:
    """Thresholds and windows put otherwise: all that is new, gone or changed, to the last word, and nothing else."""
    opa = Path(opa_binary)
    thresholds: dict[str, dict[str, Any]] = {"FU-001": {"cap_u": 700_000_000}, "FU-004": {"consumers": 4}, "FU-015": {"tags": []}}
    candidate = put_otherwise(ROOT / "policies", tmp_path / "policies", opa, thresholds, {"release_us": 1_800_000_000})
    again = MemoryStore()
    with closing(open_store(as_it_arrived.url)) as store, closing(OpaChild(candidate, opa)) as child:
        report = report_of(store, candidate, child, tmp_path / "work")
        asked = candidates(store, candidate, tmp_path / "work")
        ingest(Body(again, child, candidate), arrivals(company.lines()), clock=lambda: 1, batch=BATCH)
    expected = differences(as_it_arrived.standing, export_standing(again))
    assert told(report) == expected
    assert {how for how, _ in expected.values()} == {"opened", "closed", "changed"}
    assert (report["opened"], report["closed"]) == tuple(
        sum(how == kind for how, _ in expected.values()) for kind in ("opened", "closed")
    )
    entries = {asked[ident] for row in report["rows"] for ident in row["candidate_decisions"]}
    assert entries <= decided(again)  # of the last input, or of one before it that said the same


def test_every_shipped_rule_has_a_story_and_every_guard_an_innocent(bundle: Bundle) -> None:
    """Each rule finds something, and each of its excuses holds for somebody; a new rule must bring its story."""
    stories = company.expected()
    rules = bundle.catalogue.rules
    assert {finding.rule for story in stories for finding in story.findings} == {rule.code for rule in rules}
    shown = {(excuse.rule, excuse.guard) for story in stories for excuse in story.excuses}
    assert shown == {(rule.code, guard) for rule in rules for guard in rule.guards}


def test_the_company_is_as_large_as_it_says() -> None:
    """Sixty people, 25 repositories, nine months, 50,000 lines, most of them usage and pushes."""
    lines = company.company()[0]
    kinds = Counter(line.event.type.split(".")[1] for line in lines if line.event is not None)
    assert len(lines) == company.EVENTS
    assert (len(company.people.MEMBERS), len(company.repositories.REPOS)) == (60, 25)
    assert kinds["usage"] + kinds["repository"] > 0.8 * len(lines)


def test_messages_are_keyed_by_the_aggregate_they_concern() -> None:
    """Each message's topic and key are those of the event it carries; broken lines have one as well."""
    for line, (topic, key, value) in zip(company.company()[0], company.messages(), strict=True):
        assert (topic, key, value) == (line.topic, line.key, line.value)
        if line.event is not None:
            assert (topic, key) == (f"covenant.{line.event.data.TOPIC}", aggregate(line.event))
        assert key.startswith("acme/")


def test_the_readme_tells_the_stories_as_they_are() -> None:
    """What people read is made from what the test compares with."""
    assert (ROOT / "examples/company/README.md").read_text(encoding="utf-8").endswith(tell(company.expected()))


@pytest.mark.parametrize(("arguments", "code", "what"), [([], 0, "lines"), (["stories"], 0, "stories"), (["tales"], 2, "")])
def test_the_module_writes_the_events_or_the_stories(arguments: list[str], code: int, what: str) -> None:
    """`python -m examples.company` writes what the functions give; anything else is a usage error that says so."""
    done = subprocess.run([sys.executable, "-m", "examples.company", *arguments], cwd=ROOT, capture_output=True, check=False)
    written = {"lines": b"".join(line + b"\n" for line in company.lines()), "stories": tell(company.expected()).encode(), "": b""}
    assert (done.returncode, done.stdout) == (code, written[what])
    assert done.stderr == (b"" if code == 0 else b"Usage: python -m examples.company [stories]\n")


def test_every_machine_and_process_makes_the_same_bytes() -> None:
    """Neither the order of hashes nor a second run changes a byte; another seed changes the background."""
    program = "import hashlib, examples.company as c; print(hashlib.sha256(b'\\n'.join(c.lines())).hexdigest())"
    digests = {
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": seed}, cwd=ROOT, check=True,
            capture_output=True, text=True,
        ).stdout.strip()
        for seed in ("0", "1", "4711")
    }  # fmt: skip
    assert digests == {hashlib.sha256(b"\n".join(company.lines())).hexdigest()}
    assert hashlib.sha256(b"\n".join(company.lines(7))).hexdigest() not in digests
