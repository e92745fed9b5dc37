"""Stories of one key used by several people: a resale, two teammates who help out, and a service key of a team."""

from __future__ import annotations

from msgspec.structs import replace

from engine.domain.events import Alias
from engine.domain.events.aliases import AliasLinked, CredentialCreated
from engine.domain.values import Instant
from examples.company.clock import START, after, at
from examples.company.expecting import Correction, Finding, Story
from examples.company.feed import Feed
from examples.company.grants import issue, own
from examples.company.people import HOST, Member, member, person_target
from examples.company.usage import call


def _person(who: Member) -> Alias:
    """A consumer whom the gateway itself has verified."""
    return Alias("person", who.id)


def _use(
    feed: Feed, time: int, who: Member, consumer: Alias | None, size: tuple[int, int], key: str, grant: str | None = None
) -> None:
    data = replace(call(who, "claude-x-5", size, key=key), consumer=consumer, grant_id=grant)
    feed.say(time, data)


def resold_credit(feed: Feed) -> Story:
    """Four colleagues buy calls on Mira's personal key, eight a day of 45 CCU each."""
    mira, key = member("mira"), "key-mira-resale"
    private = Alias("login", f"{HOST}/kira-private")
    buyers = (_person(member("bela")), member("fabio").login, _person(member("uwe")), private)
    with feed.scope("resold-credit"):
        issue(feed, mira, own(mira, "3000"))
        feed.say(at("2026-02-27 09:00"), CredentialCreated(key, mira.id))
        for first, rounds in (("2026-03-09", 3), ("2026-05-11", 2)):
            for day in range(rounds):
                for turn in range(8):
                    when = after(at(first), days=day, hours=10 + turn)
                    _use(feed, when, mira, buyers[turn % 4], (6000, 3000), key)
        link = AliasLinked(private, person_target(member("kira")), verified=True, valid_from=Instant(START))
        feed.say(at("2026-03-24 14:00"), link)
    return Story(
        "resold-credit",
        "A resold credit",
        "Mira sells calls on her personal key to four colleagues: 24 calls in March, 16 in May. From the third buyer on, "
        "each call is one of several people on a personal grant (one buyer's login is linked only two weeks later); "
        "the last two calls of March also take her over the cap of 1,000 CCU in 30 days.",
        findings=(
            Finding("FU-004", mira.id, mira.about, (key, "2026-03"), 22),
            Finding("FU-004", mira.id, mira.about, (key, "2026-05"), 14),
            Finding("FU-001", mira.id, mira.about, ("2026-03",), 2),
        ),
        corrections=(
            Correction("FU-001", mira.about, ("2026-03",), "superseded", "/acme/directory resold-credit-043"),
            Correction("FU-004", mira.about, (key, "2026-03"), "recurred", "/acme/directory resold-credit-043"),
        ),
    )


def two_teammates(feed: Feed) -> Story:
    """Two verified colleagues and one whom nobody has verified use Otto's key on one day."""
    otto, stranger = member("otto"), Alias("login", f"{HOST}/otto-helper")
    with feed.scope("two-teammates"):
        issue(feed, otto, own(otto, "1000"))
        feed.say(at("2026-02-02"), AliasLinked(stranger, person_target(member("tara")), verified=False))
        helpers = (otto.login, member("rita").login, _person(member("mira")), stranger)
        for turn in range(12):
            _use(feed, after(at("2026-02-10"), hours=8 + turn), otto, helpers[turn % 4], (400, 40), otto.key)
    return Story(
        "two-teammates",
        "Two teammates who help out",
        "On the day of a demo two colleagues work with Otto's key, and so does a login whose link nobody has verified. "
        "Two verified people are fewer than the three at which the agreement speaks of sharing: nobody is accused.",
    )


def shared_service_key(feed: Feed) -> Story:
    """A team's service key, on a grant that isn't personal, used by six people a day."""
    vera, key = member("vera"), "svc-summaries"
    users = [member(name) for name in ("ada", "bela", "gesa", "hugo", "ida", "tara")]
    with feed.scope("shared-service-key"):
        issue(feed, vera, replace(own(vera, "2000", "G-team-summaries"), personal=False, purpose="the team's summaries"))
        feed.say(at("2026-08-03"), CredentialCreated(key, vera.id, kind="service"))
        for day in range(3):
            for turn in range(18):
                when = after(at("2026-08-11"), days=day, hours=6, minutes=41 * turn)
                _use(feed, when, vera, _person(users[turn % 6]), (300, 30), key, "G-team-summaries")
    return Story(
        "shared-service-key",
        "A shared service key",
        "Six people a day use the key svc-summaries, of which Vera is the owner. It is a service's key on a team's grant, "
        "made for many: nothing is alleged.",
    )
