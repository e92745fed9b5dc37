"""Revisions: which bundle judges an event, by when it occurred; and the policy engines of those that are alive.

Owns the choice and nothing else: what was activated is reference data, what a bundle holds is the store's. The first
bundle is in force from the beginning until an activation takes effect; a late event is judged by the text that was in
force when it occurred, so several revisions can be alive at once. OPA refuses two revisions side by side, so each has
an engine of its own: the first one's, and those of the others that were needed last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, Final

import msgspec

from engine.domain.errors import IntegrityError
from engine.domain.reference import Reference
from engine.policy.bundle import Bundle
from engine.policy.catalogue import Rule
from engine.policy.evaluator import Answer, Evaluator

ALIVE: Final = 2
"""Engines kept beside the first one's; the one unused for longest is ended for a further one, once it has answered."""


class Others(msgspec.Struct, frozen=True):
    """Where the revisions beside the first come from."""

    bundle: Callable[[str], Bundle]
    """Gives a bundle by its digest; `NotFound` where it isn't kept."""
    start: Callable[[Bundle], Evaluator]


class Revision:
    """A bundle as the body uses it."""

    def __init__(self, bundle: Bundle, opa_version: str = "") -> None:
        """Read what is asked for with every event once."""
        self.digest = bundle.digest
        self.bundle = bundle
        self.catalogue = bundle.catalogue
        self.sets: dict[str, Any] = bundle.data["params"]
        self.rules: dict[str, Rule] = {rule.code: rule for rule in bundle.catalogue.rules}
        self.opa_version = opa_version
        """Of the engine that was asked last."""


class Revisions:
    """The revisions a body judges by."""

    def __init__(self, bundle: Bundle, evaluator: Evaluator, others: Others | None) -> None:
        """Begin with the first bundle and its engine; without `others` it judges everything, whatever was activated."""
        self.first = Revision(bundle, evaluator.opa_version)
        self._others = others
        self._known: dict[str, Revision] = {bundle.digest: self.first}
        self._evaluators: dict[str, Evaluator] = {bundle.digest: evaluator}
        self._waiting: dict[str, int] = {}
        """Digest → calls not answered yet."""

    def at(self, reference: Reference, organisation: str, time: int) -> Revision:
        """Give the revision in force for an organisation at a moment (µs)."""
        if self._others is None or not reference.policies:
            return self.first
        return self.revision(reference.in_force(organisation, time))

    def shadows(self, reference: Reference, organisation: str, time: int) -> list[Revision]:
        """Give the revisions that are evaluated beside the one in force at a moment."""
        if self._others is None or not reference.policies:
            return []
        return [self.revision(digest) for digest in reference.shadowed(organisation, time)]

    def revision(self, digest: str) -> Revision:
        """Give a revision by its digest; the first one for an empty digest."""
        if not digest:
            return self.first
        known = self._known.get(digest)
        if known is None:
            known = self._known[digest] = Revision(self._more.bundle(digest))
        return known

    @property
    def sets_of(self) -> Callable[[str], Mapping[str, Any]] | None:
        """Gives the parameter sets of a revision by its digest; None where activations don't count."""
        return None if self._others is None else lambda digest: self.revision(digest).sets

    def rule(self, digest: str, code: str) -> Rule:
        """Give a rule as the revision that judged has it."""
        return self.revision(digest).rules[code]

    def submit(self, revision: Revision, inputs: Sequence[bytes]) -> Future[list[Answer]]:
        """Start evaluating inputs under a revision."""
        evaluator = self._evaluator(revision)
        if revision is self.first:
            return evaluator.submit(inputs)
        self._waiting[revision.digest] = self._waiting.get(revision.digest, 0) + 1
        future = evaluator.submit(inputs)
        future.add_done_callback(partial(self._answered, revision.digest))
        return future

    def close(self) -> None:
        """End the engines started here; the first one's is whoever's gave it."""
        for digest, evaluator in self._evaluators.items():
            if digest != self.first.digest:
                evaluator.close()

    @property
    def _more(self) -> Others:
        if self._others is None:
            msg = f"This was judged under several revisions, and only {self.first.digest[:12]} is at hand."
            raise IntegrityError(msg, "Open the store with the bundles that it keeps.")
        return self._others

    def _answered(self, digest: str, _: Future[list[Answer]]) -> None:
        self._waiting[digest] -= 1

    def _evaluator(self, revision: Revision) -> Evaluator:
        evaluator = self._evaluators.pop(revision.digest, None)
        if evaluator is None:
            self._make_room()
            evaluator = self._more.start(revision.bundle)
            revision.opa_version = evaluator.opa_version
        self._evaluators[revision.digest] = evaluator  # the last to be ended
        return evaluator

    def _make_room(self) -> None:
        others = [digest for digest in self._evaluators if digest != self.first.digest]
        idle = [digest for digest in others if not self._waiting.get(digest)]
        for digest in idle[: max(0, len(others) - ALIVE + 1)]:
            self._evaluators.pop(digest).close()
