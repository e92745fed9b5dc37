"""When GitHub says an act happened: which of a payload's times is the server's own for the act of its kind. Pure.

A delivery has no time of its own, so the payload's object tells: created for what creates, closed for what closes,
updated for what changes. Some acts leave none, deletions above all: what is gone was last updated before. Those need
the line's `received`. Dates of commits are their authors' word and never used; `release.created_at` is one of them.
"""

from __future__ import annotations

from typing import Any, Final

from engine.intake.deliveries import said_time

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


def act_time(kind: str, payload: dict[str, Any]) -> int:
    """Give the act's time in µs UTC; `kind` is the event and its action, as in issues.opened."""
    event, _, action = kind.partition(".")
    path = _PATHS.get(kind) or (None if action in _GONE else _PATHS.get(event))
    return said_time(payload, () if path is None else (path,), kind)
