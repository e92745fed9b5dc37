"""A timeline folds facts in their order and fires deadlines when they are due, whatever comes and goes meanwhile."""

from __future__ import annotations

import pytest

from engine.domain import timeline as module
from engine.domain.effects import Effects
from engine.domain.events import Event
from engine.domain.order import place
from engine.domain.timeline import Entry, Folder, Timeline
from tests.domain.make import event


def _deadline(ident: str, time: str) -> Entry:
    due = event(
        "deadline.reached",
        time,
        ident=ident,
        kind="usage_uncovered",
        about="u",
        of_kind="person",
        of_id="p-1",
        since="2026-01-01",
    )
    return Entry(ident, place(due), due)


def _fact(ident: str, time: str) -> Entry:
    hired = event("person.hired", time, ident=ident, person="p-1")
    return Entry(ident, place(hired), hired)


def _timeline(folded: list[str], asking: str = "") -> Timeline:
    """Give a timeline that notes what it folds; the fact named `asking` asks about the feed of approvals."""

    def fold(_: None, folding: Event, __: int) -> Effects:
        folded.append(folding.id)
        return Effects()

    def heard() -> tuple[str, ...]:
        return ("approvals",) if folded[-1] == asking else ()

    return Timeline("acme/person/p-1", Folder(lambda: None, fold, lambda _: b"", lambda _: None, heard))


def test_a_deadline_taken_out_while_folding_lets_no_later_one_fire_early() -> None:
    """The deadline of next year waits, though there is an entry less than when the fold began."""
    folded: list[str] = []
    timeline = _timeline(folded)
    for entry in (
        _fact("f1", "2026-01-01"),
        _deadline("d1", "2026-01-02"),
        _fact("f2", "2026-01-03"),
        _deadline("d2", "2027-01-01"),
    ):
        timeline.insert(entry)
    watermark = _fact("now", "2026-01-03").place.time
    for entry in timeline.refold(watermark):
        if entry.identity == "f1":
            timeline.remove("d1")
    assert folded == ["f1", "f2"]
    assert timeline.due == _deadline("d2", "2027-01-01").place.time


def test_a_fact_put_in_while_folding_lets_a_deadline_before_it_fire() -> None:
    """What an entry causes later on is folded too, and what was due before it comes first."""
    folded: list[str] = []
    timeline = _timeline(folded)
    for entry in (_fact("f1", "2026-01-01"), _deadline("d1", "2026-02-01")):
        timeline.insert(entry)
    for entry in timeline.refold(_fact("now", "2026-01-01").place.time):
        if entry.identity == "f1":
            timeline.insert(_fact("f2", "2026-03-01"))
    assert folded == ["f1", "d1", "f2"]


def test_what_stands_before_a_late_fact_is_folded_for_the_state_alone() -> None:
    """A late fact folds from the last snapshot on; what comes before it did nothing new, so nobody is told of it."""
    timeline = _timeline([])
    for day in ("01", "02", "04"):
        timeline.insert(_fact(day, f"2026-01-{day}"))
    assert [entry.identity for entry in timeline.refold()] == ["01", "02", "04"]
    timeline.insert(_fact("03", "2026-01-03"))
    assert [entry.identity for entry in timeline.refold()] == ["03", "04"]
    timeline.rewind_to(_fact("02", "2026-01-02").place.time)
    assert [entry.identity for entry in timeline.refold()] == ["02", "03", "04"]


def test_news_of_a_feed_concerns_only_what_asked_about_it() -> None:
    """A feed that is complete further changes no state: only what asked, and isn't before all news, is asked again."""
    timeline = _timeline([], asking="02")
    for day in ("01", "02", "03"):
        timeline.insert(_fact(day, f"2026-01-{day}"))
    list(timeline.refold())
    asked_at = _fact("02", "2026-01-02").place.time
    timeline.reconsider({"approvals": asked_at + 1, "people": 0})
    assert timeline.tail == 0
    timeline.reconsider({"approvals": asked_at})
    assert [entry.identity for entry in timeline.refold()] == ["02"]
    assert timeline.folded == 3


@pytest.mark.parametrize("every", [1, 64])
def test_a_deadline_whose_overtaking_fact_is_withdrawn_is_pending_again_wherever_snapshots_stand(
    every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state that is restored between the two would have it fired for ever."""
    monkeypatch.setattr(module, "EVERY", every)
    timeline = _timeline([])
    for entry in (_fact("f1", "2026-01-01"), _deadline("d1", "2026-01-05"), _fact("f2", "2026-01-06")):
        timeline.insert(entry)
    until = _fact("now", "2026-01-02").place.time
    list(timeline.refold(until))
    assert timeline.due == -1
    timeline.remove("f2")
    list(timeline.refold(until))
    assert timeline.due == _deadline("d1", "2026-01-05").place.time
