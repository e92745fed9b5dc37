"""What the rules are asked of a whole history: refolded from the journal once, and kept for the next candidate.

Inputs don't depend on the rules: only on the journal, on the lengths of the fold's windows (`data.facts`), on which types
of event are asked about and on which parameter sets there are. While all of those are equal, the kept inputs are the ones
that a refold would make again, and asking them takes no folding. They lie in one file of blocks, each with its length and
checksum, by aggregate and place; the file is renamed into its place once it is whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from engine.domain import codec
from engine.domain.effects import NOTHING
from engine.domain.errors import IntegrityError
from engine.domain.lowering import Lowering
from engine.domain.order import Place
from engine.policy.bundle import Bundle
from engine.policy.evaluator import Answer
from engine.service.asking import Questions
from engine.service.deciding import FOLD_VERSION
from engine.service.folding import Folding
from engine.service.judging import document_of
from engine.service.process import Body
from engine.service.replay import Progress, refold
from engine.store.memory_store import MemoryStore
from engine.store.protocol import Store

BLOCK: Final = 500
"""Inputs a block, which is also what one call asks."""
_FOLDING: Final = ("domain", "service/folding.py", "service/memory.py", "service/judging.py", "service/sums.py")


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """One entry's input as it is in the end; `body` is the encoded document."""

    aggregate: str
    identity: str
    place: Place
    type: str
    time: int
    """The event's own time (µs UTC)."""
    body: bytes


Collect = Callable[[Store, Bundle, Progress], Iterator[Kept]]
"""How a journal is refolded for its entries' final inputs."""

_encode = msgspec.msgpack.Encoder(enc_hook=int).encode
_decode = msgspec.msgpack.Decoder(list[Kept]).decode


class Noting:
    """Stands where a body asks its rules: notes each entry's newest input in a file, and asks nobody."""

    revision = opa_version = ""

    def __init__(self, bundle: Bundle, spool: IO[bytes]) -> None:
        """Note into an open file what the rules of a bundle are asked about."""
        self._catalogue, self._sets = bundle.catalogue, bundle.data["params"]
        self._spool = spool
        self._noted: dict[tuple[str, str], tuple[Place, str, int, int, int]] = {}
        """Aggregate and identity → place, type, the event's time, where its input begins and how long it is."""

    def questions(self, folding: Folding) -> Questions:
        """Note what a batch refolded; nothing is asked of it."""
        for key in folding.retired:
            self._noted.pop(key, None)
        for key, (aggregate, entry) in folding.touched.items():
            question, event = entry.effects.question, entry.event
            entry.effects = NOTHING
            rules = self._catalogue.for_type(event.type)
            if question is None or not rules:
                self._noted.pop(key, None)
                continue
            body = codec.encode(document_of(self._sets, aggregate.organisation, question, rules))
            self._noted[key] = (entry.place, event.type, event.time, self._spool.tell(), len(body))
            self._spool.write(body)
        return Questions([], [], [])

    def evaluate(self, inputs: Sequence[bytes]) -> list[Answer]:
        """Answer nothing: nothing is asked."""
        return [Answer("", error="nobody was asked") for _ in inputs]

    def submit(self, _: Sequence[Any]) -> Any:
        """Begin nothing."""

    def close(self) -> None:
        """Give back nothing."""

    def kept(self) -> Iterator[Kept]:
        """Give what is noted in the end, by aggregate (bytewise) and place."""
        for (aggregate, identity), (at, kind, time, start, length) in sorted(self._noted.items(), key=_in_order):
            self._spool.seek(start)
            yield Kept(aggregate, identity, at, kind, time, self._spool.read(length))


def _in_order(item: tuple[tuple[str, str], tuple[Place, str, int, int, int]]) -> tuple[bytes, Place]:
    return item[0][0].encode(), item[1][0]


