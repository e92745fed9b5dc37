"""The API's own description, OpenAPI 3.1: made from the shapes it answers with, so that the two can't differ."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from engine.domain.values import Instant, Quantity
from engine.service.finding_query import QUALIFIERS
from engine.service.findings import Detail, Listing
from engine.service.people import Account

_TEXTS: Final = {
    Instant: {"type": "string", "format": "date-time"},
    Quantity: {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,6})?$", "description": "A decimal in quotes."},
}
_SCHEMAS, _COMPONENTS = msgspec.json.schema_components(
    [Listing, Detail, Account],
    ref_template="#/components/schemas/{name}",
    schema_hook=lambda kind: _TEXTS[kind],
)
_PROBLEM: Final = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong."},
        "do": {"type": "string", "description": "What to do about it."},
    },
}


def _parameter(name: str, where: str, text: str) -> dict[str, Any]:
    return {"name": name, "in": where, "required": where == "path", "schema": {"type": "string"}, "description": text}


def _get(summary: str, schema: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    said = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "get": {
            "summary": summary,
            "parameters": list(parameters),
            "responses": {
                "200": {
                    "description": summary,
                    "headers": {"ETag": {"schema": {"type": "string"}}},
                    "content": {"application/json": {"schema": schema}},
                },
                "304": {"description": "Unchanged since the ETag given as If-None-Match"},
                "default": {"description": "What is wrong, and what to do", "content": said},
            },
        }
    }


_QUERY: Final = "Free text and qualifiers: " + "; ".join(f"{name}: {text}" for name, text in QUALIFIERS.items())
OPENAPI: Final[dict[str, Any]] = {
    "openapi": "3.1.0",
    "info": {"title": "Covenant", "version": "1", "description": "Findings and people of one store. Reads only."},
    "paths": {
        "/api/v1/violations": _get(
            "Findings that match a query, newest first",
            _SCHEMAS[0],
            _parameter("q", "query", _QUERY),
            _parameter("after", "query", "`next` of the page before"),
            _parameter("limit", "query", "Findings a page, 1 to 200"),
        ),
        "/api/v1/violations/{id}": _get(
            "One finding whole", _SCHEMAS[1], _parameter("id", "path", "Its id, or the beginning of it")
        ),
        "/api/v1/people/{id}": _get(
            "One person's account",
            _SCHEMAS[2],
            _parameter("id", "path", "The organisation's own id of the person"),
            _parameter("organisation", "query", "Which organisation's, where several use the id"),
        ),
    },
    "components": {"schemas": {**_COMPONENTS, "Problem": _PROBLEM}},
}
