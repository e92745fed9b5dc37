"""Windows of habits against brute force, and what a usage's source doesn't say isn't counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.aggregates.habits import network_of
from engine.domain.values import DAY_US, HOUR_US
from engine.domain.windows import DayHours, Hours, Sessions
from tests.domain.make import event
from tests.domain.test_person import grant, run, usage

LENGTH = 5


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 7), st.integers(0, 4)), max_size=60))
def test_sums_by_hour_are_those_of_brute_force(steps: list[tuple[int, int, int]]) -> None:
    """Whatever is counted in the current hour or in earlier ones, at whatever pace time passes."""
    window, hour, sums = Hours(LENGTH), 100, dict[int, int]()
    for pause, back, amount in steps:
        hour += pause
        window.move(hour)
        window.add(hour - back, amount)
        if amount and back <= LENGTH:
            sums[hour - back] = sums.get(hour - back, 0) + amount
        before = sorted(total for one, total in sums.items() if hour - LENGTH <= one < hour)
        assert window.ordered == before
        assert window.current == sums.get(hour, 0)
        rank = -(-95 * len(before) // 100)
        assert window.percentile(95) == (before[rank - 1] if before else 0)
        assert len(window.sums) == len(window.times) <= LENGTH + 1


def _stretches(uses: list[tuple[int, str]], gap: int) -> list[tuple[str, int, int]]:
    found = []
    for network in sorted({name for _, name in uses}):
        times = [at for at, name in uses if name == network]
        begun = last = times[0]
        for at in times[1:]:
            if at - last > gap:
                found.append((network, begun, last))
                begun = at
            last = at
        found.append((network, begun, last))
    return found


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from("ABCD")), min_size=1, max_size=25))
def test_the_most_networks_met_at_once_are_those_of_brute_force(steps: list[tuple[int, str]]) -> None:
    """The largest set seen until a use is the largest number of stretches that have an instant in common until then."""
    gap, sessions, at, uses, most = 10, Sessions(10), 0, [], 0
    for pause, network in steps:
        at += pause
        uses.append((at, network))
        sets = sessions.add(at, "k", network)
        assert all(network in names and len(set(names)) == len(names) for names in sets)
        most = max(most, *map(len, sets))
        stretches = _stretches(uses, gap)
        brute = max(sum(since <= one <= until for _, since, until in stretches) for one in range(at + 1))
        assert most == brute
    assert len(sessions.keys["k"]) <= 4


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=60))
def test_hours_of_days_are_those_of_brute_force(steps: list[tuple[int, bool]]) -> None:
    """Distinct clock hours of each of the last three days."""
    window, hour, seen = DayHours(3), 24_000, set[int]()
    for pause, add in steps:
        hour += pause
        if add:
            seen.add(hour)
        day = hour // 24
        assert window.counts(hour * HOUR_US, add=add) == [sum(one // 24 == d for one in seen) for d in range(day - 2, day + 1)]
        assert len(window.days) <= 3


@pytest.mark.parametrize(
    ("said", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"), ("2001:db8:1:2::7", "2001:db8:1::/48"), ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("as64500", "AS64500"), ("AS64500", "AS64500"), ("office", "office"),
    ],
)  # fmt: skip
def test_a_network_is_a_system_or_an_addresss_prefix(said: str, network: str) -> None:
    """IPv4 that came as IPv6 is IPv4; a name is a name."""
    assert network_of(said) == network


def _asked(*events: Any) -> list[Any]:
    _, effects = run([grant(), *events])
    return [one.question for one in effects if one.question is not None]


def test_what_the_source_does_not_say_is_none_and_counts_nowhere() -> None:
    """No network, no region, no tag, nobody known to sit at it, no utilisation."""
    inference, gpu = _asked(
        usage("2026-02-01", "1"), event("usage.gpu", "2026-02-02", person="p-1", credential="c", quantity="1", gpu_seconds="60")
    )
    assert [inference.event[name] for name in ("network", "region", "tag", "interactive")] == ["none"] * 4
    assert (inference.facts["use"]["networks"], inference.facts["use"]["day_hours"]) == ([], [0] * 7)
    assert (gpu.event["utilisation"], gpu.facts["use"]["gpu_s_7d"]) == ("none", 0)


def test_idle_gpu_time_is_time_times_what_was_not_used() -> None:
    """Measured on the devices held; a figure for the node counts nowhere; a week later it is gone."""
    held: dict[str, Any] = {
        "person": "p-1",
        "credential": "c",
        "quantity": "1",
        "gpu_seconds": "1000",
        "utilisation_ppm": 250_000,
    }
    device, node, later = _asked(
        event("usage.gpu", "2026-02-01", **held),
        event("usage.gpu", "2026-02-02", attribution="node", **held),
        event("usage.gpu", "2026-02-08", **held),
    )
    idle = [(one.facts["use"]["gpu_s_7d"], one.facts["use"]["gpu_idle_s_7d"]) for one in (device, node, later)]
    assert idle == [(1000, 750), (1000, 750), (1000, 750)]
    assert [one.event["utilisation"] for one in (device, node, later)] == ["device", "node", "device"]


def test_gpu_time_counts_in_the_hours_in_which_it_was_held() -> None:
    """Four units over four hours are one unit in the hour in which it was metered."""
    data = {"person": "p-1", "credential": "c", "quantity": "4", "gpu_seconds": "14400"}
    (asked,) = _asked(event("usage.gpu", "2026-02-01T04:30:00Z", started_at="2026-02-01T00:30:00Z", **data))
    use = asked.facts["use"]
    assert (use["ccu_1h_u"], use["hours_28d"], use["p95_1h_28d_u"]) == (500_000, 4, 1_000_000)


def test_an_unpriced_hour_is_unknown_and_so_is_what_is_usual_for_four_weeks_after() -> None:
    """Of the hour itself the sum isn't known, but what was usual before is."""
    free: dict[str, Any] = {"person": "p-1", "credential": "c", "input_tokens": 10}
    during, after, end, past = _asked(
        event("usage.inference", "2026-02-01T10:10:00Z", **free),
        usage("2026-02-01T11:00:00Z", "1"),
        usage("2026-03-01T10:59:00Z", "1"),
        usage("2026-03-01T11:00:00Z", "1"),
    )
    missing = [{path for path in one.unknown if "1h" in path} for one in (during, after, end, past)]
    assert missing == [{"facts.use.ccu_1h_u"}, {"facts.use.p95_1h_28d_u"}, {"facts.use.p95_1h_28d_u"}, set()]
    assert "event.ccu_u" in during.unknown
    assert "ccu_u" not in during.event


