"""A small company to play with: 60 people, 25 repositories, nine months, 50,000 events, and stories with known findings.

`messages` and `lines` give the events as they arrive, `expected` what must be found. All of it is a function of the
seed: no clock, no order of hashes, no floating point is involved, so that every machine makes the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from engine.domain.events import Event
from examples.company import disorder, grants, people, reference, repositories, usage
from examples.company.expecting import Correction, Excuse, Finding, OpenQuestion, Refused, Story
from examples.company.feed import ORGANISATION, Feed, Line
from examples.company.stories import STORIES

SEED: Final = 2026
EVENTS: Final = 50_000
"""Lines in all, broken and repeated ones included."""
_PUSHES: Final = 9_600
_JOBS: Final = 1_400


@lru_cache(maxsize=2)
def company(seed: int = SEED) -> tuple[tuple[Line, ...], tuple[Story, ...]]:
    """Make the example: its lines in the order of arrival, and its stories."""
    feed = Feed()
    reference.publish(feed)
    reference.enable(feed)
    reference.complete(feed)
    people.introduce(feed)
    repositories.create(feed)
    grants.standard(feed)
    stories = [story(feed) for story in STORIES]
    usage.jobs(feed, seed, _JOBS)
    sessions = usage.inference(feed, seed, EVENTS - len(feed) - _PUSHES - disorder.LINES)
    repositories.background(feed, seed, _PUSHES, sessions)
    stories.append(disorder.disturb(feed, seed))
    return tuple(feed.lines()), tuple(stories)


def lines(seed: int = SEED) -> Iterator[bytes]:
    """Give the file's lines in the order of arrival: CloudEvents, broken ones among them."""
    return (line.value for line in company(seed)[0])


def messages(seed: int = SEED) -> Iterator[tuple[str, str, bytes]]:
    """Give (topic, key, value) of each line in the order of arrival, for a broker; the key is the aggregate's."""
    return ((line.topic, line.key, line.value) for line in company(seed)[0])


def generate(seed: int = SEED) -> Iterator[Event]:
    """Give the typed events in the order of arrival, repeated ones twice, without the broken lines."""
    return (line.event for line in company(seed)[0] if line.event is not None)


def expected(seed: int = SEED) -> tuple[Story, ...]:
    """Give the stories, each with what must be found of it."""
    return company(seed)[1]


__all__ = [
    "EVENTS",
    "ORGANISATION",
    "SEED",
    "Correction",
    "Excuse",
    "Finding",
    "Line",
    "OpenQuestion",
    "Refused",
    "Story",
    "company",
    "expected",
    "generate",
    "lines",
    "messages",
]
