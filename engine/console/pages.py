"""The console's pages: findings, a finding, a decision, a person; each with a twin for programs, at its address plus .json.

Owns which address shows what. Everything shown comes from `service`; a page and its twin are made of the same value.
Handlers are plain functions: Starlette runs them on threads, for they read the store.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from engine.console import wording
from engine.domain import codec
from engine.domain.errors import CovenantError
from engine.service.decisions import one_decided
from engine.service.finding_query import CLEARED, OPEN, QUALIFIERS, parse
from engine.service.findings import Finding, Findings, as_json
from engine.service.health import silent_feeds
from engine.service.people import Choice, People
from engine.service.problems import MEDIA_TYPE, problem, status_of
from engine.store.lookups import Lookups

START: Final = "status:open"
"""What the console shows first."""
COLUMNS: Final = Finding.__struct_fields__


class Pages:
    """Handlers over one store."""

    def __init__(self, findings: Findings, people: People, clock: Callable[[], int]) -> None:
        """Take what is shown, and the clock that says what has expired by now (µs)."""
        self.findings = findings
        self.people = people
        self.clock = clock
        self.templates = wording.environment()
        for name in self.templates.list_templates():
            self.templates.get_template(name)  # compiled now, so that nobody waits for it

    def routes(self) -> list[Route]:
        """Give all addresses; a twin's come before its page's, whose last part takes any text."""
        return [
            Route("/", self.start),
            Route("/findings", self.list),
            Route("/findings.json", self.list_json),
            Route("/findings.csv", self.list_csv),
            Route("/findings/{ident}.json", self.finding_json),
            Route("/findings/{ident}", self.finding),
            Route("/decisions/{ident}.json", self.decision_json),
            Route("/decisions/{ident}", self.decision),
            Route("/people/{person:path}.json", self.person_json),
            Route("/people/{person:path}", self.person),
            Route("/healthz", self.health),
            Route("/readyz", self.ready),
            Route(wording.STYLE_URL, self.style),
            Route("/static/icon.svg", self.icon),
        ]

    def start(self, _: Request) -> Response:
        """Begin at what is open."""
        return RedirectResponse(wording.find_url(START), HTTPStatus.SEE_OTHER)

    def list(self, request: Request) -> Response:
        """Findings that match a query, with the counts of what else there is."""
        text, after = request.query_params.get("q", ""), request.query_params.get("after", "")
        found = self.findings.page(text, after)
        query = parse(text)
        return self._page(
            "findings.html",
            attention=self.findings.attention(),
            found=found,
            query=query,
            after=after,
            remove=[(_said(*term), query.toggled(*term).text) for term in query.terms],
            titles=self.findings.rule_titles(),
            feeds=silent_feeds(self.findings.queries.store),
            qualifiers=QUALIFIERS,
        )

    def list_json(self, request: Request) -> Response:
        """Give the list's twin."""
        return _json(self.findings.page(request.query_params.get("q", ""), request.query_params.get("after", "")))

    def list_csv(self, request: Request) -> Response:
        """All findings that match, as CSV."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        for one in self.findings.all(request.query_params.get("q", "")):
            row = msgspec.json.decode(codec.encode(one))
            writer.writerow([harmless(row[name]) for name in COLUMNS])
        disposition = {"content-disposition": 'attachment; filename="findings.csv"'}
        return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=disposition)

    def finding(self, request: Request) -> Response:
        """One finding whole; the beginning of an id leads to the whole of it."""
        ident = request.path_params["ident"]
        detail = self.findings.detail(ident)
        if detail.id != ident:
            return RedirectResponse(wording.finding_url(detail.id), HTTPStatus.SEE_OTHER)
        return self._page("finding.html", attention=self.findings.attention(), f=detail)

    def finding_json(self, request: Request) -> Response:
        """Give one finding's twin."""
        return _json(self.findings.detail(request.path_params["ident"]))

    def decision(self, request: Request) -> Response:
        """One decision as it is on record; the beginning of an id leads to the whole of it."""
        ident = request.path_params["ident"]
        made = one_decided(Lookups(self.findings.queries.store), ident)
        if made.id != ident:
            return RedirectResponse(wording.decision_url(made.id), HTTPStatus.SEE_OTHER)
        return self._page("decision.html", attention=self.findings.attention(), d=made)

    def decision_json(self, request: Request) -> Response:
        """Give one decision's twin."""
        return _json(one_decided(Lookups(self.findings.queries.store), request.path_params["ident"]))

    def person(self, request: Request) -> Response:
        """One person's account."""
        account = self._account(request)
        most = max((month.consumed + month.overage for month in account.usage), default=0)
        return self._page(
            "person.html",
            attention=self.findings.attention(),
            p=account,
            feeds=silent_feeds(self.findings.queries.store, f"{account.organisation}/person/{account.id}"),
            most=most,
            open=sum(one.status in OPEN for one in account.findings),
            cleared=all(one.status in CLEARED for one in account.findings),
        )

    def person_json(self, request: Request) -> Response:
        """Give one person's twin."""
        return _json(self._account(request))

    def _account(self, request: Request) -> Any:
        organisation = request.query_params.get("organisation", "")
        return self.people.account(request.path_params["person"], organisation, now_us=self.clock())

    def health(self, _: Request) -> Response:
        """Whether this process answers."""
        return PlainTextResponse("ok\n")

    def ready(self, _: Request) -> Response:
        """Whether the store answers too."""
        self.findings.queries.ready()
        return PlainTextResponse("ready\n")

    def style(self, _: Request) -> Response:
        """The style sheet; its address names its content."""
        return Response(wording.STYLE, media_type="text/css", headers={"cache-control": "public, max-age=31536000, immutable"})

    def icon(self, _: Request) -> Response:
        """The icon."""
        return Response(wording.ICON, media_type="image/svg+xml", headers={"cache-control": "public, max-age=86400"})

    def failed(self, request: Request, status: HTTPStatus, error: Exception | None) -> Response:
        """Say what is wrong: as a page to people, as problem details to programs."""
        said = problem(status, error)
        headers = {"retry-after": "5"} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
        if request.url.path.endswith(".json"):
            return Response(msgspec.json.encode(said), status, headers, MEDIA_TYPE)
        if request.url.path in ("/healthz", "/readyz"):
            return PlainTextResponse(f"{said['detail']}\n", status, headers)
        query = request.query_params.get("q", "") if request.url.path == "/findings" else ""
        choices = error.organisations if isinstance(error, Choice) else []
        person = error.person if isinstance(error, Choice) else ""
        return self._page("error.html", status, headers, said=said, query=query, choices=choices, person=person)

    def unexpected(self, request: Request, error: Exception) -> Response:
        """Answer an error raised by a handler."""
        return self.failed(request, status_of(error), error if isinstance(error, CovenantError) else None)

    def _page(self, template: str, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None, **values: Any) -> Response:
        text = self.templates.get_template(template).render(**{"attention": []} | values)
        return Response(text, status, headers, "text/html; charset=utf-8")


def harmless(value: object) -> str:
    """Keep a spreadsheet from reading a cell as a formula."""
    text = str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _said(name: str, value: str) -> str:
    return f"{name}: {value}" if name else f"“{value}”"


def _json(value: Any) -> Response:
    return Response(as_json(value), media_type="application/json")
