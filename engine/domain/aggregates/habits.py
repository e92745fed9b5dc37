"""How a person uses compute over time: by the clock hour, from which networks, at which hours of the day, how idly.

Part of the person aggregate. Windows are incremental and bounded by their lengths, which are the bundle's; nothing here
is compared with a threshold. What a source doesn't assert (a network, whether a person sat at it, utilisation) isn't
counted: the field says "none", and a rule that needs it doesn't apply. What only a rule needs that isn't enabled isn't
counted either.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any, Final

import msgspec

from engine.domain.aggregates import draws
from engine.domain.approvals import Approvals
from engine.domain.enablement import WHY_OFF, Permission, folds
from engine.domain.events.people import DeterminationRecorded, PersonTravelRecorded
from engine.domain.events.usage import Usage, UsageGpu, UsageInference
from engine.domain.values import DAY_US, FOREVER, HOUR_US
from engine.domain.windows import DayHours, Hours, RunningSum, Sessions

PERIODS: Final = ("burst_window_us", "session_gap_us", "long_days_window_us", "idle_window_us")
"""The bundle's `data.facts`: lengths of the windows (µs)."""
_OF_BURSTS: Final = ("facts.use.hours_28d", "facts.use.ccu_1h_u", "facts.use.p95_1h_28d_u")
_OF_IDLING: Final = ("facts.use.gpu_s_7d", "facts.use.gpu_idle_s_7d")
PERCENTILE: Final = 95
NEVER: Final = -(2**53)


class Habits(msgspec.Struct):
    """All windows of one person; `unpriced` and `before` are the last two clock hours with usage of unknown units."""

    hours: Hours
    sessions: Sessions
    days: DayHours
    gpu: RunningSum
    idle: RunningSum
    unpriced: int = NEVER
    before: int = NEVER
    why: str = ""
    workloads: dict[str, str] = {}
    """Workload tag (empty: any) → latest answer about it."""
    journeys: list[tuple[str, int, int]] = []
    """Countries, each with from when until when the person is there."""

    def travel(self, at: int) -> list[str]:
        """Give the countries the person is recorded to be in, subdivisions under their own name and their country's."""
        if not self.journeys:
            return []
        there = [country for country, since, until in self.journeys if since <= at < until]
        return sorted({name for country in there for name in (country, country[:2])})

    def workload(self, tag: str | None) -> str:
        """Say what was determined about a workload tag: none, cleared or confirmed."""
        if tag is None or not self.workloads:
            return "none"
        answer = self.workloads.get(tag) or self.workloads.get("", "")
        return {"no": "cleared", "yes": "confirmed"}.get(answer, "none")


