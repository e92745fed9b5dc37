"""The source `github`: lines `{"event", "delivery"?, "received"?, "payload"}`, each one delivery of a GitHub webhook. Pure.

Acts on a repository that rules judge get types of their own; every other act is kept as `repository.observed`; what
concerns no one repository is refused, saying so. Names of fields are those of GitHub's webhook payloads. Unknown keys
are ignored, as GitHub adds some at any time. The repository's id carries its host, so servers of one's own don't mix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, NoReturn

from engine.domain.errors import Refusal
from engine.domain.wording import cut, shown
from engine.intake.arrivals import Arrival
from engine.intake.contract import Options, admitted, of_organisation, refused
from engine.intake.github_times import act_time
from engine.intake.identical import Identities
from engine.intake.json_text import parse
from engine.intake.reading import lines
from engine.intake.trailers import declared

_WORD: Final = re.compile(r"[a-z][a-z0-9_-]{0,99}")
_HOST: Final = re.compile(r"https://([A-Za-z0-9.-]{1,200}(?::[0-9]{1,5})?)/")
_GITHUB: Final = "github.com"
_KINDS: Final = {"User": "user", "Organization": "organisation"}
_ELSEWHERE: Final = {
    "github_app_authorization": "a person's consent to an App",
    "installation": "where a GitHub App is installed",
    "installation_repositories": "where a GitHub App is installed",
    "membership": "who belongs to a team",
    "organization": "an organisation and its members",
    "org_block": "whom an organisation blocks",
    "ping": "a webhook of an organisation",
    "sponsorship": "who sponsors whom",
    "team": "a team",
}
"""What deliveries without a repository are about."""


class GitHub:
    """GitHub's webhook deliveries, one a line."""

    name = "github"

    def arrivals(self, stream: BinaryIO, where: str, options: Options) -> Iterator[Arrival]:
        """Read a whole stream, line by line."""
        identities = Identities()
        for line in lines(stream):
            at = f"{where}:{line.number}"
            if line.refusal is not None:
                yield refused(line.refusal, line.text, at)
                continue
            try:
                event = admitted(cloudevent(parse(line.text), identities, options), options)
            except Refusal as refusal:
                yield refused(refusal, line.text, at)
            else:
                yield Arrival(event, None, b"", at)


def cloudevent(row: Any, identities: Identities, options: Options) -> dict[str, Any]:
    """Turn one delivery into a CloudEvents object; `Refusal` where it is none or says too little."""
    if not isinstance(row, dict):
        msg = f"Expected an object with event and payload, got {shown(row)}."
        raise Refusal(msg, 'Send lines such as {"event": "push", "delivery": "…", "payload": {…}}.', code="not-an-object")
    event, payload = row.get("event"), row.get("payload")
    if not isinstance(event, str) or not _WORD.fullmatch(event):
        _wrong("event", "the X-GitHub-Event header's word, such as push", event)
    if not isinstance(payload, dict):
        _wrong("payload", "the delivery's body, an object", payload)
    action = payload.get("action")
    if action is not None and (not isinstance(action, str) or not _WORD.fullmatch(action)):
        _wrong("payload.action", "a word such as opened", action)
    kind = f"{event}.{action}" if action else event
    name, data = _data(event, kind, payload)
    host = data["repository"].partition("#")[0]
    return {
        "organisation": of_organisation(options, "a GitHub delivery"),
        "source": host,
        "id": _identity(row, identities),
        "type": f"compute.repository.{name}.v1",
        "time": act_time(kind, payload) if row.get("received") is None else row["received"],
        "data": data,
    }


def _identity(row: dict[str, Any], identities: Identities) -> str:
    delivery = row.get("delivery")
    if delivery is None:
        return identities.of({key: row.get(key) for key in ("event", "received", "payload")})
    if not isinstance(delivery, str) or not delivery:
        _wrong("delivery", "the X-GitHub-Delivery header's GUID", delivery)
    return delivery


