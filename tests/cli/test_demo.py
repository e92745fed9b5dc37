"""`covenant demo`: the example company, told story by story; every story must end as it must."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.cli import demo
from engine.console import serving
from engine.domain import codec
from examples import company
from tests.cli.conftest import Run, document, story

STORE = "sqlite:///.covenant/demo/covenant.db"


@pytest.mark.timeout(600)
def test_the_demo_finds_what_its_stories_say_and_nothing_else(covenant: Run, folder: Path) -> None:
    """In a store of its own, made anew; the findings carry their words, and the next commands are named."""
    (folder / ".covenant" / "demo").mkdir()
    (folder / ".covenant" / "demo" / "covenant.db").write_text("left over")
    result = covenant("--format", "json", "demo")
    assert result.exit_code == 0, result.stdout[-2000:]
    found = document(result)
    assert (found["missing"], found["extra"]) == ([], [])
    summary = found["summary"]
    assert summary["read"] == company.EVENTS == summary["accepted"] + summary["duplicates"] + summary["refused"]
    listed = [one for told in found["stories"] for one in told["findings"]]
    assert len(listed) == sum(summary["violations"].values()) == sum(len(told.findings) for told in company.expected())
    assert all(one["sentence"] and one["clause"] and one["severity"] for one in listed)
    assert found["console"] == f"covenant --store {STORE} serve"
    explained = covenant("--store", STORE, "--format", "json", "explain", listed[0]["id"])
    assert (explained.exit_code, document(explained)["same"]) == (0, True)
    text = "\n".join(demo.stories_in_words(found))
    for told in company.expected():
        assert told.title in text
    assert "Every story ends as it must" in text


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> company.Story:
    """A company of seven events and one story about them."""
    told = company.Story("leaver", "A leaver", "Uses on.", (company.Finding("FU-007", "p-1", "person/p-1", ("c", "2026-02"), 2),))
    monkeypatch.setattr(company, "lines", lambda: (codec.write_event(one) for one in story()))
    monkeypatch.setattr(company, "expected", lambda: (told,))
    monkeypatch.setattr(company, "EVENTS", 7)
    return told


def test_with_serve_the_console_is_opened_on_the_demos_store(
    covenant: Run, folder: Path, small: company.Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the findings were told."""
    served: list[Any] = []
    monkeypatch.setenv("COVENANT_PORT", "0")
    monkeypatch.setattr(serving, "serve", lambda app, bound: served.append((app, bound.close())))
    result = covenant("demo", "--serve")
    assert result.exit_code == 0, result.stderr
    assert len(served) == 1
    assert "A leaver" in result.stdout
    assert "console is at" in result.stderr
    assert (folder / ".covenant" / "demo" / "covenant.db").exists()


@pytest.mark.parametrize("wrong", [{"rule": "FU-008"}, {"count": 3}, {"holder": "p-2"}])
def test_a_story_that_ends_otherwise_is_told_with_exit_code_1(
    covenant: Run, small: company.Story, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    """What is missing and what is in no story, both."""
    told = replace(small, findings=(replace(small.findings[0], **wrong),))
    monkeypatch.setattr(company, "expected", lambda: (told,))
    result = covenant("demo")
    assert result.exit_code == 1
    assert "MISSING: " in result.stdout
    assert ("EXTRA: FU-007" in result.stdout) == ("count" not in wrong)
    assert "Every story" not in result.stdout


def test_a_store_that_is_named_is_used(covenant: Run, folder: Path, small: company.Story) -> None:
    """And the demo's own isn't made."""
    assert covenant("--store", "sqlite:///mine.db", "demo", "--quiet").exit_code == 0
    assert (folder / "mine.db").exists()
    assert not (folder / ".covenant" / "demo").exists()
