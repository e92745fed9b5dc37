"""A bundle: what is evaluated, named by the SHA-256 of its content, with the catalogue read from it.

Owns which files of a policy folder count (rules, libraries, `params.json` and the clauses; not tests, pages or
fixtures) and the digest over them. A bundle is immutable and is kept in the store for ever, so that a decision can be re-made.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.domain.errors import PolicyError
from engine.policy.catalogue import Catalogue, read_catalogue
from engine.policy.checking import problems
from engine.policy.signing import Signature, read_signature

CLAUSES = "clauses.json"
"""The agreement's clauses in plain words: not evaluated, but part of what a person was held to, so named by the digest."""
LARGEST = 8 * 1024 * 1024
"""Bytes a bundle may have."""
WINDOWS = (
    "outside_window_us",
    "consumption_window_us", "consumers_window_us", "link_window_us", "assignment_us", "reacceptance_us", "attestation_us",
    "disclosure_us", "heartbeat_us", "expiring_us", "uncovered_us", "release_us", "burst_window_us", "session_gap_us",
    "long_days_window_us", "idle_window_us", "download_window_us",
)  # fmt: skip
"""What the fold asks of a bundle's `data.facts`: lengths of windows and of clocks (µs)."""


class Bundle(msgspec.Struct, frozen=True, dict=True):
    """Rules, their data and their catalogue; `digest` is hex."""

    digest: str
    files: dict[str, str]
    """Path below the folder → text, of what is evaluated."""
    catalogue: Catalogue
    signature: Signature | None = None
    """Who vouches for it; not part of the digest."""

    @property
    def data(self) -> dict[str, Any]:
        """The bundle's data: `params` and `facts`."""
        document: dict[str, Any] = json.loads(self.files["params.json"])
        return document

    @property
    def windows(self) -> dict[str, int]:
        """Lengths of the fold's windows (µs), `data.facts`."""
        facts: dict[str, int] = self.data["facts"]
        return facts

    @property
    def clauses(self) -> dict[str, dict[str, str]]:
        """Clause → its title and text in plain words, as they stood under this bundle; empty where none were written."""
        found: dict[str, dict[str, str]] = json.loads(self.files.get(CLAUSES, "{}")).get("clauses", {})
        return found

    def to_bytes(self) -> bytes:
        """Encode for the store."""
        return msgspec.json.encode(self)


_DECODER: Final = msgspec.json.Decoder(Bundle)


def from_bytes(body: bytes) -> Bundle:
    """Read back what `to_bytes` wrote; its digest is checked."""
    bundle = _DECODER.decode(body)
    if digest_of(bundle.files) != bundle.digest:
        msg = f"The stored bundle {bundle.digest[:12]} isn't what its name says."
        raise PolicyError(msg, "Restore the store from a backup; decisions under it can't be re-made otherwise.")
    return bundle


def digest_of(files: dict[str, str]) -> str:
    """Name files by content: SHA-256 over sorted, length-prefixed paths and texts."""
    hasher = hashlib.sha256()
    for path in sorted(files):
        for part in (path.encode(), files[path].encode()):
            hasher.update(len(part).to_bytes(8, "big"))
            hasher.update(part)
    return hasher.hexdigest()


def load_bundle(folder: Path, opa: Path) -> Bundle:
    """Read a folder of policies; `PolicyError` says what is wrong and where."""
    files = read_files(folder)
    if found := problems(opa, folder):
        more = f" `covenant policy check` shows it and {len(found) - 1} more." if len(found) > 1 else ""
        msg = f"{folder / found[0].where}: {found[0].what}"
        raise PolicyError(msg, found[0].do + more)
    catalogue = read_catalogue(opa, folder)
    if not catalogue.rules:
        msg = f"{folder} has no rules."
        raise PolicyError(msg, "Name a folder with fair_use/ or ip_ownership/ rules in it.")
    return Bundle(digest_of(files), files, catalogue, read_signature(folder))


def read_files(folder: Path) -> dict[str, str]:
    """Read what is evaluated, within limits."""
    if not folder.is_dir():
        msg = f"There is no policy folder {folder}."
        raise PolicyError(msg, "Give --policies (or COVENANT_POLICIES) the folder that holds main.rego.")
    paths = [p for p in sorted(folder.rglob("*.rego")) if not p.name.endswith("_test.rego") and p.name != "testing.rego"]
    files: dict[str, str] = {}
    optional = [folder / CLAUSES] if (folder / CLAUSES).exists() else []
    for path in [*paths, folder / "params.json", *optional]:
        name = path.relative_to(folder).as_posix()
        try:
            files[name] = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            msg = f"{folder} has no {name}."
            raise PolicyError(msg, "A policy folder needs main.rego and params.json.") from error
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{path} can't be read: {error}."
            raise PolicyError(msg, "Make it readable UTF-8.") from error
    if sum(map(len, files.values())) > LARGEST:
        msg = f"{folder} holds more than {LARGEST} bytes of policies."
        raise PolicyError(msg, "Move what isn't evaluated elsewhere.")
    _check_data(files["params.json"])
    _check_clauses(files.get(CLAUSES, "{}"))
    return files


def _check_clauses(text: str) -> None:
    try:
        clauses = json.loads(text).get("clauses", {})
        written = all(set(clause) == {"title", "text"} for clause in clauses.values())
    except (json.JSONDecodeError, AttributeError, TypeError):
        written = False
    if not written:
        msg = f"{CLAUSES} isn't as it should be."
        raise PolicyError(msg, 'It maps each clause to its words: {"clauses": {"G7": {"title": "Caps", "text": "..."}}}.')


def _check_data(text: str) -> None:
    try:
        data = json.loads(text)
        missing = [name for name in WINDOWS if not isinstance(data["facts"][name], int)]
        sets = data["params"]["default"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        msg = f"params.json isn't as it should be: {error!r}."
        raise PolicyError(msg, "It needs params with a set named default, and facts with the windows' lengths.") from error
    if missing or not isinstance(sets, dict):
        msg = f"params.json: facts.{missing[0] if missing else ''} isn't a number of microseconds."
        raise PolicyError(msg, "Write it as a whole number.")
