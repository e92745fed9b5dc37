"""Findings as people and programs outside read them: the list with its facets, and one finding whole.

Owns the shapes that leave the engine (text, pages and JSON alike); reads through `store.queries` and words through
`telling`. Never decides, never writes. Times are RFC 3339 and quantities decimal strings once encoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import msgspec

from engine.domain import cause, codec
from engine.domain.errors import NotFound, UsageError
from engine.domain.records import DecisionRow, JournalRow, ViolationChange, ViolationRow
from engine.domain.values import Instant
from engine.policy.bundle import Bundle, from_bytes
from engine.policy.catalogue import Rule
from engine.service import telling
from engine.service.attention import attention, being_decided
from engine.service.finding_query import parse
from engine.store.queries import FindingHistory, Queries
from engine.store.sql_store import SqlStore

PAGE: Final = 50
"""Findings a page."""
SHORTEST_PREFIX: Final = 4
_ORDER: Final = {
    "status": (
        "provisional", "alleged", "notified", "answered", "substantiated", "dismissed", "withdrawn", "retracted",
    ),
    "severity": ("critical", "high", "medium", "low"),
}  # fmt: skip


class Finding(msgspec.Struct, frozen=True):
    """A finding as it stands; the fields are promised to programs."""

    id: str
    rule: str
    severity: str
    clause: str
    holder: str
    repository: str
    status: str
    respondent: str
    opened_at: Instant
    last_seen_at: Instant
    count: int
    organisation: str
    title: str
    """The rule's title; empty where no bundle tells it."""
    sentence: str
    internal: bool
    """Provisional: not to be spoken of yet."""


class Facet(msgspec.Struct, frozen=True):
    """One value of a qualifier and how many findings have it."""

    value: str
    count: int


class Listing(msgspec.Struct, frozen=True):
    """One page of findings, newest first; `next` asks for the following page and is empty at the end."""

    query: str
    total: int
    findings: list[Finding]
    next: str
    facets: dict[str, list[Facet]]


class Cause(msgspec.Struct, frozen=True):
    """The late fact that changed a finding: which event, what it says, when it happened and when it was learnt."""

    source: str
    id: str
    type: str
    words: str
    at: Instant
    recorded_at: Instant | None


class Step(msgspec.Struct, frozen=True):
    """One step in a finding's life: when it happened, when the engine learnt it."""

    version: int
    change: str
    words: str
    at: Instant
    recorded_at: Instant
    count: int
    decision: str
    cause: Cause | None


class Seen(msgspec.Struct, frozen=True):
    """One event behind a finding, and the decision about it."""

    at: Instant
    event: str
    source: str
    type: str
    decision: str
    sentence: str


class Excuse(msgspec.Struct, frozen=True):
    """What would excuse it."""

    guard: str
    title: str


class RuleText(msgspec.Struct, frozen=True):
    """The rule as it stood under the bundle that decided."""

    title: str
    description: str
    excuses: list[Excuse]
    parameters: str
    """Name of the parameter set that applied."""
    thresholds: dict[str, Any]
    kinds: dict[str, str]
    """Threshold → ccu, time, duration, list or text."""
    file: str
    text: str
    """Rego."""
    page: str
    """The rule's page for people, Markdown."""
    bundle: str


class ClauseText(msgspec.Struct, frozen=True):
    """The clause in plain words."""

    title: str
    text: str


class Detail(Finding, frozen=True):
    """A finding whole: what it means, why, and how it came to stand as it does."""

    standing: str
    """What the status means for those concerned."""
    unfinished: str
    """Says so where late facts about its aggregate are still being taken into account; else empty."""
    rule_text: RuleText | None
    clause_text: ClauseText | None
    evidence: dict[str, Any]
    kinds: dict[str, str]
    """Evidence name → ccu, time, duration, list or text."""
    timeline: list[Step]
    events: list[Seen]
    """The newest events behind it; `count` says how many there are."""