def start(windows: dict[str, int]) -> Habits:
    """Give the windows before the first usage."""
    idle = windows["idle_window_us"]
    return Habits(
        hours=Hours(windows["burst_window_us"] // HOUR_US),
        sessions=Sessions(windows["session_gap_us"]),
        days=DayHours(windows["long_days_window_us"] // DAY_US),
        gpu=RunningSum(idle),
        idle=RunningSum(idle),
    )


def learn(habits: Habits, data: Any, at: int) -> None:
    """Fold what explains usage: a recorded journey, a determination about a workload; anything else says nothing here."""
    if isinstance(data, PersonTravelRecorded):
        since, until = at if data.from_ is None else int(data.from_), FOREVER if data.until is None else int(data.until)
        habits.journeys.append((data.country, since, until))
    elif isinstance(data, DeterminationRecorded) and data.question == "workload":
        habits.workloads[data.workload or ""] = data.answer


def note(
    habits: Habits,
    data: Usage,
    at: int,
    credential: str,
    units: tuple[int, str],
    approvals: Approvals,
    permission: Permission | None = None,
    since: int = -1,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """Count a usage in; gives fields of the event, sums of the use, and what of them is unknown and why.

    `units` are the micro-units that count towards caps, and why they are unknown where they are. Idle GPU time before `since`
    doesn't count: what is asked of it was lowered then.
    """
    fields: dict[str, Any] = {"region": data.region or "none", "tag": data.workload or "none"}
    if folds(permission, "FU-002"):
        use, unknown = _burst(habits, data, at, units)
    else:
        use, unknown = {}, dict.fromkeys(_OF_BURSTS, WHY_OFF)
    if isinstance(data, UsageInference):
        fields["tokens"] = data.input_tokens + data.output_tokens
        fields["free"] = data.free
        fields["network"] = "none" if data.network is None else network_of(data.network)
        fields["interactive"] = said = _interactive(data, at, credential, approvals)
        if not folds(permission, "FU-003"):
            unknown["facts.use.networks"] = WHY_OFF
        else:
            use["networks"] = [] if data.network is None else habits.sessions.add(at, credential, fields["network"])
        if not folds(permission, "FU-005"):
            unknown["facts.use.day_hours"] = WHY_OFF
        else:
            use["day_hours"] = habits.days.counts(at, add=said == "yes")
    elif isinstance(data, UsageGpu):
        fields["utilisation"] = _utilisation(data)
        if not folds(permission, "FU-012"):
            return fields, use, unknown | dict.fromkeys(_OF_IDLING, WHY_OFF)
        counts = fields["utilisation"] == "device"
        whole = int(data.gpu_seconds) if counts else 0
        lazy = whole * (1_000_000 - (data.utilisation_ppm or 0)) // 1_000_000
        held, idle = habits.gpu.add(at, whole, since), habits.idle.add(at, lazy, since)
        use["gpu_s_7d"], use["gpu_idle_s_7d"] = -(-held // 1_000_000), idle // 1_000_000  # in the holder's favour
    return fields, use, unknown


def _burst(habits: Habits, data: Usage, at: int, units: tuple[int, str]) -> tuple[dict[str, Any], dict[str, str]]:
    hours, hour = habits.hours, at // HOUR_US
    amount, why = units
    hours.move(hour)
    if why:
        if hour != habits.unpriced:
            habits.before = habits.unpriced
        habits.unpriced, habits.why = hour, why
    if isinstance(data, UsageGpu):
        _spread(hours, data, at, amount)
    elif isinstance(data, UsageInference):  # a line of a bill covers a period, not an hour
        hours.add(hour, amount)
    use: dict[str, Any] = {"hours_28d": len(hours.ordered)}
    unknown: dict[str, str] = {}
    last = habits.before if hour == habits.unpriced else habits.unpriced
    if hour == habits.unpriced:
        unknown["facts.use.ccu_1h_u"] = habits.why
    else:
        use["ccu_1h_u"] = hours.current
    if last >= hour - hours.length:
        unknown["facts.use.p95_1h_28d_u"] = habits.why
    else:
        use["p95_1h_28d_u"] = hours.percentile(PERCENTILE)
    return use, unknown


def _spread(hours: Hours, data: UsageGpu, at: int, amount: int) -> None:
    """Count GPU time in the hours in which it was held: a long job is no burst of the hour in which it was metered."""
    held = draws.hours(data, at)
    whole = sum(part for _, part in held)
    if not whole:
        hours.add(at // HOUR_US, amount)
        return
    counted = reached = 0
    for begin, part in held:
        reached += part
        share = amount * reached // whole - counted
        counted += share
        hours.add(begin // HOUR_US, share)


def _interactive(data: Usage, at: int, credential: str, approvals: Approvals) -> str:
    """Say whether a person sat at it, as the source asserts; what a registered agent does is an agent's."""
    if data.interactive is None:
        return "none"
    if not data.interactive:
        return "no"
    standing = approvals.standing(at)
    return "agent" if any(a.kind == "agent" and a.scope in ("", credential) for a in standing) else "yes"


def _utilisation(data: UsageGpu) -> str:
    if data.utilisation_ppm is None:
        return "none"
    return "node" if data.attribution == "node" else "device"


@lru_cache(maxsize=4096)
def network_of(text: str) -> str:
    """Give the network of what a source says: its autonomous system (AS64500), else an address's /24 or /48."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text.upper() if text[:2].upper() == "AS" and text[2:].isdigit() else text
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))
