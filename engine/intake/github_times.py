"""When GitHub says an act happened: which of a payload's times is the server's own for the act of its kind. Pure.

A delivery has no time of its own, so the payload's object tells: created for what creates, closed for what closes,
updated for what changes. Some acts leave none, deletions above all: what is gone was last updated before. Those need
the line's `received`. Dates of commits are their authors' word and never used; `release.created_at` is one of them.
"""

from __future__ import annotations

from typing import Any, Final

from engine.domain.errors import Refusal
from engine.domain.values import LIMIT, SECOND_US, instant, instant_text
from engine.domain.wording import shown

_PATHS: Final[dict[str, str]] = {
    "branch_protection_rule": "rule.updated_at",
    "branch_protection_rule.created": "rule.created_at",
    "check_run": "check_run.started_at",
    "check_run.completed": "check_run.completed_at",
    "check_suite": "check_suite.updated_at",
    "code_scanning_alert": "alert.updated_at",
    "code_scanning_alert.closed_by_user": "alert.dismissed_at",
    "code_scanning_alert.created": "alert.created_at",
    "code_scanning_alert.fixed": "alert.fixed_at",
    "commit_comment": "comment.created_at",
    "create": "repository.pushed_at",
    "delete": "repository.pushed_at",
    "dependabot_alert": "alert.updated_at",
    "dependabot_alert.created": "alert.created_at",
    "deploy_key.created": "key.created_at",
    "deployment": "deployment.created_at",
    "deployment_status": "deployment_status.created_at",
    "discussion": "discussion.updated_at",
    "discussion.created": "discussion.created_at",
    "discussion_comment": "discussion.updated_at",
    "discussion_comment.created": "comment.created_at",
    "fork": "forkee.created_at",
    "issue_comment": "comment.updated_at",
    "issue_comment.created": "comment.created_at",
    "issue_comment.deleted": "issue.updated_at",
    "issues": "issue.updated_at",
    "issues.closed": "issue.closed_at",
    "issues.opened": "issue.created_at",
    "milestone": "milestone.updated_at",
    "milestone.closed": "milestone.closed_at",
    "milestone.created": "milestone.created_at",
    "package": "package.updated_at",
    "page_build": "build.updated_at",
    "ping": "hook.updated_at",
    "project": "project.updated_at",
    "project_card": "project_card.updated_at",
    "project_column": "project_column.updated_at",
    "public": "repository.updated_at",
    "pull_request": "pull_request.updated_at",
    "pull_request.closed": "pull_request.closed_at",
    "pull_request.opened": "pull_request.created_at",
    "pull_request_review": "pull_request.updated_at",
    "pull_request_review.submitted": "review.submitted_at",
    "pull_request_review_comment": "comment.updated_at",
    "pull_request_review_comment.created": "comment.created_at",
    "pull_request_review_comment.deleted": "pull_request.updated_at",
    "pull_request_review_thread": "pull_request.updated_at",
    "push": "repository.pushed_at",
    "registry_package": "registry_package.updated_at",
    "release": "release.updated_at",
    "release.created": "release.published_at",
    "release.prereleased": "release.published_at",
    "release.published": "release.published_at",
    "release.released": "release.published_at",
    "repository": "repository.updated_at",
    "repository.created": "repository.created_at",
    "secret_scanning_alert": "alert.updated_at",
    "secret_scanning_alert.created": "alert.created_at",
    "star.created": "starred_at",
    "status": "updated_at",
    "workflow_job": "workflow_job.created_at",
    "workflow_job.completed": "workflow_job.completed_at",
    "workflow_job.in_progress": "workflow_job.started_at",
    "workflow_run": "workflow_run.updated_at",
    "workflow_run.requested": "workflow_run.run_started_at",
}
_GONE: Final = frozenset({"deleted", "unpublished"})
"""Acts after which the object's own times are those before; only what held it can tell, where the table names it."""
_DO: Final = "Give the time at which the delivery was received, as the line's `received`."


def act_time(kind: str, payload: dict[str, Any]) -> str:
    """Give the act's time as RFC 3339; `kind` is the event and its action, as in issues.opened."""
    event, _, action = kind.partition(".")
    path = _PATHS.get(kind) or (None if action in _GONE else _PATHS.get(event))
    if path is None:
        msg = f"received: missing, and a delivery of {kind} says nowhere when GitHub acted."
        raise Refusal(msg, _DO, code="no-time", field="received")
    value: Any = payload
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    field = f"payload.{path}"
    if value is None:
        msg = f"received: missing, and {field}, which would say when GitHub acted, is missing too."
        raise Refusal(msg, _DO, code="no-time", field=field)
    return _text(value, field)


def _text(value: Any, field: str) -> str:
    """Take RFC 3339 or, as in pushes, seconds since 1970."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LIMIT // SECOND_US:
        return instant_text(value * SECOND_US)
    try:
        instant(value)
    except Refusal as error:
        msg = f"{field}: expected an RFC 3339 time or seconds since 1970, got {shown(value)}."
        raise Refusal(msg, _DO, code="invalid-time", field=field) from error
    return str(value)
