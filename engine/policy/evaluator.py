"""What every evaluator is: encoded inputs in, answers out in the same order, under one pinned revision."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Protocol

import msgspec


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What the rules said of one event; `error` says why they could say nothing."""

    id: str
    breach: list[dict[str, Any]] = []
    excuse: list[dict[str, Any]] = []
    error: str = ""


class Evaluator(Protocol):
    """Evaluates a batch under the revision it was made for; raises `EvaluatorUnavailable` when it can't."""

    revision: str
    opa_version: str

    def evaluate(self, inputs: Sequence[bytes]) -> list[Answer]:
        """Answer encoded input documents, in order; an input that can't be evaluated gets an answer with `error`."""
        ...

    def submit(self, inputs: Sequence[bytes]) -> Future[list[Answer]]:
        """Do the same in the background."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...
