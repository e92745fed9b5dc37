"""The real OPA for tests: on PATH, or in `.tools/bin`, or built there by the project's own builder.

How it is built and which version is pinned belongs to `engine.policy.opa_binary`.
"""

from __future__ import annotations

import functools

from engine.domain.errors import DependencyMissing
from engine.policy import opa_binary
from tests.services.parts import ROOT, MissingPart


@functools.cache
def find() -> str:
    """The path of `opa`; raises MissingPart with what to install."""
    try:
        return str(opa_binary.find(root=ROOT))
    except DependencyMissing as error:
        message = f"OPA: {error}"
        raise MissingPart(message) from error


def prepare() -> None:
    """Make sure OPA is here; raises MissingPart with what is missing."""
    find()
