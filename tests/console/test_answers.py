"""What the console answers beyond its pages' looks: documents, headers, ETags, refusals, and what it says when it can't."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from engine.console.app import make_console
from engine.console.guard import host_of
from engine.console.serving import check_host, is_loopback, listen
from engine.domain.errors import DependencyMissing, UsageError
from engine.service.findings import Findings
from engine.store.opening import open_store
from tests.console.site import Site
from tests.console.story import HOSTILE, LEAVER

PATHS = ["/findings", "/findings.json", "/findings.csv", f"/people/{LEAVER}", "/nowhere", "/findings?q=colour:red", "/healthz"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_keeps_a_browser_from_loading_anything_else(site: Site, path: str) -> None:
    """The content policy, no sniffing, no referrer, no framing: on errors and documents too."""
    headers = site.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/findings", "/findings.json", f"/people/{LEAVER}", "/static/icon.svg"])
def test_what_hasnt_changed_isnt_sent_again(site: Site, path: str) -> None:
    """An ETag names the content; who has it gets 304 and no body, who has another gets it."""
    first = site.get(path)
    tag = first.headers["etag"]
    again = site.get(path, If_None_Match=f'"other", W/{tag}')
    assert (again.status, again.body) == (304, b"")
    assert site.get(path, If_None_Match='"other"').body == first.body


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "localhost.evil", ""])
def test_another_name_for_this_machine_is_refused(site: Site, host: str) -> None:
    """A page elsewhere that had its name point here (DNS rebinding) reads nothing."""
    answer = site.get("/findings.json", Host=host)
    assert answer.status == 421
    assert b"p-1" not in answer.body


@pytest.mark.parametrize("host", ["localhost:9999", "127.0.0.1", "[::1]:80", "LOCALHOST"])
def test_loopback_names_are_answered(site: Site, host: str) -> None:
    """Whatever the port, which may be forwarded."""
    assert site.get("/healthz", Host=host).status == 200


def test_a_host_is_read_without_its_port() -> None:
    """Names, IPv4 and IPv6 alike."""
    assert [host_of(h) for h in ("A:1", "[::1]:80", "[::1]", "x")] == ["a", "[::1]", "[::1]", "x"]


def test_an_overlong_address_is_refused(site: Site) -> None:
    """Before anything reads it."""
    assert site.get("/findings?q=" + "x" * 5000).status == 414


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_reading_is_possible(site: Site, method: str) -> None:
    """Anything else is refused with a page."""
    answer = site.get("/findings", method)
    assert answer.status == 405
    assert "Only reading is possible here" in answer.text


def test_balances_add_up(site: Site) -> None:
    """What came in is the sum of all it went to."""
    for person in (LEAVER, "p-2", "p-3", "p-9", HOSTILE):
        for grant in site.get(f"/people/{quote(person, safe='')}.json").document["grants"]:
            came = float(grant["granted"]) + float(grant["transferred_in"])
            names = ("consumed", "expired", "forfeited", "voided", "transferred_out", "outstanding", "unvested")
            assert came == sum(float(grant[name]) for name in names)


def test_the_csv_has_every_match_and_no_formula(site: Site, findings: Findings) -> None:
    """One row a finding; the columns are the document's."""
    rows = list(csv.DictReader(io.StringIO(site.get("/findings.csv?q=status:open").text)))
    assert [row["id"] for row in rows] == [one.id for one in findings.all("status:open")]
    assert not any(re.match(r"[=+@-]", value) for row in rows for value in row.values())


def test_the_beginning_of_an_id_leads_to_the_finding(site: Site, findings: Findings) -> None:
    """A redirect to the whole id; nonsense is not found, in words."""
    ident = next(findings.all("")).id
    answer = site.get(f"/findings/{ident[:8]}")
    assert (answer.status, answer.headers["location"]) == (303, f"/findings/{ident}")
    assert site.get("/findings/00000000").status == 404
    assert "isn&#39;t the id of a finding" in site.get("/findings/xyz").text


WRONG = ["/findings.json?q=colour:red", "/findings.json?after=x", "/findings/zzzz.json", "/people/nobody.json"]


@pytest.mark.parametrize("path", WRONG)
def test_a_twin_that_cant_be_given_is_problem_details(site: Site, path: str) -> None:
    """RFC 9457, in the words the page has."""
    answer = site.get(path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.document["status"] == answer.status in (400, 404)
    assert answer.document["detail"]
    assert answer.document["do"]


def ask(findings: Findings, path: str) -> tuple[int, dict[str, str], str]:
    """Ask the application itself, without a server."""
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost")], "http_version": "1.1", "scheme": "http", "server": ("localhost", 80),
    }  # fmt: skip
    asyncio.run(make_console(findings, clock=lambda: 1)(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return said[0]["status"], headers, said[1]["body"].decode()


@pytest.fixture
def broken(tmp_path: Path) -> Findings:
    """Findings of a store whose tables went away while the console ran."""
    store = open_store(f"sqlite:///{tmp_path / 'gone.db'}")
    with store.engine.begin() as connection:
        for table in ("violation", "lane"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    return Findings(store)


@pytest.mark.parametrize("path", ["/findings", "/findings.json", "/readyz"])
def test_a_store_that_is_away_is_said_to_be_away(broken: Findings, path: str) -> None:
    """503 and when to come again, never a stack of calls; the process itself is still well."""
    status, headers, body = ask(broken, path)
    assert (status, headers["retry-after"]) == (503, "5")
    assert "The store can" in body
    assert "no such table" in body
    assert "Traceback" not in body
    assert ask(broken, "/healthz")[0] == 200


def test_a_fault_of_ours_is_a_page_that_gives_nothing_away(findings: Findings, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 in words; what failed stays in the server's own output."""
    monkeypatch.setattr(findings, "page", lambda *_: 1 / 0)
    status, _, body = ask(findings, "/findings")
    assert status == 500
    assert "Something failed here" in body
    assert "division" not in body


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])  # noqa: S104 - it is refused
def test_listening_beyond_loopback_must_be_asked_for(host: str) -> None:
    """Refused with the setting to set; permitted with it."""
    assert not is_loopback(host)
    with pytest.raises(UsageError, match="COVENANT_BEYOND_LOOPBACK"):
        check_host(host, beyond=False)
    check_host(host, beyond=True)


def test_a_port_that_is_taken_is_said_to_be() -> None:
    """One sentence and what to do."""
    with listen("127.0.0.1", 0) as bound, pytest.raises(DependencyMissing, match="can't be had"):
        listen("127.0.0.1", bound.getsockname()[1])
