"""What an operator is told: which problems there are, since when, and what to do. Nothing here mends anything.

A feed that is silent opens nothing: what it may lack is judged by no rule. So that this isn't taken for all being well,
each such feed is named with the rules that wait for it, in `covenant doctor`, on the console and on a person's page.
"""

from __future__ import annotations

import msgspec

from engine.domain.values import Instant, instant_text
from engine.store import health as stored
from engine.store.sql_store import SqlStore


class Trouble(msgspec.Struct, frozen=True):
    """Something that somebody should look after."""

    trouble: str
    """refused | error | behind | unpublished | feed."""
    says: str
    do: str
    since: Instant | None = None
    rules: tuple[str, ...] = ()


class SilentFeed(msgspec.Struct, frozen=True):
    """A feed that rules wait for."""

    organisation: str
    feed: str
    through: Instant | None
    """How far it says it is complete; None where it never said."""
    rules: tuple[str, ...]
    count: int
    """Events that wait to be judged."""
    since: Instant
    """When the first of them happened."""

    @property
    def sentence(self) -> str:
        """Say it in words."""
        far = "has never said how far it is complete" if self.through is None else f"is silent since {instant_text(self.through)}"
        what = "1 event waits" if self.count == 1 else f"{self.count:,} events wait"
        return f"The feed of {self.feed} {far}: {what} to be judged by {', '.join(self.rules)}. Nobody is accused meanwhile."


def silent_feeds(store: SqlStore, aggregate: str = "") -> list[SilentFeed]:
    """Give the feeds that rules wait for, everywhere or of one aggregate (`organisation/kind/id`)."""
    return _silent(*stored.feeds(store, aggregate))


def troubles(store: SqlStore, *, published: bool) -> list[Trouble]:
    """Give all problems, the gravest first; `published` says whether a relay should send what waits."""
    found = stored.health(store)
    told = []
    for count, since in found.errors:
        do = "`covenant violations list` goes on without them; mend the rule, activate the new bundle."
        told.append(Trouble("error", f"{_times(count, 'decision')} failed in a rule and judged nothing.", do, Instant(since)))
    if found.refused:
        codes = ", ".join(f"{code} {count:,}" for code, count, _ in found.refused[:4])
        total, since = sum(count for _, count, _ in found.refused), min(at for _, _, at in found.refused)
        do = "See `covenant dead-letters list`; once mended, `covenant dead-letters redrive --all`."
        told.append(Trouble("refused", f"{_times(total, 'event')} refused and kept: {codes}.", do, Instant(since)))
    if found.behind:
        which = f"Lane {found.behind[0]} has" if len(found.behind) == 1 else f"Lanes {', '.join(map(str, found.behind))} have"
        do = "See that a worker runs for each; findings are told of once all have caught up."
        told.append(Trouble("behind", f"{which} yet to catch up, and nobody is told of new findings meanwhile.", do))
    if found.unsent and published:
        do = "See that `covenant relay` runs and reaches the broker."
        told.append(Trouble("unpublished", f"{_times(found.unsent, 'message')} not published yet.", do))
    for feed in _silent(found.waiting, found.completed):
        do = "See that its source runs, and have it send feed.completed_through; what waits is judged by itself then."
        told.append(Trouble("feed", feed.sentence, do, feed.since if feed.through is None else feed.through, feed.rules))
    return told


def _silent(waiting: list[stored.Waiting], completed: dict[tuple[str, str], int]) -> list[SilentFeed]:
    feeds: dict[tuple[str, str], list[stored.Waiting]] = {}
    for one in waiting:
        feeds.setdefault((one.organisation, one.feed), []).append(one)
    return [
        SilentFeed(
            organisation, feed, Instant(completed[organisation, feed]) if (organisation, feed) in completed else None,
            tuple(one.rule for one in of), sum(one.count for one in of), Instant(min(one.since for one in of)),
        )
        for (organisation, feed), of in feeds.items()
    ]  # fmt: skip


def _times(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"
