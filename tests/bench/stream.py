"""What is measured on: the example company's events as they arrive, and the same out of order. Pure; a function of a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from examples import company

DELAYED: Final = 0.4
"""Share of events that arrive late in the stream out of order: as in a cluster's accounting file, where a job is written
down when it was submitted and its usage counts from when it ran."""
DELAY_MAX: Final = 2000
"""Places by which one arrives late at most."""

Message = tuple[str, str, bytes]
"""Topic, key and value."""


def messages(count: int) -> list[Message]:
    """Give the first `count` messages of the example company; all reference data comes before the rest."""
    return list(company.messages())[:count]


def lines(stream: Sequence[Message]) -> bytes:
    """Give a stream as a file of lines."""
    return b"".join(value.rstrip(b"\n") + b"\n" for _, _, value in stream)


def out_of_order(stream: Sequence[Message], seed: int = 1) -> list[Message]:
    """Give the same messages, many of them later than they occurred."""
    chance = random.Random(seed)
    late = [index + (chance.random() < DELAYED) * chance.randrange(1, DELAY_MAX) for index in range(len(stream))]
    return [stream[index] for index in sorted(range(len(stream)), key=late.__getitem__)]
