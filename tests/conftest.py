"""Fixtures every test may use, and what happens where a real part is missing.

Tests marked `needs_kafka`, `needs_postgres`, `needs_opa` or `needs_browser` run
wherever the part can be brought up. Where it can't, they are left out and the
summary says what is missing; with `CI=true` they stay in and fail. Tests marked
`needs_real_data` are collected only where that folder is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.service.real import REAL_DATA
from tests.services import browser as browser_part
from tests.services import kafka, opa, postgres
from tests.services.parts import MissingPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

LEFT_OUT = pytest.StashKey[list[str]]()


def real_data_prepare() -> None:
    """Raise MissingPart unless the folder of real input is there."""
    if not REAL_DATA.is_dir():
        message = "real data: set COVENANT_REAL_DATA to the folder of real input"
        raise MissingPart(message)


PARTS: dict[str, Callable[[], None]] = {
    "needs_kafka": kafka.prepare,
    "needs_postgres": postgres.prepare,
    "needs_opa": opa.prepare,
    "needs_browser": browser_part.prepare,
    "needs_real_data": real_data_prepare,
}
FIXTURES = {
    "kafka_server": "needs_kafka",
    "postgres_server": "needs_postgres",
    "opa_binary": "needs_opa",
    "chromium": "needs_browser",
    "real_data": "needs_real_data",
}


def needs(item: pytest.Item) -> set[str]:
    """The parts a test needs: those it is marked with and those its fixtures bring."""
    marked = {mark.name for mark in item.iter_markers() if mark.name in PARTS}
    return marked | {FIXTURES[name] for name in getattr(item, "fixturenames", ()) if name in FIXTURES}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests whose part can't be brought up, unless this is CI; begin with the files that take longest."""
    in_ci = os.environ.get("CI") == "true"
    needed = {name for item in items for name in needs(item)}
    missing: dict[str, str] = {}
    for name in sorted(needed):
        if in_ci and name != "needs_real_data":
            continue
        try:
            PARTS[name]()
        except MissingPart as error:
            missing[name] = str(error)
    left_out = [item for item in items if needs(item) & missing.keys()]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not needs(item) & missing.keys()]
    long = {item.path for item in items if needs(item) & {"needs_kafka", "needs_real_data"}}
    items.sort(key=lambda item: item.path not in long)  # where two files run at once, none is left to run alone at the end
    config.stash[LEFT_OUT] = lines = [
        f"{sum(name in needs(item) for item in left_out)} tests left out: {reason}" for name, reason in missing.items()
    ]
    if hasattr(config, "workeroutput"):  # one of several processes, whose summary the first one writes
        config.workeroutput["left_out"] = lines


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a process of several left out; all collect the same."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line for each missing part."""
    for line in config.stash.get(LEFT_OUT, []):
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests (`@pytest.mark.anyio`) run on asyncio only."""
    return "asyncio"


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[kafka.KafkaServer]:
    """A running broker, one for the whole run; a test that kills it starts it again."""
    with kafka.KafkaServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    """A running PostgreSQL, one for the whole run; a test that kills it starts it again."""
    with postgres.PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: postgres.PostgresServer) -> Iterator[str]:
    """The SQLAlchemy URL of a fresh, empty database."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(scope="session")
def opa_binary() -> str:
    """The path of the real OPA, built if it isn't there yet."""
    return opa.find()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path."""
    return browser_part.find()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A running headless browser; per module, since Playwright's loop blocks asyncio while it runs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium, args=list(browser_part.LAUNCH_ARGS), chromium_sandbox=False
        )
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page in its own context."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real input."""
    real_data_prepare()
    return REAL_DATA
