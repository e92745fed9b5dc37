"""Ordinary consumption: sessions with models through personal keys, and GPU jobs of the teams that train.

Everybody stays within grant and cap. Only whole numbers are drawn, so that every machine draws the same.
"""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from engine.domain.events.usage import JobEnded, JobStarted, UsageGpu, UsageInference
from engine.domain.values import HOUR_US, SECOND_US, Instant, Quantity, quantity
from examples.company.clock import MINUTE_US, days
from examples.company.feed import Feed
from examples.company.people import CLUSTER, MEMBERS, Member
from examples.company.reference import CLUSTER_PROVIDER, PROVIDERS, RATES

_TRAINING: Final = ("research", "data")
_OUTCOMES: Final = ("completed", "completed", "completed", "completed", "failed", "cancelled")


class Session(NamedTuple):
    """A stretch of work with a model."""

    id: str
    ended: int


def call(who: Member, model: str, millions: tuple[int, int], *, key: str = "", session: str | None = None) -> UsageInference:
    """Make a usage of so many thousands of input and output tokens through a person's key."""
    return UsageInference(
        credential=key or who.key, provider=PROVIDERS[model], model=model, session=session,
        input_tokens=millions[0] * 1000, output_tokens=millions[1] * 1000,
    )  # fmt: skip


def training(who: Member, hours: str, gpus: int = 8, *, job: str | None = None, session: str | None = None) -> UsageGpu:
    """Make a usage of so many GPU-hours in all, known by the Unix user alone."""
    return UsageGpu(
        user=who.unix, provider=CLUSTER_PROVIDER, model="h100", job_id=job, session=session, cluster=CLUSTER,
        gpu_seconds=Quantity(quantity(hours) * 3600), gpus=gpus, gpu_model="h100",
    )  # fmt: skip


def inference(feed: Feed, seed: int, count: int) -> dict[str, list[Session]]:
    """Give everybody sessions with models, `count` calls in all; gives each person's sessions."""
    rngs = {who.id: Random(f"{seed}/inference/{who.id}") for who in MEMBERS}
    workdays = {who.id: [day for since, until in who.working() for day in days(since, until)] for who in MEMBERS}
    weights = {who.id: rngs[who.id].randrange(60, 141) * len(workdays[who.id]) for who in MEMBERS}
    whole = sum(weights.values())
    shares = {ident: count * weight // whole for ident, weight in weights.items()}
    shares[MEMBERS[0].id] += count - sum(shares.values())
    sessions = {}
    for who in MEMBERS:
        with feed.scope(f"call-{who.name}"):
            sessions[who.id] = _sessions(feed, rngs[who.id], who, workdays[who.id], shares[who.id])
    return sessions


def _sessions(feed: Feed, rng: Random, who: Member, workdays: list[int], count: int) -> list[Session]:
    done: list[Session] = []
    models = sorted(RATES)
    while count > 0:
        ident = f"s-{who.name}-{len(done):04d}"
        model = models[rng.randrange(len(models))]
        time = rng.choice(workdays) + 8 * HOUR_US + rng.randrange(9 * 3600) * SECOND_US
        for _ in range(min(count, rng.randrange(1, 9))):
            count -= 1
            fresh, out = rng.randrange(20, 1200), rng.randrange(2, 100)
            cached = fresh * rng.randrange(80) // 100
            feed.say(
                time,
                UsageInference(
                    credential=who.key, provider=PROVIDERS[model], model=model, session=ident, input_tokens=fresh * 1000,
                    cached_tokens=cached * 1000, output_tokens=out * 1000,
                ),  # fmt: skip
            )
            time += rng.randrange(30, 900) * SECOND_US
        done.append(Session(ident, time))
    return done


def jobs(feed: Feed, seed: int, count: int) -> None:
    """Give the teams that train `count` GPU jobs in all: each starts, is metered and ends."""
    trainers = [who for who in MEMBERS if who.team in _TRAINING and who.working()]
    share, rest = divmod(count, len(trainers))
    for index, who in enumerate(trainers):
        rng = Random(f"{seed}/jobs/{who.id}")
        workdays = [day for since, until in who.working() for day in days(since, until)]
        with feed.scope(f"job-{who.name}"):
            for number in range(share + (index < rest)):
                _job(feed, rng, who, rng.choice(workdays), f"{who.name}-{number:04d}")


def _job(feed: Feed, rng: Random, who: Member, day: int, ident: str) -> None:
    started = Instant(day + 7 * HOUR_US + rng.randrange(10 * 60) * MINUTE_US)
    minutes, gpus = rng.randrange(20, 240), rng.choice((1, 2, 4, 8))
    ended = started + minutes * MINUTE_US
    feed.say(started, JobStarted(ident, user=who.unix, cluster=CLUSTER, limit_seconds=minutes * 90))
    metered = UsageGpu(
        user=who.unix, provider=CLUSTER_PROVIDER, model="h100", job_id=ident, cluster=CLUSTER, started_at=started,
        gpu_seconds=Quantity(minutes * 60 * gpus * 1_000_000), gpus=gpus, gpu_model="h100",
        utilisation_ppm=rng.randrange(350_000, 990_000),
    )  # fmt: skip
    feed.say(ended, metered)
    feed.say(ended, JobEnded(ident, user=who.unix, cluster=CLUSTER, outcome=rng.choice(_OUTCOMES)))
