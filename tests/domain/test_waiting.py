"""A question kept while a feed is silent is, once it speaks, what folding the entry again would ask."""

from __future__ import annotations

from itertools import product

from engine.domain import codec
from engine.domain.aggregates import person
from engine.domain.effects import Derived, Effects, Question
from engine.domain.events import Event
from engine.domain.order import place
from engine.domain.reference import Reference
from engine.domain.timeline import Entry, Folder, Timeline
from engine.domain.waiting import Kept, again, keep
from tests.domain.make import event
from tests.domain.test_contributions import act
from tests.domain.test_person import WINDOWS, grant, usage

PUSH = act("2026-02-01", "pushed", ident="push", in_org=False, private=False, authors=["e@b.example"], commits=3)


def _words(**through: str) -> Reference:
    said = [event("feed.completed_through", "2026-07-01", feed=feed, through=day) for feed, day in through.items()]
    return Reference(said)


def _effects(reference: Reference, *events: Event) -> tuple[Effects, tuple[str, ...]]:
    """What the last event does, the push without any, and which feeds it asked about in vain."""
    state, effects = person.start("p-1", WINDOWS), Effects()
    for one in events or (PUSH,):
        reference.heard.clear()
        effects = person.fold(state, one, place(one).time, reference)
    return effects, tuple(reference.heard)


def _body(question: Question) -> bytes:
    return codec.encode({"event": question.event, "facts": question.facts, "unknown": question.unknown})


def test_a_kept_question_is_asked_as_if_it_were_folded_again() -> None:
    """Whichever of its two feeds has spoken, up to before the push or beyond it, before and after; and it goes on waiting.

    What a feed has said to be complete stays so.
    """
    days = ["2026-01-15", "2026-03-01"]
    states = [{}, *({feed: day} for feed, day in product(("people", "disclosures"), days))]
    states += [{"people": a, "disclosures": b} for a, b in product(days, days)]
    compared = 0
    for before, after in product(states, states):
        if any(after.get(feed, "") < day for feed, day in before.items()):
            continue
        effects, hears = _effects(_words(**before))
        assert effects.question is not None
        kept = keep("acme", effects, hears, _body(effects.question))
        if kept is None:
            assert not effects.question.waits
            continue
        folded = _effects(_words(**after))[0].question
        asked = again(kept, _words(**after))
        assert folded is not None
        assert (_body(asked), asked.waits) == (_body(folded), folded.waits)
        compared += 1
    assert compared > 2 * len(states)


def test_a_usage_that_draws_on_a_grant_is_kept_too() -> None:
    """A burst far from home waits for approvals and people, whichever speaks first, while its postings stand as they are."""
    quiet = [usage(f"2026-01-{day:02d}T{hour:02d}:00:00Z", "1") for day in range(2, 29) for hour in range(9, 17)]
    burst = usage("2026-01-29T12:00:00Z", "50", region="US-east-1")
    events = [event("person.hired", "2026-01-01", person="p-1", jurisdiction="DE"), grant(quantity="900"), *quiet, burst]
    waiting, hears = _effects(_words(), *events)
    assert waiting.question is not None
    assert {wait.path for wait in waiting.question.waits} == {"facts.launches", "facts.travel"}
    assert waiting.postings
    kept = keep("acme", waiting, hears, _body(waiting.question))
    assert kept is not None
    for through in ({"people": "2026-02-01"}, {"approvals": "2026-02-01"}, {"people": "2026-02-01", "approvals": "2026-02-01"}):
        folded = _effects(_words(**through), *events)[0]
        asked = again(kept, _words(**through))
        assert folded.question is not None
        assert (_body(asked), asked.waits) == (_body(folded.question), folded.question.waits)
        assert folded.postings == waiting.postings


def test_only_what_waits_for_nothing_but_feeds_is_kept() -> None:
    """An entry that asked about a feed for another reason as well is folded again, whatever else it does isn't."""
    effects, hears = _effects(_words())
    assert effects.question is not None
    body = _body(effects.question)
    assert keep("acme", effects, hears, body) is not None
    assert keep("acme", effects, (*hears, "approvals"), body) is None
    assert keep("acme", Effects([Derived("acme/person/p-2", PUSH)], question=effects.question), hears, body) is not None
    assert keep("acme", Effects(question=Question({}, {}, {})), (), body) is None


def test_a_timeline_gives_what_is_kept_without_folding() -> None:
    """Only the entry whose question is kept; without it everything from there on is folded again."""
    folded: list[str] = []

    def fold(_: None, one: Event, __: int) -> Effects:
        folded.append(one.id)
        return Effects()

    asked = Question({"again": True}, {}, {})
    how = Folder(lambda: None, fold, lambda _: b"", lambda _: None, lambda: ("people",), lambda _: asked)
    timeline = Timeline("acme/person/p-1", how)
    for day in ("01", "02", "03"):
        hired = event("person.hired", f"2026-01-{day}", ident=day, person="p-1")
        timeline.insert(Entry(day, place(hired), hired))
    first, second, _ = timeline.refold()
    second.kept = Kept("acme", b"", (), "default", None)
    timeline.reconsider({"people": second.place.time + 1})
    folded.clear()
    assert [one.identity for one in timeline.refold()] == ["03"]
    assert folded == ["01", "02", "03"]
    timeline.entries[2].kept = second.kept
    timeline.reconsider({"people": second.place.time})
    folded.clear()
    assert [(one.identity, one.effects.question) for one in timeline.refold()] == [("02", asked), ("03", asked)]
    assert not folded
    assert first.effects.question is None
