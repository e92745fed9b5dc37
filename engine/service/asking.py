"""What the rules are asked of a batch: entries refolded become questions, and only those that changed are asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

import msgspec

from engine.domain import codec
from engine.domain.effects import NOTHING, Question
from engine.domain.errors import CovenantError
from engine.domain.timeline import Entry
from engine.domain.waiting import keep
from engine.policy.evaluator import Answer
from engine.service.deciding import Asked
from engine.service.folding import Folding
from engine.service.judging import document_of
from engine.service.memory import Aggregate
from engine.service.revisions import Revision, Revisions

KEPT: Final = 20_000
"""Questions kept while they wait for a feed's word; an entry whose question isn't kept is folded again when it comes."""


class Answers(msgspec.Struct, frozen=True):
    """Answers on their way, in calls of a revision each: places among the questions, and what will answer them."""

    calls: list[tuple[list[int], Future[list[Answer]]]]

    def result(self) -> list[Answer]:
        """Wait for all; gives them in the order of the questions."""
        if len(self.calls) == 1:  # of one revision, which is asked in their order
            return self.calls[0][1].result()
        found = sorted((n, answer) for places, call in self.calls for n, answer in zip(places, call.result(), strict=True))
        return [answer for _, answer in found]


class Questions(msgspec.Struct, frozen=True):
    """What was refolded, sorted by what is asked about it."""

    asked: list[Asked]
    unasked: list[tuple[Aggregate, Entry, bool]]
    """Entries whose input is the one asked before, or (False) of which no rule is asked."""
    shadowed: list[Asked]
    """The same questions as `asked`, for revisions that are evaluated and not enforced."""


class Asking:
    """Makes the inputs of events under the revision that judges each, and hands them to its evaluator."""

    def __init__(self, revisions: Revisions) -> None:
        """Begin with nothing asked."""
        self.revisions = revisions
        self._kept: deque[Entry] = deque()
        """Entries whose question is kept, the one kept for longest first."""

    def submit(self, asked: Sequence[Asked]) -> Answers | None:
        """Start evaluating, a call for each revision; None where nothing is asked."""
        if not asked:
            return None
        parts: dict[str, tuple[Revision, list[int]]] = {}
        for number, question in enumerate(asked):
            parts.setdefault(question.revision.digest, (question.revision, []))[1].append(number)
        submit = self.revisions.submit
        return Answers([(places, submit(revision, [asked[n].body for n in places])) for revision, places in parts.values()])

    def submit_shadows(self, asked: Sequence[Asked]) -> Answers | None:
        """The same for revisions that are shadowed, which hold up nobody: None too where an engine of theirs can't be had."""
        try:
            return self.submit(asked)
        except CovenantError:
            return None

    def questions(self, folding: Folding) -> Questions:
        """Sort what was refolded; its effects are used up then, and kept no longer: they weigh more than the event."""
        found = Questions([], [], [])
        reference = folding.memory.log.now
        for aggregate, entry in folding.touched.values():
            question = entry.effects.question
            if question is None:
                found.unasked.append((aggregate, entry, False))
                continue
            organisation, time = aggregate.organisation, entry.place.time
            revision = self.revisions.at(reference, organisation, time)
            rules = revision.catalogue.for_type(entry.event.type)
            asked = self._ask(aggregate, entry, question, revision) if rules else None
            if asked is not None:
                found.asked.append(asked)
            else:
                found.unasked.append((aggregate, entry, bool(rules)))
            if asked is not None or not rules:
                for shadow in self.revisions.shadows(reference, organisation, time):
                    if shadow.catalogue.for_type(entry.event.type):
                        found.shadowed.append(_asked(aggregate, entry, question, shadow))
            entry.effects = NOTHING
        while len(self._kept) > KEPT:
            self._kept.popleft().kept = None
        return found

    def _ask(self, aggregate: Aggregate, entry: Entry, question: Question, revision: Revision) -> Asked | None:
        asked = _asked(aggregate, entry, question, revision)
        entry.kept = keep(aggregate.organisation, entry.effects, entry.hears, asked.body) if question.waits else None
        if entry.kept is not None:
            self._kept.append(entry)
        if asked.digest == entry.input_digest and revision.digest == entry.asked:
            return None
        entry.input_digest, entry.asked = asked.digest, revision.digest
        return asked


def _asked(aggregate: Aggregate, entry: Entry, question: Question, revision: Revision) -> Asked:
    rules = revision.catalogue.for_type(entry.event.type)
    document = document_of(revision.sets, aggregate.organisation, question, rules)
    body = codec.encode(document)
    return Asked(aggregate, entry, document, body, codec.digest(body).hex(), rules, revision)
