"""Backtest: what another bundle would have found over all of history, before anyone is accused.

Every entry's input, as it is with all that is known by now, is asked of the candidate; its findings are compared with
those that stand in the store. The store is only read. Answers are noted block by block in a folder for the work, so that
a run that was ended anywhere goes on where it stopped and comes to the same report.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from engine.domain import codec, verdicts
from engine.domain.errors import UsageError
from engine.domain.order import Place, place
from engine.domain.records import DecisionRow
from engine.policy.bundle import Bundle, from_bytes
from engine.policy.evaluator import Answer, Evaluator
from engine.service import horizon
from engine.service.backtest_diff import Change, Finding, Judged, Named, compare, findings, outcome_counts
from engine.service.backtest_inputs import Kept, locked, read_blocks, read_inputs, write_block
from engine.service.judging import judge
from engine.service.replay import Progress
from engine.store.lookups import Lookups
from engine.store.protocol import Store
from engine.store.sql_store import SqlStore

AHEAD: Final = 2
"""Blocks asked beyond those that are being answered."""
NOTHING_UNKNOWN: Final = b'"unknown":{},"v":1}'
"""How an input ends in which every fact is known."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[int, dict[str, dict[str, Any]]]]).decode
_outcomes = msgspec.json.Decoder(dict[str, Any]).decode


class Window(msgspec.Struct, frozen=True):
    """Which events are compared, by when they occurred (µs UTC); None is open. All of history is folded."""

    since: int | None = None
    until: int | None = None

    def has(self, time: int) -> bool:
        """Whether an event of that time is compared."""
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)


class Result(msgspec.Struct, frozen=True):
    """A backtest's outcome: both judgements, and what differs."""

    candidate: Bundle
    bases: tuple[Bundle, ...]
    """Those whose decisions stand, that of the newest event first."""
    window: Window
    events: int
    """Entries that the candidate was asked about."""
    before: dict[str, Finding]
    after: dict[str, Finding]
    changes: list[Change]
    counts: tuple[dict[str, Counter[str]], dict[str, Counter[str]]]
    """Events by rule and outcome, before and after."""
    recorded: dict[str, dict[str, str]]
    """Finding that differs → entry → id of the decision on record."""


class Options(msgspec.Struct, frozen=True):
    """How a backtest is run."""

    window: Window = Window()
    resume: bool = False
    """Go on where a run of the same that was ended stopped; else its notes are thrown away."""
    jobs: int = 0
    """Calls answered at once; 0 for one more than there are cores."""


def backtest(
    store: SqlStore,
    candidate: Bundle,
    evaluator: Evaluator,
    inputs: Path,
    options: Options,
    progress: Progress = lambda _: None,
) -> Result:
    """Judge a history by a candidate and compare; `evaluator` is the candidate's, `inputs` is what `keep_inputs` gave.

    Progress is kept beside the inputs; `progress` is told of inputs judged.
    """
    window, places = options.window, {}
    bases = base_bundles(store)
    after: list[Judged] = []
    events = 0
    jobs = options.jobs or cores() + 1
    with _progress_file(inputs, evaluator, options) as noted:
        answered = _answered(inputs, candidate, evaluator, window, noted, jobs)
        first = list(islice(answered, 1))  # now calls are under way, while the store is read
        recorded = {(row.aggregate, row.identity): row for row in Lookups(store).found(window.since, window.until)}
        for block, said in chain(first, answered):
            for one in block:
                if (one.aggregate, one.identity) in recorded:
                    places[one.aggregate, one.identity] = one.place
            after += [_judged(block[index], outcomes, candidate, recorded) for index, outcomes in said]
            events += len(block)
            progress(events)
    before = _before(store, recorded, places)
    names = {bundle.digest: _named(bundle) for bundle in (candidate, *bases)}
    ours, theirs = (findings(one, lambda digest, code: names[digest][code]) for one in (before, after))
    changes = compare(ours, theirs)
    return Result(
        candidate, bases, window, events, ours, theirs, changes, (outcome_counts(before), outcome_counts(after)),
        _on_record(store, changes),
    )  # fmt: skip


