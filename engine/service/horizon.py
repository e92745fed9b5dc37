"""The correction horizon: a fact older than it changes what was decided in the holder's favour alone.

How old a fact is, is how far its lane had come beyond it when the fact was taken in: a history taken in for the first time
is in order, and so never late. What isn't charged for that reason is excused by the guard `correction_horizon`; what was
charged and would weigh more keeps the outcome it had, and says so. Each batch records the horizon in force, in days. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.policy.catalogue import Rule

GUARD: Final = "correction_horizon"
KEPT: Final = "kept"
"""Field of an outcome that stays as it was: → the guard's name."""
_SEVERITY: Final = {"low": 1, "medium": 2, "high": 3, "critical": 4}

Outcomes = dict[str, dict[str, Any]]
Carried = Mapping[tuple[str, str], Outcomes]
"""(aggregate, identity) → outcomes that the horizon made, by rule."""


def favoured(before: Outcomes, now: Outcomes, rules: Sequence[Rule], *, beyond: bool) -> Outcomes:
    """Give an entry's outcomes so that none is worse for a holder than before: because a fact is too old, or one was."""
    respondents = {rule.code: rule.respondent for rule in rules}
    result = now
    for code, outcome in now.items():
        was = before.get(code, {})
        if (beyond or is_made_by_it(was)) and _weight(code, outcome, respondents) > _weight(code, was, respondents):
            result = {**result, code: _excused(outcome) if was.get("outcome") != "violation" else {**was, KEPT: GUARD}}
    return result


def carried(made: Outcomes, now: Outcomes, rules: Sequence[Rule]) -> Outcomes:
    """Give outcomes with those that the horizon made elsewhere in place of worse ones."""
    respondents = {rule.code: rule.respondent for rule in rules}
    worse = {
        code for code in made if code in now and _weight(code, now[code], respondents) > _weight(code, made[code], respondents)
    }
    return {code: made[code] if code in worse else outcome for code, outcome in now.items()}


def made_by_it(outcomes: Outcomes) -> Outcomes:
    """Give those of an entry's outcomes that the horizon made."""
    return {code: outcome for code, outcome in outcomes.items() if is_made_by_it(outcome)}


def is_made_by_it(outcome: Mapping[str, Any]) -> bool:
    """Whether the horizon made an outcome."""
    return GUARD in (outcome.get("guard"), outcome.get(KEPT))


def _weight(code: str, outcome: Mapping[str, Any], respondents: Mapping[str, str]) -> int:
    """How much an outcome weighs on a holder; a breach of the company's, or nobody's, weighs nothing on one."""
    if outcome.get("outcome") != "violation" or outcome.get("respondent", respondents.get(code)) != "holder":
        return 0
    return _SEVERITY.get(outcome["severity"], 1)


def _excused(outcome: Mapping[str, Any]) -> dict[str, Any]:
    kept = {"severity": outcome["severity"], "evidence": outcome["evidence"]}
    return {"outcome": "excused", **kept, "guard": GUARD, "by": [], "back_dated": False}
