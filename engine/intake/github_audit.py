"""The source `github-audit`: records of GitHub's audit log, as its API, its streams and those who forward them give them. Pure.

A record is an object with `action` and `@timestamp` (or `created_at`), one a line or in lists; one within `log`, `event`
or `_source` is taken out of it. Names of fields are those of GitHub's audit log; `repo_id` names the repository, its name
only where there is none, so the two stand for two repositories unless linked. What concerns an organisation's members
counts for all its repositories; anything else about no repository is refused, saying so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from engine.domain.errors import Refusal
from engine.domain.values import LIMIT
from engine.domain.wording import cut
from engine.intake.deliveries import elsewhere, moment
from engine.intake.github_audit_acts import acts, credentials, member_of_organisation
from engine.intake.github_repository import GITHUB
from engine.intake.hosting import login, named, numbered, owner_of
from engine.intake.picking import Fields
from engine.intake.records import Draft, Record, Records

_ACTION: Final = re.compile(r"[a-z][a-z0-9_]{0,80}(?:\.[a-z0-9_-]{1,80})+")
_ENVELOPES: Final = ("log", "event", "_source")
"""Where collectors put the record (Panther, Splunk, Elastic)."""
_TIMES: Final = ("@timestamp", "at_sign_timestamp", "created_at", "p_event_time")
"""GitHub's time of the act, under the names it has in its API and in the stores of those who collect it."""
_SPACED: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9:]{8})(\.[0-9]{1,6})?[0-9]{0,3}")
_MILLIS_US: Final = 1000
_DO: Final = "Send the record with its @timestamp, as GitHub gave it."
_SOURCE: Final = f"{GITHUB}/audit"
_ABOUT: Final = {"business": "an enterprise", "org": "an organisation", "team": "a team", "ip_allow_list": "a list of addresses"}
_OTHER: Final = "no one repository"


class GitHubAudit(Records):
    """Records of GitHub's audit log."""

    name = "github-audit"
    what = "an audit record of GitHub"

    def records(self, document: Any) -> Iterable[Record]:
        """Give the record of a line, or those of a page of the API."""
        many = document if isinstance(document, list) else [document]
        return [(f"[{index}]" if many is document else "", _unwrapped(one)) for index, one in enumerate(many)]

    def drafts(self, record: Any) -> Iterable[Draft]:
        """Give a record's events: the act, and what it says of a key."""
        fields = Fields(record)
        action = _action(fields)
        time = _time(fields)
        found = [*_acts(action, fields), *(("credential", verb, data) for verb, data in credentials(action, fields))]
        if not found:
            about = _ABOUT.get(action.partition(".")[0], _OTHER)
            do = "Leave such records out, or take them to where your organisation reviews its settings."
            raise elsewhere(action, about, do, "repo")
        known = fields.text("_document_id") or ""
        for index, (entity, verb, data) in enumerate(found):
            yield Draft(f"{entity}.{verb}", _SOURCE, f"{known}/{entity}.{verb}" if known and index else known, time, data)


def _unwrapped(record: Any) -> Any:
    if isinstance(record, dict) and "action" not in record:
        return next((record[key] for key in _ENVELOPES if isinstance(record.get(key), dict)), record)
    return record


def _action(fields: Fields) -> str:
    action = fields.value.get("action")
    if isinstance(action, str) and _ACTION.fullmatch(action):
        return action
    said = f"action {cut(action)}" if isinstance(action, str) else "no action"
    msg = f"action: expected an audit record's action, such as git.clone; this record has {said}."
    webhook = isinstance(fields.value.get("repository"), dict)
    do = "Read deliveries of webhooks with --from github." if webhook else "Send records of GitHub's audit log."
    raise Refusal(msg, do, code="not-an-audit-record", field="action")


def _time(fields: Fields) -> int:
    """Read milliseconds since 1970, RFC 3339, or a lake's text in UTC with up to nanoseconds, which are cut."""
    for key in _TIMES:
        value = fields.value.get(key)
        if value is None:
            continue
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LIMIT // _MILLIS_US:
            return value * _MILLIS_US
        spaced = _SPACED.fullmatch(value) if isinstance(value, str) else None
        return moment(f"{spaced[1]}T{spaced[2]}{spaced[3] or ''}Z" if spaced else value, key, _DO)
    msg = "@timestamp: missing, and created_at too; the record doesn't say when it happened."
    raise Refusal(msg, _DO, code="no-time", field="@timestamp")


def _acts(action: str, fields: Fields) -> list[tuple[str, str, dict[str, Any]]]:
    path = fields.text("repo") or fields.text("repository")
    data = None if path is None else _described(path, fields)
    said = member_of_organisation(action, fields) if data is None else None
    actor = fields.text("actor")
    who = {"actor": login(GITHUB, actor)} if actor else {}
    if said is not None:
        return [("repository", "member_changed", {**said, **who})]
    return [] if data is None else [("repository", verb, {**data, **who, **more}) for verb, more in acts(action, fields, data)]


def _described(path: str, fields: Fields) -> dict[str, Any]:
    owner = owner_of(path, "repo")
    number = fields.whole("repo_id") or fields.whole("repository_id")
    data: dict[str, Any] = {
        "repository": named(GITHUB, path) if number is None else numbered(GITHUB, number, "repo_id"),
        "name": path,
        "owner": f"{GITHUB}/{owner}",
        "owner_kind": "organisation" if (fields.text("org") or "").lower() == owner.lower() else "unknown",
    }
    visibility = fields.text("visibility")
    if visibility in {"public", "private", "internal"}:
        return {**data, "private": visibility != "public"}
    public = next((fields.value[key] for key in ("public_repo", "repository_public") if key in fields.value), None)
    return {**data, "private": not public} if isinstance(public, bool) else data
