"""Where a rule may be used: records of its legal basis, by jurisdiction and time. Pure.

An organisation that has published no record uses every rule, but for those whose METADATA asks for a record in any case.
From the moment the first of its records has effect it is held to them: a rule that none of them enables where the person
is employed doesn't apply there, and what only it needs isn't folded. What was judged before that moment stands.

A record that names no jurisdiction holds everywhere. Where records differ by jurisdiction and nobody has said where the
person is employed (nobody ever says it of a repository or a pool), nothing is folded either, and the rule is indeterminate.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from engine.domain.events import Event
from engine.domain.events.reference import RuleEnabled
from engine.domain.values import FOREVER

ENABLED: Final = "enabled"
OFF: Final = "off"
UNSURE: Final = "unsure"
JURISDICTION: Final = "facts.jurisdiction"
WHY_UNSURE: Final = "no source has said where the person is employed, and the rule is enabled in some places only"
WHY_OFF: Final = "no record enables a rule that needs it where the person is employed"


class Permission(msgspec.Struct, frozen=True):
    """Which rules are enabled at a moment and in a place; the others are off, but for those that depend on the place."""

    on: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()

    def state(self, code: str) -> str:
        """Give ENABLED, OFF or UNSURE."""
        return ENABLED if code in self.on else UNSURE if code in self.unsure else OFF


def folds(permission: Permission | None, *codes: str) -> bool:
    """Whether what only these rules need may be folded: one of them is enabled. None is where no record is asked for."""
    return permission is None or not permission.on.isdisjoint(codes)


class Record(msgspec.Struct, frozen=True):
    """One record as it was said last."""

    since: int
    until: int
    rules: frozenset[str]
    jurisdictions: tuple[str, ...]


class Enablement:
    """All records, by organisation; `permission` takes the moment and the place."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        """Build from `rule.enabled` events in any order; of one record's id what was said last counts."""
        self._records: dict[str, dict[str, Record]] = {}
        for event in sorted(events, key=lambda one: (one.time, one.id, one.source)):
            data = event.data
            if isinstance(data, RuleEnabled):
                since, until = data.effective(event.time), FOREVER if data.until is None else int(data.until)
                record = Record(since, until, frozenset(data.rules), tuple(data.jurisdictions))
                self._records.setdefault(event.organisation, {})[data.record] = record
        self._edges = {organisation: _edges(records.values()) for organisation, records in self._records.items()}
        self._known: dict[tuple[str, str, int], Permission] = {}

    def permission(self, organisation: str, jurisdiction: str, at: int) -> Permission | None:
        """Give what is enabled; None where the organisation isn't held to records (yet)."""
        edges = self._edges.get(organisation)
        if edges is None:
            return None
        number = bisect.bisect_right(edges, at)
        if not number:
            return None
        key = (organisation, jurisdiction, number)
        known = self._known.get(key)
        if known is None:
            records = [one for one in self._records[organisation].values() if one.since <= at < one.until]
            known = self._known[key] = _permission(records, jurisdiction)
        return known

    def affected_since(self, event: Event) -> int:
        """Give the moment from which a further record changes what is enabled: its own, or that of what it replaces."""
        data = event.data
        assert isinstance(data, RuleEnabled)  # noqa: S101 - the caller looked
        before = self._records.get(event.organisation, {}).get(data.record)
        since: int = data.effective(event.time)
        return since if before is None else min(since, before.since)


def _edges(records: Iterable[Record]) -> list[int]:
    return sorted({moment for one in records for moment in (one.since, one.until)})


def _permission(records: Sequence[Record], jurisdiction: str) -> Permission:
    on: set[str] = set()
    unsure: set[str] = set()
    for record in records:
        places = record.jurisdictions
        if not places or any(jurisdiction == place or jurisdiction.startswith(f"{place}-") for place in places):
            on |= record.rules
        elif not jurisdiction or any(place.startswith(f"{jurisdiction}-") for place in places):
            unsure |= record.rules
    return Permission(frozenset(on), frozenset(unsure - on))
