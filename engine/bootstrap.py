"""The composition root: from settings to a store, a bundle, an evaluator and a body. Sees every adapter, decides nothing.

Opens what is asked for and nothing else, so that a command that only reads starts no policy engine.
"""

from __future__ import annotations

import gc
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import msgspec

from engine.domain import codec
from engine.domain.errors import EvaluatorUnavailable, PolicyError, StoreUnavailable, UsageError
from engine.domain.events.reference import PolicyActivated
from engine.policy import opa_binary
from engine.policy.bundle import Bundle, from_bytes, read_files
from engine.policy.bundle import load_bundle as read_bundle
from engine.policy.evaluator import Evaluator
from engine.policy.limits import Limits
from engine.policy.opa_child import OpaChild
from engine.policy.opa_server import connect
from engine.policy.signing import FILE, Keys, read_keys, read_signature, verify
from engine.service.activation import Conditions
from engine.service.process import Body
from engine.service.publishing import Publisher
from engine.service.revisions import Others
from engine.settings import Settings
from engine.store import opening
from engine.store.lookups import Lookups
from engine.store.sql_store import SqlStore

CALM = 200_000
"""Objects made, less those freed, between two collections while a body works; Python's own is 700."""


def now_us() -> int:
    """The clock, in µs UTC."""
    return time.time_ns() // 1000


def open_store(settings: Settings) -> SqlStore:
    """Open the store that the settings name."""
    return opening.open_store(settings.store_url)


def read_store(settings: Settings) -> SqlStore:
    """Open the store to read it: one that isn't there yet is said to be missing, not made."""
    file = sqlite_file(settings)
    if file is not None and not file.exists():
        msg = f"There is no store at {file} yet."
        raise StoreUnavailable(msg, "Run `covenant ingest` or `covenant demo` first, or name another with --store.")
    return open_store(settings)


def sqlite_file(settings: Settings) -> Path | None:
    """Give the file of a SQLite store, None for another kind."""
    scheme, _, path = settings.store_url.partition(":///")
    return Path(path.partition("?")[0]) if scheme.startswith("sqlite") and path not in ("", ":memory:") else None


def find_opa(settings: Settings) -> Path:
    """Give the `opa` program, building it if need be."""
    return opa_binary.find(settings.opa)


def load_bundle(settings: Settings, opa: Path | None = None) -> Bundle:
    """Load the policies; reading their catalogue costs OPA calls, so what was read before is taken from the cache."""
    folder = settings.policy_folder
    cached = settings.home / "cache" / f"bundle-{_cache_key(folder)}.json"
    with suppress(OSError, PolicyError, ValueError):
        return from_bytes(cached.read_bytes())
    bundle = read_bundle(folder, opa or find_opa(settings))
    with suppress(OSError):
        cached.parent.mkdir(parents=True, exist_ok=True)
        fresh = cached.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(bundle.to_bytes())
        fresh.replace(cached)
    return bundle


def _cache_key(folder: Path) -> str:
    """Name what a bundle is read from: the rules and their data, their pages, and how we read and check them."""
    parts = dict(read_files(folder))
    for page in sorted(folder.rglob("*.md")):
        with suppress(OSError, UnicodeDecodeError):
            parts[page.relative_to(folder).as_posix()] = page.read_text(encoding="utf-8")
    parts[FILE] = repr(read_signature(folder))
    hasher = hashlib.sha256()
    for path in sorted(Path(opa_binary.__file__).parent.rglob("*")):
        if path.suffix in (".py", ".json"):
            hasher.update(path.read_bytes())
    for name, text in sorted(parts.items()):
        hasher.update(f"{len(name)} {len(text)} {name}{text}".encode())
    return hasher.hexdigest()[:32]


def make_evaluator(settings: Settings, bundle: Bundle, opa: Path | None = None, *, several: bool = False) -> Evaluator:
    """Give what evaluates under a bundle: the server that the settings name, else an OPA of our own."""
    limits = limits_of(settings)
    if settings.opa_url:
        try:
            return connect(settings.opa_url, bundle.digest, limits=limits)
        except EvaluatorUnavailable:
            if not several:
                raise  # a server holds one revision; the others of a store that has several get an OPA of our own
    return OpaChild(bundle, opa or find_opa(settings), limits=limits)


