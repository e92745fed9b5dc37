"""Errors as answers over HTTP: which status a kind of error has, and its problem details (RFC 9457). Pure.

One error shape for every program: `type`, `title`, `status`, `detail` and, where there is something to do, `do`.
A page for people says the same in the same words.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from engine.domain.errors import CovenantError, DependencyMissing, NotFound, UsageError

MEDIA_TYPE: Final = "application/problem+json"
_STATUS: Final[tuple[tuple[type[CovenantError], HTTPStatus], ...]] = (
    (UsageError, HTTPStatus.BAD_REQUEST),
    (NotFound, HTTPStatus.NOT_FOUND),
    (DependencyMissing, HTTPStatus.SERVICE_UNAVAILABLE),
)
_TITLES: Final = {
    HTTPStatus.BAD_REQUEST: "This can't be asked for",
    HTTPStatus.NOT_FOUND: "Not found",
    HTTPStatus.METHOD_NOT_ALLOWED: "Only reading is possible here",
    HTTPStatus.SERVICE_UNAVAILABLE: "The store can't be reached",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something failed here",
}
_DETAILS: Final = {
    HTTPStatus.NOT_FOUND: ("There is nothing at this address.", "See that it is written rightly, or begin at the findings."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("The console and the API only read, for now.", "Use GET."),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "The answer couldn't be made. This is a fault of ours, not of the question.",
        "What is recorded is safe. Report what you asked for; the server's own output says what failed.",
    ),
}


def status_of(error: Exception) -> HTTPStatus:
    """Give the status an error is answered with; 500 for what isn't one of ours."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def problem(status: HTTPStatus, error: Exception | None = None) -> dict[str, Any]:
    """Give problem details; the texts of an error that isn't ours stay inside."""
    if isinstance(error, CovenantError):
        detail, do = error.message, error.do
    else:
        detail, do = _DETAILS.get(status, (status.description, ""))
    said = {
        "type": f"urn:covenant:problem:{status.name.lower().replace('_', '-')}",
        "title": _TITLES.get(status, status.phrase),
        "status": int(status),
        "detail": detail,
    }
    return said | ({"do": do} if do else {})
