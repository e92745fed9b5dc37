"""Each page and its twin for programs are one value: what is shown is what is given."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from engine.service.findings import Findings
from engine.store.queries import FACETS
from tests.console.site import Site
from tests.console.story import LEAVER


def test_the_lists_twin_is_the_page(page: Page, site: Site) -> None:
    """Same findings, same order, same values, same counts."""
    path = "?q=status%3Aopen"
    twin = site.get(f"/findings.json{path}").document
    page.goto(site.url(f"/findings{path}"))
    entries = page.locator(".entry").all()
    assert len(entries) == len(twin["findings"]) == twin["total"] == 5
    for entry, found in zip(entries, twin["findings"], strict=True):
        text = entry.inner_text()
        assert entry.locator(".entry-title a").get_attribute("href") == f"/findings/{found['id']}"
        for name in ("title", "rule", "holder", "clause", "repository"):
            assert found[name] in text
        assert found["last_seen_at"] in times(entry.locator("time").all())
    counted = page.locator(".facets a").evaluate_all(
        "all => all.map(a => [a.querySelector('.facet-name').firstChild.textContent.toLowerCase(),"
        " parseInt(a.querySelector('.facet-count').textContent)])"
    )
    told = [[facet["value"].lower(), facet["count"]] for name in FACETS for facet in twin["facets"][name]]
    assert counted == told


def test_a_findings_twin_is_the_page(page: Page, site: Site, findings: Findings) -> None:
    """Evidence, timeline, events and policy text of the page are the document's."""
    ident = next(one.id for one in findings.all("rule:FU-007"))
    twin = site.get(f"/findings/{ident}.json").document
    page.goto(site.url(f"/findings/{ident}"))
    assert page.locator(".timeline .step").count() == len(twin["timeline"])
    assert page.locator("table tbody tr").count() == len(twin["events"]) == twin["count"] == 12
    assert [event["decision"] for event in twin["events"]] == page.locator("table td:last-child").all_inner_texts()
    made = site.get(f"/decisions/{twin['events'][0]['decision'][:12]}.json").document
    assert (made["id"], made["verdict"]) == (twin["events"][0]["decision"], "violation")
    page.locator("table td:last-child a").first.click()
    assert page.url == site.url(f"/decisions/{made['id']}")
    (said,) = (rule for rule in made["rules"] if rule["code"] == "FU-007")
    assert page.get_by_role("heading", name="FU-007, Usage after access ended: violation").count() == 1
    assert page.locator(".sentence").inner_text().split(" was used on ")[0] == said["why"].split(" was used on ")[0]
    assert page.locator(".plain li").count() == len(made["rules"]) - 1
    page.go_back()
    assert page.locator("pre code").text_content() == twin["rule_text"]["text"]
    assert page.locator("blockquote").inner_text() == twin["clause_text"]["text"]
    assert twin["evidence"]["access_until"] in times(page.locator("#evidence + dl time").all())
    assert page.locator("#evidence + dl > div").count() == len(twin["evidence"])
    assert twin["standing"] in page.get_by_role("note").inner_text()


def test_a_persons_twin_is_the_page(page: Page, site: Site) -> None:
    """Balances, months, contributions and approvals of the page are the document's."""
    twin = site.get(f"/people/{LEAVER}.json").document
    page.goto(site.url(f"/people/{LEAVER}"))
    [grant] = twin["grants"]
    shown = page.locator("#grants ~ .scroll tbody data").evaluate_all("all => all.map(d => d.value)")
    assert shown == [grant["granted"], grant["consumed"], "0", grant["outstanding"], grant["unvested"], grant["overage"]]
    months = page.locator(".months tbody tr")
    assert months.locator("th").all_inner_texts() == [month["month"] for month in twin["usage"]]
    assert months.locator("data").evaluate_all("all => all.map(d => d.value)") == [
        value for month in twin["usage"] for value in (month["consumed"], month["overage"])
    ]
    assert page.locator("#contributions ~ .scroll tbody tr").count() == len(twin["contributions"]) == 2
    assert page.locator("#approvals ~ .scroll tbody tr").count() == len(twin["approvals"]) == 1
    assert page.locator("#history ~ .timeline .step").count() == len(twin["history"])


def times(elements: list[Any]) -> list[str]:
    """The machine-readable times of elements."""
    return [str(element.get_attribute("datetime")) for element in elements]
