"""Questions that wait for a feed's word, kept as they were asked: the word alone then needs nothing folded again. Pure.

How far a feed is complete changes what is asked of an entry, and neither the state nor anything else that the entry does.
What is kept is a copy of the question that folding the entry again would give; whoever doesn't have it folds.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from engine.domain.effects import Effects, Question, Wait
from engine.domain.enablement import Permission
from engine.domain.reference import Reference

_DECODE: Final = msgspec.json.Decoder().decode


class Kept(NamedTuple):
    """A question as it was asked, and the facts in it that wait for feeds."""

    organisation: str
    body: bytes
    """The input as canonical JSON: a few hundred bytes, where its mappings take kilobytes."""
    waits: tuple[Wait, ...]
    agreement: str
    permission: Permission | None


def keep(organisation: str, effects: Effects, hears: tuple[str, ...], body: bytes) -> Kept | None:
    """Keep a question if nothing but its waits depends on feeds; None where it must be folded."""
    question = effects.question
    if question is None or not question.waits:
        return None
    if len(question.waits) != len(hears) or {wait.feed for wait in question.waits} != set(hears):
        return None  # it asked about a feed for another reason as well
    return Kept(organisation, body, tuple(question.waits), question.agreement, question.permission)


def again(kept: Kept, reference: Reference) -> Question:
    """Give the question as folding its entry again would, now that feeds have said more."""
    document: dict[str, Any] = _DECODE(kept.body)
    facts, unknown = document["facts"], document["unknown"]
    question = Question(document["event"], facts, unknown, kept.agreement, kept.permission)
    for wait in kept.waits:
        holder, (*parents, name) = facts, wait.path.split(".")[1:]
        for parent in parents:
            holder = holder[parent]
        if why := reference.incomplete(kept.organisation, wait.feed, wait.at):
            unknown[wait.path] = why
            question.waits.append(wait)
        else:
            unknown.pop(wait.path, None)
            holder[name] = wait.value
    return question
