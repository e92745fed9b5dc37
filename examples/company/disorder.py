"""What goes wrong between the sources and us: events that come days late, come twice, contradict themselves, or are broken.

Only ordinary events are disturbed; a story that needs disorder makes its own. Everything is drawn from the seed.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from engine.domain.codec import write_event
from engine.domain.events import Event
from engine.domain.events.usage import UsageInference
from engine.domain.values import DAY_US, HOUR_US
from examples.company.clock import MINUTE_US
from examples.company.expecting import Refused, Story
from examples.company.feed import Feed, Line

LATE: Final = 600
DUPLICATES: Final = 240
CONFLICTS: Final = 12

Document = dict[str, Any]


def _put(path: str, value: Any) -> Callable[[Document], bytes]:
    """Give a change of one field; a value of None takes it away."""

    def change(document: Document) -> bytes:
        *parents, name = path.split(".")
        where = document
        for parent in parents:
            where = where[parent]
        if value is None:
            del where[name]
        else:
            where[name] = value
        return msgspec.json.encode(document)

    return change


def _cut(document: Document) -> bytes:
    return msgspec.json.encode(document)[:-40]


def _garbage(_: Document) -> bytes:
    return b"\xff\xfe\x00\x93covenant\x80\x81"


def _bare(document: Document) -> bytes:
    return msgspec.json.encode(document["id"])


def _twice(document: Document) -> bytes:
    return msgspec.json.encode(document)[:-1] + b',"source":"/somebody/else"}'


def _deep(document: Document) -> bytes:
    return msgspec.json.encode(document)[:-1] + b',"extra":' + b"[" * 80 + b"]" * 80 + b"}"


def _without_names(document: Document) -> bytes:
    return msgspec.json.encode(document | {"type": "compute.job.started.v1", "data": {"person": "p-ada-01"}})


BROKEN: Final[tuple[tuple[int, Callable[[Document], bytes], Refused], ...]] = (
    (9, _cut, Refused("not-json")),
    (4, _garbage, Refused("not-text")),
    (3, _twice, Refused("duplicate-key", "source")),
    (3, _deep, Refused("too-deep")),
    (3, _put("data.model", "claude\0x"), Refused("invalid-text", "data.model")),
    (5, _bare, Refused("not-an-object")),
    (8, _put("data.input_tokens", "many"), Refused("invalid", "data.input_tokens")),
    (4, _put("data.output_tokens", -5), Refused("negative-quantity", "data.output_tokens")),
    (4, _put("data.colour", "green"), Refused("unknown-field", "data.colour")),
    (6, _put("data.quantity", "-12.5"), Refused("negative-quantity", "data.quantity")),
    (4, _put("data.quantity", "12,5"), Refused("invalid-quantity", "data.quantity")),
    (6, _put("data.credential", None), Refused("names-nobody", "data")),
    (6, _put("time", None), Refused("missing", "time")),
    (5, _put("time", "2026-05-04 10:00"), Refused("invalid-time", "time")),
    (6, _put("type", "compute.coffee.brewed.v1"), Refused("unknown-type", "type")),
    (4, _put("type", "compute.contribution.attributed.v1"), Refused("unknown-type", "type")),
    (5, _put("type", "compute.grant.voided.v1"), Refused("unknown-field", "data.credential")),
    (5, _without_names, Refused("missing", "data.job_id")),
    (4, _put("organisation", None), Refused("missing", "organisation")),
    (3, _put("organisation", "acme/labs"), Refused("invalid", "organisation")),
    (4, _put("specversion", "0.3"), Refused("invalid", "specversion")),
    (5, _put("color", "green"), Refused("unknown-attribute", "color")),
)
"""How often, what is broken, and how it must be refused."""

LINES: Final = DUPLICATES + CONFLICTS + sum(times for times, _, _ in BROKEN)
"""Lines that disorder adds."""


def disturb(feed: Feed, seed: int) -> Story:
    """Disturb what is ordinary in the feed so far; gives what must come of it."""
    rng = Random(f"{seed}/disorder")
    ordinary = [line for line in feed.lines() if line.event is not None and _ordinary(line.event)]
    _repeat(feed, rng, ordinary)
    calls = [line for line in ordinary if line.event is not None and isinstance(line.event.data, UsageInference)]
    _contradict(feed, rng, calls)
    refused = [_break(feed, rng, calls, how) for how in BROKEN]
    late = rng.sample(ordinary, LATE)
    feed.delay({_identity(line): rng.randrange(30, 8 * 24 * 60) * MINUTE_US for line in late})
    return Story(
        "disorder",
        "Late, repeated, contradictory and broken",
        f"{LATE} events arrive up to eight days late; {DUPLICATES} come twice, hours or weeks apart, and change nothing; "
        f"{CONFLICTS} come again with other numbers and are refused, as are {LINES - DUPLICATES - CONFLICTS} broken lines, "
        "each with a reason.",
        refused=(Refused("conflicting-duplicate", "id", CONFLICTS), *refused),
        duplicates=DUPLICATES,
    )


def _ordinary(event: Event) -> bool:
    return event.id.startswith(("call-", "push-", "job-"))


def _identity(line: Line) -> tuple[str, str]:
    assert line.event is not None  # noqa: S101 - only lines with events are chosen
    return line.event.source, line.event.id


def _repeat(feed: Feed, rng: Random, ordinary: list[Line]) -> None:
    for line in rng.sample(ordinary, DUPLICATES):
        assert line.event is not None  # noqa: S101 - only lines with events are chosen
        gap = rng.randrange(1, 60) * MINUTE_US if rng.randrange(2) else rng.randrange(12, 45 * 24) * HOUR_US
        feed.deliver(line.event, line.arrives + gap)


def _contradict(feed: Feed, rng: Random, calls: list[Line]) -> None:
    """A call comes again, ten days later at least, with one output token more."""
    for line in rng.sample(calls, CONFLICTS):
        event = line.event
        assert event is not None  # noqa: S101 - only lines with events are chosen
        other = replace(event, data=replace(event.data, output_tokens=event.data.output_tokens + 1))
        feed.deliver(other, line.arrives + rng.randrange(10, 30) * DAY_US)


def _break(feed: Feed, rng: Random, calls: list[Line], how: tuple[int, Callable[[Document], bytes], Refused]) -> Refused:
    times, change, refused = how
    for line in rng.sample(calls, times):
        event = line.event
        assert event is not None  # noqa: S101 - only lines with events are chosen
        fresh = replace(event, id=f"broken-{event.id}")
        feed.break_line(fresh, change(msgspec.json.decode(write_event(fresh))), line.arrives + MINUTE_US)
    return Refused(refused.code, refused.field, times)
