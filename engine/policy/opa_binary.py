"""Where the `opa` program is: given, on PATH, built before, or built once from the Go module registry.

Owns the pinned version. Never downloads a binary: it builds from source with the system's Go, or says what to do.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from engine.domain.errors import DependencyMissing

VERSION: Final = "1.22.2"
MODULE: Final = f"github.com/open-policy-agent/opa@v{VERSION}"
_OLDEST: Final = (1, 0)
_DO: Final = (
    f"Put OPA 1.x on PATH, set COVENANT_OPA to its path, or install Go so that it can be built (go install {MODULE})."
)


def find(given: str = "", *, root: Path | None = None) -> Path:
    """Give the path of a usable `opa`, building it if need be; `DependencyMissing` says how to get one."""
    tools = (root or Path.cwd()) / ".tools" / "bin"
    if given:
        if not os.access(given, os.X_OK):
            msg = f"COVENANT_OPA names {given}, which isn't a program."
            raise DependencyMissing(msg, _DO)
        return _checked(Path(given))
    for candidate in (shutil.which("opa"), str(tools / "opa"), str(_cache() / "opa")):
        if candidate and os.access(candidate, os.X_OK):
            return _checked(Path(candidate))
    return _checked(build(tools if tools.parent.is_dir() else _cache()))


def build(folder: Path) -> Path:
    """Build OPA into a folder; takes minutes, once."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        msg = "OPA isn't on PATH, and there is no Go to build it with."
        raise DependencyMissing(msg, _DO)
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"GOBIN": str(folder.resolve())}
    done = subprocess.run([go, "install", MODULE], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"OPA couldn't be built: {done.stderr.strip()[-300:]}"
        raise DependencyMissing(msg, _DO)
    return folder / "opa"


def version(opa: Path) -> str:
    """Ask the program for its version."""
    done = subprocess.run([str(opa), "version"], capture_output=True, text=True, check=False, timeout=60)
    found = re.search(r"^Version:\s*(\S+)", done.stdout, re.MULTILINE)
    return found[1] if found else ""


def _checked(opa: Path) -> Path:
    said = version(opa)
    if tuple(int(part) for part in re.findall(r"\d+", said)[:2]) < _OLDEST:
        msg = f"{opa} is {'OPA ' + said if said else 'no OPA'}, too old for Rego v1."
        raise DependencyMissing(msg, _DO)
    return opa


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "covenant" / f"opa-{VERSION}"
