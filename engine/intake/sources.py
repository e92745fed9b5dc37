"""The register of sources: a name to something that reads a stream. Adding a source is one file and one line here.

Only `open_source` of a mapping touches the disk, to read the mapping itself; sources are pure.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.domain.errors import UsageError
from engine.domain.wording import cut, nearest
from engine.intake.anthropic import Anthropic
from engine.intake.arrivals import Arrival
from engine.intake.bitbucket import Bitbucket
from engine.intake.cloudevents import CloudEvents
from engine.intake.contract import SKEW_US, Options, Source
from engine.intake.copilot import Copilot
from engine.intake.focus import Focus
from engine.intake.forgejo import Forgejo
from engine.intake.gharchive import GHArchive
from engine.intake.git_history import GitHistory
from engine.intake.gitea import Gitea
from engine.intake.github import GitHub
from engine.intake.github_audit import GitHubAudit
from engine.intake.gitlab import GitLab
from engine.intake.litellm import LiteLLM
from engine.intake.mapping import Mapped
from engine.intake.ocf import Ocf
from engine.intake.openai import OpenAI
from engine.intake.openmeter import OpenMeter
from engine.intake.otel import OTel
from engine.intake.sacct import Sacct
from engine.intake.slurm import Slurm

_MAP: Final = "map:"
_SOURCES: Final[dict[str, Callable[[], Source]]] = {
    CloudEvents.name: CloudEvents,
    GitHub.name: GitHub,
    GHArchive.name: GHArchive,
    GitHubAudit.name: GitHubAudit,
    GitLab.name: GitLab,
    Gitea.name: Gitea,
    Forgejo.name: Forgejo,
    Bitbucket.name: Bitbucket,
    GitHistory.name: GitHistory,
    LiteLLM.name: LiteLLM,
    OTel.name: OTel,
    OpenMeter.name: OpenMeter,
    OpenAI.name: OpenAI,
    Anthropic.name: Anthropic,
    Slurm.name: Slurm,
    Sacct.name: Sacct,
    Focus.name: Focus,
    Ocf.name: Ocf,
    Copilot.name: Copilot,
}


def source_names() -> tuple[str, ...]:
    """Give the names of all sources, and the form of a declared one."""
    return (*_SOURCES, "map:FILE.yaml")


def open_source(name: str) -> Source:
    """Give the source of a name; `UsageError` where there is none or its mapping is wrong or can't be read."""
    if name.startswith(_MAP):
        return _mapped(Path(name.removeprefix(_MAP)))
    make = _SOURCES.get(name)
    if make is not None:
        return make()
    like = nearest(name, _SOURCES)
    hint = f"Did you mean {like[0]}?" if like else f"Use one of {', '.join(source_names())}."
    msg = f"There is no source called {cut(name)!r}."
    raise UsageError(msg, hint)


def _mapped(path: Path) -> Source:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
        msg = f"The mapping {path} can't be read: {why[:1].lower() + why[1:]}."
        raise UsageError(msg, "Give a file as in --from map:examples/mappings/philly.yaml.") from error
    return Mapped(text, path.name)


__all__ = ["SKEW_US", "Arrival", "Options", "Source", "open_source", "source_names"]
