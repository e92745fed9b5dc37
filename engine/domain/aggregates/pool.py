"""The pool aggregate: a plan that grants are made from, or a cluster: what is committed, and who draws how much of it.

Draws come as one fact per person, hour and provider, replaced as usage is learnt late. Sums are over the calendar month
and the last 90 days (UTC), as its rules ask.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from engine.domain.approvals import Approvals, tell
from engine.domain.effects import NOTHING, Effects, Question, header
from engine.domain.events import Event
from engine.domain.events.derived import PoolCommitted, PoolDrawn
from engine.domain.events.people import ApprovalGranted, ApprovalRevoked
from engine.domain.events.pools import PoolPlanned, PoolResized
from engine.domain.lowering import ALWAYS, NEVER, Lowering
from engine.domain.reference import Reference
from engine.domain.values import DAY_US, month

SPEND_US: Final = 90 * DAY_US
CONTENDED_PPM: Final = 950_000
"""From which share of its capacity on an hour counts as contended."""
HOUR_S: Final = 3600


class Spend(msgspec.Struct):
    """What was drawn of each provider over the last 90 days, each unit by itself."""

    draws: list[tuple[int, str, str, int]] = []
    """(end of the hour, unit, provider, how much), in order."""
    totals: dict[str, dict[str, int]] = {}
    """Unit → provider → how much."""

    def add(self, at: int, unit: str, provider: str, units: int) -> None:
        """Count a draw in, and out what is older than 90 days."""
        self.draws.append((at, unit, provider, units))
        of_unit = self.totals.setdefault(unit, {})
        of_unit[provider] = of_unit.get(provider, 0) + units
        gone = 0
        while self.draws[gone][0] <= at - SPEND_US:
            _, in_unit, old, amount = self.draws[gone]
            self.totals[in_unit][old] -= amount
            gone += 1
        del self.draws[:gone]

    def top(self, unit: str) -> tuple[str, int, int]:
        """Give the provider most is drawn of in a unit, its share in ppm, and the whole spend in it."""
        totals = self.totals.get(unit, {})
        whole = sum(totals.values())
        first = min(totals, key=lambda name: (-totals[name], name), default="none")
        return (first, totals[first] * 1_000_000 // whole, whole) if whole else ("none", 0, 0)


class Month(msgspec.Struct):
    """GPU time drawn in one calendar month, by hour, and by person and hour; in micro-seconds."""

    name: str = ""
    hours: dict[int, int] = {}
    capacity: dict[int, int] = {}
    """What each of those hours could have given: a cluster that shrinks later makes no earlier hour contended."""
    holders: dict[str, dict[int, int]] = {}

    def add(self, hour: int, holder: str, gpu: int, capacity: int) -> None:
        """Count a draw in; the first of a month begins anew."""
        if (name := month(hour)) != self.name:
            self.name, self.hours, self.capacity, self.holders = name, {}, {}, {}
        self.hours[hour] = self.hours.get(hour, 0) + gpu
        self.capacity[hour] = capacity
        mine = self.holders.setdefault(holder, {})
        mine[hour] = mine.get(hour, 0) + gpu

    def contended(self) -> list[int]:
        """Give the hours in which almost all of the capacity was drawn."""
        most = ((hour, drawn, self.capacity[hour]) for hour, drawn in self.hours.items())
        return [hour for hour, drawn, capacity in most if capacity and drawn * 1_000_000 >= capacity * CONTENDED_PPM]


class State(msgspec.Struct):
    """All that is folded of one pool."""

    planned: bool = False
    plan: int = 0
    unit: str = "CCU"
    """What the plan counts; what was granted or drawn in others isn't added to it."""
    gpus: int = 0
    committed: dict[str, int] = {}
    """Unit → how much."""
    spend: Spend = msgspec.field(default_factory=Spend)
    month: Month = msgspec.field(default_factory=Month)
    approvals: Approvals = msgspec.field(default_factory=Approvals)

    @property
    def capacity(self) -> int:
        """Give the GPU time that an hour has, in micro-seconds."""
        return self.gpus * HOUR_S * 1_000_000


def fold(state: State, event: Event, at: int, reference: Reference, lowering: Lowering = NEVER) -> Effects:
    """Fold one event of the pool; until it was planned nothing is asked about it."""
    data = event.data
    if isinstance(data, PoolPlanned):
        state.planned, state.plan, state.unit, state.gpus = True, int(data.quantity), data.unit, data.gpus
    elif isinstance(data, PoolResized):
        state.plan = state.plan if data.quantity is None else int(data.quantity)
        state.gpus = state.gpus if data.gpus is None else data.gpus
    elif isinstance(data, PoolCommitted):
        state.committed[data.unit] = state.committed.get(data.unit, 0) + int(data.quantity)
    elif isinstance(data, PoolDrawn):
        state.spend.add(at, data.unit, data.provider, int(data.units))
        state.month.add(int(data.hour), data.holder, int(data.gpu_seconds), state.capacity)
    else:
        _decide(state, event, data, at)
        return NOTHING
    if not state.planned:
        return NOTHING
    holder = data.holder if isinstance(data, (PoolDrawn, PoolCommitted)) else "none"
    fields = header(event, at) | {"holder": holder}
    if isinstance(data, PoolDrawn):
        fields["month"] = month(int(data.hour))  # a month's last hour stands at the beginning of the next
    since = ALWAYS
    if reference.policies:
        activations = reference.activations(event.organisation)
        since = lowering.since_revised(event.organisation, "default", "FU-019", at, activations)
    found, unknown = facts(state, data.pool, holder, since), dict[str, str]()
    over = found["committed_u"] > found["plan_u"] and not isinstance(data, PoolDrawn)
    silent = reference.incomplete(event.organisation, "approvals", at + 1) if over else ""
    tell(found, unknown, state.approvals.standing(at), kind="board", silent=silent)
    return Effects(question=Question(fields, found, unknown))


def _decide(state: State, event: Event, data: Any, at: int) -> None:
    if isinstance(data, ApprovalGranted):
        state.approvals.grant(data, event.time)
    elif isinstance(data, ApprovalRevoked):
        state.approvals.revoke(data.approval_id, at)


def facts(state: State, pool: str, holder: str, since: int = ALWAYS) -> dict[str, Any]:
    """Give what the rules see of the pool, and of one holder's draws of the month, in hours from `since` on.

    What is asked of a share was lowered then; the hour in which it was is over before the next begins.
    """
    provider, share, whole = state.spend.top(state.unit)
    contended = [hour for hour in state.month.contended() if hour >= since]
    mine = state.month.holders.get(holder, {})
    return {
        "holder": holder,
        "pool": pool,
        "plan": "none" if state.gpus and not state.plan else "units",
        "plan_u": state.plan,
        "committed_u": state.committed.get(state.unit, 0),
        "capacity_gpu_s": state.capacity // 1_000_000,
        "top_provider": provider,
        "top_provider_ppm": share,
        "spend_90d_u": whole,
        "holder_contended_gpu_s": sum(mine.get(hour, 0) for hour in contended) // 1_000_000,
        "contended_hours": len(contended),
        "contended_capacity_gpu_s": sum(state.month.capacity[hour] for hour in contended) // 1_000_000,
    }
