"""Stakeholders of the Open Cap Format as people: how they are engaged, their leaves and exits, their grants' windows. Pure.

OCF tells more reasons of an end apart than an event does; of reasons that fall together the longer window counts, and
months and years are counted at their longest (31 and 366 days): both in the holder's favour.
"""

from __future__ import annotations

from typing import Any, Final

from engine.domain.errors import Refusal
from engine.domain.wording import cut
from engine.intake.picking import Fields, unlike, wrong

_RELATIONSHIPS: Final = {
    "ADVISOR": "advisor",
    "BOARD_MEMBER": "board_member",
    "CONSULTANT": "contractor",
    "EMPLOYEE": "employee",
    "EXECUTIVE": "employee",
    "EX_ADVISOR": "former",
    "EX_CONSULTANT": "former",
    "EX_EMPLOYEE": "former",
    "FOUNDER": "founder",
    "INVESTOR": "other",
    "NON_US_EMPLOYEE": "employee",
    "OFFICER": "employee",
    "OTHER": "other",
}
_REASONS: Final = {
    "INVOLUNTARY_DEATH": "death",
    "INVOLUNTARY_DISABILITY": "disability",
    "INVOLUNTARY_OTHER": "involuntary",
    "INVOLUNTARY_WITH_CAUSE": "involuntary",
    "VOLUNTARY_GOOD_CAUSE": "voluntary",
    "VOLUNTARY_OTHER": "voluntary",
    "VOLUNTARY_RETIREMENT": "retirement",
}
_DAYS: Final = {"DAYS": 1, "MONTHS": 31, "YEARS": 366}
_ENDED: Final = "TERMINATION_"


def relationship(item: Fields) -> list[tuple[str, str, dict[str, Any]]]:
    """Give type, part of the id and data of what a change of relationship says; a new employment is a hiring too."""
    person = item.need("stakeholder_id")
    started, ended = item.text("relationship_started"), item.text("relationship_ended")
    if started is None and ended is None:
        wrong("relationship_started", "what began or, as relationship_ended, what ended", None)
    for key, value in (("relationship_started", started), ("relationship_ended", ended)):
        if value is not None and value not in _RELATIONSHIPS:
            wrong(key, "one of OCF's relationships, such as EMPLOYEE", value)
    now = "former" if started is None else _RELATIONSHIPS[started]
    found: list[tuple[str, str, dict[str, Any]]] = [("person.relationship_changed", "", {"person": person, "relationship": now})]
    before = None if ended is None else _RELATIONSHIPS[ended]
    if now == "employee" and before != "employee":
        found.append(("person.hired", "/hired", {"person": person}))
    return found


def status(item: Fields) -> tuple[str, dict[str, Any]]:
    """Give type and data of what a change of status says."""
    field = "new_status"
    person, now = item.need("stakeholder_id"), item.need(field)
    if now == "LEAVE_OF_ABSENCE":
        return "person.on_leave", {"person": person}
    reason = _REASONS.get(now.removeprefix(_ENDED)) if now.startswith(_ENDED) else None
    if reason is not None:
        return "person.terminated", {"person": person, "reason": reason}
    if now == "ACTIVE":
        msg = f"{cut(person)} is active, which says neither that employment began nor when a leave was to end."
        do = "Send compute.person.on_leave.v1 with until, or compute.person.hired.v1."
        raise Refusal(msg, do, code="no-event", field=field)
    raise unlike(field, "one of OCF's statuses, such as LEAVE_OF_ABSENCE", now)


def windows(item: Fields) -> dict[str, int]:
    """Give the days in which vested units may be used after the end of employment, by its reason."""
    found: dict[str, int] = {}
    for one in item.objects("termination_exercise_windows"):
        reason, period, kind = one.need("reason"), one.whole("period"), one.need("period_type")
        if reason not in _REASONS:
            wrong(one.path("reason"), "one of OCF's reasons, such as VOLUNTARY_OTHER", reason)
        if period is None or period < 0:
            wrong(one.path("period"), "a number of at least 0", period)
        if kind not in _DAYS:
            wrong(one.path("period_type"), "DAYS, MONTHS or YEARS", kind)
        found[_REASONS[reason]] = max(found.get(_REASONS[reason], 0), period * _DAYS[kind])
    return found