def test_a_registered_agents_hours_are_not_a_persons() -> None:
    """Of the credential the approval names, while it is in force."""
    approval: dict[str, Any] = {
        "about": {"kind": "person", "id": "p-1"},
        "approver": "p-9",
        "approval_id": "a",
        "kind": "agent",
        "scope": "c",
    }
    before, agent, other = _asked(
        usage("2026-02-01", "1", interactive=True),
        event("approval.granted", "2026-02-02", **approval),
        usage("2026-02-03", "1", interactive=True),
        event("usage.inference", "2026-02-04", person="p-1", credential="d", quantity="1", interactive=False),
    )
    assert [one.event["interactive"] for one in (before, agent, other)] == ["yes", "agent", "no"]
    assert agent.facts["use"]["day_hours"] == [0, 0, 0, 0, 1, 0, 0]


def test_a_journey_and_a_determination_explain_usage_while_they_hold() -> None:
    """A subdivision is in its country; an answer about one tag says nothing of another."""
    about: dict[str, Any] = {
        "about": {"kind": "person", "id": "p-1"},
        "determination_id": "d",
        "question": "workload",
        "decided_by": "p-9",
    }
    there, gone = _asked(
        event("person.travel_recorded", "2026-02-01", person="p-1", country="US-CA", until="2026-02-03"),
        event("determination.recorded", "2026-02-01", answer="no", workload="mining", **about),
        usage("2026-02-02", "1", workload="mining"),
        usage("2026-02-03", "1", workload="betting"),
    )
    assert (there.facts["travel"], there.facts["workload"]) == (["US", "US-CA"], "cleared")
    assert (gone.facts["travel"], gone.facts["workload"]) == ([], "none")


def test_weeks_are_iso_weeks() -> None:
    """The first days of a year may be the last week's of the year before."""
    first, monday = _asked(usage("2027-01-03", "1"), usage("2027-01-04", "1"))
    assert (first.event["week"], monday.event["week"]) == ("2026-W53", "2027-W01")
    assert first.event["at"] % DAY_US == 0