def _data(event: str, kind: str, payload: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    repository = payload.get("repository")
    if repository is None:
        about = _ELSEWHERE.get(event, "no one repository")
        msg = f"payload.repository: missing; {cut(kind)} is about {about}, and Covenant takes in acts on one repository."
        do = f"Leave {cut(event)} out of the webhook's events to be rid of these lines."
        raise Refusal(msg, do, code="no-repository", field="payload.repository")
    host = _host(repository)
    data = _base(repository, payload, host)
    make = _ACTS.get(kind)
    if make is None:
        return "observed", {**data, "kind": kind}
    name, extra = make(payload, data, host)
    return name, {**data, **extra}


def _base(repository: Any, payload: dict[str, Any], host: str) -> dict[str, Any]:
    data: dict[str, Any] = {"repository": _id(repository, "payload.repository", host), "name": _full_name(repository)}
    data["owner"], data["owner_kind"] = _owner(repository.get("owner"), "payload.repository.owner", host)
    if isinstance(repository.get("private"), bool):
        data["private"] = repository["private"]
    sender = payload.get("sender")
    if isinstance(sender, dict) and isinstance(sender.get("login"), str) and sender["login"]:
        data["actor"] = {"kind": "login", "value": f"{host}/{sender['login']}"}
    return data


def _host(repository: Any) -> str:
    url = repository.get("html_url") if isinstance(repository, dict) else None
    match = _HOST.match(url) if isinstance(url, str) else None
    return match[1].lower() if match else _GITHUB


def _id(repository: Any, field: str, host: str) -> str:
    number = repository.get("id") if isinstance(repository, dict) else None
    if not isinstance(number, int) or isinstance(number, bool):
        _wrong(f"{field}.id", "the repository's numeric id", number)
    return f"{host}#{number}"


def _full_name(repository: dict[str, Any]) -> str:
    name = repository.get("full_name") or repository.get("name")
    if not isinstance(name, str) or not name:
        _wrong("payload.repository.full_name", "the repository's name, such as octo-org/octo-repo", name)
    return name


def _owner(owner: Any, field: str, host: str) -> tuple[str, str]:
    """Give who owns it and what they are; old pushes call the login `name`."""
    login = (owner.get("login") or owner.get("name")) if isinstance(owner, dict) else None
    if not isinstance(login, str) or not login:
        _wrong(f"{field}.login", "the owner's login", login)
    kind = owner.get("type")
    return f"{host}/{login}", _KINDS.get(kind, "unknown") if isinstance(kind, str) else "unknown"


def _wrong(field: str, wanted: str, got: Any) -> NoReturn:
    msg = f"{field}: expected {wanted}, got {shown(got)}."
    code = "missing" if got is None else "invalid"
    raise Refusal(msg, "Send the delivery as GitHub sent it.", code=code, field=field)


Made = tuple[str, dict[str, Any]]


def _pushed(payload: dict[str, Any], _data: dict[str, Any], host: str) -> Made:
    commits = [] if payload.get("commits") is None else payload["commits"]
    if not isinstance(commits, list) or not all(isinstance(commit, dict) for commit in commits):
        _wrong("payload.commits", "a list of commits", commits)
    messages = [commit["message"] for commit in commits if isinstance(commit.get("message"), str)]
    found = declared(messages)
    extra = {
        "ref": payload.get("ref"),
        "commits": len(commits),
        "authors": _people(commits, "author", host),
        "committers": _people(commits, "committer", host),
        "signed_off": found.signed_off,
        "ai_coauthored": found.ai_coauthored,
        "session": found.session or None,
        "job_id": found.job_id or None,
        "artifacts": found.artifacts,
    }
    return "pushed", extra


def _people(commits: list[dict[str, Any]], role: str, host: str) -> list[str]:
    """Give each author's or committer's address once, else their login; as Git records them, cut to a name's length."""
    found: dict[str, None] = {}
    for commit in commits:
        person = commit.get(role)
        if not isinstance(person, dict):
            continue
        address, login = person.get("email"), person.get("username")
        if isinstance(address, str) and address:
            found[address[:256]] = None
        elif isinstance(login, str) and login:
            found[f"{host}/{login}"[:256]] = None
    return list(found)


def _forked(payload: dict[str, Any], _data: dict[str, Any], host: str) -> Made:
    copy = payload.get("forkee")
    to_repository = _id(copy, "payload.forkee", host)
    owner, kind = _owner(payload["forkee"].get("owner"), "payload.forkee.owner", host)
    return "forked", {"to_owner": owner, "to_owner_kind": kind, "to_repository": to_repository}


def _created(_payload: dict[str, Any], _data: dict[str, Any], _host: str) -> Made:
    return "created", {}


def _publicized(_payload: dict[str, Any], _data: dict[str, Any], _host: str) -> Made:
    """What is made public wasn't; `private` is of the moment before the act."""
    return "visibility_changed", {"to": "public", "private": True}


def _privatized(payload: dict[str, Any], _data: dict[str, Any], _host: str) -> Made:
    internal = payload["repository"].get("visibility") == "internal"
    return "visibility_changed", {"to": "internal" if internal else "private", "private": False}


def _transferred(payload: dict[str, Any], data: dict[str, Any], host: str) -> Made:
    """The payload's repository is as it is after the act, so its owner is the new one."""
    before: Any = payload
    for step in ("changes", "owner", "from"):
        before = before.get(step) if isinstance(before, dict) else None
    before = before if isinstance(before, dict) else {}
    organisation, user = before.get("organization"), before.get("user")
    owner, kind = _owner(organisation or user, "payload.changes.owner.from", host)
    if kind == "unknown":
        kind = "organisation" if organisation else "user"
    return "transferred", {"owner": owner, "owner_kind": kind, "to_owner": data["owner"], "to_owner_kind": data["owner_kind"]}


_ACTS: Final[dict[str, Callable[[dict[str, Any], dict[str, Any], str], Made]]] = {
    "fork": _forked,
    "public": _publicized,
    "push": _pushed,
    "repository.created": _created,
    "repository.privatized": _privatized,
    "repository.publicized": _publicized,
    "repository.transferred": _transferred,
}
"""The acts that rules judge, and how each becomes its event; all others are observed."""
