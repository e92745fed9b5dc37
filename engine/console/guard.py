"""The shell around every answer, to people and to programs: whom it answers, what a browser may do with it, its ETag.

Refuses a Host that isn't this machine's loopback (DNS rebinding would let any web page read the console), limits what a
request may carry, and sends headers under which a browser loads nothing from elsewhere. Plain ASGI; knows no page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
LONGEST: Final = 4096
"""Bytes of path and query together."""
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY: Final[Headers] = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]


class Guard:
    """Wraps an application. `hosts` are those it answers to; None answers to any."""

    def __init__(self, app: App, hosts: frozenset[str] | None = LOOPBACK) -> None:
        """Take the application inside."""
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand on what isn't one."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = dict(scope["headers"])
        if self.hosts is not None and host_of(asked.get(b"host", b"").decode("latin-1")) not in self.hosts:
            await _refuse(send, 421, "This server answers only to its own name: open it as http://127.0.0.1, with its port.")
            return
        if len(scope.get("raw_path", b"")) + len(scope.get("query_string", b"")) > LONGEST:
            await _refuse(send, 414, f"The address has more than {LONGEST} characters. Ask for less at once.")
            return
        kept = _Kept()
        try:
            await self.app(scope, receive, kept)
        except Exception:
            if not kept.started:  # else it was answered, and said in the server's own output
                raise
        await kept.answer(asked.get(b"if-none-match", b""), scope["method"], send)


class _Kept:
    """An answer kept until it is whole: pages are small, and an ETag needs all of one."""

    def __init__(self) -> None:
        self.started = False
        self.status = 500
        self.headers: Headers = []
        self.body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started, self.status, self.headers = True, message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    async def answer(self, known: bytes, method: str, send: Send) -> None:
        """Send it on with our headers; 304 without a body where the asker has it already."""
        names = {name.lower() for name, _ in self.headers}
        headers = self.headers + SECURITY
        if b"cache-control" not in names:
            headers.append((b"cache-control", b"private, no-cache"))
        body, status = bytes(self.body), self.status
        if status == 200 and method == "GET":
            tag = etag(body)
            headers.append((b"etag", tag))
            if known.strip() == b"*" or tag in {part.strip().removeprefix(b"W/") for part in known.split(b",")}:
                headers = [(name, value) for name, value in headers if name.lower() not in (b"content-length", b"content-type")]
                body, status = b"", 304
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def etag(body: bytes) -> bytes:
    """Name a body by its content."""
    return b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"'


def host_of(header: str) -> str:
    """Give a Host header's name without the port, in lower case."""
    name, colon, port = header.strip().lower().rpartition(":")
    return name if colon and port.isdecimal() else header.strip().lower()


async def _refuse(send: Send, status: int, sentence: str) -> None:
    kept = _Kept()
    kept.status, kept.headers = status, [(b"content-type", b"text/plain; charset=utf-8")]
    kept.body += sentence.encode() + b"\n"
    await kept.answer(b"", "GET", send)
