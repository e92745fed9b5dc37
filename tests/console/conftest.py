"""A store with the story in it, and the console over it; told once for all tests of the console and the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.service.findings import Findings
from engine.store.opening import open_store
from tests.console.site import Site, running
from tests.console.story import tell


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory, opa_binary: str) -> str:
    """The URL of a store that holds the story."""
    url = f"sqlite:///{tmp_path_factory.mktemp('story') / 'covenant.db'}"
    store = open_store(url)
    tell(store, opa_binary)
    store.close()
    return url


@pytest.fixture(scope="session")
def site(told: str) -> Iterator[Site]:
    """The console over the story."""
    with running(told) as found:
        yield found


@pytest.fixture(scope="session")
def findings(told: str) -> Iterator[Findings]:
    """The same findings, asked for directly."""
    store = open_store(told)
    yield Findings(store)
    store.close()


@pytest.fixture
def empty(tmp_path: Path) -> str:
    """The URL of a store with nothing in it."""
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    open_store(url).close()
    return url
