"""A real browser for the console's tests: Debian's or anyone's Chromium, driven by Playwright.

Never downloads a browser; it uses the one installed on the machine.
"""

from __future__ import annotations

import importlib.util
import shutil

from tests.services.parts import MissingPart

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LAUNCH_ARGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> str:
    """The browser's path; raises MissingPart with what to install."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        message = "browser: install Chromium (on Debian: apt-get install chromium)"
        raise MissingPart(message)
    if importlib.util.find_spec("playwright") is None:
        message = "browser: the Python package playwright isn't installed; `make setup` installs it"
        raise MissingPart(message)
    return path


def prepare() -> None:
    """Make sure a browser could be started here; raises MissingPart with what is missing."""
    find()
