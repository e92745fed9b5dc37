"""What the repository holds: its tracked files, their texts and syntax trees."""

from __future__ import annotations

import ast
import functools
import subprocess
from pathlib import Path

from tests.services.parts import ROOT


@functools.cache
def tracked() -> tuple[Path, ...]:
    """Every tracked file that is there."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file())


def files(*endings: str) -> list[Path]:
    """Tracked files by how their names end."""
    return [path for path in tracked() if path.name.endswith(endings)]


def name(path: Path) -> str:
    """A path as the repository has it."""
    return path.relative_to(ROOT).as_posix()


@functools.cache
def tree(path: Path) -> ast.Module:
    """A Python file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))
