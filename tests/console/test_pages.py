"""The three pages in a real Chromium: what they show, how they are reached, and that anybody can use them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from engine.service.findings import Findings
from tests.console.looking import CONTRAST, OVERFLOW, STRUCTURE, Watched, look
from tests.console.site import Site, running
from tests.console.story import HOSTILE, LATE, LEAVER

PAGES = [
    "list",
    "finding",
    "decision",
    "retracted",
    "hostile",
    "leaver",
    "hostile person",
    "nothing matches",
    "wrong query",
    "nowhere",
]


@pytest.fixture
def paths(findings: Findings) -> dict[str, str]:
    """Every kind of page there is."""
    by_rule = {(one.rule, one.status): one.id for one in findings.all("")}
    return {
        "list": "/findings",
        "finding": f"/findings/{by_rule['FU-007', 'alleged']}",
        "decision": f"/decisions/{findings.detail(by_rule['FU-007', 'alleged']).events[0].decision}",
        "retracted": f"/findings/{by_rule['FU-006', 'retracted']}",
        "hostile": f"/findings/{by_rule['IP-004', 'alleged']}",
        "leaver": f"/people/{LEAVER}",
        "hostile person": f"/people/{quote(HOSTILE, safe='')}",
        "nothing matches": "/findings?q=zebra",
        "wrong query": "/findings?q=colour:red",
        "nowhere": "/nowhere",
    }


@pytest.fixture(params=["with JavaScript", "without JavaScript"])
def either(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page, with and without JavaScript."""
    context = browser.new_context(java_script_enabled=request.param == "with JavaScript")
    yield context.new_page()
    context.close()


def test_the_way_from_the_list_to_a_person_works_with_and_without_javascript(either: Page, site: Site) -> None:
    """Open findings first; a facet narrows them; a finding leads to its holder and its rule's text."""
    either.goto(site.address)
    expect(either).to_have_url(site.url("/findings?q=status%3Aopen"))
    expect(either.get_by_role("heading", level=2, name="5 findings match")).to_be_visible()
    either.get_by_role("link", name="FU-007").click()
    expect(either.get_by_role("searchbox", name="Search findings")).to_have_value("status:open rule:FU-007")
    either.get_by_role("link", name="Usage after access ended", exact=True).click()
    expect(either.get_by_role("heading", level=1)).to_have_text("Usage after access ended")
    expect(either.get_by_role("note")).to_contain_text("Alleged, not established.")
    either.get_by_text("The rule as it was evaluated").click()
    expect(either.get_by_text("package covenant.fair_use")).to_be_visible()
    either.get_by_role("main").get_by_role("link", name=LEAVER).first.click()
    expect(either.get_by_role("heading", level=1)).to_have_text(LEAVER)
    expect(either.get_by_role("region", name="Usage by month")).to_contain_text("2026-03")


def test_a_search_is_typed_and_its_filters_are_taken_away(either: Page, site: Site) -> None:
    """Enter searches; each term stands as a filter with a link that removes it."""
    either.goto(site.url("/findings"))
    box = either.get_by_role("searchbox", name="Search findings")
    box.fill("severity:critical transferred")
    box.press("Enter")
    expect(either.get_by_role("heading", level=2, name="2 findings match")).to_be_visible()
    either.get_by_role("link", name="severity: critical").click()
    expect(either.get_by_role("searchbox", name="Search findings")).to_have_value("transferred")
    either.get_by_role("link", name="“transferred”").click()
    expect(either.get_by_role("heading", level=2, name="6 findings")).to_be_visible()


@pytest.mark.parametrize("which", PAGES)
def test_a_page_asks_nobody_else_and_breaks_no_policy_of_its_own(
    page: Page, site: Site, paths: dict[str, str], which: str
) -> None:
    """All requests stay at the origin; nothing is said on the browser's console but that a wrong page is wrong."""
    watched = Watched(page, site.address)
    page.goto(site.url(paths[which]))
    page.wait_for_load_state("networkidle")
    status = {"wrong query": 400, "nowhere": 404}.get(which)
    said = [line for line in watched.wrong if status is None or str(status) not in line]
    assert said == []


@pytest.mark.parametrize("width", [1280, 360, 320])
@pytest.mark.parametrize("which", PAGES)
def test_a_page_fits_its_window_and_has_its_structure(
    page: Page, site: Site, paths: dict[str, str], which: str, width: int
) -> None:
    """No sideways scrolling down to 320 pixels (1280 at 400 %); headings in order, names, captions, scopes, landmarks."""
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(site.url(paths[which]))
    assert look(page, STRUCTURE) == []
    assert look(page, OVERFLOW) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", PAGES)
