"""What every evaluator must do, tried on both: an OPA of our own as a child, and a server that others run, by its URL."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import urllib3

from engine.domain.errors import EvaluatorUnavailable, UsageError
from engine.policy.bundle import Bundle, load_bundle
from engine.policy.evaluator import Evaluator
from engine.policy.limits import Limits
from engine.policy.opa_binary import version
from engine.policy.opa_child import OpaChild
from engine.policy.opa_http import OpaClient
from engine.policy.opa_server import connect, ready
from tests.policy.servers import POLICIES, OpaServer, answering, dividing, silent, usage

pytestmark = pytest.mark.needs_opa


@pytest.fixture(scope="module")
def opa(opa_binary: str) -> Path:
    """The real OPA."""
    return Path(opa_binary)


@pytest.fixture(scope="module")
def bundle(opa: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The shipped rules and one whose built-in fails on an input without consumers."""
    return dividing(opa, tmp_path_factory.mktemp("bundle") / "policies")


@pytest.fixture(scope="module")
def server(opa: Path, bundle: Bundle) -> Iterator[OpaServer]:
    """A server that others run."""
    running = OpaServer(opa, bundle)
    yield running
    running.close()


@pytest.fixture(scope="module", params=["child", "server"])
def evaluator(request: pytest.FixtureRequest, opa: Path, bundle: Bundle) -> Iterator[Evaluator]:
    """Each evaluator, with calls of 20."""
    if request.param == "child":
        made: Evaluator = OpaChild(bundle, opa, batch=20)
    else:
        made = connect(request.getfixturevalue("server").url, bundle.digest, batch=20)
    yield made
    made.close()


@pytest.mark.parametrize("count", [0, 1, 19, 20, 21, 130])
def test_answers_come_in_the_order_of_the_inputs(evaluator: Evaluator, count: int) -> None:
    """One answer an input, whatever the number of calls."""
    answers = evaluator.evaluate([usage(n) for n in range(count)])
    assert [answer.id for answer in answers] == [f"test {n}" for n in range(count)]


def test_each_answer_is_its_own_inputs(evaluator: Evaluator) -> None:
    """Breach and excuse stand at the input that made them, and nowhere else."""
    answers = evaluator.evaluate([usage(n, 1_200_000_001 if n % 7 == 0 else 0) for n in range(50)])
    assert [bool(answer.breach) for answer in answers] == [n % 7 == 0 for n in range(50)]
    assert answers[0].breach == [{"code": "FU-001", "evidence": {"sum_u": 1_200_000_001, "cap_u": 1_000_000_000}}]


def test_evaluators_agree_to_the_byte(opa: Path, bundle: Bundle, server: OpaServer) -> None:
    """Child and server say the same of the same inputs."""
    inputs = [usage(n, n * 30_000_000, n % 5) for n in range(60)]
    child, client = OpaChild(bundle, opa), connect(server.url, bundle.digest)
    said = [msgspec.json.encode(one.evaluate(inputs)) for one in (child, client)]
    child.close()
    client.close()
    assert said[0] == said[1]


def test_a_poisonous_input_is_answered_with_an_error_and_alone(evaluator: Evaluator) -> None:
    """A built-in's error isn't silent, names itself, and costs the other inputs of its call nothing."""
    answers = evaluator.evaluate([usage(n, 1_200_000_001, 0 if n in (3, 33) else 1) for n in range(45)])
    assert [n for n, answer in enumerate(answers) if answer.error] == [3, 33]
    assert "divide by zero" in answers[3].error
    assert all(answer.breach for n, answer in enumerate(answers) if n not in (3, 33))


def test_many_batches_may_be_in_flight(evaluator: Evaluator) -> None:
    """Batches submitted together come back each with its own answers."""
    futures = [evaluator.submit([usage(100 * part + n) for n in range(60)]) for part in range(6)]
    for part, future in enumerate(futures):
        assert [answer.id for answer in future.result(30)] == [f"test {100 * part + n}" for n in range(60)]