def key_of(store: Store, bundle: Bundle) -> str:
    """Name what the inputs depend on, as hex: where the store stands, how it is folded, and what is asked about."""
    hasher = hashlib.sha256(_code().encode())
    for lane in store.lanes():
        hasher.update(_encode([lane.lane, lane.version, lane.reference, lane.watermark]))
        for batch in store.batches(lane.lane, max(0, lane.version - 1)):
            hasher.update(_encode([batch.recorded_at, [[row.aggregate, row.identity, row.event] for row in batch.journal]]))
    types = sorted({kind for rule in bundle.catalogue.rules for kind in rule.events})
    lowered = Lowering(bundle.data["params"]).told_apart()
    codes = sorted((rule.code, rule.record) for rule in bundle.catalogue.rules)  # an input says which aren't enabled
    hasher.update(_encode([FOLD_VERSION, sorted(bundle.windows.items()), types, codes, sorted(bundle.data["params"]), lowered]))
    return hasher.hexdigest()[:32]


def _code() -> str:
    """Name the program's own folding, so that a change of it makes what was kept void."""
    hasher = hashlib.sha256()
    engine = Path(__file__).parent.parent
    for name in _FOLDING:
        for path in sorted((engine / name).rglob("*.py")) or [engine / name]:
            hasher.update(path.read_bytes())
    return hasher.hexdigest()


def keep_inputs(
    store: Store, bundle: Bundle, folder: Path, progress: Progress = lambda _: None, collected: Collect | None = None
) -> Path:
    """Give the file of a history's inputs, refolding the journal where there is none yet; older ones are removed.

    `collected` is how it is refolded; without it by `collect`, in this process.
    """
    collected = collected or collect
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"inputs-{key_of(store, bundle)}"
    if path.exists():
        return path
    fresh = folder / f"{path.name}.{os.getpid()}"
    try:
        with fresh.open("wb") as out:
            write_blocks(out, blocks_of(collected(store, bundle, progress)))
        for old in folder.glob("inputs-*"):
            if old != fresh:
                old.unlink(missing_ok=True)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return path


def collect(store: Store, bundle: Bundle, progress: Progress = lambda _: None) -> Iterator[Kept]:
    """Refold the journal and give each entry's final input, by aggregate (bytewise) and place."""
    with tempfile.TemporaryFile() as spool:
        noting: Any = Noting(bundle, spool)
        body = Body(MemoryStore(), noting, bundle)
        body.asking = noting
        refold(store, body, progress)
        yield from noting.kept()


def blocks_of(kept: Iterable[Kept]) -> Iterator[list[Kept]]:
    """Give inputs in blocks, as they are asked."""
    block: list[Kept] = []
    for one in kept:
        block.append(one)
        if len(block) == BLOCK:
            yield block
            block = []
    if block:
        yield block


def read_inputs(path: Path) -> Iterator[list[Kept]]:
    """Give the kept inputs, block by block."""
    with path.open("rb") as file:
        size = path.stat().st_size
        for payload in read_blocks(file):
            yield _decode(payload)
        if file.tell() != size:
            path.unlink(missing_ok=True)
            msg = f"The inputs kept in {path} are damaged."
            raise IntegrityError(msg, "They were removed: run the backtest again, and they are made anew.")


def count_inputs(path: Path) -> int:
    """Give how many inputs are kept."""
    return sum(len(block) for block in read_inputs(path))


def write_block(out: IO[bytes], payload: bytes) -> None:
    """Append a block: its length, its checksum, and itself."""
    out.write(len(payload).to_bytes(4, "big") + zlib.crc32(payload).to_bytes(4, "big") + payload)


def write_blocks(out: IO[bytes], blocks: Iterable[list[Kept]]) -> None:
    """Write blocks of inputs, one after the other."""
    for block in blocks:
        write_block(out, _encode(block))


def read_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Give the whole blocks at the front of a file, and leave it standing after the last of them."""
    while True:
        at = file.tell()
        head = file.read(8)
        payload = file.read(int.from_bytes(head[:4], "big")) if len(head) == 8 else b""
        if (
            len(head) < 8
            or len(payload) < int.from_bytes(head[:4], "big")
            or zlib.crc32(payload) != int.from_bytes(head[4:], "big")
        ):
            file.seek(at)
            return
        yield payload


@contextlib.contextmanager
def locked(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading and appending that no other run has open, else `BlockingIOError`."""
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file
