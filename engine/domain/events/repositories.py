"""Events of repository activity. Names follow GitHub's webhooks; identity is the host's numeric id where there is one.

`owner` carries its host (`github.com/octo-org`); whether it is ours follows the organisation's settings at the time.
"""

from __future__ import annotations

from typing import Literal

from engine.domain.events.base import Alias, Count, Data, Key, Name, Rank, event, repository_key
from engine.domain.events.usage import Artifacts

OwnerKind = Literal["user", "organisation", "unknown"]


class KnownByName(Data, frozen=True, kw_only=True):
    """Base of what may name a repository by its name alone; by keyword, so that the others' fields keep their places."""

    known_as: Name | None = None
    """The name by which alone the source knew the repository, where Covenant found which one that was."""


class Repository(KnownByName, frozen=True):
    """Base of an act on a repository: which one, whose, how visible, and who acted."""

    repository: Name
    """The host and its numeric id where there is one, `github.com#17273051`; keeps its history through a rename."""
    name: Name
    owner: Name
    owner_kind: OwnerKind = "unknown"
    private: bool | None = None
    """Visibility as the source states it; unknown when it doesn't."""
    actor: Alias | None = None
    """The login that acted (GitHub's `sender`)."""

    def about(self) -> Key:
        """Give the repository."""
        return repository_key(self.repository)


@event("repository.created.v1", Rank.REPOSITORY, "repository-activity")
class RepositoryCreated(Repository, frozen=True):
    """A repository came to be."""


@event("repository.pushed.v1", Rank.REPOSITORY, "repository-activity")
class RepositoryPushed(Repository, frozen=True):
    """Commits were pushed. Authors and committers are evidence; the actor is who pushed."""

    ref: Name = ""
    commits: Count = 0
    authors: tuple[Name, ...] = ()
    committers: tuple[Name, ...] = ()
    coauthors: tuple[Name, ...] = ()
    signed_off: Count = 0
    """Commits with a Signed-off-by trailer."""
    ai_coauthored: Count = 0
    """Commits with a Co-authored-by trailer of an AI tool."""
    session: Name | None = None
    job_id: Name | None = None
    artifacts: Artifacts = ()
    """From the commits' trailers `Compute-Session`, `Compute-Job` and `Artifact-Digest`."""

    @property
    def branch(self) -> str:
        """The branch's bare name."""
        return self.ref.removeprefix("refs/heads/")


@event("repository.forked.v1", Rank.REPOSITORY, "repository-activity")
class RepositoryForked(Repository, frozen=True):
    """A copy was made under another owner."""

    to_owner: Name = ""
    to_owner_kind: OwnerKind = "unknown"
    to_repository: Name | None = None


@event("repository.visibility_changed.v1", Rank.REPOSITORY, "repository-activity")
class RepositoryVisibilityChanged(Repository, frozen=True):
    """A repository became public, private or internal."""

    to: Literal["public", "private", "internal"] = "public"


@event("repository.transferred.v1", Rank.REPOSITORY, "repository-activity")
class RepositoryTransferred(Repository, frozen=True):
    """A repository went to another owner; `owner` is the one before."""

    to_owner: Name = ""
    to_owner_kind: OwnerKind = "unknown"


@event("repository.downloaded.v1", Rank.REPOSITORY, "repository-activity")
class RepositoryDownloaded(Repository, frozen=True):
    """A clone, an archive or another reading access."""

    how: Literal["clone", "archive", "fetch", "other"] = "other"


@event("repository.pull_request.v1", Rank.REPOSITORY, "repository-activity")
class RepositoryPullRequest(Repository, frozen=True):
    """A pull request was opened, merged or closed."""

    number: Count = 0
    action: Name = "opened"
    merged: bool = False
    commits: Count = 0
    head: Name | None = None
    """Owner and branch it comes from."""


@event("repository.released.v1", Rank.REPOSITORY, "repository-activity")
class RepositoryReleased(Repository, frozen=True):
    """A release was published."""

    tag: Name = "unknown"
    prerelease: bool = False


@event("repository.licence_changed.v1", Rank.REPOSITORY, "repository-activity")
class RepositoryLicenceChanged(Repository, frozen=True):
    """The licence changed, by SPDX identifiers; `none` is no licence, `unknown` what the source couldn't tell."""

    before: Name = "unknown"
    after: Name = "unknown"


@event("repository.member_changed.v1", Rank.REPOSITORY, "repository-activity")
class RepositoryMemberChanged(Repository, frozen=True):
    """Somebody was given access, or it was taken away; the actor is who changed it."""

    member: Alias | None = None
    change: Literal["added", "removed", "edited"] = "added"
    permission: Name | None = None


@event("repository.archived.v1", Rank.REPOSITORY, "repository-activity")
class RepositoryArchived(Repository, frozen=True):
    """A repository was made read-only, or writable again."""

    archived: bool = True


@event("repository.deleted.v1", Rank.REPOSITORY, "repository-activity")
class RepositoryDeleted(Repository, frozen=True):
    """A repository was deleted."""


@event("repository.artifact_published.v1", Rank.REPOSITORY, "repository-activity")
class RepositoryArtifactPublished(Repository, frozen=True):
    """A package, image or model was published from a repository."""

    artifact: Name = "unknown"
    """Its digest where there is one, such as sha256:…"""
    registry: Name | None = None


@event("repository.observed.v1", Rank.REPOSITORY, "repository-activity")
class RepositoryObserved(Repository, frozen=True):
    """Any other act a host reports of a repository (`kind`, such as `issues.opened`): kept, judged by no rule yet."""

    kind: Name = "unknown"
    ref: Name | None = None
    """The branch or tag it concerns, as the host writes it, where it concerns one."""
