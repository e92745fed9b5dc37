"""The console as people reach it: `covenant serve` as a program of its own over a store, asked over loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.services.parts import ROOT


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Site:
    """A running console."""

    def __init__(self, address: str) -> None:
        """Take its address, which ends in a slash."""
        self.address = address

    def url(self, path: str) -> str:
        """Give the whole address of a path."""
        return self.address.rstrip("/") + path

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Ask for a path, following nothing."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url(path), method=method, headers=named)
        opener = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as answer:
                return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
        except urllib.error.HTTPError as answer:
            with answer:
                return Answer(answer.code, {k.lower(): v for k, v in answer.headers.items()}, answer.read())


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow no redirection."""


@contextmanager
def running(store_url: str) -> Iterator[Site]:
    """Run `covenant serve` over a store until the end of the block."""
    command = [sys.executable, "-m", "engine.cli.main", "--store", store_url, "serve", "--port", "0"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COVENANT_")}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=ROOT, env=clean, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        assert "http://127.0.0.1:" in line, line + process.stderr.read()
        yield Site(next(word for word in line.split() if word.startswith("http://")))
    finally:
        process.terminate()
        process.wait(60)
        process.stderr.close()