def test_threads_may_ask_at_once(evaluator: Evaluator) -> None:
    """Answers don't cross between threads."""
    found: dict[int, list[str]] = {}

    def ask(part: int) -> None:
        found[part] = [answer.id for answer in evaluator.evaluate([usage(100 * part + n) for n in range(50)])]

    threads = [threading.Thread(target=ask, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {part: [f"test {100 * part + n}" for n in range(50)] for part in range(4)}


def test_it_says_which_opa_and_which_revision_decide(evaluator: Evaluator, opa: Path, bundle: Bundle) -> None:
    """Decisions carry both."""
    assert evaluator.opa_version == version(opa) != ""
    assert evaluator.revision == bundle.digest


def test_an_engine_that_went_away_is_one_clear_error(opa: Path, bundle: Bundle) -> None:
    """At once or in the background, the message says that nothing is lost."""
    running = OpaServer(opa, bundle)
    evaluator = connect(running.url, bundle.digest)
    evaluator.evaluate([usage(1)])
    running.kill()
    with pytest.raises(EvaluatorUnavailable, match="doesn't answer"):
        evaluator.evaluate([usage(2)])
    with pytest.raises(EvaluatorUnavailable, match="nothing is lost"):
        evaluator.submit([usage(3)]).result(30)
    evaluator.close()
    running.close()


def test_a_child_that_dies_is_started_again(opa: Path, bundle: Bundle) -> None:
    """Whoever asks next, several at once, finds a new one; nobody is told of a failure."""
    child = OpaChild(bundle, opa, batch=10)
    for number in range(2):
        child.process.kill()
        futures = [child.submit([usage(100 * part + n) for n in range(30)]) for part in range(4)]
        found = [[answer.id for answer in future.result(60)] for future in futures]
        assert found == [[f"test {100 * part + n}" for n in range(30)] for part in range(4)], number
    child.close()


def test_a_child_that_hangs_is_ended_and_another_answers(opa: Path, bundle: Bundle) -> None:
    """It says neither an answer nor that it is well, so it is taken for dead; no event is blamed for it."""
    child = OpaChild(bundle, opa, limits=Limits(seconds=2.0))
    process = child.process
    process.send_signal(signal.SIGSTOP)
    assert [(answer.id, answer.error) for answer in child.evaluate([usage(1)])] == [("test 1", "")]
    assert child.process is not process
    assert process.poll() is not None
    child.close()


def test_the_engines_own_trouble_is_never_an_inputs_error() -> None:
    """A status that no input is to blame for leaves every event undecided."""
    for status, body in ((401, b'{"code": "unauthorized", "message": "not allowed"}'), (503, b"busy"), (500, b"{}")):
        with answering(status, body) as url:
            client = OpaClient(url, "0" * 64, "")
            with pytest.raises(EvaluatorUnavailable, match=f"answers with status {status}"):
                client.evaluate([usage(1), usage(2)])
            client.close()


def test_answers_of_another_revision_are_refused(opa: Path, bundle: Bundle, server: OpaServer) -> None:
    """Neither the first contact nor a later call takes them; both name the revisions."""
    other = load_bundle(POLICIES, opa)
    with pytest.raises(EvaluatorUnavailable, match=f"serves revision {bundle.digest[:12]}, not {other.digest[:12]}"):
        connect(server.url, other.digest)
    client = OpaClient(server.url, other.digest, "")
    with pytest.raises(EvaluatorUnavailable, match=f"answers for revision {bundle.digest[:12]}"):
        client.evaluate([usage(1)])
    client.close()


def test_a_server_without_our_bundle_is_told_how_to_get_it(opa: Path, server: OpaServer) -> None:
    """What's missing and the command that makes it."""
    empty = OpaServer(opa, Bundle("0" * 64, {"params.json": "{}"}, load_bundle(POLICIES, opa).catalogue))
    with pytest.raises(EvaluatorUnavailable, match=r"no bundle of ours.*covenant policy build"):
        connect(empty.url, "0" * 64)
    client = OpaClient(empty.url, "0" * 64, "")
    with pytest.raises(EvaluatorUnavailable, match=r"no covenant\.main"):
        client.evaluate([usage(1)])
    client.close()
    empty.close()
    assert ready(server.url)


def test_a_server_that_hangs_is_given_up_in_time(opa: Path, bundle: Bundle) -> None:
    """The call ends with its timeout, and the server is used again once it goes on."""
    running = OpaServer(opa, bundle)
    client = connect(running.url, bundle.digest, limits=Limits(seconds=1.0))
    running.stop()
    began = time.monotonic()
    with pytest.raises(EvaluatorUnavailable, match="doesn't answer"):
        client.evaluate([usage(1)])
    assert time.monotonic() - began < 10
    running.go_on()
    assert [answer.id for answer in client.evaluate([usage(2)])] == ["test 2"]
    client.close()
    running.close()


def test_a_server_that_comes_back_is_used_again(opa: Path, bundle: Bundle) -> None:
    """No connection of the time before stands in the way."""
    running = OpaServer(opa, bundle)
    client = connect(running.url, bundle.digest)
    running.kill()
    with pytest.raises(EvaluatorUnavailable):
        client.evaluate([usage(1)])
    running.start()
    assert [answer.id for answer in client.evaluate([usage(2)])] == ["test 2"]
    client.close()
    running.close()


def test_nothing_there_something_else_and_something_silent_are_told_apart() -> None:
    """Each first contact that fails says so, with what to do."""
    assert not ready("http://127.0.0.1:9")
    with pytest.raises(EvaluatorUnavailable, match=r"no policy engine at http://127\.0\.0\.1:9"):
        connect("http://127.0.0.1:9", "0" * 64, limits=Limits(seconds=1.0))
    with silent() as url, pytest.raises(EvaluatorUnavailable, match="no policy engine"):
        connect(url, "0" * 64, limits=Limits(seconds=0.5))
    with pytest.raises(UsageError, match="isn't the URL of an OPA server"):
        connect("127.0.0.1:8181", "0" * 64)


def test_a_child_listens_on_loopback_and_ends_when_closed(opa: Path, bundle: Bundle) -> None:
    """Nothing outside the machine reaches it, and nothing of it is left."""
    child = OpaChild(bundle, opa)
    url = child.url
    assert url.startswith("http://127.0.0.1:")
    assert urllib3.request("GET", f"{url}/health").status == 200
    child.close()
    assert child.process.poll() is not None
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", f"{url}/health", retries=False)


def test_a_child_that_cannot_start_says_what_opa_said(opa: Path, bundle: Bundle) -> None:
    """A bundle that OPA refuses is one clear error."""
    broken = Bundle(
        bundle.digest, dict(bundle.files) | {"main.rego": "package covenant.main\n\nbatch := nowhere\n"}, bundle.catalogue
    )
    with pytest.raises(EvaluatorUnavailable, match="nowhere"):
        OpaChild(broken, opa)


@pytest.mark.parametrize(
    "body", [b"<html>", b'{"result": {"results": []}}', b'{"result": {"revision": "x", "results": [{"id": 1}]}}']
)
def test_an_answer_that_is_none_of_ours_is_one_clear_error(body: bytes) -> None:
    """No event is decided by something else that happens to answer."""
    with answering(200, body) as url:
        client = OpaClient(url, "0" * 64, "")
        with pytest.raises(EvaluatorUnavailable, match=r"answers what covenant\.main doesn't say"):
            client.evaluate([usage(1)])
        client.close()