def cores() -> int:
    """Give how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def base_bundles(store: SqlStore) -> tuple[Bundle, ...]:
    """Give the bundles whose decisions stand, that of the newest event first; `UsageError` where nothing was decided."""
    if not (digests := Lookups(store).bundles()):
        msg = "Nothing was decided in this store yet, so there is nothing to compare with."
        raise UsageError(msg, "Take events in first, with `covenant ingest`.")
    return tuple(from_bytes(store.bundle(digest)) for digest in digests)


def _named(bundle: Bundle) -> dict[str, Named]:
    return {r.code: Named(r.code, r.title, r.severity, r.clause, r.respondent) for r in bundle.catalogue.rules}


def _judged(
    one: Kept, outcomes: dict[str, dict[str, Any]], candidate: Bundle, recorded: dict[tuple[str, str], DecisionRow]
) -> Judged:
    """Give an entry as the candidate judges it; whom the correction horizon spared for a late fact stays spared."""
    key = (one.aggregate, one.identity)
    if key in recorded and (made := horizon.made_by_it(_recorded(recorded[key]))):
        outcomes = horizon.carried(made, outcomes, candidate.catalogue.for_type(one.type))
    return Judged(*key, one.place, outcomes, decision_of(one, candidate), candidate.digest)


def decision_of(one: Kept, candidate: Bundle) -> str:
    """Give the id that the candidate's decision of an input has."""
    return codec.decision(one.aggregate, one.identity, candidate.digest, codec.digest(one.body).hex())


def _recorded(row: DecisionRow) -> dict[str, dict[str, Any]]:
    outcomes = _outcomes(row.outcomes)
    for listed in (verdicts.PASSED, verdicts.NOT_APPLICABLE):
        outcomes.pop(listed, None)
    return outcomes


def _before(store: Store, recorded: dict[tuple[str, str], DecisionRow], places: dict[tuple[str, str], Place]) -> list[Judged]:
    """Give what stands of the window's entries in the order in which findings are made of it."""
    lost = sorted({aggregate for aggregate, identity in recorded.keys() - places.keys()})
    for key, loaded in store.load(lost).items():
        for row in loaded.journal:
            places.setdefault((key, row.identity), place(codec.parse_event(row.event)))
    judged = []
    for (aggregate, identity), told in recorded.items():
        judged.append(Judged(aggregate, identity, places[aggregate, identity], _recorded(told), told.id, told.bundle))
    return sorted(judged, key=lambda one: (one.aggregate.encode(), one.place))


def _on_record(store: SqlStore, changes: Sequence[Change]) -> dict[str, dict[str, str]]:
    lookups = Lookups(store)
    return {one.finding.id: lookups.decisions_of(one.finding.aggregate, set(one.finding.entries)) for one in changes}


@contextmanager
def _progress_file(inputs: Path, evaluator: Evaluator, options: Options) -> Iterator[IO[bytes]]:
    """Open the notes of this very backtest: of a run that was ended where that is wanted, else empty. Removed when done."""
    window = options.window
    named = _encode([inputs.name, evaluator.revision, evaluator.opa_version, window.since, window.until])
    path = inputs.parent / f"answers-{codec.digest(named).hex()}"
    try:
        with locked(path) as noted:
            if not options.resume:
                noted.truncate(0)
            yield noted
            path.unlink()
    except BlockingIOError as error:
        msg = "The same backtest is running already."
        raise UsageError(msg, "Wait for it, or give this one another --work folder.") from error


Said = list[tuple[int, dict[str, dict[str, Any]]]]
"""Of a block's entries, the number within it of each that isn't a pass, and its outcomes."""


def _answered(
    inputs: Path, candidate: Bundle, evaluator: Evaluator, window: Window, noted: IO[bytes], jobs: int
) -> Iterator[tuple[list[Kept], Said]]:
    """Give each block of the window's inputs with what the candidate says of it; what was noted before isn't asked again."""
    blocks = ([one for one in block if window.has(one.time)] for block in read_inputs(inputs))
    noted.seek(0)
    for payload in read_blocks(noted):
        yield next(blocks), _decode(payload)
    noted.truncate()
    waiting: deque[tuple[list[Kept], Future[list[Answer]] | None]] = deque()
    for block in blocks:
        waiting.append((block, evaluator.submit([one.body for one in block]) if block else None))
        if len(waiting) >= jobs + AHEAD:
            yield _taken(candidate, noted, *waiting.popleft())
    while waiting:
        yield _taken(candidate, noted, *waiting.popleft())


def _taken(
    candidate: Bundle, noted: IO[bytes], block: list[Kept], answers: Future[list[Answer]] | None
) -> tuple[list[Kept], Said]:
    said: Said = []
    for index, (one, answer) in enumerate(zip(block, answers.result() if answers else [], strict=True)):
        if answer.breach or answer.error or not one.body.endswith(NOTHING_UNKNOWN):
            outcomes = judge(candidate.catalogue.for_type(one.type), msgspec.json.decode(one.body), answer)
            if outcomes:
                said.append((index, outcomes))
    write_block(noted, _encode(said))
    noted.flush()
    return block, said