class Findings:
    """Findings of one store."""

    def __init__(self, store: SqlStore) -> None:
        """Read an open store."""
        self.store = store
        self.queries = Queries(store)
        self._bundle = lru_cache(maxsize=8)(self._read_bundle)

    def page(self, text: str, after: str = "", limit: int = PAGE) -> Listing:
        """Give one page of what a query asks for; `UsageError` says what is wrong with the query."""
        query = parse(text)
        found = self.queries.findings(query.filters(), _cursor(after), limit)
        titles = self._titles()
        last = found.rows[-1] if found.more else None
        return Listing(
            query=query.text,
            total=found.total,
            findings=[finding(row, titles) for row in found.rows],
            next=f"{last.last_seen_at}.{last.id}" if last else "",
            facets={name: _facet(name, values) for name, values in found.facets.items()},
        )

    def all(self, text: str) -> Iterator[Finding]:
        """Give all of what a query asks for, page by page."""
        after = ""
        while True:
            listing = self.page(text, after, 500)
            yield from listing.findings
            after = listing.next
            if not after:
                return

    def detail(self, ident: str) -> Detail:
        """Give a finding by its id or the beginning of it; `NotFound` or `UsageError` where that isn't one."""
        row = self._one(ident)
        history = self.queries.history(row)
        bundle = self._bundle_of(row, history)
        rule = bundle.catalogue.rule(row.rule) if bundle else None
        items = telling.evidence(msgspec.json.decode(row.evidence), rule.sentence if rule else "")
        base = finding(row, {row.rule: rule.title} if rule else {})
        return Detail(
            **msgspec.structs.asdict(base),
            standing=telling.standing(row.status, row.respondent),
            unfinished=being_decided(self.queries, row.aggregate),
            rule_text=_rule_text(bundle, rule, row, history) if bundle and rule else None,
            clause_text=_clause_text(bundle, row.clause) if bundle else None,
            evidence={item.name: item.value for item in items},
            kinds={item.name: item.kind for item in items},
            timeline=[_step(change, history.causes) for change in history.changes],
            events=[seen for decision in history.decisions if (seen := _seen(decision, row)) is not None],
        )

    def attention(self) -> list[str]:
        """Give what whoever looks at findings must know first, a sentence each."""
        return attention(self.queries)

    def rule_titles(self) -> dict[str, str]:
        """Give code → title of the rules that were in force last."""
        return self._titles()

    def _one(self, ident: str) -> ViolationRow:
        prefix = ident.lower()
        if len(prefix) < SHORTEST_PREFIX or any(letter not in "0123456789abcdef" for letter in prefix):
            msg = f"{ident[:40]!r} isn't the id of a finding."
            do = f"Give its id, or {SHORTEST_PREFIX} or more of its first characters; `covenant violations list` shows them."
            raise NotFound(msg, do)
        found = self.queries.findings_by_prefix(prefix)
        if not found:
            msg = f"There is no finding {ident[:40]}."
            raise NotFound(msg, "`covenant violations list` shows those that there are.")
        if len(found) > 1:
            several = ", ".join(row.id for row in found)
            msg = f"Several findings begin with {ident}: {several}."
            raise UsageError(msg, "Give more of the id.")
        return found[0]

    def _bundle_of(self, row: ViolationRow, history: FindingHistory) -> Bundle | None:
        ends = {decision.id: decision.bundle for decision in history.ends}
        return self._bundle(ends.get(row.last_decision) or ends.get(row.first_decision) or "")

    def _read_bundle(self, digest: str) -> Bundle | None:
        if not digest:
            return None
        try:
            return from_bytes(self.store.bundle(digest))
        except NotFound:
            return None

    def _titles(self) -> dict[str, str]:
        bundle = self._bundle(self.queries.newest_bundle())
        return {rule.code: rule.title for rule in bundle.catalogue.rules} if bundle else {}


def finding(row: ViolationRow, titles: dict[str, str]) -> Finding:
    """Turn a row into what leaves the engine."""
    return Finding(
        id=row.id,
        rule=row.rule,
        severity=row.severity,
        clause=row.clause,
        holder=row.holder,
        repository=row.repository,
        status=row.status,
        respondent=row.respondent,
        opened_at=Instant(row.opened_at),
        last_seen_at=Instant(row.last_seen_at),
        count=row.count,
        organisation=row.organisation,
        title=titles.get(row.rule, ""),
        sentence=row.sentence,
        internal=row.status == "provisional",
    )


def as_json(value: Any) -> bytes:
    """Encode any of these shapes as JSON."""
    return codec.encode(value)


def as_document(value: Any) -> Any:
    """Give any of these shapes as plain JSON values."""
    return msgspec.json.decode(codec.encode(value))


def _cursor(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    at, _, ident = text.partition(".")
    if not at.isdecimal() or len(at) > 16 or not ident or len(ident) > 32:
        msg = "The mark of the page to go on from can't be read."
        raise UsageError(msg, "Use the `next` of the page before as it is, or begin at the first page.")
    return int(at), ident


def _facet(name: str, values: list[tuple[str, int]]) -> list[Facet]:
    order = _ORDER.get(name)
    if order:
        values = sorted(values, key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))
    return [Facet(value, count) for value, count in values]


def _step(change: ViolationChange, rows: dict[str, JournalRow]) -> Step:
    behind = cause.read(change.cause)
    return Step(
        version=change.version,
        change=change.change,
        words=telling.CHANGES.get(change.change, change.change),
        at=Instant(change.time),
        recorded_at=Instant(change.recorded_at),
        count=change.count,
        decision=change.decision,
        cause=_cause(behind, rows.get(behind.identity)) if behind is not None else None,
    )


def _cause(behind: cause.Cause, row: JournalRow | None) -> Cause:
    words = telling.event_in_words(codec.parse_event(row.event)) if row is not None else behind.type
    gone = f"withdrawn: {words}" if row is not None and row.withdrawn else words
    learnt = Instant(row.recorded_at) if row is not None else None
    return Cause(behind.source, behind.id, behind.type, gone, Instant(behind.time), learnt)


def _seen(decision: DecisionRow, row: ViolationRow) -> Seen | None:
    outcome = msgspec.json.decode(decision.outcomes).get(row.rule, {})
    if outcome.get("outcome") != "violation" or codec.encode(outcome["discriminator"]).decode() != row.discriminator:
        return None
    return Seen(Instant(decision.time), decision.event_id, decision.source, decision.type, decision.id, outcome["sentence"])


def _rule_text(bundle: Bundle, rule: Rule, row: ViolationRow, history: FindingHistory) -> RuleText:
    asked = msgspec.json.decode(history.input) if history.input else {}
    parameters = asked.get("ps", "default")
    thresholds = telling.evidence(bundle.data["params"].get(parameters, {}).get(row.rule, {}), rule.sentence)
    return RuleText(
        title=rule.title,
        description=rule.description,
        excuses=[Excuse(guard, title) for guard, title in rule.guards.items()],
        parameters=parameters,
        thresholds={item.name: item.value for item in thresholds},
        kinds={item.name: item.kind for item in thresholds},
        file=rule.file,
        text=bundle.files.get(rule.file, ""),
        page=rule.page,
        bundle=bundle.digest,
    )


def _clause_text(bundle: Bundle, clause: str) -> ClauseText | None:
    words = bundle.clauses.get(clause)
    return ClauseText(words["title"], words["text"]) if words else None
