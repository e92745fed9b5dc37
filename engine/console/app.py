"""The console as an ASGI application, with the API mounted beside it where one is given.

Owns how the parts are put together: pages inside, error pages around them, the guard outermost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from engine.console.guard import LOOPBACK, Guard
from engine.console.pages import Pages
from engine.domain.errors import CovenantError
from engine.service.findings import Findings
from engine.service.people import People

log = logging.getLogger(__name__)
API = "/api"


def make_console(
    findings: Findings, *, clock: Callable[[], int], api: ASGIApp | None = None, hosts: frozenset[str] | None = LOOPBACK
) -> Guard:
    """Make the application; `hosts` are the names it answers to, None for any."""
    pages = Pages(findings, People(findings), clock)

    async def known(request: Request, error: Exception) -> Response:
        return pages.unexpected(request, error)

    async def http(request: Request, error: Exception) -> Response:
        status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
        return pages.failed(request, status, None)

    async def fault(request: Request, error: Exception) -> Response:
        log.error("%s couldn't be answered", request.url.path, exc_info=error)
        return pages.failed(request, HTTPStatus.INTERNAL_SERVER_ERROR, None)

    routes: list[Route | Mount] = [*pages.routes(), *([Mount(API, api)] if api is not None else [])]
    handlers = {CovenantError: known, HTTPException: http, Exception: fault}
    return Guard(Starlette(routes=routes, exception_handlers=handlers), hosts)
