"""Running the console on a socket until it is told to stop. Refuses to listen beyond loopback unless that was asked for."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import closing

import uvicorn

from engine.console.guard import App
from engine.domain.errors import DependencyMissing, UsageError


def is_loopback(host: str) -> bool:
    """Whether an address or a name stands for this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_host(host: str, *, beyond: bool) -> None:
    """Refuse an address others can reach, unless it was asked for."""
    if beyond or is_loopback(host):
        return
    msg = f"{host} can be reached by others, and the console has no sign-in yet: everybody could read the findings."
    raise UsageError(
        msg, "Listen on 127.0.0.1. If something before it signs people in, set COVENANT_BEYOND_LOOPBACK=true to permit it."
    )


def listen(host: str, port: int, *, beyond: bool = False) -> socket.socket:
    """Bind a socket and listen; port 0 takes a free one. `beyond` permits an address that others can reach."""
    check_host(host, beyond=beyond)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host.strip("[]"), port))
        bound.listen(128)  # from now on who comes waits, and isn't turned away, until the first answer
    except OSError as error:
        bound.close()
        msg = f"Port {port} of {host} can't be had: {error.strerror or error}."
        raise DependencyMissing(msg, "Give another with --port, or end what has it.") from error
    return bound


def address(bound: socket.socket) -> str:
    """Give the address to open in a browser."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(app: App, bound: socket.socket) -> None:
    """Answer on a bound socket until interrupted (in the main thread) or for as long as the process lives."""
    with closing(bound):
        config = uvicorn.Config(
            app, log_level="warning", server_header=False, lifespan="off", timeout_graceful_shutdown=5, limit_concurrency=256
        )
        uvicorn.Server(config).run(sockets=[bound])
