"""How a usage stands to its holder's grants, what they permit, and when its job began. Part of the person aggregate; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.domain.events import usage as u
from engine.domain.grants import Grant

if TYPE_CHECKING:
    from engine.domain.aggregates.person import State

MOST_FILTERS: Final = 16
"""How many different filters an input carries at most."""
_DEAD: Final = ("expired", "voided", "suspended")


def standing(state: State, data: u.Usage, at: int, drawn: Grant | None) -> tuple[str, Grant | None]:
    """Say how a usage stands, and with which grant; what goes beyond a grant in force is overage, and covered all the same."""
    if drawn is not None:
        return "covered", drawn  # only within access is anything drawn on
    candidates = _candidates(state, data)
    newest = max(candidates, key=_age, default=None)
    if at >= state.access_until():
        return "access_ended", newest
    live = [x for x in candidates if x.live(at)]
    if not live:
        dead = [x for x in candidates if x.standing(at) in _DEAD and x.since <= at]
        last = max(dead, key=lambda x: (min(at, x.until), x.since, x.id), default=None)
        return ("uncovered", newest) if last is None else (last.standing(at), last)
    admitting = [x for x in live if x.admits(data.model, data.provider)]
    if not admitting:
        return "filtered", max(live, key=_age)
    spent = [x for x in admitting if at < x.ends(state.ended_at, state.ended_reason)]  # in force, and its units are used up
    return ("covered", max(spent, key=_age)) if spent else ("uncovered", max(admitting, key=_age))


def tell(state: State, data: u.Usage, at: int, coverage: str, facts: dict[str, Any], unknown: dict[str, str]) -> None:
    """Add the filters of the grants in force where a usage is filtered out, and when its job began."""
    facts["filters"] = []
    if coverage == "filtered":
        _filters(state, data, at, facts, unknown)
    started = state.jobs.get(data.job_id) if data.job_id else 0
    if started is None and isinstance(data, u.UsageGpu) and data.started_at is not None:
        started = int(data.started_at) if data.started_at <= state.access_until() else None  # the job began then, or before
    if started is None:
        unknown["facts.job"] = "no source has said when the job started"
    else:
        facts["job"] = {"state": "started" if data.job_id else "none", "started": started}


def _filters(state: State, data: u.Usage, at: int, facts: dict[str, Any], unknown: dict[str, str]) -> None:
    """Give what each of the grants permits: another name of a model is looked for in all of them."""
    found = sorted({(x.models, x.providers) for x in _candidates(state, data) if x.live(at)})
    if len(found) > MOST_FILTERS:
        del facts["filters"]
        unknown["facts.filters"] = "more grants are in force than an input can carry"
    else:
        facts["filters"] = [{"models": list(models), "providers": list(providers)} for models, providers in found]


def _candidates(state: State, data: u.Usage) -> list[Grant]:
    return [x for x in state.grants.values() if x.unit == data.unit and data.grant_id in (None, x.id)]


def _age(grant: Grant) -> tuple[int, str]:
    return grant.since, grant.id
