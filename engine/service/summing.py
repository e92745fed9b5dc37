"""When balance snapshots are made: as time passes the end of a month, and as a period is closed. Makes none itself.

A store in memory keeps none: it answers no question of the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.domain.events import Event
from engine.domain.events.reference import PeriodClosed
from engine.domain.values import DAY_US
from engine.store.protocol import Store
from engine.store.snapshots import sum_up, sum_up_at
from engine.store.sql_store import SqlStore


class Summing:
    """Watches one body's lanes."""

    def __init__(self, store: Store) -> None:
        """Begin with nothing looked at."""
        self._store = store if isinstance(store, SqlStore) else None
        self._next = 0
        """Until when there is no need to look again."""

    def passed(self, watermark: int) -> None:
        """Time has passed up to a moment; what ended before is summed up, once a day of event time at most."""
        if self._store is not None and watermark >= self._next:
            sum_up(self._store, watermark)
            self._next = watermark - watermark % DAY_US + DAY_US

    def closed(self, events: Iterable[Event]) -> None:
        """Sum up what happened before the ends of periods that these events close, as it is known now."""
        for event in events:
            if self._store is not None and isinstance(event.data, PeriodClosed):
                sum_up_at(self._store, int(event.data.until))
