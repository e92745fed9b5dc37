"""Asking an OPA server: one query over a batch, several calls in flight, answers matched to inputs and revision.

A failed batch is bisected until the input that fails is found; that one alone is answered with an error. So is one that
the policies are stopped over, by `limits`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final

import msgspec
import urllib3

from engine.domain.errors import EvaluatorUnavailable
from engine.policy.evaluator import Answer
from engine.policy.limits import DEFAULTS, TIME, Gate, Limits, TookTooLong, carefully, id_of

_AN_INPUTS: Final = (400, 500)
_BLAMED: Final = ("eval_", "invalid_parameter")
"""Codes that name an input's own fault: evaluating it failed, or it isn't a document."""
_HEALTH_S: Final = 5.0
"""How long a server that didn't answer a call may take to say that it is well."""
QUERY: Final = "/v1/data/covenant/main/batch?strict-builtin-errors=true"


class _Said(msgspec.Struct):
    revision: str
    results: list[Answer]


class _Reply(msgspec.Struct):
    result: _Said | None = None


_DECODER: Final = msgspec.json.Decoder(_Reply)


class OpaClient:
    """An `Evaluator` over HTTP."""

    def __init__(
        self, url: str, revision: str, opa_version: str, *, batch: int = 500, in_flight: int = 3, limits: Limits = DEFAULTS
    ) -> None:
        """Connect lazily; `batch` inputs a call, `in_flight` calls at once."""
        self.limits = limits
        self._gate = Gate()
        self.url = url.rstrip("/")
        self.revision = revision
        self.opa_version = opa_version
        self._batch = batch
        self._calls = ThreadPoolExecutor(in_flight, thread_name_prefix="opa-call")
        self._batches = ThreadPoolExecutor(4, thread_name_prefix="opa-batch")
        self._http = urllib3.PoolManager(maxsize=in_flight, retries=urllib3.Retry(2, backoff_factor=0.2))

    def evaluate(self, inputs: Sequence[bytes]) -> list[Answer]:
        """Answer inputs in order."""
        try:
            with self._gate.shared():
                return self.at_once(inputs)
        except TookTooLong as error:
            self._stopped(error)
        with self._gate.alone():
            return [a for part in self.parts(inputs) for a in carefully(part, self.limits, self.one_call, self._stopped)]

    def parts(self, inputs: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
        """Cut inputs into calls."""
        return (inputs[start : start + self._batch] for start in range(0, len(inputs), self._batch))

    def at_once(self, inputs: Sequence[bytes]) -> list[Answer]:
        """Answer inputs in order, several calls in flight; `TookTooLong` where one wasn't answered in time."""
        calls = [self._calls.submit(self.one_call, part) for part in self.parts(inputs)]
        wait(calls)  # nothing of ours is in flight when one of them raises
        return [answer for call in calls for answer in call.result()]

    def well(self) -> bool:
        """Whether the server says that it is."""
        try:
            return self._http.request("GET", f"{self.url}/health", timeout=_HEALTH_S, retries=False).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def _stopped(self, error: EvaluatorUnavailable) -> str:
        """Say that it was the policies that took too long, where the server itself is well."""
        if not isinstance(error, TookTooLong) or not self.well():
            raise error
        return TIME

    def submit(self, inputs: Sequence[bytes]) -> Future[list[Answer]]:
        """Answer in the background."""
        return self._batches.submit(self.evaluate, inputs)

    def close(self) -> None:
        """Stop the threads and close connections."""
        self._batches.shutdown(wait=False, cancel_futures=True)
        self._calls.shutdown(wait=False, cancel_futures=True)
        self._http.clear()

    def one_call(self, inputs: Sequence[bytes], seconds: float = 0) -> list[Answer]:
        """Answer inputs that fit one call, in `seconds` at the most, else in what the limits give."""
        try:
            reply = self._http.request(
                "POST", self.url + QUERY, body=b'{"input":{"batch":[' + b",".join(inputs) + b"]}}",
                headers={"Content-Type": "application/json"},
                timeout=urllib3.Timeout(connect=5.0, read=seconds or self.limits.seconds),
            )  # fmt: skip
        except urllib3.exceptions.ReadTimeoutError as error:
            msg = f"The policy engine at {self.url} doesn't answer within {seconds or self.limits.seconds:g} s."
            raise TookTooLong(msg, "See that OPA runs there; nothing is lost meanwhile.") from error
        except urllib3.exceptions.HTTPError as error:
            msg = f"The policy engine at {self.url} doesn't answer ({type(error).__name__})."
            raise EvaluatorUnavailable(msg, "See that OPA runs there; nothing is lost meanwhile.") from error
        said = self._read(reply.status, reply.data)
        if said is None or len(said.results) != len(inputs):
            return self._bisect(inputs, reply.data)
        return said.results

    def _read(self, status: int, body: bytes) -> _Said | None:
        """Give what was said; None where an input is to blame, for bisecting. Anything else is the engine's trouble."""
        if status in _AN_INPUTS and _first_error(body).get("code", "").startswith(_BLAMED):
            return None
        if status != 200:
            msg = f"The policy engine at {self.url} answers with status {status}: {_message(body)}."
            raise EvaluatorUnavailable(msg, "See why it does; nothing is lost meanwhile.")
        try:
            said = _DECODER.decode(body).result
        except msgspec.MsgspecError as error:
            msg = f"The policy engine at {self.url} answers what covenant.main doesn't say ({error})."
            raise EvaluatorUnavailable(msg, "Restore main.rego as it ships, and see that OPA answers there.") from error
        if said is None:
            msg = f"The policy engine at {self.url} has no covenant.main: the bundle isn't loaded."
            raise EvaluatorUnavailable(msg, "Restart it, or let Covenant start its own.")
        if said.revision != self.revision:
            msg = f"The policy engine at {self.url} answers for revision {said.revision[:12]}, not {self.revision[:12]}."
            raise EvaluatorUnavailable(msg, "Another revision was loaded there; load this one again.")
        return said

    def _bisect(self, inputs: Sequence[bytes], body: bytes) -> list[Answer]:
        if len(inputs) > 1:
            middle = len(inputs) // 2
            return self.one_call(inputs[:middle]) + self.one_call(inputs[middle:])
        return [Answer(id_of(inputs[0]), error=_message(body))]


def _first_error(body: bytes) -> dict[str, str]:
    """Give code and message of what went wrong; OPA tells the evaluation's own errors in a list."""
    try:
        said: Any = msgspec.json.decode(body)
        first = (said.get("errors") or [said])[0]
        return {name: str(first[name]) for name in ("code", "message") if name in first}
    except (msgspec.DecodeError, AttributeError, TypeError, KeyError, IndexError):
        return {}


def _message(body: bytes) -> str:
    return _first_error(body).get("message", "no result")[:500]
