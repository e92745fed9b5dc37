"""The HTTP API for programs, `/api/v1/…`: findings and people as JSON, errors as problem details (RFC 9457).

Reads only. Pages are keyset pages: `next` of one page is `after` of the following. ETags are the guard's, around it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.api.description import OPENAPI
from engine.domain.errors import CovenantError, UsageError
from engine.service.findings import PAGE, Findings, as_json
from engine.service.people import People
from engine.service.problems import MEDIA_TYPE, problem, status_of

log = logging.getLogger(__name__)
MOST: Final = 200
"""Findings a page at most."""


def make_api(findings: Findings, *, clock: Callable[[], int]) -> Starlette:
    """Make the application that is mounted at `/api`."""
    people = People(findings)

    def violations(request: Request) -> Response:
        asked = request.query_params
        return _json(findings.page(asked.get("q", ""), asked.get("after", ""), _limit(asked.get("limit", ""))))

    def violation(request: Request) -> Response:
        return _json(findings.detail(request.path_params["ident"]))

    def person(request: Request) -> Response:
        organisation = request.query_params.get("organisation", "")
        return _json(people.account(request.path_params["person"], organisation, now_us=clock()))

    def description(_: Request) -> Response:
        return Response(msgspec.json.encode(OPENAPI), media_type="application/json")

    routes = [
        Route("/v1/violations", violations),
        Route("/v1/violations/{ident}", violation),
        Route("/v1/people/{person:path}", person),
        Route("/v1/openapi.json", description),
    ]
    return Starlette(routes=routes, exception_handlers={CovenantError: _ours, HTTPException: _http, Exception: _fault})


def _limit(text: str) -> int:
    if not text:
        return PAGE
    if not text.isdecimal() or not 1 <= int(text[:6]) <= MOST:
        msg = f"limit: expected a whole number from 1 to {MOST}, got {text[:20]!r}."
        raise UsageError(msg, "Ask for fewer, and follow `next`.")
    return int(text)


def _json(value: Any) -> Response:
    return Response(as_json(value), media_type="application/json")


def _problem(status: HTTPStatus, error: Exception | None = None) -> Response:
    headers = {"retry-after": "5"} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    return Response(msgspec.json.encode(problem(status, error)), status, headers, MEDIA_TYPE)


async def _ours(_: Request, error: Exception) -> Response:
    return _problem(status_of(error), error)


async def _http(_: Request, error: Exception) -> Response:
    return _problem(HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR)


async def _fault(request: Request, error: Exception) -> Response:
    log.error("%s couldn't be answered", request.url.path, exc_info=error)
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR)
