"""What ties a push to granted compute: session, job, branch and artefact of usage in the window before it. Pure."""

from __future__ import annotations

import bisect
from typing import Any

import msgspec

from engine.domain.events.derived import ContributionAttributed
from engine.domain.events.usage import Usage
from engine.domain.grants import Grant

MOST = 16
"""How many links an input carries at most: the strongest, then the latest."""


class Trace(msgspec.Struct):
    """A usage that says where it came from."""

    at: int
    usage: str
    grant: str
    ip_terms: str
    session: str
    job: str
    branch: str
    artifacts: tuple[str, ...]


class Links(msgspec.Struct):
    """Usage with traces within the window, in order of time."""

    length: int
    traces: list[Trace] = []

    def note(self, at: int, usage_id: str, data: Usage, grant: Grant | None) -> None:
        """Keep a usage that has anything to compare and was drawn on a grant."""
        if grant is None or not (data.session or data.job_id or data.branch or data.artifacts):
            return
        session, job, branch = data.session or "", data.job_id or "", data.branch or ""
        self.traces.append(Trace(at, usage_id, grant.id, grant.ip_terms, session, job, branch, data.artifacts))
        if self.traces[0].at <= at - 2 * self.length:
            cut = bisect.bisect_right(self.traces, at - self.length, key=lambda trace: trace.at)
            del self.traces[:cut]

    def of(self, at: int, push: ContributionAttributed) -> list[dict[str, Any]]:
        """Give what ties a push to usage in [at − window, at], strongest first."""
        found: list[dict[str, Any]] = []
        session, job, branch, artifacts = push.session, push.job_id, push.branch, frozenset(push.artifacts)
        if not (session or job or branch or artifacts):
            return found
        for trace in self.traces[bisect.bisect_left(self.traces, at - self.length, key=lambda trace: trace.at) :]:
            by = []
            if session and trace.session == session:
                by.append("session")
            if job and trace.job == job:
                by.append("job")
            if branch and trace.branch == branch:
                by.append("branch")
            if artifacts and not artifacts.isdisjoint(trace.artifacts):
                by.append("artifact")
            if by:
                found.append({"usage": trace.usage, "grant": trace.grant, "ip_terms": trace.ip_terms, "at": trace.at, "by": by})
        found.sort(key=lambda link: (-len(link["by"]), -link["at"], link["usage"]))
        return found[:MOST]
