"""What the rules are asked of a batch: entries refolded become questions, and only those that changed are asked."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

from engine.domain import codec
from engine.domain.effects import NOTHING
from engine.domain.timeline import Entry
from engine.policy.bundle import Bundle
from engine.policy.evaluator import Answer, Evaluator
from engine.service.deciding import Asked
from engine.service.folding import Folding
from engine.service.judging import document_of
from engine.service.memory import Aggregate


class Asking:
    """Makes the inputs of one bundle and hands them to its evaluator."""

    def __init__(self, evaluator: Evaluator, bundle: Bundle) -> None:
        """Begin with nothing asked."""
        self.evaluator = evaluator
        self.catalogue = bundle.catalogue
        self.sets = bundle.data["params"]

    def submit(self, asked: Sequence[Asked]) -> Future[list[Answer]] | None:
        """Start evaluating; None where nothing is asked."""
        return self.evaluator.submit([a.body for a in asked]) if asked else None

    def questions(self, folding: Folding) -> tuple[list[Asked], list[tuple[Aggregate, Entry, bool]]]:
        """Sort what was refolded; its effects are used up then, and kept no longer: they weigh more than the event."""
        asked, unasked = [], []
        for aggregate, entry in folding.touched.values():
            question = self._ask(aggregate, entry)
            if question is not None:
                asked.append(question)
            else:
                unasked.append((aggregate, entry, entry.effects.question is not None))
            entry.effects = NOTHING
        return asked, unasked

    def _ask(self, aggregate: Aggregate, entry: Entry) -> Asked | None:
        question = entry.effects.question
        if question is None:
            return None
        rules = self.catalogue.for_type(entry.event.type)
        if not rules:
            return None
        document = document_of(self.sets, aggregate.organisation, question, rules)
        body = codec.encode(document)
        digest = codec.digest(body).hex()
        if digest == entry.input_digest:
            return None
        entry.input_digest = digest
        return Asked(aggregate, entry, document, body, digest, rules)
