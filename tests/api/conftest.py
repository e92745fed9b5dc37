"""The API is served beside the console: its tests ask the same running program."""

from __future__ import annotations

from tests.console.conftest import findings, site, told

__all__ = ["findings", "site", "told"]
