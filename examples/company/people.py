"""The sixty people of the example, their logins, keys and Unix users. All invented; a person is an id such as p-ada-01.

Most are the crowd: they hold the standard grant and work quietly all year. A lead has a part in a story: its own grant
where the story needs to know every unit, and days on which nothing but the story happens to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.domain.events import Alias
from engine.domain.events.agreements import AgreementSent, AgreementSigned
from engine.domain.events.aliases import AliasLinked, CredentialCreated, Target
from engine.domain.events.people import PersonHired
from engine.domain.values import DAY_US, Instant
from examples.company.clock import END, START, after, at
from examples.company.feed import Feed

HOST: Final = "github.com"
CLUSTER: Final = "cluster-a"
ASSIGNMENT: Final = "2023-1"
"""The version of the assignment of work that everybody signs on the second day, but for those whose story it is."""
TEAMS: Final = ("platform", "research", "product", "data", "security")
_NAMES: Final = (
    "ada arno bela bruno ciro clea dario dora edda enno "
    "fabio falk finn gero gesa greta hilde hugo ida ines "
    "ivo jaro jule karl kira kuno lars lena leon lotte "
    "malte marlo mira nele nils nora olaf otto pia quin "
    "rita rolf runa sina sven tara theo tilo ulla uwe "
    "vera vito wanda wim xaver xenia yara yves zeno zita"
)


@dataclass(frozen=True)
class Lead:
    """What sets a lead apart from the crowd."""

    quiet: tuple[str, str] = ("", "")
    """From when until when nothing but its story happens to it (dates; empty: from the beginning, to the end)."""
    standard: bool = False
    """Whether it holds the standard grant."""


ALWAYS: Final = Lead()
LEADS: Final[dict[str, Lead]] = {
    # sharing
    "mira": ALWAYS,
    "otto": ALWAYS,
    "vera": Lead(("2026-08-10", "2026-08-16"), standard=True),
    # caps
    "kuno": Lead(("2026-03-01", "2026-07-01")),
    "lena": Lead(("2026-03-01", "2026-07-01")),
    "nils": Lead(("2026-03-01", "2026-07-01")),
    "enno": Lead(("2026-04-01", "2026-07-15")),
    # side projects
    "falk": Lead(("2026-04-13", "2026-04-20")),
    "greta": Lead(("2026-05-11", "2026-05-18")),
    "hilde": Lead(("2026-06-01", "2026-06-08")),
    "ines": Lead(("2026-06-15", "2026-06-22")),
    "jule": Lead(("2026-07-06", "2026-07-13")),
    "karl": Lead(("2026-07-20", "2026-07-27")),
    "lars": Lead(("2026-08-03", "2026-08-10")),
    # leavers
    "marlo": Lead(("2026-06-15", "")),
    "nora": Lead(("2026-05-28", "")),
    "olaf": Lead(("2026-04-28", "")),
    "pia": Lead(("2026-07-30", "")),
    "quin": Lead(("2026-03-30", "2026-05-11")),
    "rolf": Lead(("2026-04-29", "")),
    "sina": Lead(("2026-05-01", "2026-05-11"), standard=True),
    # lapses
    "tara": Lead(("2026-08-31", "")),
    "theo": Lead(("2026-04-30", "")),
    "ulla": Lead(("2026-06-09", "")),
    "vito": Lead(("2026-06-30", "2026-08-01")),
    "wim": Lead(("2026-06-30", "2026-08-01")),
    # filters
    "xenia": ALWAYS,
    "yara": ALWAYS,
    # duties
    "ciro": ALWAYS,
    "dario": ALWAYS,
    "xaver": ALWAYS,
    "zita": ALWAYS,
    # pools
    "lotte": ALWAYS,
    "malte": ALWAYS,
    "nele": ALWAYS,
}
"""Leads whose every act a story must know; other leads live as the crowd does beside their story."""


@dataclass(frozen=True)
class Member:
    """One person of the company."""

    id: str
    name: str
    team: str
    hired: Instant
    lead: Lead | None

    @property
    def login(self) -> Alias:
        """The login on the code host."""
        return Alias("login", f"{HOST}/{self.name}-acme")

    @property
    def key(self) -> str:
        """The id of the personal key for the model gateway."""
        return f"key-{self.name}-1"

    @property
    def unix(self) -> Alias:
        """The user on the cluster."""
        return Alias("unix_user", f"{CLUSTER}/{self.name}")

    @property
    def about(self) -> str:
        """The aggregate, as stories name it."""
        return f"person/{self.id}"

    @property
    def standard(self) -> bool:
        """Whether the person holds the standard grant."""
        return self.lead is None or self.lead.standard

    def working(self) -> tuple[tuple[int, int], ...]:
        """Give the periods in which the background may give this person something to do."""
        since = max(START, self.hired)
        if self.lead is None:
            return ((since, END),)
        start, end = self.lead.quiet
        before = (since, at(start)) if start else (since, since)
        later = (at(end), END) if start and end else (END, END)
        return tuple(period for period in (before, later) if period[0] < period[1])


def _hired(index: int) -> Instant:
    """Most were there before the year began; every twelfth joins in its course."""
    if index % 12 == 11:
        return Instant(START + (14 + 9 * index // 4) * DAY_US)
    return Instant(at("2023-01-02") + index * 17 * DAY_US)


MEMBERS: Final = tuple(
    Member(f"p-{name}-{index + 1:02d}", name, TEAMS[index % len(TEAMS)], _hired(index), LEADS.get(name))
    for index, name in enumerate(_NAMES.split())
)
_BY_NAME: Final = {member.name: member for member in MEMBERS}


def member(name: str) -> Member:
    """Give the person of a name."""
    return _BY_NAME[name]


def person_target(who: Member) -> Target:
    """Give the person as what an alias stands for."""
    return Target("person", who.id)


LATE_LOGINS: Final = ("bruno", "lars")
"""Whose login the directory links only in their story."""
LATE_USERS: Final = ("tara",)
"""Whose Unix user is linked only in their story."""
UNSIGNED: Final = ("karl", "tilo")
"""Who signs no assignment when they join."""
LATE_KEYS: Final = {"xenia": 5, "gesa": 3}
"""Whose key is registered so many days late."""


def introduce(feed: Feed) -> None:
    """Have everybody hired, and their logins, keys and Unix users linked."""
    for who in MEMBERS:
        with feed.scope(f"joins-{who.name}"):
            known = max(START - who.hired, 0)
            since = who.hired
            feed.say(since, PersonHired(who.id, jurisdiction="NL" if who.team == "data" else "DE"), late=known)
            late = known + LATE_KEYS.get(who.name, 0) * DAY_US
            feed.say(since, CredentialCreated(who.key, who.id), late=late)
            if who.name not in LATE_LOGINS:
                feed.say(since, AliasLinked(who.login, person_target(who), verified=True), late=known)
            if who.name not in LATE_USERS:
                feed.say(since, AliasLinked(who.unix, person_target(who), verified=True), late=known)
            if who.name not in UNSIGNED:
                feed.say(since, AgreementSent(who.id, "ip_assignment", ASSIGNMENT), late=known)
                signed = AgreementSigned(who.id, "ip_assignment", ASSIGNMENT, notice_given=False)
                feed.say(after(since, days=1), signed, late=known)
