"""A batch between `begin` and `finish`: what it took in, folded and asked, as it stood when it was begun."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from engine.domain import codec
from engine.domain.errors import CovenantError
from engine.domain.records import AggregateRow, DroppedRow, OriginalRow, PayloadRow, RefusedRow, SeenRow
from engine.policy.evaluator import Answer
from engine.service.asking import Answers, Asking, Questions
from engine.service.deciding import Asked
from engine.service.folding import Folding
from engine.service.memory import LaneMemory
from engine.service.taking import Taken


class BatchResult(msgspec.Struct, frozen=True):
    """What a batch did, for people and summaries."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    decisions: int = 0
    changes: int = 0
    held: tuple[str, ...] = ()
    """Rules that were held meanwhile."""


class Work(msgspec.Struct):
    """A batch between `begin` and `finish`."""

    lane: int
    kind: str
    folding: Folding
    questions: Questions
    answers: Answers | None
    shadow_answers: Answers | None
    version: int
    reference: int
    watermark: int
    recorded_at: int
    positions: dict[str, int]
    aggregates: tuple[AggregateRow, ...]
    """As they stood when the batch was folded; a later batch may have gone on with them since."""
    refused: list[RefusedRow]
    seen: list[SeenRow]
    originals: tuple[OriginalRow, ...]
    payloads: tuple[PayloadRow, ...]
    read: int
    duplicates: int
    dropped: tuple[DroppedRow, ...] = ()
    work: str = ""
    ended: bool = False
    held: str = ""
    """The rules that are held, as recorded."""
    caught_up: bool = True
    """Whether violations may settle with it: its lane and those that tell it facts had caught up when it was begun."""
    behind: bool = False
    """Whether its lane had more to read than a batch holds."""
    horizon: int = 0
    """The correction horizon it was folded under, days."""

    def shadowed(self) -> Iterator[tuple[Asked, Answer]]:
        """What shadowed revisions answer; nothing where they don't: a shadow holds up nobody."""
        try:
            answers = self.shadow_answers.result() if self.shadow_answers is not None else []
        except CovenantError:
            return
        yield from zip(self.questions.shadowed, answers, strict=bool(answers))


def start(memory: LaneMemory, folding: Folding, asking: Asking, kind: str, taken: Taken, background: Sequence[str] = ()) -> Work:
    """Fold what is stale, ask the rules of what changed, and keep how all stands for `finish`."""
    folding.refold(background)
    questions = asking.questions(folding)
    memory.begun += 1
    for aggregate in folding.changed.values():
        aggregate.changed_by = memory.begun
    return Work(
        lane=memory.lane,
        kind=kind,
        folding=folding,
        questions=questions,
        answers=asking.submit(questions.asked),
        shadow_answers=asking.submit_shadows(questions.shadowed) if questions.shadowed else None,
        version=memory.begun,
        reference=memory.reference,
        watermark=memory.watermark,
        recorded_at=folding.recorded_at,
        positions=dict(memory.positions),
        aggregates=tuple(
            AggregateRow(key, memory.lane, a.newest, a.dirty_from, memory.due.get(key, -1), a.dirty_causes)
            for key, a in sorted(folding.changed.items())
        ),
        refused=taken.refused,
        seen=taken.seen,
        originals=tuple(taken.originals),
        payloads=tuple(taken.payloads.values()),
        read=taken.read,
        duplicates=taken.duplicates,
        work=codec.encode(list(background)).decode() if kind == "redecide" else "",
    )
