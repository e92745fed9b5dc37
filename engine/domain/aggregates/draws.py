"""What a usage adds to facts that many usages make up: a person's draw from a pool in an hour, a repository's exposure.

Part of the person aggregate; gives parts, and keeps nothing.
"""

from __future__ import annotations

from typing import Final

from engine.domain.effects import Posting, Share
from engine.domain.events import Event
from engine.domain.events.base import repository_key
from engine.domain.events.derived import PoolDrawn, RepositoryExposed
from engine.domain.events.usage import Usage, UsageGpu
from engine.domain.grants import Grant
from engine.domain.values import DAY_US, HOUR_US, Instant

LONGEST_US: Final = 31 * DAY_US
"""How far back GPU time is shared out over the hours it was held."""


def shares(
    event: Event, data: Usage, at: int, person: str, grants: dict[str, Grant], drawn: Grant | None, postings: list[Posting]
) -> list[Share]:
    """Give the parts of one usage, drawn on grants as its postings say."""
    cluster = data.cluster if isinstance(data, UsageGpu) else None
    parts: list[Share] = []
    if cluster is not None and isinstance(data, UsageGpu):
        parts += [_draw(event, data, hour, person, cluster, data.unit, gpu_seconds=held) for hour, held in hours(data, at)]
    if drawn is None:
        return parts
    consumed = [(grants[posting.grant], posting.amount) for posting in postings if posting.kind == "consumed"]
    parts += [
        _draw(event, data, at // HOUR_US * HOUR_US, person, grant.terms.pool, grant.unit, units=amount)
        for grant, amount in consumed
        if grant.terms.pool is not None
    ]
    if data.repository is not None:
        parts += [_exposure(event, data.repository, at, person, grant, amount) for grant, amount in consumed]
    return parts


def hours(data: UsageGpu, at: int) -> list[tuple[int, int]]:
    """Share GPU time out over the clock hours in which it was held: (hour's start, micro-seconds); exact in sum.

    Without a start, it began as long before it was metered as its GPUs needed for it; a job longer than `LONGEST_US`
    counts as if all of it had fallen into that last stretch.
    """
    whole = int(data.gpu_seconds)
    began = at - whole // max(data.gpus, 1) if data.started_at is None else int(data.started_at)
    began = max(began, at - LONGEST_US)
    if began >= at:
        return [(at // HOUR_US * HOUR_US, whole)]
    parts, shared = [], 0
    for hour in range(began // HOUR_US * HOUR_US, at, HOUR_US):
        until = whole * (min(hour + HOUR_US, at) - began) // (at - began)
        parts.append((hour, until - shared))
        shared = until
    return parts


def _draw(
    event: Event, data: Usage, hour: int, person: str, pool: str, unit: str, units: int = 0, gpu_seconds: int = 0
) -> Share:  # fmt: skip
    said = (pool, person, Instant(hour), data.provider, unit)
    ident = f"drawn {pool} {hour} {person} {data.provider} {unit}"
    return Share(f"{event.organisation}/pool/{pool}", ident, hour + HOUR_US, PoolDrawn, said, (units, gpu_seconds))


def _exposure(event: Event, repository: str, at: int, person: str, grant: Grant, amount: int) -> Share:
    day, terms = at // DAY_US * DAY_US, grant.ip_terms
    said = (repository, person, Instant(day), terms)
    ident = f"exposed {repository} {day} {person} {terms}"
    target = f"{event.organisation}/{'/'.join(repository_key(repository))}"
    return Share(target, ident, day + DAY_US, RepositoryExposed, said, (amount,))
