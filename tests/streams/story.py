"""Some thousands of the example company's messages: all of its people, grants and settings, a part of what they did."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from examples import company

MANY = ("covenant.usage", "covenant.repository-activity")


@cache
def story(part: int = 8) -> tuple[tuple[str, str, bytes], ...]:
    """Give (topic, key, value) in the order of arrival, with one in `part` of the numerous ones."""
    return tuple(_story(part))


def _story(part: int) -> Iterator[tuple[str, str, bytes]]:
    for number, (topic, key, value) in enumerate(company.messages()):
        if topic not in MANY or number % part == 0:
            yield topic, key, value


def values(part: int = 8) -> list[bytes]:
    """Give the values alone."""
    return [value for _, _, value in story(part)]
