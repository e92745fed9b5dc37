"""A policy that runs for ever or eats memory is stopped: its events are answered with an error, all others as ever."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli.main import main
from engine.domain.codec import write_event
from engine.domain.errors import EvaluatorUnavailable
from engine.policy.bundle import Bundle, load_bundle
from engine.policy.evaluator import Answer
from engine.policy.limits import GARBAGE_PERCENT, MEMORY, STRIKES, TIME, Gate, Limits, TookTooLong, carefully, environment, id_of
from engine.policy.opa_child import OpaChild
from engine.policy.opa_server import connect
from tests.domain.make import event
from tests.policy.servers import DIVIDES, POLICIES, OpaServer, usage
from tests.policy.test_workbench import LEAVER

SOME = ", ".join(f'"{letter}{number}"' for letter in "abcdefgh" for number in range(10))
SLOW = f"""	input.facts.use.consumers_24h == 0
	many := {{{SOME}}}
	found := {{1 | some a, b, c, d, e; many[a]; many[b]; many[c]; many[d]; many[e]; concat(a, [b]) == concat(c, [d, e])}}
	count(found) > 0
"""
"""Three thousand million combinations: hours."""
DOUBLED = "\n".join(f'\tt{n + 1} := concat("", [t{n}, t{n}])' for n in range(40))
BIG = f"""	input.facts.use.consumers_24h == 0
	t0 := "0123456789"
{DOUBLED}
	t40 == "x"
"""
"""A text that doubles forty times."""


def runaway(opa: Path, folder: Path, conditions: str) -> Bundle:
    """Make a bundle of the shipped policies and a rule that is too much where an input has no consumers."""
    shutil.copytree(POLICIES, folder)
    text = DIVIDES.replace("\t100 / input.facts.use.consumers_24h > 1000\n", conditions)
    (folder / "fair_use" / "fu_099.rego").write_text(f"package covenant.fair_use\n{text}")
    return load_bundle(folder, opa)


@pytest.mark.needs_opa
def test_a_rule_that_runs_for_ever_is_stopped_and_its_event_is_an_error(opa_binary: str, tmp_path: Path) -> None:
    """By the limit of time, in a child and in a server of one's own; the others of its batch are judged."""
    bundle = runaway(Path(opa_binary), tmp_path / "policies", SLOW)
    server = OpaServer(Path(opa_binary), bundle)
    limits = Limits(seconds=3.0)
    for evaluator in (OpaChild(bundle, Path(opa_binary), limits=limits), connect(server.url, bundle.digest, limits=limits)):
        answers = evaluator.evaluate([usage(n, 1_200_000_001, 0 if n == 1 else 1) for n in range(2)])
        evaluator.close()
        assert [(answer.id, answer.error, bool(answer.breach)) for answer in answers] == [
            ("test 0", "", True), ("test 1", TIME, False),
        ]  # fmt: skip
    server.close()


@pytest.mark.needs_opa
def test_an_opa_of_ours_collects_its_garbage_seldom_but_before_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless its operator has said how often: that is left as it is."""
    monkeypatch.delenv("GOGC", raising=False)
    given = environment(Limits(memory_mib=1000))
    assert (given["GOGC"], given["GOMEMLIMIT"]) == (GARBAGE_PERCENT, "750MiB")
    monkeypatch.setenv("GOGC", "50")
    assert environment(Limits())["GOGC"] == "50"


def test_a_rule_that_eats_memory_ends_its_opa_and_another_goes_on(opa_binary: str, tmp_path: Path) -> None:
    """Its event alone is an error, also while others ask at the same time."""
    bundle = runaway(Path(opa_binary), tmp_path / "policies", BIG)
    child = OpaChild(bundle, Path(opa_binary), batch=4, limits=Limits(memory_mib=512))
    first = child.process
    futures = [child.submit([usage(10 * part + n, 0, 0 if (part, n) == (1, 5) else 1) for n in range(8)]) for part in range(3)]
    answers = [answer for future in futures for answer in future.result(120)]
    assert first.poll() is not None
    assert [answer.id for answer in answers] == [f"test {10 * part + n}" for part in range(3) for n in range(8)]
    assert {answer.id: answer.error for answer in answers if answer.error} == {"test 15": MEMORY}
    child.close()


@pytest.mark.needs_opa
def test_the_events_of_a_runaway_rule_are_recorded_as_errors_and_not_lost(
    opa_binary: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken in from a file: all are in the journal, one decision is an error, and what else is wrong is found."""
    bundle = runaway(Path(opa_binary), tmp_path / "policies", SLOW.replace("facts.use.consumers_24h == 0", "event.tokens == 7"))
    assert bundle.catalogue.rule("FU-099") is not None
    for name, value in (("OPA", opa_binary), ("HOME", str(tmp_path / "home")), ("OPA_SECONDS", "3")):
        monkeypatch.setenv(f"COVENANT_{name}", value)
    slow = event("usage.inference", "2026-01-15", credential="c", quantity="5", input_tokens=7, output_tokens=0)
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join(write_event(one) + b"\n" for one in (*LEAVER[:2], slow, *LEAVER[2:])))
    run = CliRunner().invoke(main, ["--policies", str(tmp_path / "policies"), "--format", "json", "ingest", str(file)])
    assert (run.exit_code, json.loads(run.stdout)["violations"]) == (0, {"FU-007": 1}), run.stderr
    with closing(sqlite3.connect(tmp_path / "home" / "covenant.db")) as store:
        verdicts = dict(store.execute("SELECT verdict, count(*) FROM decision WHERE stands GROUP BY verdict").fetchall())
        ((outcomes,),) = store.execute("SELECT outcomes FROM decision WHERE verdict = 'error'").fetchall()
        ((ident,),) = store.execute("SELECT id FROM decision WHERE verdict = 'error'").fetchall()
    assert verdicts == {"error": 1, "violation": 1}
    assert TIME in str(outcomes)
    explained = CliRunner().invoke(main, ["explain", ident])
    assert explained.exit_code == 0, explained.stderr
    assert f"Not decided, and held against nobody: {TIME}" in explained.stdout
    again = CliRunner().invoke(main, ["--format", "json", "replay", "--check"])
    assert (again.exit_code, json.loads(again.stdout)["differences"]) == (0, 0), again.stderr
    report = CliRunner().invoke(main, ["--format", "json", "backtest", str(tmp_path / "policies")])
    said = json.loads(report.stdout)
    assert (said["opened"], said["closed"], said["changed"]) == (0, 0, 0)
    (rule,) = (rule for rule in said["rules"] if rule["rule"] == "FU-099")
    assert rule["events"]["candidate"]["error"] == rule["events"]["base"]["error"] == 1


