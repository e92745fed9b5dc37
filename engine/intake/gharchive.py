"""The source `gharchive`: GitHub's public events, one a line, as GH Archive and GitHub's events API give them. Pure.

Each has an id and a time of GitHub's own (`created_at`). Acts become events as deliveries of webhooks do; where a
repository is watched by a webhook too, take one of the two, as their ids differ. What is public is public: only the act
of publishing says that its repository wasn't. Whose a repository is stands in its name; `org` says that an organisation's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from engine.domain.wording import cut
from engine.intake.deliveries import at, moment
from engine.intake.github_acts import made
from engine.intake.github_repository import GITHUB
from engine.intake.hosting import Made, login, numbered, owner_of, pushed
from engine.intake.picking import Fields, wrong
from engine.intake.records import Draft, Record, Records

_TYPE: Final = re.compile(r"[A-Z][A-Za-z]{0,60}Event")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SOURCE: Final = f"{GITHUB}/events"
"""The events API numbers its events; webhooks have ids of their own."""


class GHArchive(Records):
    """GitHub's public events."""

    name = "gharchive"
    what = "a public event of GitHub"

    def records(self, document: Any) -> Iterable[Record]:
        """Give the one event of a line, or those of a page of the API."""
        if isinstance(document, list):
            return [(f"[{index}]", one) for index, one in enumerate(document)]
        return [("", document)]

    def drafts(self, record: Any) -> Iterable[Draft]:
        """Give an event's events: what it is, and what a push does to the licence."""
        event = Fields(record)
        word, number = event.need("type"), event.need("id")
        if not _TYPE.fullmatch(word):
            wrong("type", "one of GitHub's event types, such as PushEvent", cut(word))
        payload = event.inner("payload").value
        kind = _kind(word, payload)
        data = _described(event)
        time = moment(record.get("created_at"), "created_at", "Send the event as GitHub gave it.")
        for index, (verb, said) in enumerate(_made(kind, payload, data)):
            known = f"{number}/{verb}" if index else number
            yield Draft(f"repository.{verb}", _SOURCE, known, time, {**data, **said})


def _kind(word: str, payload: dict[str, Any]) -> str:
    """Give the name a webhook would have and its action: PullRequestEvent, opened → pull_request.opened."""
    name = _HUMP.sub("_", word.removesuffix("Event")).lower()
    action = payload.get("action")
    return f"{name}.{action}" if isinstance(action, str) and action else name


def _described(event: Fields) -> dict[str, Any]:
    repository = event.inner("repo")
    path = repository.need("name")
    owner = owner_of(path, "repo.name")
    organisation = at(event.value, "org.login")
    ours = isinstance(organisation, str) and organisation.lower() == owner.lower()
    data: dict[str, Any] = {
        "repository": numbered(GITHUB, repository.value.get("id"), "repo.id"),
        "name": path,
        "owner": f"{GITHUB}/{owner}",
        "owner_kind": "organisation" if ours else "unknown",
    }
    if event.value.get("public") is True:
        data["private"] = False
    actor = event.inner("actor").text("login")
    return {**data, "actor": login(GITHUB, actor)} if actor else data


def _made(kind: str, payload: dict[str, Any], data: dict[str, Any]) -> list[Made]:
    """Read a push by its own counts; `create` is the repository's own creation where it says so."""
    if kind == "push":
        fields = Fields(payload, "payload")
        return [("pushed", pushed(payload.get("ref"), fields.objects("commits"), GITHUB, fields.count("size")))]
    if kind == "create" and payload.get("ref_type") == "repository":
        return [("created", {})]
    return made(kind, payload, data, GITHUB)
