"""The register of sources: a name to something that reads a stream. Adding a source is one file and one line here.

Only `open_source` of a mapping touches the disk, to read the mapping itself; sources are pure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.domain.errors import UsageError
from engine.domain.wording import cut, nearest
from engine.intake.arrivals import Arrival
from engine.intake.cloudevents import CloudEvents
from engine.intake.contract import SKEW_US, Options, Source
from engine.intake.github import GitHub

_SOURCES: Final[dict[str, Callable[[], Source]]] = {
    CloudEvents.name: CloudEvents,
    GitHub.name: GitHub,
}


def source_names() -> tuple[str, ...]:
    """Give the names of all sources, and the form of a declared one."""
    return (*_SOURCES, "map:FILE.yaml")


def open_source(name: str) -> Source:
    """Give the source of a name; `UsageError` where there is none or its mapping is wrong."""
    make = _SOURCES.get(name)
    if make is not None:
        return make()
    like = nearest(name, _SOURCES)
    hint = f"Did you mean {like[0]}?" if like else f"Use one of {', '.join(source_names())}."
    msg = f"There is no source called {cut(name)!r}."
    raise UsageError(msg, hint)


__all__ = ["SKEW_US", "Arrival", "Options", "Source", "open_source", "source_names"]
