"""`covenant ledger`: balances, liability and how it moved, for people, programs and controllers. Adds nothing up itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import msgspec

from engine import bootstrap
from engine.cli.inputs import Moment
from engine.cli.shell import FORMATS, Shell, pass_shell, table
from engine.domain.errors import UsageError
from engine.domain.ledger import BASES, COLUMNS
from engine.policy.bundle import from_bytes
from engine.service import ledger_reports as reports
from engine.service.ledger import Scope, books_at
from engine.service.relearning import relearn
from engine.service.roll_forward import PARTS, Asked, roll_forward
from engine.service.valuation import Prices, known_reference
from engine.store.lookups import Lookups
from engine.store.postings import Clocks, Postings

SHOWN = (
    "granted", "transferred_in", "consumed", "expired", "forfeited", "voided", "transferred_out", "outstanding", "unvested",
    "overage",
)  # fmt: skip
XLSX = "xlsx"


class Request(msgspec.Struct, frozen=True):
    """What is asked for, as given on the command line."""

    as_of: int | None
    known_at: int | None
    holder: str
    grant: str
    pool: str
    basis: str
    currency: str
    report: str
    since: int | None
    until: int | None
    opening_known_at: int | None
    entries: bool
    output: Path | None

    @property
    def scope(self) -> Scope:
        """Whose books."""
        return Scope(self.holder, self.grant, self.pool)

    def period(self) -> tuple[int, int]:
        """Give the period of a report of one, or say what is missing."""
        if self.since is None or self.until is None or self.until <= self.since:
            msg = f"--report {self.report} is about a period."
            raise UsageError(msg, "Give --from and, later than that, --to.")
        return self.since, self.until


def _format(ctx: click.Context, _: click.Parameter, value: str | None) -> str | None:
    if value in FORMATS:
        ctx.ensure_object(Shell).format = value
    return value


@click.command(short_help="Show the balances of grants.")
@click.option("--as-of", type=Moment(), help="As it was at this time, that instant left out. Default: now.")
@click.option("--known-at", type=Moment(), help="As we knew it at this time. Default: all that is known now.")
@click.option("--holder", default="", metavar="P", help="Only this person's grants.")
@click.option("--grant", default="", metavar="G", help="Only this grant.")
@click.option("--pool", default="", metavar="L", help="Only grants that draw on this pool.")
@click.option("--basis", type=click.Choice(list(BASES)), default="vested-and-accrued", show_default=True, help="What is owed.")
@click.option("--currency", default="", metavar="CUR", help="Value in this currency. Default: the one that prices are in.")
@click.option(
    "--report", type=click.Choice(["balances", "roll-forward", "breakage", "remeasurement"]), default="balances",
    show_default=True, help="What to show.",
)  # fmt: skip
@click.option("--from", "since", type=Moment(), help="A period's first instant, for reports of one.")
@click.option("--to", "until", type=Moment(), help="A period's end, itself left out.")
@click.option(
    "--opening-known-at", type=Moment(), help="As known when the period before was reported. Default: when it was closed."
)
@click.option("--entries", is_flag=True, help="List the postings behind the figures, with their events.")
@click.option("--format", "form", type=click.Choice([*FORMATS, XLSX]), callback=_format, help="How results are given.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Where the Excel file goes.")
@pass_shell
def ledger(shell: Shell, /, *, form: str | None, **given: Any) -> None:
    """Show what was granted and what became of it, grant by grant, what it is worth, and how that moved.

    Always: granted + transferred in + rolled in = consumed + expired + forfeited + voided + transferred out + rolled out
    + outstanding + unvested. The liability is on the basis named; no figure here is accounting advice.
    """
    request = Request(**given)
    if (form == XLSX) != (request.output is not None):
        msg = "An Excel file needs --format xlsx and --output FILE, both."
        raise UsageError(msg, "Other formats go to standard output.")
    if request.report != "balances":
        request.period()
    with closing(bootstrap.read_store(shell.settings)) as store:
        _give(shell, request, Lookups(store))


def _give(shell: Shell, request: Request, lookups: Lookups) -> None:
    judged_by = lookups.judged_by()
    windows = from_bytes(lookups.store.bundle(judged_by)).windows if judged_by else bootstrap.load_bundle(shell.settings).windows
    postings = _postings(shell, request, lookups, windows)
    document, entries = (_balances if request.report == "balances" else _period)(request, postings, windows)
    if request.output is not None:
        from engine.service import workbook  # noqa: PLC0415 - only who wants Excel waits for it

        workbook.write(request.output, document, entries, COLUMNS)
        shell.say(f"Wrote {request.output}.")
    elif shell.format == "csv":
        _csv(shell, request, document, entries)
    else:
        if request.entries:
            document["entries"] = list(entries)
        shell.document(document, lambda: _in_words(request, document))


def _postings(shell: Shell, request: Request, lookups: Lookups, windows: dict[str, int]) -> Postings:
    """Give what the books are read from; where facts were recorded in another order than they were learnt in, that takes time."""
    postings = Postings(lookups.store)
    if not all(map(postings.in_order, (request.known_at, request.opening_known_at))):
        with shell.progress("Folding again what was known", lookups.taken_in()) as progress:
            relearn(postings, windows, progress)
    return postings


def _balances(request: Request, postings: Postings, windows: dict[str, int]) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    clocks = Clocks(bootstrap.now_us() if request.as_of is None else request.as_of, request.known_at)
    books = books_at(postings, clocks, windows, scope=request.scope)
    prices = Prices(known_reference(Lookups(postings.store), request.known_at)[0], request.currency)
    document = reports.balances(books, clocks, prices, request.basis)
    return document, reports.entries(books, clocks, request.scope)


def _period(request: Request, postings: Postings, windows: dict[str, int]) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    since, until = request.period()
    asked = Asked(
        since, until, request.known_at, request.opening_known_at, request.basis, request.currency, request.scope
    )  # fmt: skip
    report = roll_forward(postings, asked, windows)
    whole = request.report == "roll-forward"
    document = reports.roll_forward(report) if whole else reports.part(report, request.report)
    clocks = Clocks(until, report.known_at)

    def entries() -> Iterator[dict[str, Any]]:
        books = books_at(postings, clocks, windows, scope=request.scope)
        yield from reports.entries(books, clocks, request.scope, since)

    return document, entries()


def _csv(shell: Shell, request: Request, document: dict[str, Any], entries: Iterator[dict[str, Any]]) -> None:
    if request.entries:
        shell.rows(entries, reports.ENTRY)
    elif request.report == "balances":
        shell.rows(document["lines"], [*reports.IDENTITY, *COLUMNS, *reports.VALUES])
    else:
        shell.rows(document["movements"], reports.MOVEMENT)


def _in_words(request: Request, document: dict[str, Any]) -> str:
    said = _balances_in_words(document) if request.report == "balances" else _period_in_words(document)
    notes = [f"Not known: {reason}." for reason in document["reasons"]]
    if document["projected"]:
        notes.append("Installments count as vested by their dates, though nothing has happened since that would show it.")
    notes.append(f"Basis {document['basis']}: {document['basis_means']}. {document['notice']}")
    return "\n".join([said, "", *notes, *_entries_in_words(document.get("entries", []))])


def _entries_in_words(entries: Sequence[dict[str, Any]]) -> list[str]:
    if not entries:
        return []
    columns = ("time", "holder", "grant", "kind", "amount", "unit", "event", "because")
    return ["", table(columns, [[str(one.get(name) or "") for name in columns] for one in entries])]


def _balances_in_words(document: dict[str, Any]) -> str:
    if not document["lines"]:
        return "No grants."
    names = [*SHOWN, "liability"]
    rows = [[one["holder"], one["grant"], one["unit"], *(one[name] or "unknown" for name in names)] for one in document["lines"]]
    rows += [["total", "", unit, *(one[name] or "unknown" for name in names)] for unit, one in document["by_unit"].items()]
    said = [table(["holder", "grant", "unit", *names], rows)]
    said += [f"Claimed back: {amount} {currency}." for currency, amount in document["receivable"].items()]
    return "\n".join(said)


def _period_in_words(document: dict[str, Any]) -> str:
    money = document["currency"] or ""
    rows = [[name.replace("_", " "), document[name] or "unknown", money] for name in PARTS if name in document]
    if "cost" in document:
        rows.append(["cost", document["cost"] or "unknown", money])
        correction = document["correction"]
        rows += [
            [f"of which corrections: {name}", value or "unknown", money]
            for name, value in itertools.islice(correction.items(), 3)
        ]
    return table(["", f"{document['from'][:10]} to {document['to'][:10]}", "currency"], rows)
