"""Stories of a grant's filters: a model and a provider outside them, and a permitted model by another name."""

from __future__ import annotations

from msgspec.structs import replace

from engine.domain.events.grants import Filters
from examples.company.clock import at
from examples.company.expecting import Correction, Excuse, Finding, Story
from examples.company.feed import Feed
from examples.company.grants import issue, own
from examples.company.people import Member, member
from examples.company.usage import call

_ONLY = Filters(("claude-x-5",), ("anthropic",))
_OTHER = Filters(("sparrow-2",), ("sparrow",))


def _use(feed: Feed, who: Member, model: str, *moments: str) -> None:
    for moment in moments:
        feed.say(at(moment), call(who, model, (200, 20)))


def outside_the_filters(feed: Feed) -> Story:
    """Xenia uses models, and a provider, that her grant doesn't permit."""
    xenia = member("xenia")
    with feed.scope("outside-the-filters"):
        issue(feed, xenia, replace(own(xenia, "2000"), filters=_ONLY))
        _use(feed, xenia, "claude-x-5", "2026-01-02 10:00", "2026-02-03 10:00", "2026-03-03 10:00")
        _use(feed, xenia, "lane-large", "2026-01-04 10:00", "2026-01-05 10:00", "2026-02-05 10:00")
        _use(feed, xenia, "claude-x-4", "2026-02-06 10:00")
        resold = replace(call(xenia, "claude-x-latest", (200, 20)), provider="openlane")
        feed.say(at("2026-03-09 10:00"), resold)
    key = xenia.key
    return Story(
        "outside-the-filters",
        "Models outside the filters",
        "Xenia's grant permits claude-x-5 of one provider alone. She uses lane-large in January and February, claude-x-4 "
        "once, and claude-x-latest, another name of what she may use, from a provider that she may not. Her key is "
        "registered five days late: what it did in January is hers all the same.",
        findings=(
            Finding("FU-010", xenia.id, xenia.about, (key, "openlane", "lane-large", "2026-01"), 2),
            Finding("FU-010", xenia.id, xenia.about, (key, "openlane", "lane-large", "2026-02"), 1),
            Finding("FU-010", xenia.id, xenia.about, (key, "anthropic", "claude-x-4", "2026-02"), 1),
            Finding("FU-010", xenia.id, xenia.about, (key, "openlane", "claude-x-latest", "2026-03"), 1),
        ),
        corrections=(
            Correction(
                "FU-010", xenia.about, (key, "openlane", "lane-large", "2026-01"), "opened", "/acme/directory joins-xenia-002"
            ),
        ),
    )


def another_name(feed: Feed) -> Story:
    """Yara asks for the latest version of a permitted model."""
    yara = member("yara")
    with feed.scope("another-name"):
        issue(feed, yara, replace(own(yara, "2000"), filters=_ONLY))
        _use(feed, yara, "claude-x-latest", "2026-03-10 10:00", "2026-03-11 10:00", "2026-04-10 10:00")
        _use(feed, yara, "claude-x-5", "2026-03-12 10:00")
        other = replace(own(yara, "0.1", "G-yara-other"), filters=_OTHER)
        feed.say(at("2026-03-02 09:00"), other)
        _use(feed, yara, "sparrow-2", "2026-04-20 10:00", "2026-04-20 11:00", "2026-04-21 10:00")
    return Story(
        "another-name",
        "A permitted model by another name",
        "Yara's grant permits claude-x-5; she asks for claude-x-latest, which the agreement lists as a name of it. A newer "
        "grant of hers permits sparrow-2 alone, which changes nothing about that; its units are soon spent, and what she "
        "uses beyond them is overage, and no breach.",
        excuses=(Excuse("FU-010", yara.about, "alias", count=3),),
    )
