"""Books in tests: a store, an evaluator for a bundle without rules, and the worked example of the domain as events."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec

from engine.domain.events import Event
from engine.domain.ledger import Line
from engine.domain.values import instant, quantity_text
from engine.intake.arrivals import Arrival
from engine.policy.bundle import Bundle, digest_of
from engine.policy.catalogue import Catalogue
from engine.policy.evaluator import Answer
from engine.service.ingest import ingest
from engine.service.ledger import Books, Scope, books_at, refolded
from engine.service.process import Body
from engine.store.lookups import Lookups
from engine.store.opening import open_store
from engine.store.postings import Clocks, Postings
from tests.domain.make import event

PARAMS = (Path(__file__).parents[2] / "policies" / "params.json").read_text()
FILES = {"params.json": PARAMS}
NO_RULES = Bundle(digest_of(FILES), FILES, Catalogue(()))
Moment = str | int | None


class AsksNobody:
    """An evaluator for a bundle without rules: it is never asked."""

    revision = NO_RULES.digest
    opa_version = "none"

    def evaluate(self, inputs: Sequence[bytes]) -> list[Answer]:
        """Answer nothing."""
        assert not inputs
        return []

    def submit(self, inputs: Sequence[bytes]) -> Future[list[Answer]]:
        """Do the same."""
        raise AssertionError(inputs)

    def close(self) -> None:
        """Hold nothing."""


class Opened:
    """A store and what was taken into it."""

    def __init__(self, url: str) -> None:
        """Open a fresh store."""
        self.store = open_store(url)
        self.lookups = Lookups(self.store)
        self.postings = Postings(self.store)

    def take(self, events: Sequence[Event], at: int = 1, batch: int = 7) -> None:
        """Take events in, recorded at a time unless they say when."""
        ingest(Body(self.store, AsksNobody(), NO_RULES), map(Arrival, events), clock=lambda: at, batch=batch)

    def books(self, as_of: Moment, known_at: Moment = None, scope: Scope = Scope()) -> Books:  # noqa: B008 - never changed
        """Give the books."""
        return books_at(self.postings, clocks(as_of, known_at), NO_RULES.windows, scope=scope)

    def at(self, as_of: Moment, known_at: Moment = None, **scope: str) -> list[Line]:
        """Give the balances."""
        return self.books(as_of, known_at, Scope(**scope)).lines

    def folded(self, as_of: Moment, known_at: Moment = None) -> list[Line]:
        """Give the balances by folding the journal again."""
        return refolded(self.postings, clocks(as_of, known_at), NO_RULES.windows)


def clocks(as_of: Moment, known_at: Moment = None) -> Clocks:
    """Read two moments."""
    return Clocks(us(as_of), us(known_at))


def us(moment: Moment) -> int | None:
    """Read a moment."""
    return int(instant(moment)) if isinstance(moment, str) else moment


def row(line: Line, *names: str) -> tuple[str, ...]:
    """Give some amounts as decimals."""
    return tuple(quantity_text(getattr(line, name)) for name in names)


def recorded(one: Event, at: int | str) -> Event:
    """The same event, learnt at another time than it happened."""
    return msgspec.structs.replace(one, recorded_at=us(at))


QUARTERS: dict[str, Any] = {"segments": [{"occurrences": 1, "every": 0, "denominator": 4}, {"occurrences": 3, "denominator": 4}]}


def example() -> list[Event]:
    """The worked example of the domain: rates, prices, three grants, three usages (one recorded late), an exit."""
    rates = [
        event("rate.published", "2026-07-01", meter=meter, unit="CCU", units=units, per=per)
        for meter, units, per in (("input_tokens", "2.5", "1000000"), ("output_tokens", "10", "1000000"))
    ]
    hours = [
        event("rate.published", day, meter="gpu_seconds", unit="CCU", units=units, per="3600")
        for day, units in (("2026-07-01", "3"), ("2026-09-01", "2.4"))
    ]
    prices = [event("price.published", day, price=price) for day, price in (("2026-07-01", "1"), ("2026-09-15", "0.9"))]
    terms: dict[str, dict[str, Any]] = {
        "G1": {"quantity": "12000", "priority": 10, "expires_at": "2027-06-30", "vesting": "scheduled", "schedule": QUARTERS},
        "G2": {"quantity": "1000", "priority": 10, "expires_at": "2026-08-31", "vesting": "immediate"},
        "G3": {"quantity": "500", "priority": 1, "expires_at": "2026-12-31"},
    }
    grants = [
        event("grant.issued", "2026-07-01", ident=grant, grant_id=grant, holder="p", termination_window_days=30, **more)
        for grant, more in terms.items()
    ]
    g3 = event("grant.vested", "2026-08-15", grant_id="G3", holder="p", quantity="500")
    u1 = event("usage.inference", "2026-07-20", ident="U1", person="p", input_tokens=200_000_000, output_tokens=40_000_000)
    u2 = event("usage.gpu", "2026-09-05", ident="U2", person="p", gpu_seconds=str(400 * 3600))
    u3 = event("usage.inference", "2026-08-25", ident="U3", person="p", input_tokens=12_000_000)
    exit_ = event("person.terminated", "2026-09-20", person="p")
    closed = event("period.closed", "2026-10-03", period="2026-Q3", **{"from": "2026-07-01", "until": "2026-10-01"})
    events = [*rates, *hours, *prices, *grants, g3, u1, u2, exit_, closed]
    return [*(recorded(one, one.time) for one in events), recorded(u3, "2026-10-04")]
