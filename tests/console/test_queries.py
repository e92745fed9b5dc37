"""Queries for people: the same story in SQLite and in PostgreSQL reads the same, in pages that keep their place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from engine.domain.errors import NotFound, UsageError
from engine.service.findings import Findings, as_document
from engine.service.people import Choice, People
from engine.store.opening import open_store
from engine.store.sql_store import SqlStore
from tests.console.story import HOSTILE, LEAVER, RECORDED, tell
from tests.store.make import batch, entry, violation

QUERIES = [
    "", "status:open", "rule:FU-006", "since:2026-04-01", "until:2026-03-05", "transferred", "ALICE or nobody", "100%",
    "severity:critical clause:G3", "organisation:acme respondent:holder", 'repository:"github.com#77"', "<script>",
]  # fmt: skip


@pytest.fixture
def many(tmp_path: Path) -> Iterator[SqlStore]:
    """A store with 130 findings, many of one instant, of two organisations."""
    store = open_store(f"sqlite:///{tmp_path / 'many.db'}")
    rows = [
        violation(
            f"{number:032x}", aggregate=f"{('acme', 'beta')[number % 2]}/person/p-7", organisation=("acme", "beta")[number % 2],
            holder="p-7", last_seen_at=1000 + number // 20, status="alleged", settled=True, discriminator=f'["{number}"]',
        )
        for number in range(130)
    ]  # fmt: skip
    people = [entry(f"{o}-e", aggregate=f"{o}/person/p-7", organisation=o, event=WIRE) for o in ("acme", "beta")]
    store.record(batch(1, journal=tuple(people), violations=tuple(rows)))
    yield store
    store.close()


WIRE = (
    '{"id":"e","source":"s","type":"compute.person.hired.v1","time":"2026-01-01T00:00:00Z","organisation":"acme",'
    '"data":{"person":"p-7"}}'
)


@pytest.mark.needs_postgres
def test_postgresql_reads_as_sqlite_does(findings: Findings, postgres_url: str, opa_binary: str) -> None:
    """Every list, every finding and every account is the same document in both."""
    other = open_store(postgres_url)
    tell(other, opa_binary)
    theirs = Findings(other)
    for query in QUERIES:
        assert as_document(theirs.page(query)) == as_document(findings.page(query)), query
    for one in findings.all(""):
        assert as_document(theirs.detail(one.id)) == as_document(findings.detail(one.id))
    for person in (LEAVER, HOSTILE, "p-2", "p-9"):
        ours = People(findings).account(person, now_us=RECORDED)
        assert as_document(People(theirs).account(person, now_us=RECORDED)) == as_document(ours)
    other.close()


def test_pages_follow_one_another_without_gap_or_repetition(many: SqlStore) -> None:
    """130 findings in pages of 17, ties of time and all, come once each in one order."""
    findings = Findings(many)
    seen, after = [], ""
    while True:
        listing = findings.page("", after, 17)
        assert listing.total == 130
        seen += [(one.last_seen_at, one.id) for one in listing.findings]
        after = listing.next
        if not after:
            break
    assert len(set(seen)) == 130
    assert seen == sorted(seen, key=lambda pair: (-pair[0], pair[1]))
    assert [one.id for one in findings.all("")] == [ident for _, ident in seen]


def test_a_page_takes_as_many_queries_for_many_findings_as_for_few(many: SqlStore) -> None:
    """The count of statements doesn't depend on what is found."""
    asked: list[str] = []
    event.listen(many.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    findings = Findings(many)
    counts = []
    for query in ("", "holder:nobody"):
        asked.clear()
        findings.page(query)
        counts.append(len([text for text in asked if text.startswith("SELECT")]))
    assert counts[0] == counts[1] <= 9


def test_a_percent_sign_is_no_wildcard(findings: Findings) -> None:
    """Free text is looked for as it is written."""
    assert findings.page("%").total == 0
    assert findings.page("used").total > 0


def test_a_person_of_two_organisations_must_be_told_apart(many: SqlStore) -> None:
    """The choice is named; with it the account is that organisation's alone."""
    people = People(Findings(many))
    with pytest.raises(Choice) as choice:
        people.account("p-7", now_us=0)
    assert choice.value.organisations == ["acme", "beta"]
    assert len(people.account("p-7", "beta", now_us=0).findings) == 65


def test_an_id_must_name_one_finding(many: SqlStore) -> None:
    """Too short, not hexadecimal, none, several: each is said."""
    findings = Findings(many)
    with pytest.raises(UsageError, match="Several findings begin with 0000"):
        findings.detail("0000")
    for ident in ("00", "xyz0", "f" * 32, "%" * 8):
        with pytest.raises(NotFound):
            findings.detail(ident)


def test_reading_doesnt_wait_for_a_writer(findings: Findings) -> None:
    """On SQLite a page is read while a transaction that writes is open."""
    with findings.store.engine.begin() as writer:
        writer.exec_driver_sql("UPDATE lane SET published = published")
        assert findings.page("").total == 6
