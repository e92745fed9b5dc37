"""The source `github`: lines `{"event", "delivery"?, "received"?, "payload"}`, each one delivery of a GitHub webhook. Pure.

What is done to a repository gets the type of its act (`github_acts`); every other act is kept as `repository.observed`;
what concerns no repository is refused, saying so. Names of fields are those of GitHub's webhook payloads. Unknown keys
are ignored, as GitHub adds some at any time. The repository's id carries its host, so servers of one's own don't mix.
"""

from __future__ import annotations

from typing import Any, Final

from engine.intake.deliveries import Act, Deliveries, Delivery, elsewhere, word
from engine.intake.github_acts import made, membership
from engine.intake.github_repository import GITHUB, described
from engine.intake.github_times import act_time
from engine.intake.hosting import host_of, login

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


class GitHub(Deliveries):
    """GitHub's webhook deliveries, one a line."""

    name = "github"
    what = "a GitHub delivery"
    header = "the X-GitHub-Event header's word, such as push"
    do = "Send the delivery as GitHub sent it."

    def act(self, delivery: Delivery) -> Act:
        """Say what a delivery is; `Refusal` where it says too little or is about no repository."""
        event, payload = delivery.event, delivery.payload
        action = word(payload.get("action"), "payload.action", self.do)
        kind = f"{event}.{action}" if action else event
        data, acts = self._said(event, kind, delivery)
        host = data["repository"].partition("#")[0].partition("/")[0]
        sender = payload.get("sender")
        if isinstance(sender, dict) and isinstance(sender.get("login"), str) and sender["login"]:
            data["actor"] = login(host, sender["login"])
        time = act_time(kind, payload) if delivery.received is None else delivery.received
        return Act(host, time, data, acts)

    def _said(self, event: str, kind: str, delivery: Delivery) -> tuple[dict[str, Any], list[Any]]:
        payload, repository = delivery.payload, delivery.payload.get("repository")
        if repository is None:
            member = membership(kind, payload, delivery.host or GITHUB)
            if member is not None:
                return member
            do = f"Leave {event[:40]} out of the webhook's events to be rid of these lines."
            raise elsewhere(kind, _ELSEWHERE.get(event, "no one repository"), do)
        url = repository.get("html_url") if isinstance(repository, dict) else None
        host = delivery.host or host_of(url) or GITHUB
        data = described(repository, "payload.repository", host, self.do)
        return data, made(kind, payload, data, host)
