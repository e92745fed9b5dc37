"""Ordinary consumption: sessions with models through personal keys, and GPU jobs of the teams that train.

Everybody stays within grant and cap. Only whole numbers are drawn, so that every machine draws the same.
"""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from msgspec.structs import replace

from engine.domain.events.usage import JobEnded, JobStarted, UsageGpu, UsageInference
from engine.domain.values import HOUR_US, MICRO, SECOND_US, Instant, Quantity, quantity
from examples.company.clock import MINUTE_US
from examples.company.drawing import divide, workdays
from examples.company.feed import Feed
from examples.company.people import CLUSTER, MEMBERS, Member
from examples.company.reference import CLUSTER_PROVIDER, PROVIDERS, RATES

_TRAINING: Final = ("research", "data")
_OUTCOMES: Final = ("completed", "completed", "completed", "completed", "failed", "cancelled")


class Session(NamedTuple):
    """A stretch of work with a model."""

    id: str
    ended: int


def call(who: Member, model: str, thousands: tuple[int, int], *, key: str = "", session: str | None = None) -> UsageInference:
    """Make a usage of so many thousand input and output tokens through a person's key."""
    return UsageInference(
        credential=key or who.key, provider=PROVIDERS[model], model=model, session=session,
        input_tokens=thousands[0] * 1000, output_tokens=thousands[1] * 1000,
    )  # fmt: skip


def training(who: Member, hours: str, gpus: int = 8, *, job: str | None = None, session: str | None = None) -> UsageGpu:
    """Make a usage of so many GPU-hours in all, known by the Unix user alone."""
    return UsageGpu(
        user=who.unix, provider=CLUSTER_PROVIDER, model="h100", job_id=job, session=session, cluster=CLUSTER,
        gpu_seconds=Quantity(quantity(hours) * 3600), gpus=gpus, gpu_model="h100",
    )  # fmt: skip


def inference(feed: Feed, seed: int, count: int) -> dict[str, list[Session]]:
    """Give everybody sessions with models, `count` calls in all; gives each person's sessions."""
    rngs = [Random(f"{seed}/inference/{who.id}") for who in MEMBERS]
    shares = divide(count, [rng.randrange(60, 141) * len(workdays(who)) for rng, who in zip(rngs, MEMBERS, strict=True)])
    sessions = {}
    for who, rng, share in zip(MEMBERS, rngs, shares, strict=True):
        with feed.scope(f"call-{who.name}"):
            sessions[who.id] = _sessions(feed, rng, who, share)
    return sessions


def _sessions(feed: Feed, rng: Random, who: Member, count: int) -> list[Session]:
    done: list[Session] = []
    possible, models = workdays(who), sorted(RATES)
    while count > 0:
        ident = f"s-{who.name}-{len(done):04d}"
        model = rng.choice(models)
        time = rng.choice(possible) + 8 * HOUR_US + rng.randrange(9 * 3600) * SECOND_US
        for _ in range(min(count, rng.randrange(1, 9))):
            count -= 1
            fresh = rng.randrange(20, 1200)
            data = call(who, model, (fresh, rng.randrange(2, 100)), session=ident)
            feed.say(time, replace(data, cached_tokens=fresh * rng.randrange(80) // 100 * 1000))
            time += rng.randrange(30, 900) * SECOND_US
        done.append(Session(ident, time))
    return done


def jobs(feed: Feed, seed: int, count: int) -> None:
    """Give the teams that train `count` GPU jobs in all: each starts, is metered and ends."""
    trainers = [who for who in MEMBERS if who.team in _TRAINING]
    shares = divide(count, [len(workdays(who)) for who in trainers])
    for who, share in zip(trainers, shares, strict=True):
        rng, possible = Random(f"{seed}/jobs/{who.id}"), workdays(who)
        with feed.scope(f"job-{who.name}"):
            for number in range(share):
                _job(feed, rng, who, rng.choice(possible), f"{who.name}-{number:04d}")


def _job(feed: Feed, rng: Random, who: Member, day: int, ident: str) -> None:
    started = Instant(day + 7 * HOUR_US + rng.randrange(10 * 60) * MINUTE_US)
    minutes, gpus = rng.randrange(20, 240), rng.choice((1, 2, 4, 8))
    ended = started + minutes * MINUTE_US
    feed.say(started, JobStarted(ident, user=who.unix, cluster=CLUSTER, limit_seconds=minutes * 90))
    metered = replace(
        training(who, "0", gpus, job=ident),
        started_at=started,
        gpu_seconds=Quantity(minutes * 60 * gpus * MICRO),
        utilisation_ppm=rng.randrange(350_000, 990_000),
    )
    feed.say(ended, metered)
    feed.say(ended, JobEnded(ident, user=who.unix, cluster=CLUSTER, outcome=rng.choice(_OUTCOMES)))
