"""Whether the lanes have caught up and heard each other: nobody is told of a finding before.

While months of topics are read, what opens may go away with the next fact: of this lane, or of another that stands
further behind and tells its facts through the relay. So a violation settles only where its lane has read all there is,
no lane of the store has more than a batch left, and whatever any lane had to tell was published a while ago.
"""

from __future__ import annotations

import threading
from typing import Final

from engine.service.recording import REFERENCE_LANE
from engine.store.protocol import Store

LASTS: Final = 4
"""How many times `calm_s` it holds that all was heard; by then it was looked at anew, or something is wrong."""


class Hearing:
    """Asked by the lanes of one worker, each from its own thread."""

    def __init__(self, store: Store, lanes: int, calm_s: float) -> None:
        """Begin with nothing heard; `calm_s` is how long a fact may take from the outbox to its lane."""
        self.store = store
        self.lanes = lanes
        self.calm_s = calm_s
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._heard = float("-inf")
        """When all that had been told `calm_s` before was seen to be published."""
        self._asked: tuple[float, dict[int, int]] | None = None
        """When it was looked how far the lanes' outboxes go, and how far."""

    def all(self, now: float) -> bool:
        """Whether all lanes have caught up and heard what they told each other; `now` in seconds of a steady clock."""
        with self._lock:
            if now - self._looked >= self.calm_s / LASTS:
                self._looked = now
                self._look(now)
            return now - self._heard <= LASTS * self.calm_s

    def _look(self, now: float) -> None:
        lanes = [lane for lane in self.store.lanes() if lane.lane != REFERENCE_LANE]
        if any(lane.behind for lane in lanes):
            self._asked, self._heard = None, float("-inf")
            return
        if self._asked is not None and now - self._asked[0] >= self.calm_s:
            published = {lane.lane: lane.published for lane in lanes}
            if self.lanes == 1 or all(published[lane] >= sequence for lane, sequence in self._asked[1].items()):
                self._asked, self._heard = None, now
        if self._asked is None:
            self._asked = (now, {lane.lane: lane.outbox_sequence for lane in lanes})
