"""The company's 25 repositories, and the pushes of ordinary working days to them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from engine.domain.events import Alias
from engine.domain.events.repositories import RepositoryCreated, RepositoryPushed
from engine.domain.values import DAY_US, HOUR_US, SECOND_US
from examples.company.clock import MINUTE_US, START, at
from examples.company.drawing import divide, workdays
from examples.company.feed import Feed
from examples.company.people import HOST, MEMBERS, Member
from examples.company.reference import OWNERS
from examples.company.usage import Session

_TRACED: Final = 8
"""One push in so many carries the trailer of the session it came from."""


@dataclass(frozen=True)
class Repo:
    """A repository on the code host."""

    id: str
    name: str
    owner: str
    private: bool | None = True
    owner_kind: Literal["user", "organisation"] = "organisation"

    @property
    def about(self) -> str:
        """The aggregate, as stories name it."""
        return f"repository/{self.id}"


_NAMES: Final = (
    "atlas beacon cobalt delta ember forge garnet harbor indigo juniper kestrel lattice meadow "
    "nimbus onyx prism quartz raven slate tundra umber vertex willow yarrow zephyr"
)
_PUBLIC: Final = frozenset({"beacon", "juniper", "prism", "willow"})


def _company() -> tuple[Repo, ...]:
    return tuple(
        Repo(f"{HOST}#{71_000 + 13 * index}", name, OWNERS[index % 5 == 4], private=name not in _PUBLIC)
        for index, name in enumerate(_NAMES.split())
    )


REPOS: Final = _company()
_GONE: Final = {"slate": "2026-05-19", "umber": "2026-06-24", "vertex": "2026-07-09", "tundra": "2026-08-25"}
"""From which day on nothing ordinary happens in a repository, since a story takes it elsewhere."""
_BY_NAME: Final = {repo.name: repo for repo in REPOS}


def repo(name: str) -> Repo:
    """Give the company's repository of a name."""
    return _BY_NAME[name]


def outside(who: Member, name: str, number: int) -> Repo:
    """Give a person's own public repository, outside the company."""
    return Repo(f"{HOST}#{980_000 + number}", name, f"{HOST}/{who.name}-at-home", private=False, owner_kind="user")


def create(feed: Feed) -> None:
    """Have the repositories made before the year began."""
    with feed.scope("repositories"):
        for made in REPOS:
            data = RepositoryCreated(made.id, made.name, made.owner, made.owner_kind, made.private)
            feed.say(START - DAY_US, data)


def push(place: Repo, actor: Alias, commits: int, ref: str = "refs/heads/main", session: str | None = None) -> RepositoryPushed:
    """Make a push to a repository."""
    return RepositoryPushed(
        place.id, place.name, place.owner, place.owner_kind, place.private, actor, ref=ref, commits=commits, session=session,
    )  # fmt: skip


def background(feed: Feed, seed: int, count: int, sessions: dict[str, list[Session]]) -> None:
    """Give whoever works pushes to some repositories, `count` in all."""
    shares = divide(count, [len(workdays(who)) for who in MEMBERS])
    for index, (who, share) in enumerate(zip(MEMBERS, shares, strict=True)):
        rng, possible = Random(f"{seed}/pushes/{who.id}"), workdays(who)
        mine = [place for number, place in enumerate(REPOS) if number % 5 == index % 5 or number % 7 == index % 7]
        with feed.scope(f"push-{who.name}"):
            for _ in range(share):
                _one(feed, rng, who, rng.choice(possible), mine, sessions[who.id])


def _one(feed: Feed, rng: Random, who: Member, day: int, mine: list[Repo], sessions: list[Session]) -> None:
    time = day + 9 * HOUR_US + rng.randrange(9 * 3600) * SECOND_US
    trailer = None
    if sessions and rng.randrange(_TRACED) == 0:
        session = rng.choice(sessions)
        time, trailer = session.ended + rng.randrange(1, 90) * MINUTE_US, session.id
    branch = "main" if rng.randrange(3) else f"{who.name}/{rng.choice(('fix', 'feature', 'spike'))}-{rng.randrange(40)}"
    places = [place for place in mine if place.name not in _GONE or time < at(_GONE[place.name])]
    feed.say(time, push(rng.choice(places), who.login, rng.randrange(1, 7), f"refs/heads/{branch}", trailer))
