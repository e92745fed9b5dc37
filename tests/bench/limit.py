"""The limit: how fast OPA answers the very inputs that a stream gives rise to, with nobody else at work.

Requests are made before the clock starts, and answers are read but not decoded: what is left is OPA itself.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import urllib3

from engine.policy.opa_http import QUERY
from tests.bench.figures import Figure, best


def measure(url: str, inputs: Sequence[bytes], events: int, calls: Sequence[int] = (2, 3, 4), batch: int = 500) -> Figure:
    """Ask all inputs, `batch` a call; gives the best of several counts of calls in flight."""
    requests = [
        b'{"input":{"batch":[' + b",".join(inputs[start : start + batch]) + b"]}}" for start in range(0, len(inputs), batch)
    ]
    return best([_once(url, requests, len(set(inputs)), events, in_flight, batch) for in_flight in calls])


def _once(url: str, requests: Sequence[bytes], inputs: int, events: int, in_flight: int, batch: int) -> Figure:
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
    what = f"OPA alone, the same inputs, {batch} a call, {in_flight} calls in flight"
    return Figure("limit", what, events, inputs, seconds, {"in_flight": in_flight})
