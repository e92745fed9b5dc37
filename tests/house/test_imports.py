"""Imports point one way only; the contracts stand in pyproject.toml."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.parts import ROOT

PLANTED = {
    "engine/domain/values.py": "import engine.store.protocol",
    "engine/intake/arrivals.py": "import engine.policy.params",
    "engine/service/judging.py": "import faust",
    "engine/cli/__init__.py": "import sqlmodel",
    "engine/policy/params.py": "import starlette",
    "engine/domain/order.py": "import socket",
}


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the packages below a folder."""
    program = Path(sys.executable).with_name("lint-imports")
    environment = os.environ | {"PYTHONPATH": str(root)}
    return subprocess.run(
        [program, "--no-cache", "--config", "pyproject.toml"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_import_points_the_way_the_architecture_says() -> None:
    """All contracts are kept."""
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("where", PLANTED)
def test_an_import_that_points_the_wrong_way_is_found(tmp_path: Path, where: str) -> None:
    """Each contract notices a planted import, and names its file."""
    for package in ("engine", "streams"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / where
    path.write_text(path.read_text() + f"\n{PLANTED[where]}  # planted\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 1, done.stdout
    assert where.removesuffix(".py").removesuffix("/__init__").replace("/", ".") in done.stdout
