"""A backtest's report without a backtest: what differs between findings made by hand, its words, and its page in a browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from engine.domain.order import Place
from engine.service.backtest_diff import Judged, Named, compare, findings, outcome_counts, tallies
from engine.service.backtest_page import page as page_of
from engine.service.backtest_report import in_words
from tests.service.brute import SAID

HOUR = 3_600_000_000
HOSTILE = '"><script>alert(1)</script>'


def judged(holder: str, hour: int, rule: str = "FU-001", outcome: str = "violation", sentence: str = "Over.") -> Judged:
    """One entry of a person that came out so."""
    said = {"outcome": outcome, "holder": holder, "repository": "", "evidence": {"hour": hour}, "sentence": sentence}
    aggregate = f"acme/person/{holder}"
    return Judged(aggregate, f"{hour:032x}", Place(hour * HOUR, 1, b"s", b"i"), {rule: said | {"discriminator": ["m"]}}, "d", "b")


def named(_: str, code: str) -> Named:
    """Every rule is a grave one."""
    return Named(code, f"Title of {code}", "high", "G7", "holder")


def test_what_differs_is_new_gone_or_changed_and_nothing_else() -> None:
    """One stays, one goes, one is new, and one is found twice instead of once: said is what a person would see of it."""
    before = findings([judged("p-a", 1), judged("p-b", 2), judged("p-c", 3)], named)
    after = findings([judged("p-a", 1), judged("p-c", 3), judged("p-c", 5), judged("p-d", 4)], named)
    changes = compare(before, after)
    assert [(one.change, one.finding.holder, one.fields) for one in changes] == [
        ("opened", "p-d", ()),
        ("closed", "p-b", ()),
        ("changed", "p-c", ("last_seen_at", "count", "evidence")),
    ]
    held = tallies(before, after, changes, lambda finding: finding.rule)["FU-001"]
    assert (held.base, held.candidate, held.opened, held.closed, held.changed) == (3, 3, 1, 1, 1)


def test_events_that_are_no_violation_are_counted_and_make_no_finding() -> None:
    """Excused and indeterminate events are told by rule."""
    events = [judged("p-a", 1, outcome="excused"), judged("p-b", 2, outcome="indeterminate"), judged("p-b", 3)]
    assert {rule: dict(count) for rule, count in outcome_counts(events).items()} == {
        "FU-001": {"excused": 1, "indeterminate": 1, "violation": 1}
    }
    assert len(findings(events, named)) == 1


def document() -> dict[str, Any]:
    """A report of one new and one changed finding, of people whose names are markup."""
    count = {"base": 1, "candidate": 2, "opened": 1, "closed": 0, "changed": 1}
    none = dict.fromkeys(("violation", "excused", "indeterminate", "error"), 0)
    rule = {"title": HOSTILE, "severity": "high", "standing": "both", "events": {"base": none, "candidate": none}}
    row = dict.fromkeys(SAID, "") | {
        "rule": "FU-001", "severity": "high", "holder": HOSTILE, "aggregate": f"acme/person/{HOSTILE}",
        "discriminator": [HOSTILE],
        "opened_at": "2026-01-01T00:00:00Z", "last_seen_at": "2026-01-02T00:00:00Z", "count": 1200, "respondent": "holder",
        "sentence": f"{HOSTILE} consumed much.", "evidence": {HOSTILE: HOSTILE}, "organisation": "acme",
        "decisions": ["ab" * 16] * 300,
        "candidate_decisions": [],
    }  # fmt: skip
    return {
        "candidate": "c" * 64, "base": "b" * 64, "bases": ["b" * 64], "since": None, "until": None, "events": 12_345,
        "opened": 1, "closed": 0, "changed": 1, "unchanged": 0,
        "rules": [rule | {"rule": f"FU-00{n}"} | count for n in (1, 2)],
        "holders": [{"holder": HOSTILE} | count], "severities": [{"severity": "high"} | count],
        "months": [{"month": f"2026-{month:02}"} | count for month in range(1, 13)],
        "rows": [row | {"change": "opened", "id": "a" * 32}, row | {"change": "changed", "id": "e" * 32, "before": {"count": 1}}],
    }  # fmt: skip


def test_the_words_say_each_finding_and_how_it_stood() -> None:
    """With a decision to explain, and what a changed one was."""
    words = in_words(document())
    assert words.startswith("Of the findings, 1 would be new, 0 gone, 1 changed; 0 stand as they are.")
    assert "all of history, 12,345 events judged" in words
    assert "was: count 1" in words
    assert f"covenant explain {'ab' * 8}" in words


@pytest.mark.needs_browser
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_names_its_charts_and_runs_nothing(page: Page, width: int) -> None:
    """Narrow or wide nothing sticks out; each chart has a name and words; what came from events stays text."""
    page.set_viewport_size({"width": width, "height": 800})
    page.set_content(page_of(document(), "http://127.0.0.1:8600"))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    charts = page.get_by_role("img")
    assert charts.count() == 2
    for number in range(2):
        assert charts.nth(number).get_attribute("aria-label")
        assert page.locator("svg desc").nth(number).text_content()
    assert page.locator("script").count() == 0
    assert (
        page.get_by_role("link", name="The finding on record").get_attribute("href")
        == f"http://127.0.0.1:8600/findings/{'e' * 32}"
    )
    page.locator("summary").first.click()
    decision = page.locator("details li a").first
    assert decision.get_attribute("href") == f"http://127.0.0.1:8600/decisions/{decision.text_content()}"
    assert page.get_by_text("And 100 more; the JSON report has all.").first.is_visible()
