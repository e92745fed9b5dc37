"""Whose names a push's commits carry: which logins and addresses are verified to be the person's own, and which aren't.

Part of the person aggregate. What Git records of authors is their word; a name that isn't verified to be the sender's is
somebody else's, or nobody's. Hosts take logins and addresses in any case of letters.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from engine.domain.events.derived import AliasHeld, ContributionAttributed
from engine.domain.values import FOREVER

MOST: Final = 16
"""How many names an input carries at most, in their order."""
_BOT: Final = "[bot]"
"""What code hosts write into the login, and so into the address, of what isn't a person."""


class Authorship(msgspec.Struct):
    """The person's own logins and addresses, in small letters, each with until when it is theirs."""

    names: dict[str, int] = {}


def learn(authorship: Authorship, data: AliasHeld) -> None:
    """Note that a name is the person's from now on, or no longer."""
    name = data.alias.value.lower()
    if data.held:
        authorship.names[name] = FOREVER if data.until is None else int(data.until)
    else:
        authorship.names.pop(name, None)


def facts(authorship: Authorship, data: ContributionAttributed, at: int) -> dict[str, Any]:
    """Give which authors of a push aren't the person, which of those are bots, and whether they committed or co-wrote it."""
    own = {name for name, until in authorship.names.items() if at < until}
    foreign = sorted({author.lower() for author in data.authors} - own, key=lambda name: (_BOT in name, name))
    committers = {committer.lower() for committer in data.committers}
    return {
        "foreign": foreign[:MOST],
        "bots": [name for name in foreign if _BOT in name][:MOST],
        "committed": bool(committers) and committers <= own,
        "coauthor": any(name.lower() in own for name in data.coauthors),
    }