@pytest.mark.needs_opa
def test_a_test_that_runs_for_ever_or_eats_memory_is_stopped_too(
    opa_binary: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the limits that a policy has: an error of that case alone, or one sentence."""
    for name, value in (("OPA", opa_binary), ("HOME", str(tmp_path / "home")), ("OPA_MEMORY_MIB", "512")):
        monkeypatch.setenv(f"COVENANT_{name}", value)
    said = []
    for name, seconds, conditions in (("slow", "2", SLOW), ("big", "100", BIG)):
        monkeypatch.setenv("COVENANT_OPA_SECONDS", seconds)
        shutil.copytree(POLICIES, tmp_path / name)
        body = conditions.replace("\tinput.facts.use.consumers_24h == 0\n", "")
        text = f"package covenant.fair_use_test\n\ntest_ends if {{\n{body}}}\n\ntest_other if true\n"
        (tmp_path / name / "fair_use" / "fu_099_test.rego").write_text(text)
        run = CliRunner().invoke(main, ["policy", "test", str(tmp_path / name), "--run", "test_(ends|other)$"])
        assert run.exit_code == 1
        said.append(run.stdout + run.stderr)
    assert "error fair_use/fu_099_test.rego:3 test_ends" in said[0]
    assert "fair_use/fu_099_test.rego:5 was stopped: the test took longer than it may (COVENANT_OPA_SECONDS)." in said[0]
    assert "1 passed, 1 failed" in said[0]
    assert "took more memory than it may (COVENANT_OPA_MEMORY_MIB, 512 MiB)" in said[1]


def asked(inputs: list[bytes], poison: set[int], limits: Limits) -> tuple[list[Answer], list[tuple[int, float]]]:
    """Ask carefully where some inputs take too long: the answers, and each call's size and seconds."""
    calls: list[tuple[int, float]] = []

    def ask(part: object, seconds: float) -> list[Answer]:
        assert isinstance(part, list)
        calls.append((len(part), seconds))
        if any(int(id_of(one).split()[1]) in poison for one in part):
            message = "too long"
            raise TookTooLong(message)
        return [Answer(id_of(one)) for one in part]

    return carefully(inputs, limits, ask, lambda _: TIME), calls


def test_the_culprit_is_found_in_halves_and_asked_twice() -> None:
    """Each half has half the time, but never less than a sixth; alone, at last, it has all of it."""
    answers, calls = asked([usage(n) for n in range(16)], {5}, Limits(seconds=30))
    assert [n for n, answer in enumerate(answers) if answer.error] == [5]
    assert calls == [
        (16, 30), (8, 15), (4, 7.5), (4, 7.5), (2, 5), (1, 5), (1, 5), (1, 30), (2, 5), (8, 15),
    ]  # fmt: skip


def test_a_batch_ends_though_every_event_of_it_is_too_much() -> None:
    """After a number of them the others aren't asked, and say so; none is lost."""
    answers, calls = asked([usage(n) for n in range(40)], set(range(40)), Limits())
    assert [answer.id for answer in answers] == [f"test {n}" for n in range(40)]
    assert [answer.error for answer in answers[:STRIKES]] == [TIME] * STRIKES
    assert {answer.error for answer in answers[STRIKES:]} == {f"Not asked: {STRIKES} events before it were stopped. {TIME}"}
    assert sum(1 for size, _ in calls if size == 1) == 2 * STRIKES


def test_what_is_not_the_policies_doing_blames_nobody() -> None:
    """An engine that went away leaves every event undecided."""

    def gone(*_: object) -> list[Answer]:
        message = "gone"
        raise EvaluatorUnavailable(message)

    def stopped(error: EvaluatorUnavailable) -> str:
        raise error

    with pytest.raises(EvaluatorUnavailable, match="gone"):
        carefully([usage(1), usage(2)], Limits(), gone, stopped)


def test_who_looks_for_the_culprit_is_alone() -> None:
    """Nobody asks beside them, and those who asked before are waited for."""
    gate, inside, leave, order = Gate(), threading.Event(), threading.Event(), []

    def asks() -> None:
        with gate.shared():
            inside.set()
            leave.wait(30)
            order.append("asked")

    def looks() -> None:
        with gate.alone():
            order.append("looked")

    threads = [threading.Thread(target=one) for one in (asks, looks)]
    threads[0].start()
    assert inside.wait(30)
    threads[1].start()
    leave.set()
    for thread in threads:
        thread.join(30)
    with gate.shared():
        order.append("asked again")
    assert order == ["asked", "looked", "asked again"]
