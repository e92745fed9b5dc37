"""`covenant doctor` on what a store holds: refusals, feeds that are silent and whom they keep from being judged."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from engine.console.app import make_console
from engine.domain.events import Event
from engine.service.findings import Findings
from engine.store.opening import open_store
from tests.cli.conftest import Run, ingested, write
from tests.domain.make import event
from tests.store.make import batch

USE = (
    event("organisation.configured", "2025-01-01", owners=["github.com/acme"]),
    event("person.hired", "2026-01-01", person="p-1"),
    event("agreement.sent", "2026-01-02", person="p-1", kind="ip_assignment", version="1"),
    event("grant.issued", "2026-01-03", grant_id="G1", holder="p-1", quantity="100", vesting="immediate"),
    event("usage.inference", "2026-01-04", person="p-1", quantity="5"),
)


def complete(feed: str, through: str) -> Event:
    """A feed says how far it is complete."""
    return event("feed.completed_through", "2026-02-01", feed=feed, through=through)


def troubles(covenant: Run, code: int) -> list[dict[str, Any]]:
    """What doctor says is to be looked after, having ended with a code."""
    result = covenant("--format", "json", "doctor")
    assert result.exit_code == code, result.stdout
    return [row for row in map(json.loads, result.stdout.splitlines()) if not row["ok"]]


def opened(covenant: Run) -> list[str]:
    """The rules that opened anything."""
    found = covenant("--format", "json", "violations", "list").stdout.splitlines()
    return [json.loads(line)["rule"] for line in found]


def page(store: Path, path: str) -> str:
    """What the console shows at a path."""

    async def ask(transport: httpx.ASGITransport) -> str:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return (await client.get(path)).text

    with closing(open_store(f"sqlite:///{store}")) as opened_store:
        return asyncio.run(ask(httpx.ASGITransport(make_console(Findings(opened_store), clock=lambda: 0))))


def test_while_a_feed_is_silent_nothing_opens_and_everybody_is_told_why(covenant: Run, folder: Path) -> None:
    """Of HR's or of legal's: neither accuses; doctor, the list and the person's page name the feed and the rule that waits."""
    for silent, other in (("people", "agreements"), ("agreements", "people")):
        store = folder / f"{silent}.db"
        run = partial(covenant, "--store", f"sqlite:///{store}")
        feeds = (complete(other, "2026-01-31"), complete(silent, "2026-01-08"))
        ingested(run, "--until", "2026-02-02", write(folder / "events.jsonl", [*feeds, *USE]))
        assert opened(run) == []
        (told,) = troubles(run, 1)
        assert (told["check"], told["since"], told["rules"]) == ("feed", "2026-01-08T00:00:00Z", ["IP-005"])
        assert f"feed of {silent} is silent since 2026-01-08" in told["says"]
        assert told["do"]
        for path in ("/findings", "/people/p-1"):
            shown = page(store, path)
            assert f"The feed of {silent} is silent since <time" in shown
            assert '"2026-01-08T00:00:00Z">8 Jan 2026, 00:00 UTC</time>: 1 event waits' in shown
        ingested(run, write(folder / "more.jsonl", [complete(silent, "2026-01-31")]))
        assert (opened(run), troubles(run, 0)) == (["IP-005"], [])
        assert "is silent" not in page(store, "/findings")


def test_doctor_says_what_was_refused_since_when_and_asks_of_needs_alone_where_told(covenant: Run, folder: Path) -> None:
    """Exit 1 for what is to be looked after, 0 with --needs; once redriven, nothing is left."""
    path = write(folder / "events.jsonl", USE)
    path.write_bytes(path.read_bytes() + b"nonsense\n")
    ingested(covenant, path)
    (told,) = troubles(covenant, 1)
    assert told["check"] == "refused"
    assert told["since"]
    assert ("1 event refused" in told["says"], "dead-letters redrive" in told["do"]) == (True, True)
    assert "LOOK" in covenant("doctor").stdout
    needs = covenant("doctor", "--needs")
    assert (needs.exit_code, "LOOK" in needs.stdout) == (0, False)


def test_doctor_says_which_lanes_are_behind(covenant: Run, folder: Path) -> None:
    """Nobody is told of a finding meanwhile, so that an operator must know."""
    ingested(covenant, write(folder / "events.jsonl", USE))
    with closing(open_store(f"sqlite:///{folder / '.covenant' / 'covenant.db'}")) as store:
        store.record(batch(store.lane(0).version + 1, journal=(), behind=True))
    (told,) = troubles(covenant, 1)
    assert told["check"] == "behind"
    assert told["says"] == "Lane 0 has yet to catch up, and nobody is told of new findings meanwhile."