def test_text_is_readable_in_both_schemes(browser: Browser, site: Site, paths: dict[str, str], which: str, scheme: str) -> None:
    """Every text has the contrast WCAG 2.2 AA asks for."""
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(site.url(paths[which]))
    assert look(page, CONTRAST) == []
    context.close()


def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(page: Page, site: Site) -> None:
    """The skip link comes first and works; each stop is visible and marked; the order is the reading order."""
    page.goto(site.url("/findings?q=status:open"))
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    assert skip.evaluate("e => e.getBoundingClientRect().top") >= 0
    stops = []
    for _ in range(12):
        page.keyboard.press("Tab")
        stops.append(
            page.evaluate(
                "() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();"
                "const marked = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2;"
                "return [e.textContent.trim() || e.id, marked, r.height > 0]; }"
            )
        )
    first = ["Covenant", "Open findings", "All findings", "q", "Search", "What can be searched for"]
    assert [name for name, _, _ in stops[:6]] == first
    assert all(marked and visible for _, marked, visible in stops)
    page.goto(site.url("/findings"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_hostile_name_is_text_wherever_it_stands(page: Page, site: Site, paths: dict[str, str]) -> None:
    """A person whose id is a script is shown as it is written, in the list, the finding and the account."""
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    page.goto(site.url("/findings"))
    expect(page.get_by_role("link", name=HOSTILE, exact=True).first).to_be_visible()
    page.goto(site.url(paths["hostile"]))
    said = f"{HOSTILE} (github.com/four) forked the private repository acme/model <b>weights</b>"
    expect(page.locator("#what + .sentence")).to_contain_text(said)
    page.get_by_role("link", name=HOSTILE, exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    assert page.locator("script, b").count() == 0


def test_a_provisional_finding_is_marked_as_internal(page: Page, site: Site) -> None:
    """Nobody takes it for an allegation already made."""
    page.goto(site.url("/findings?q=status:provisional"))
    expect(page.get_by_text("Provisional, internal")).to_be_visible()
    page.get_by_role("link", name="Usage on a grant that had lapsed", exact=True).click()
    expect(page.get_by_role("note")).to_contain_text("nobody is told of it yet")


def test_a_retracted_finding_says_why_and_accuses_nobody(page: Page, site: Site, paths: dict[str, str]) -> None:
    """The late approval stands in the timeline; what is shown is in the past."""
    page.goto(site.url(paths["retracted"]))
    expect(page.get_by_role("note")).to_contain_text("Nothing stands against anybody.")
    expect(page.get_by_role("heading", name="What had been found")).to_be_visible()
    expect(page.locator(".step-retracted")).to_contain_text("approval ap-8 (transfer) given by legal-1")
    page.goto(site.url(f"/people/{LATE}"))
    findings = page.get_by_role("region", name="Findings")
    expect(findings.get_by_role("note")).to_contain_text("Nothing stands against this person.")
    expect(page.get_by_role("region", name="Approvals and determinations")).to_contain_text("Back-dated")


@pytest.mark.parametrize("width", [1280, 360])
def test_a_table_stays_one_to_those_who_hear_it(page: Page, site: Site, width: int) -> None:
    """On a narrow screen rows look like cards; rows, headers and cells keep their roles, and each value its label."""
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(site.url(f"/people/{LEAVER}"))
    table = page.get_by_role("table", name="What was granted or received")
    expect(table.get_by_role("columnheader", name="Outstanding")).to_have_count(1)
    row = table.get_by_role("row").filter(has=page.get_by_role("rowheader", name="G1"))
    expect(row.get_by_role("cell", name="679")).to_be_visible()
    label = row.get_by_role("cell", name="679").evaluate("e => getComputedStyle(e, '::before').content")
    assert label == ('"Outstanding"' if width == 360 else "none")


def test_an_empty_store_says_so_in_words(page: Page, empty: str) -> None:
    """The first thing seen after a start with nothing taken in says what to do."""
    with running(empty) as fresh:
        page.goto(fresh.url("/findings"))
        expect(page.locator(".empty")).to_contain_text("Nothing has been found.")
        expect(page.locator(".empty")).to_contain_text("covenant ingest FILE")


def test_a_printed_page_is_the_case_and_not_its_controls(page: Page, site: Site, paths: dict[str, str]) -> None:
    """Navigation stays on the screen; the policy's text is on the paper without being opened."""
    page.goto(site.url(paths["finding"]))
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
    assert page.locator("pre").evaluate("e => e.getBoundingClientRect().height") > 100
