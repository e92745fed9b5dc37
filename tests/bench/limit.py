"""The limit: how fast OPA answers the very inputs that a stream gives rise to, with nobody else at work.

Requests are made before the clock starts, and answers are read but not decoded: what is left is OPA itself.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import urllib3

from engine.policy.opa_http import QUERY
from tests.bench.figures import Figure, best

CALLS: Final = (2, 3, 4)
"""Counts of calls in flight that are tried."""


def measure(
    url: str, inputs: Sequence[bytes], events: int, *, name: str = "limit", batch: int = 500, how: str = "as it comes"
) -> Figure:
    """Ask all inputs, `batch` a call; gives the best of several counts of calls in flight under a name."""
    requests = [
        b'{"input":{"batch":[' + b",".join(inputs[start : start + batch]) + b"]}}" for start in range(0, len(inputs), batch)
    ]
    what = f"OPA alone, {how}, the same inputs, {batch} a call, the best of {CALLS} calls in flight"
    runs = [(_seconds(url, requests, in_flight), in_flight) for in_flight in CALLS]
    return best([Figure(name, what, events, len(set(inputs)), took, {"in_flight": in_flight}) for took, in_flight in runs])


def _seconds(url: str, requests: Sequence[bytes], in_flight: int) -> float:
    http = urllib3.PoolManager(maxsize=in_flight, timeout=60.0, retries=False)

    def ask(body: bytes) -> int:
        reply = http.request("POST", url + QUERY, body=body, headers={"Content-Type": "application/json"})
        return reply.status

    with ThreadPoolExecutor(in_flight) as pool:
        list(pool.map(ask, requests[:in_flight]))
        started = time.perf_counter()
        statuses = set(pool.map(ask, requests))
        seconds = time.perf_counter() - started
    http.clear()
    if statuses != {200}:
        msg = f"OPA answered with {sorted(statuses)}."
        raise RuntimeError(msg)
    return seconds
