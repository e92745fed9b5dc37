"""The real OPA for tests: on PATH, or in `.tools/bin`, or built there by the project's own builder.

How it is built and which version is pinned belongs to `engine.policy.opa_binary`.
"""

from __future__ import annotations

import importlib
import shutil

from tests.services.parts import TOOLS, MissingPart


def find() -> str:
    """The path of `opa`; raises MissingPart with what to install."""
    found = shutil.which("opa", path=str(TOOLS / "bin")) or shutil.which("opa")
    if found:
        return found
    if shutil.which("go") is None:
        message = "OPA: put `opa` on PATH, or install Go so that `make setup` can build it"
        raise MissingPart(message)
    try:
        builder = importlib.import_module("engine.policy.opa_binary")
        return str(builder.find())
    except Exception as error:
        message = f"OPA: it could not be built: {error}"
        raise MissingPart(message) from error


def prepare() -> None:
    """Make sure OPA is here; raises MissingPart with what is missing."""
    find()
