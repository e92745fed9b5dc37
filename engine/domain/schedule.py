"""Which bundle of policies is in force when, for one organisation. Pure.

An activation holds from its date until the next one's; a shadow from its date until it is retired, or until it says.
"""

from __future__ import annotations

import bisect

from engine.domain.events.reference import PolicyActivated, PolicyRetired, PolicyShadowed
from engine.domain.values import FOREVER


class Schedule:
    """Activations and shadows of one organisation; `add` takes them in the order of their events."""

    def __init__(self) -> None:
        """Begin with the first bundle in force."""
        self.activations: list[tuple[int, str]] = []
        """(From when in µs, digest), by time; of one moment the last said counts."""
        self._shadows: dict[str, tuple[int, int]] = {}

    def add(self, data: PolicyActivated | PolicyShadowed | PolicyRetired, since: int) -> None:
        """Take a further act, with effect from `since` (µs)."""
        if isinstance(data, PolicyActivated):
            index = bisect.bisect_right(self.activations, since, key=lambda one: one[0])
            self.activations.insert(index, (since, data.bundle))
        elif isinstance(data, PolicyShadowed):
            self._shadows[data.bundle] = (since, FOREVER if data.until is None else int(data.until))
        elif data.bundle in self._shadows:
            began, until = self._shadows[data.bundle]
            self._shadows[data.bundle] = (began, min(until, since))

    def in_force(self, at: int) -> str:
        """Give the digest in force at a moment; empty before the first activation."""
        index = bisect.bisect_right(self.activations, at, key=lambda one: one[0]) - 1
        return "" if index < 0 else self.activations[index][1]

    def shadowed(self, at: int) -> list[str]:
        """Give the digests shadowed at a moment, in the order they were first shadowed."""
        return [digest for digest, (since, until) in self._shadows.items() if since <= at < until]
