"""The API for programs: the same findings as the console's, one error shape, a description that fits."""

from __future__ import annotations

import jsonschema
import pytest

from engine.service.findings import Findings
from tests.console.site import Site
from tests.console.story import LEAVER


def test_violations_are_the_consoles_findings(site: Site) -> None:
    """One document, two addresses."""
    assert site.get("/api/v1/violations?q=status:open").document == site.get("/findings.json?q=status:open").document


def test_pages_are_followed_by_next(site: Site, findings: Findings) -> None:
    """Pages of two until `next` is empty give each finding once."""
    seen: list[str] = []
    after = ""
    while True:
        listing = site.get(f"/api/v1/violations?limit=2&after={after}").document
        seen += [one["id"] for one in listing["findings"]]
        after = listing["next"]
        if not after:
            break
    assert seen == [one.id for one in findings.all("")]


def test_a_violation_has_the_fields_that_are_promised(site: Site, findings: Findings) -> None:
    """By its id or the beginning of it; evidence, timeline and policy with it."""
    ident = next(findings.all("rule:FU-007")).id
    document = site.get(f"/api/v1/violations/{ident[:10]}").document
    promised = "id rule severity clause holder repository status respondent opened_at last_seen_at count"
    assert set(promised.split()) <= document.keys()
    assert (document["id"], document["holder"], document["status"], document["count"]) == (ident, LEAVER, "alleged", 12)
    assert document["evidence"] == {"access_until": "2026-04-01T17:00:00Z", "grant": "G1"}
    assert [step["change"] for step in document["timeline"]] == ["opened", "settled"]


def test_a_person_is_the_consoles_account(site: Site) -> None:
    """One document, two addresses."""
    assert site.get(f"/api/v1/people/{LEAVER}").document == site.get(f"/people/{LEAVER}.json").document


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/violations?q=colour:red", 400, "There is no qualifier 'colour'."),
        ("/violations?limit=0", 400, "limit: expected a whole number"),
        ("/violations?limit=many", 400, "limit: expected a whole number"),
        ("/violations?after=x.y", 400, "can't be read"),
        ("/violations/00000000", 404, "There is no finding 00000000."),
        ("/people/nobody", 404, "Nothing is held of a person nobody."),
        ("/nothing", 404, "There is nothing at this address."),
    ],
)
def test_an_error_is_problem_details(site: Site, path: str, status: int, says: str) -> None:
    """RFC 9457 with a detail for a person and what to do."""
    answer = site.get(f"/api/v1{path}")
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.document["status"] == status
    assert says in answer.document["detail"]
    assert answer.document["do"]
    assert answer.document["type"].startswith("urn:covenant:problem:")


def test_an_answer_has_an_etag_and_is_not_sent_twice(site: Site) -> None:
    """Who has it gets 304."""
    tag = site.get("/api/v1/violations").headers["etag"]
    assert site.get("/api/v1/violations", If_None_Match=tag).status == 304


def test_every_answer_fits_the_description(site: Site, findings: Findings) -> None:
    """The OpenAPI document's schemas accept what is answered, and refuse a document that lacks a field."""
    described = site.get("/api/v1/openapi.json").document
    assert described["openapi"].startswith("3.1")
    ident = next(findings.all("")).id
    asked = {
        "/api/v1/violations": "/api/v1/violations",
        "/api/v1/violations/{id}": f"/api/v1/violations/{ident}",
        "/api/v1/people/{id}": f"/api/v1/people/{LEAVER}",
    }
    assert set(described["paths"]) == set(asked)
    for path, url in asked.items():
        schema = described["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        whole = {**schema, "components": described["components"]}
        document = site.get(url).document
        jsonschema.validate(document, whole)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({key: value for key, value in document.items() if key not in ("findings", "sentence")}, whole)
