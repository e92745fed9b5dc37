"""What usages really were, as corrections say: a correction stands at the instant of its usage and before it.

Part of the person aggregate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.domain.events import Event
from engine.domain.events.usage import UsageCorrected

if TYPE_CHECKING:
    from engine.domain.aggregates.person import State


class Correction(msgspec.Struct):
    """What a usage really was, as said last."""

    said: tuple[int, str]
    """Time and id of the correction."""
    quantity: int | None
    state: str


def note(state: State, event: Event, data: UsageCorrected, at: int) -> None:
    """Note what a usage of this instant really was; of several corrections the one said last counts."""
    if state.corrected_at != at:  # a correction stands at the instant of what it corrects: earlier ones found nothing
        state.corrected.clear()
        state.corrected_at = at
    cause = f"{data.usage.source} {data.usage.id}"
    known = state.corrected.get(cause)
    if known is None or known.said < (event.time, event.id):
        quantity = None if data.quantity is None else int(data.quantity)
        state.corrected[cause] = Correction((event.time, event.id), quantity, data.state)
