"""What a policy may use, and who is to blame when it uses more: a batch that was stopped is asked again, piece by piece.

Owns finding the events over which the policies run for ever or eat memory: with nothing else in flight, in halves, until
each stands alone, and alone a second time. Such an event is answered with an error; the others get their answers.
"""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import msgspec

from engine.domain.errors import EvaluatorUnavailable
from engine.policy.evaluator import Answer

SHORTEST = 6
"""A piece of a call gets less time than the whole, but not less than the limit through this."""
STRIKES = 8
"""Events that may be stopped in one call; after them the rest of it isn't asked, so that a batch ends."""

TIME = "The policies took longer over it than they may (COVENANT_OPA_SECONDS)."
MEMORY = "The policies ended OPA over it: they took more memory than they may (COVENANT_OPA_MEMORY_MIB)."
"""What is recorded. Without the limits' numbers, so that a replay under other limits ends in the same words."""


class Limits(msgspec.Struct, frozen=True):
    """What one OPA may use: seconds a call, and MiB of memory (an OPA of our own only)."""

    seconds: float = 30.0
    memory_mib: int = 2048


DEFAULTS: Final = Limits()
GARBAGE_PERCENT: Final = "800"
"""Garbage that OPA may leave, in percent of what it keeps: some 350 MiB in all with the shipped rules, where 100 makes 150."""


def confine(limits: Limits, pid: int) -> None:
    """Let a process have no more memory than the limit: what is written to, not what Go reserves.

    Set from outside, so that starting OPA doesn't copy a process that has grown large. Systems that aren't Linux have no
    such limit; Go's own (`environment`) holds there.
    """
    most = limits.memory_mib << 20
    if hasattr(resource, "prlimit"):
        with suppress(ProcessLookupError):  # it has ended already
            resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))


def environment(limits: Limits) -> dict[str, str]:
    """Give the environment of an OPA, in which Go collects its garbage before the limit is reached, and seldom before.

    Judging leaves much garbage and keeps little: as it comes, Go spends a fifth of OPA's time collecting. Whoever sets GOGC
    is left it.
    """
    return {"GOGC": GARBAGE_PERCENT, **os.environ, "GOMEMLIMIT": f"{limits.memory_mib * 3 // 4}MiB"}


class TookTooLong(EvaluatorUnavailable):
    """A call wasn't answered within its limit."""


class Gate:
    """Many may ask at once; whoever looks for the culprit asks alone."""

    def __init__(self) -> None:
        """Begin with nobody inside."""
        self._change = threading.Condition()
        self._inside = self._alone = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Ask beside others; waits for who is, or wants to be, alone."""
        with self._change:
            self._change.wait_for(lambda: not self._alone)
            self._inside += 1
        try:
            yield
        finally:
            with self._change:
                self._inside -= 1
                self._change.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody asks, and keep others out."""
        with self._change:
            self._alone += 1
            self._change.wait_for(lambda: not self._inside)
            self._inside += 1
        try:
            yield
        finally:
            with self._change:
                self._inside -= 1
                self._alone -= 1
                self._change.notify_all()


def carefully(
    inputs: Sequence[bytes],
    limits: Limits,
    ask: Callable[[Sequence[bytes], float], list[Answer]],
    stopped: Callable[[EvaluatorUnavailable], str],
) -> list[Answer]:
    """Answer inputs one piece after the other, those that the policies are stopped over with an error.

    `ask` takes a piece and its seconds. `stopped` is told of what `ask` raised and says over which limit the policies
    were stopped, after making sure that an OPA answers again; it raises where that isn't what happened.
    """
    strikes: list[str] = []

    def piece(part: Sequence[bytes], seconds: float) -> list[Answer]:
        if not part:
            return []
        if len(strikes) >= STRIKES:
            return [
                Answer(id_of(one), error=f"Not asked: {STRIKES} events before it were stopped. {strikes[-1]}") for one in part
            ]
        try:
            return ask(part, seconds)
        except EvaluatorUnavailable as error:
            why = stopped(error)
        if len(part) > 1:
            middle, less = len(part) // 2, max(seconds / 2, limits.seconds / SHORTEST)
            return piece(part[:middle], less) + piece(part[middle:], less)
        try:
            return ask(part, limits.seconds)
        except EvaluatorUnavailable as error:
            why = stopped(error)
        strikes.append(why)
        return [Answer(id_of(part[0]), error=why)]

    return piece(inputs, limits.seconds)


def id_of(document: bytes) -> str:
    """Give the event's id of an encoded input."""
    raw: Any = msgspec.json.decode(document)
    return str(raw["event"]["id"])
