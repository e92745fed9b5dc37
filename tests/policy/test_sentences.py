"""Sentences for people, filled from evidence, event and facts."""

from __future__ import annotations

import pytest

from engine.policy.sentences import render

EVENT = {"at": 1_790_000_000_000_000, "action": "pushed"}
FACTS = {"holder": "p-7", "grant": {"id": "G1", "models": ["m-1", "m-2"], "providers": []}}


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{holder} did {action}", "p-7 did pushed"),
        ("{cap_u:ccu} CCU", "1000.5 CCU"),
        ("on {at:time}", "on 2026-09-21T14:13:20Z"),
        ("within {grace_us:duration}", "within 1 day 2 hours"),
        ("within {minute:duration}", "within 1 minute"),
        ("within {short:duration}", "within 30 seconds"),
        ("{facts.grant.models:list} or {facts.grant.providers:list}", "m-1, m-2 or none"),
        ("{event.action} {evidence_that_is_not_there}", "pushed unknown"),
        ("{facts.grant.id.more}", "unknown"),
    ],
)
def test_a_template_is_filled_in_peoples_units(template: str, said: str) -> None:
    """What isn't known says so."""
    day, hour = 86_400_000_000, 3_600_000_000
    evidence = {"cap_u": 1_000_500_000, "grace_us": day + 2 * hour, "minute": 60_000_000, "short": 30_000_000}
    assert render(template, evidence, EVENT, FACTS) == said


def test_evidence_goes_before_event_and_facts() -> None:
    """A rule's own word for a thing wins."""
    assert render("{holder} {at}", {"holder": "p-8", "at": "then"}, EVENT, FACTS) == "p-8 then"
