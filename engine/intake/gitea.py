"""The source `gitea`: deliveries of Gitea's webhooks, `{"event", "delivery"?, "received"?, "payload"}` a line, or bare. Pure.

Gitea's payloads follow GitHub's, so acts become events as GitHub's do; what differs is here: how a bare payload shows
its kind (its header is gone), which of its times are of the act, and that the host stands in the repository's address.
A push, a branch and a deletion carry no time of their own (`repository.updated_at` is of the act before), so those need
`received`. Gitea reports no change of visibility and no transfer.
"""

from __future__ import annotations

from typing import Any, Final

from engine.domain.errors import Refusal
from engine.intake.deliveries import Act, Deliveries, Delivery, at, elsewhere, said_time, word
from engine.intake.github_acts import made
from engine.intake.github_repository import described
from engine.intake.hosting import NAME_MAX, Made, host_of, login

_SHAPES: Final = (
    ("package", "package"),
    ("release", "release"),
    ("forkee", "fork"),
    ("pull_request", "pull_request"),
    ("comment", "issue_comment"),
    ("issue", "issues"),
    ("before", "push"),
    ("pusher_type", "delete"),
    ("ref_type", "create"),
    ("page", "wiki"),
    ("workflow_job", "workflow_job"),
    ("workflow_run", "workflow_run"),
    ("organization", "repository"),
)
"""What a payload holds, in this order, and the kind it shows."""
_TIMES: Final[dict[str, tuple[str, ...]]] = {
    "fork": ("forkee.created_at",),
    "issue_comment": ("comment.updated_at",),
    "issue_comment.created": ("comment.created_at",),
    "issues": ("issue.updated_at",),
    "issues.closed": ("issue.closed_at", "issue.updated_at"),
    "issues.opened": ("issue.created_at",),
    "package.created": ("package.created_at",),
    "pull_request": ("pull_request.updated_at",),
    "pull_request.closed": ("pull_request.merged_at", "pull_request.closed_at", "pull_request.updated_at"),
    "pull_request.opened": ("pull_request.created_at",),
    "release.published": ("release.published_at",),
    "repository.created": ("repository.created_at",),
}
_GONE: Final = frozenset({"deleted", "synchronized"})
"""Acts that leave the object's own times as they were before."""
_HOST: Final = "Give the server's name as the line's `host`, such as git.example.com."


class Gitea(Deliveries):
    """Gitea's webhook deliveries."""

    name = "gitea"
    what = "a Gitea delivery"
    header = "the X-Gitea-Event header's word, such as push (the payload alone doesn't show it)"
    do = "Send the delivery as Gitea sent it."

    def bare(self, payload: dict[str, Any]) -> str | None:
        """Tell a payload's kind from what it holds."""
        return next((event for key, event in _SHAPES if payload.get(key) not in (None, "")), None)

    def act(self, delivery: Delivery) -> Act:
        """Say what a delivery is; `Refusal` where it says too little or is about no repository."""
        payload = delivery.payload
        action = word(payload.get("action"), "payload.action", self.do)
        kind = f"{delivery.event}.{action}" if action else delivery.event
        repository = payload.get("repository") or at(payload, "package.repository")
        if repository is None:
            do = "Link the package to its repository, or leave such deliveries out of the webhook."
            raise elsewhere(kind, "a package of no repository" if "package" in payload else "no one repository", do)
        host = delivery.host or host_of(at(repository, "html_url"))
        if not host:
            msg = "payload.repository.html_url: missing; a repository's number counts on its own server only."
            raise Refusal(msg, _HOST, code="no-host", field="payload.repository.html_url")
        data = described(repository, "payload.repository", host, self.do)
        sender = at(payload, "sender.login") or at(payload, "sender.username") or at(payload, "pusher.login")
        if isinstance(sender, str) and sender:
            data["actor"] = login(host, sender)
        time = delivery.received if delivery.received is not None else said_time(payload, _times(kind), kind)
        return Act(host, time, data, [_package(payload)] if kind == "package.created" else made(kind, payload, data, host))


def _times(kind: str) -> tuple[str, ...]:
    event, _, action = kind.partition(".")
    return _TIMES.get(kind, ()) or (() if action in _GONE else _TIMES.get(event, ()))


def _package(payload: dict[str, Any]) -> Made:
    """Name what was published as its registry does: kind, name and version."""
    name, version = at(payload, "package.name"), at(payload, "package.version")
    kind = at(payload, "package.type")
    return "artifact_published", {"artifact": f"{name or 'unknown'}@{version or 'unknown'}"[:NAME_MAX], "registry": kind or None}