def limits_of(settings: Settings) -> Limits:
    """Give what an OPA may use, whatever it is asked for."""
    return Limits(settings.opa_seconds, settings.opa_memory_mib)


@contextmanager
def calm_collector() -> Iterator[None]:
    """Have the garbage collector look less often for cycles while a body works.

    A lane remembers its entries, so the collector would walk ever more of what is never garbage: at Python's own
    thresholds that took a quarter of a run's time. What is loaded by now stays for good and isn't walked at all.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(CALM, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def make_body(settings: Settings, *, lanes: int = 1, publish: bool = False) -> Iterator[Body]:
    """Give a body over the settings' store and policies; all of it is closed afterwards. Its bundle is kept first."""
    opa = None if settings.opa_url else find_opa(settings)
    bundle = load_bundle(settings, opa)
    file = sqlite_file(settings)
    with calm_collector(), ExitStack() as stack:
        evaluator: Evaluator | None = None
        if file is not None and not file.exists():  # no store is begun where nobody can judge
            evaluator = stack.enter_context(closing(make_evaluator(settings, bundle, opa)))
        store = stack.enter_context(closing(open_store(settings)))
        conditions = conditions_of(settings, store, bundle)
        first = first_bundle(store, bundle, lanes, conditions.keys)
        if evaluator is None or first.digest != bundle.digest:
            several = bool(_activated(store))
            evaluator = stack.enter_context(closing(make_evaluator(settings, first, opa, several=several)))
        store.save_bundle(first.digest, first.to_bytes(), now_us())
        body = Body(
            store, evaluator, first, lanes=lanes, publisher=Publisher(settings.key()) if publish else None,
            breaker=settings.breaker, horizon_days=settings.correction_horizon,
            others=Others(library(store), lambda other: make_evaluator(settings, other, opa, several=True)),
        )  # fmt: skip
        body.conditions = msgspec.structs.replace(conditions, first=first)
        stack.enter_context(closing(body.revisions))
        yield body


def library(store: SqlStore) -> Callable[[str], Bundle]:
    """Give how bundles that a store keeps are had by their digests."""
    return lambda digest: from_bytes(store.bundle(digest))


def conditions_of(settings: Settings, store: SqlStore, first: Bundle) -> Conditions:
    """Give what activations are held to here."""
    keys = read_keys(settings.policy_keys) if settings.policy_keys is not None else {}
    return Conditions(library(store), first, keys, settings.activation_confirm_over)


def first_bundle(store: SqlStore, bundle: Bundle, lanes: int, keys: Keys) -> Bundle:
    """Give the bundle a store began with, the one given where it begins now; the caller keeps it.

    Refuses policies that nobody put in force, and another count of lanes.
    """
    lookups = Lookups(store)
    first, before = store.first_bundle(), lookups.lanes_of_batches()
    if first not in ("", bundle.digest) and bundle.digest not in _activated(store):
        msg = f"This store is judged by the policies {first[:12]}; those given are {bundle.digest[:12]}."
        do = "Put them in force from a date with `covenant policy activate DIR`, give the former policies, or another store."
        raise UsageError(msg, do)
    verify(bundle.digest, bundle.signature, keys)
    if before not in (0, lanes):
        msg = f"This store is written in {before} lanes, and this run has {lanes}."
        do = "Send events to the broker's topics instead" if before > 1 else "Use `covenant ingest`"
        raise UsageError(msg, f"{do}, or name another store: the lane of a person or repository can't change.")
    return from_bytes(store.bundle(first)) if first else bundle


def _activated(store: SqlStore) -> set[str]:
    """Give the digests of all bundles that were ever put in force."""
    return {codec.parse_event(row.event).data.bundle for row in store.reference_of((PolicyActivated.TYPE,))}
