"""An OPA server that somebody else runs, by its URL: whether it is ready, which OPA it is, whether it serves our revision.

Owns the first contact only; asking is `opa_http`'s. Never loads anything there: `covenant policy build` makes what the
server must be started on.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import urllib3
from opa_client import create_opa_client

from engine.domain.errors import EvaluatorUnavailable, UsageError
from engine.policy.limits import DEFAULTS, Limits
from engine.policy.opa_http import OpaClient

_REVISION: Final = "/v1/data/covenant/main/revision?provenance=true"
_DO: Final = "Build the bundle with `covenant policy build --output DIR`, and start OPA on it."


def connect(url: str, revision: str, *, batch: int = 500, in_flight: int = 3, limits: Limits = DEFAULTS) -> OpaClient:
    """Give an evaluator over a server that is ready and serves `revision`; `EvaluatorUnavailable` says what is amiss."""
    said = _revision(url, min(limits.seconds, 30.0))
    served = said.get("result")
    if served != revision:
        shown = f"revision {str(served)[:12]}" if served and served != "none" else "no bundle of ours"
        msg = f"The policy engine at {url} serves {shown}, not {revision[:12]}."
        raise EvaluatorUnavailable(msg, _DO)
    version = str(said.get("provenance", {}).get("version", ""))
    return OpaClient(url, revision, version, batch=batch, in_flight=in_flight, limits=limits)


def ready(url: str, timeout_s: float = 5.0) -> bool:
    """Whether a server answers there and says it is healthy, its bundles and plugins included."""
    place = _place(url)
    client = create_opa_client(host=place.hostname, port=place.port or 8181, timeout=timeout_s, retries=1)
    try:
        healthy: bool = client.check_health({"bundles": True, "plugins": True}, f"{url.rstrip('/')}/health")
        return healthy
    finally:
        client.close_connection()


def _revision(url: str, timeout_s: float) -> dict[str, Any]:
    if not ready(url, timeout_s):
        msg = f"There is no policy engine at {url} that says it is ready."
        raise EvaluatorUnavailable(msg, _DO)
    try:
        reply = urllib3.request("GET", url.rstrip("/") + _REVISION, timeout=timeout_s, retries=1)
        said: dict[str, Any] = msgspec.json.decode(reply.data, type=dict)
    except (urllib3.exceptions.HTTPError, msgspec.MsgspecError) as error:
        msg = f"What answers at {url} isn't OPA ({type(error).__name__})."
        raise EvaluatorUnavailable(msg, _DO) from error
    return said


def _place(url: str) -> Any:
    place = urlsplit(url)
    if place.scheme not in ("http", "https") or not place.hostname:
        msg = f"{url} isn't the URL of an OPA server."
        raise UsageError(msg, "Write it as http://127.0.0.1:8181.")
    return place
