"""`covenant demo`: the example company, told story by story; every story must end as it must."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.cli.demo import tell
from engine.store.lookups import Lookups
from engine.store.opening import open_store
from examples import company
from tests.cli.conftest import Run, document


@pytest.mark.timeout(600)
def test_the_demo_finds_what_its_stories_say_and_nothing_else(covenant: Run, folder: Path) -> None:
    """In a store of its own, made anew; the findings carry their words, and the console's command is named."""
    (folder / ".covenant" / "demo").mkdir()
    (folder / ".covenant" / "demo" / "covenant.db").write_text("left over")
    result = covenant("--format", "json", "demo")
    assert result.exit_code == 0, result.stdout[-2000:]
    found = document(result)
    assert (found["missing"], found["extra"]) == ([], [])
    summary = found["summary"]
    assert summary["read"] == company.EVENTS == summary["accepted"] + summary["duplicates"] + summary["refused"]
    findings = [one for story in found["stories"] for one in story["findings"]]
    assert len(findings) == sum(summary["violations"].values()) == sum(len(story.findings) for story in company.expected())
    assert all(one["sentence"] and one["clause"] and one["severity"] for one in findings)
    store = "sqlite:///.covenant/demo/covenant.db"
    assert found["console"] == f"covenant --store {store} serve"
    explained = covenant("--store", store, "--format", "json", "explain", findings[0]["id"])
    assert (explained.exit_code, document(explained)["same"]) == (0, True)
    again = covenant("--store", store, "demo")
    assert again.exit_code == 0
    for story in company.expected():
        assert story.title in again.stdout
    assert "Every story ends as it must" in again.stdout
    _missing_and_extra_are_told(folder / ".covenant" / "demo" / "covenant.db")


def _missing_and_extra_are_told(file: Path) -> None:
    """A story that expects more, and a finding that no story expects, both come out."""
    stories = list(company.expected())
    guilty = next(index for index, story in enumerate(stories) if story.findings)
    wanted = stories[guilty].findings[0]
    stories[guilty] = _with_other_rule(stories[guilty])
    store = open_store(f"sqlite:///{file}")
    try:
        told: dict[str, Any] = tell(Lookups(store), stories)
    finally:
        store.close()
    assert [one["rule"] for one in told["missing"]] == ["FU-999"]
    assert [one["rule"] for one in told["extra"]] == [wanted.rule]
    assert json.dumps(told)


def _with_other_rule(story: company.Story) -> company.Story:
    first, *rest = story.findings
    return replace(story, findings=(replace(first, rule="FU-999"), *rest))
