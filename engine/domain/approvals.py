"""Approvals as facts: in force over [from, until), decided at a moment that may be later (back-dated). Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.domain.events.people import ApprovalGranted
from engine.domain.values import FOREVER

MOST = 16
"""How many approvals an input carries at most: of more, none, since the one that counts may be among the rest."""


class Approval(msgspec.Struct):
    """One approval; times in µs, amount in micro-units."""

    id: str
    kind: str
    about: str
    since: int
    until: int
    decided: int
    amount: int
    scope: str


class Approvals(msgspec.Struct):
    """All approvals about one aggregate."""

    known: dict[str, Approval] = {}

    def grant(self, data: ApprovalGranted, decided: int) -> None:
        """Take an approval; one of the same id replaces it."""
        since = decided if data.from_ is None else int(data.from_)  # plain: facts are compared as numbers
        until = FOREVER if data.until is None else int(data.until)
        self.known[data.approval_id] = Approval(
            data.approval_id, data.kind, data.about_.id, since, until, decided, int(data.amount), data.scope or ""
        )

    def revoke(self, approval_id: str, at: int) -> None:
        """End an approval; one that isn't known stays unknown."""
        known = self.known.get(approval_id)
        if known is not None:
            known.until = min(known.until, at)

    def standing(self, at: int) -> list[Approval]:
        """Give those in force at a moment, by id."""
        if not self.known:
            return []
        return sorted((a for a in self.known.values() if a.since <= at < a.until), key=lambda a: a.id)

    def within(self, since: int, until: int) -> list[Approval]:
        """Give those in force at some instant of [since, until], by id."""
        held = (a for a in self.known.values() if a.since < a.until and a.since <= until and since < a.until)
        return sorted(held, key=lambda a: a.id)


def tell(facts: dict[str, Any], unknown: dict[str, str], standing: list[Approval], *, kind: str = "", silent: str = "") -> None:
    """Add approvals to facts; unknown where an input can't carry all, or where one of a kind is missing and may not be told yet.

    `silent` says why a missing one may not be told yet; empty where its feed is complete.
    """
    if len(standing) > MOST:
        unknown["facts.approvals"] = f"more than {MOST} approvals are in force, more than an input can carry"
    elif silent and not any(one.kind == kind for one in standing):
        unknown["facts.approvals"] = silent
    else:
        facts["approvals"] = _carried(standing) if standing else []


def _carried(standing: list[Approval]) -> list[dict[str, Any]]:
    return [
        {
            "id": a.id,
            "kind": a.kind,
            "about": a.about,
            "from": a.since,
            "until": a.until,
            "decided": a.decided,
            "amount_u": a.amount,
        }
        for a in standing
    ]
