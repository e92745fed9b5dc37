"""The language in which people ask for findings: qualifiers such as `rule:FU-001 status:open`, and free text.

Owns the words of the language and its errors; sees no store. A qualifier given twice means either value, different
qualifiers mean all of them, and every word of free text must be found. Quotes keep spaces and colons together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from engine.domain.errors import Refusal, UsageError
from engine.domain.values import instant
from engine.store.queries import Filters

LONGEST: Final = 500
"""Characters in a query."""
MOST: Final = 24
"""Terms in a query."""
OPEN: Final = ("provisional", "alleged", "notified", "answered")
CLOSED: Final = ("substantiated", "dismissed", "withdrawn", "retracted")
CLEARED: Final = ("dismissed", "withdrawn", "retracted")
"""Statuses of which nothing stands against anybody."""
VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "status": ("open", "closed", *OPEN, *CLOSED),
    "severity": ("critical", "high", "medium", "low"),
    "respondent": ("holder", "company", "nobody"),
}
"""Qualifiers that take one of a few values."""
QUALIFIERS: Final[Mapping[str, str]] = {
    "rule": "a rule's code, such as rule:FU-001",
    "holder": "a person's id, such as holder:p-7",
    "repository": "a repository's id",
    "status": "open, closed, or one of " + ", ".join((*OPEN, *CLOSED)),
    "severity": "critical, high, medium or low",
    "clause": "a clause of the agreement, such as clause:G7",
    "respondent": "holder, company or nobody: whose breach it is",
    "organisation": "an organisation's id",
    "since": "seen on or after a date, such as since:2026-01-01",
    "until": "opened before a date, such as until:2026-07-01",
}
_TERM: Final = re.compile(r'(?:(?P<name>[A-Za-z_]+):)?(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s"]+))(?=\s|$)')


class Query(msgspec.Struct, frozen=True):
    """A query as it was read: its terms in order, ("", word) for free text."""

    terms: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """The query as it can be written."""
        return " ".join(f"{name}:{quoted(value)}" if name else quoted(value, word=True) for name, value in self.terms)

    def has(self, name: str, value: str) -> bool:
        """Whether it asks for this value."""
        return (name, value) in self.terms

    def toggled(self, name: str, value: str) -> Query:
        """Give the query with a value added, or taken away if it is there."""
        if self.has(name, value):
            return Query(tuple(term for term in self.terms if term != (name, value)))
        return Query((*self.terms, (name, value)))

    def only(self, name: str, value: str) -> Query:
        """Give the query with a value as the qualifier's only one, or with none where it was that already."""
        others = tuple(term for term in self.terms if term[0] != name)
        return Query(others if self.values(name) == (value,) else (*others, (name, value)))

    def values(self, name: str) -> tuple[str, ...]:
        """Give the values asked for."""
        return tuple(value for term, value in self.terms if term == name)

    def filters(self) -> Filters:
        """Give what the store is asked."""
        given = {name: self.values(name) for name in QUALIFIERS if name not in ("since", "until", "status")}
        groups = {"open": OPEN, "closed": CLOSED}
        status = [one for value in self.values("status") for one in groups.get(value, (value,))]
        return Filters(
            **given,
            status=tuple(dict.fromkeys(status)),
            since=max((_moment("since", value) for value in self.values("since")), default=None),
            until=min((_moment("until", value) for value in self.values("until")), default=None),
            words=self.values(""),
        )


def parse(text: str) -> Query:
    """Read a query; `UsageError` says which term can't be read and which there are."""
    if len(text) > LONGEST:
        msg = f"The query has {len(text)} characters; {LONGEST} are permitted."
        raise UsageError(msg, "Ask for less at once.")
    if any(ord(letter) < 32 and letter not in "\t\n\r" for letter in text):
        msg = "The query has characters that can't be seen."
        raise UsageError(msg, "Type it anew.")
    terms: list[tuple[str, str]] = []
    rest = text.strip()
    while rest:
        found = _TERM.match(rest)
        if found is None:
            msg = f"The query can't be read from {rest[:40]!r} on."
            raise UsageError(msg, 'Close what you quoted, and put a space after it: holder:"p 7" rule:FU-001.')
        value = found["plain"] if found["quoted"] is None else found["quoted"]
        terms.append(_checked((found["name"] or "").lower(), value, rest))
        rest = rest[found.end() :].lstrip()
    if len(terms) > MOST:
        msg = f"The query has {len(terms)} terms; {MOST} are permitted."
        raise UsageError(msg, "Ask for less at once.")
    return Query(tuple(dict.fromkeys(terms)))


def _checked(name: str, value: str, rest: str) -> tuple[str, str]:
    if not name:
        if not value or value.endswith(":"):
            msg = f"{rest.split(maxsplit=1)[0]!r} lacks a value."
            raise UsageError(msg, "Write the value right after the colon, as in rule:FU-001.")
        if ":" in value and not rest.startswith('"'):
            name = value.split(":", 1)[0]
    if name and name not in QUALIFIERS:
        msg = f"There is no qualifier {name!r}."
        raise UsageError(msg, f"There are {', '.join(QUALIFIERS)}. To search for text with a colon in it, put it in quotes.")
    if name in ("since", "until"):
        _moment(name, value)
    if name in ("rule", "clause"):
        value = value.upper()
    if name in VALUES:
        value = value.lower()
        if value not in VALUES[name]:
            msg = f"{name}:{value} can't be asked for."
            raise UsageError(msg, f"{name} takes {', '.join(VALUES[name])}.")
    return name, value


def _moment(name: str, value: str) -> int:
    try:
        return instant(value)
    except Refusal as error:
        msg = f"{name}:{value} isn't a date."
        raise UsageError(msg, f"Write {name}:2026-01-31, or a time with its zone such as {name}:2026-01-31T08:00:00Z.") from error


def quoted(value: str, *, word: bool = False) -> str:
    """Write a value so that it reads back as one; a quote within can't be written and becomes a space."""
    plain = value.replace('"', " ")
    return f'"{plain}"' if not plain or re.search(r"\s", plain) or (word and ":" in plain) else plain
