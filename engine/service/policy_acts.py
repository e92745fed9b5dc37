"""Acts on policies: putting a bundle in force from a date, evaluating it beside the one in force, ending that.

Each is held to the same conditions as one that comes by topic, keeps its bundle in the store first, and is recorded as an
event on the reference lane, for the embedded body and for workers alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from engine.domain import codec, verdicts
from engine.domain.errors import PolicyError, UsageError
from engine.domain.events import Event
from engine.domain.events.reference import PolicyActivated, PolicyRetired, PolicyShadowed
from engine.domain.lowering import Lowering
from engine.domain.reference import Reference
from engine.domain.values import Instant
from engine.policy.bundle import Bundle
from engine.service.activation import Conditions
from engine.service.holding import record
from engine.service.recording import Recording
from engine.store.lookups import Lookups
from engine.store.sql_store import SqlStore

SOURCE = "covenant/policies"
Act = PolicyActivated | PolicyShadowed | PolicyRetired


class Backtested(msgspec.Struct, frozen=True):
    """What an activation says of the backtest that its approver saw."""

    report: str
    """SHA-256 of the report, hex."""
    opens: int


class _Report(msgspec.Struct):
    candidate: str
    opened: int


_REPORT = msgspec.json.Decoder(_Report)


class Revised(msgspec.Struct, frozen=True):
    """One step of an organisation's policies."""

    act: str
    """first | activated | shadowed | retired."""
    organisation: str
    since: int
    """µs; 0 for the first bundle."""
    bundle: str
    author: str = ""
    approver: str = ""


def backtested(file: Path, bundle: Bundle) -> Backtested:
    """Read a backtest's report, and that it is of this very bundle."""
    do = f"Make it anew: `covenant --format json backtest DIR > {file.name}`."
    try:
        body = file.read_bytes()
        report = _REPORT.decode(body)
    except OSError as error:
        msg = f"The backtest {file} can't be read: {error.strerror or error}."
        raise UsageError(msg, do) from error
    except msgspec.MsgspecError as error:
        msg = f"{file} isn't the report of a backtest: {error}."
        raise UsageError(msg, do) from error
    if report.candidate != bundle.digest:
        msg = f"The backtest {file} is of the bundle {report.candidate[:12]}, and this is {bundle.digest[:12]}."
        raise PolicyError(msg, f"The policies were changed since. {do}")
    return Backtested(hashlib.sha256(body).hexdigest(), report.opened)


def act(store: SqlStore, conditions: Conditions, organisation: str, data: Act, bundle: Bundle | None, now: int) -> Event:
    """Hold an act to its conditions, keep its bundle, and record it; a `Refusal` says why it isn't taken in."""
    ident = codec.digest(organisation.encode(), type(data).__name__.encode(), codec.encode(data), str(now).encode()).hex()
    event = Event(organisation, SOURCE, ident, data.TYPE, now, data)
    if said := data.problem(now):
        raise UsageError(said.text)
    if bundle is not None:
        offered = msgspec.structs.replace(conditions, bundle=lambda digest: _offered(conditions, bundle, digest))
        refusal = offered.refusal(event, Reference(_reference(store)))
        if refusal is not None:
            raise refusal
        store.save_bundle(bundle.digest, bundle.to_bytes(), now)
    record(store, Recording(1, None), event, now)
    return event


def revisions(store: SqlStore) -> Iterator[Revised]:
    """Give what was ever in force or shadowed, the first bundle first, then in the order of its dates."""
    if first := store.first_bundle():
        yield Revised("first", "", 0, first)
    acts = [event for event in _reference(store) if isinstance(event.data, Act)]
    for event in sorted(acts, key=lambda one: (one.organisation, one.data.effective(one.time), one.time)):
        kind = event.type.split(".")[2]
        since = event.data.effective(event.time)
        yield Revised(kind, event.organisation, since, event.data.bundle, event.data.author, getattr(event.data, "approver", ""))


def counted_from_before(store: SqlStore, conditions: Conditions, organisation: str, shadow: Bundle, at: int) -> list[str]:
    """Give the rules whose threshold a shadow sets lower than what is in force: an activation would start their sums anew.

    A shadow is asked about the facts as they are folded for the revision in force, so its sums hold what was before it.
    """
    digest = Reference(_reference(store)).in_force(organisation, at)
    now = conditions.bundle(digest) if digest else conditions.first
    return Lowering(now.data["params"]).lowered_by(Lowering(shadow.data["params"]))


class Differing(msgspec.Struct, frozen=True):
    """A rule of which a shadowed revision says otherwise than the one in force, of one event."""

    rule: str
    aggregate: str
    type: str
    time: int
    in_force: str
    """Outcome under the revision in force; `not considered` where it has no such rule for the event."""
    shadowed: str
    sentence: str
    """Of the violation that either says."""
    decision: str


def differing(lookups: Lookups, bundle: str) -> Iterator[Differing]:
    """Give what a shadowed revision would have decided otherwise, in order of time."""
    for row, decision, outcomes in lookups.shadowed(bundle):
        ours, theirs = verdicts.read(outcomes), verdicts.read(row.outcomes)
        for code in sorted({*ours.said, *ours.passed, *theirs.said, *theirs.passed}):
            now, then = _outcome(ours, code), _outcome(theirs, code)
            if now != then:
                sentence = theirs.said.get(code, {}).get("sentence") or ours.said.get(code, {}).get("sentence", "")
                yield Differing(code, row.aggregate, row.type, row.time, now, then, sentence, decision)


def shadowed_revision(store: SqlStore, organisation: str, wanted: str) -> str:
    """Give the digest of the shadowed revision that `wanted` begins; `UsageError` where it isn't one."""
    known = {step.bundle for step in revisions(store) if step.act == "shadowed" and step.organisation == organisation}
    found = [digest for digest in known if digest.startswith(wanted)]
    if len(found) != 1:
        msg = f"{len(found) or 'No'} shadowed revision{'s begin' if found else ' begins'} with {wanted or 'anything'}."
        raise UsageError(msg, "`covenant policy revisions` lists them.")
    return found[0]


def _outcome(said: verdicts.Outcomes, code: str) -> str:
    if code in said.said:
        return str(said.said[code]["outcome"])
    if code in said.passed:
        return "pass"
    return "not-applicable" if code in said.inapplicable else "not considered"


def moment(micros: int | None) -> Instant | None:
    """Give a date as an event holds it."""
    return None if micros is None else Instant(micros)


def _offered(conditions: Conditions, bundle: Bundle, digest: str) -> Bundle:
    return bundle if digest == bundle.digest else conditions.bundle(digest)


def _reference(store: SqlStore) -> list[Any]:
    return [codec.parse_event(row.event) for row in store.reference(0)]
