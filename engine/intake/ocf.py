"""The source `ocf`: grants, their lives and their holders' employment in the Open Cap Format (OCF 1.x). Pure.

A file is an OCF document with `items`. Equity compensation is read as grants of units: what a company grants in compute
it can write as OCF does. Stock, warrants and convertibles are no such grants and refused. A holder is known by the
stakeholder's id, a grant by the security's. Vesting terms and issuances are remembered for one run, over its files: give
VestingTerms.ocf.json before Transactions.ocf.json. Dates are 00:00Z. The unit is `share` unless `unit` says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn

from engine.domain.errors import Refusal
from engine.domain.values import instant_text
from engine.domain.wording import cut
from engine.intake.ocf_people import relationship, status, windows
from engine.intake.ocf_vesting import by_dates, by_terms, of_event
from engine.intake.picking import Fields, quantity_of, wrong
from engine.intake.records import Draft, Record, Records

REMEMBERED_MAX: Final = 100_000
"""Vesting terms, and securities, of one run."""
SOURCE: Final = "ocf"
_TERMS: Final = "VESTING_TERMS"
_OLD: Final = ("TX_PLAN_SECURITY_", "TX_EQUITY_COMPENSATION_")
"""What OCF called equity compensation before version 1.1, and since."""
_UNRELATED: Final = {
    "TX_STOCK_": "stock, which its holder owns",
    "TX_WARRANT_": "warrants, which are sold and not granted",
    "TX_CONVERTIBLE_": "convertibles, which are sold and not granted",
    "TX_ISSUER_": "the issuer's own stock",
    "TX_EQUITY_COMPENSATION_REPRICING": "a price of exercise, which units of compute don't have",
    "TX_STOCK_PLAN_RETURN_TO_POOL": "units back in their plan, which the cancellation itself says",
    "STAKEHOLDER": "who somebody is and not since when; transactions name them by their id",
}
"""What is refused, and what it is about; the longest name that fits counts."""


class Ocf(Records):
    """Documents of the Open Cap Format."""

    name = "ocf"
    what = "an OCF file"

    def __init__(self) -> None:
        """Begin a run: nothing was read."""
        self._terms: dict[str, Any] = {}
        self._issued: dict[str, Any] = {}
        self._grants: dict[str, str] = {}
        """Security that a transfer resulted in → the grant that went on."""

    def records(self, document: Any) -> Iterable[Record]:
        """Give a document's items, having remembered what others of them refer to."""
        file = Fields(document)
        if "object_type" in file.value:
            items, places = [document], [""]
        elif "items" in file.value:
            items = file.items("items")
            places = [f"items[{index}]" for index in range(len(items))]
        else:
            msg = "Expected an OCF document with items."
            raise Refusal(msg, "Send files of an OCF package, such as Transactions.ocf.json.", code="not-ocf")
        for item in items:
            self._remember(item)
        return [(place, item) for place, item in zip(places, items, strict=True) if not self._is_terms(item)]

    def drafts(self, record: Any) -> Iterable[Draft]:
        """Give the events of one transaction, plan or change."""
        item = Fields(record)
        kind = item.need("object_type").replace(*_OLD)
        make = _MADE.get(kind)
        if make is None:
            _unrelated(kind)
        return make(self, item)

    def _is_terms(self, item: Any) -> bool:
        return isinstance(item, dict) and item.get("object_type") == _TERMS and self._terms.get(str(item.get("id"))) is item

    def _remember(self, item: Any) -> None:
        if not isinstance(item, dict) or not isinstance(item.get("object_type"), str):
            return
        kind = item["object_type"].replace(*_OLD)
        held, key = (self._terms, "id") if kind == _TERMS else (self._issued, "security_id")
        if kind in {_TERMS, "TX_EQUITY_COMPENSATION_ISSUANCE"} and isinstance(item.get(key), str):
            if len(held) >= REMEMBERED_MAX and item[key] not in held:
                msg = f"The files hold more than {REMEMBERED_MAX:,} securities or vesting terms."
                raise Refusal(msg, "Read them in several runs.", code="too-many")
            held[item[key]] = item
        elif kind == "TX_EQUITY_COMPENSATION_TRANSFER":
            self._note_transfer(item)

    def _note_transfer(self, item: dict[str, Any]) -> None:
        """Note that a security transferred whole goes on as the same grant under another security's id."""
        after, before = item.get("resulting_security_ids"), item.get("security_id")
        if item.get("balance_security_id") is not None or not isinstance(after, list) or len(after) != 1:
            return
        one = after[0]
        if isinstance(before, str) and isinstance(one, str) and one != before and len(self._grants) < REMEMBERED_MAX:
            self._grants[one] = self._grants.get(before, before)

    def issuance(self, item: Fields) -> list[Draft]:
        """An issuance is a grant, unless it is what a transfer left of one."""
        security = item.need("security_id")
        if security in self._grants:
            msg = f"Security {cut(security)} is what a transfer left of {cut(self._grants[security])}: it is the same grant."
            raise Refusal(msg, "Nothing is to be done about it: the transfer says so.", code="part-of-transfer")
        date, quantity = _date(item), item.decimal("quantity")
        if quantity is None or quantity <= 0:
            wrong("quantity", "a number above 0", item.value.get("quantity"))
        expires = item.time("expiration_date")
        data = {
            "grant_id": security,
            "holder": item.need("stakeholder_id"),
            "quantity": quantity_of(quantity, "quantity"),
            "unit": item.text("unit") or "share",
            **self._vesting(item, date),
            "expires_at": None if expires is None else instant_text(expires),
            "purpose": " ".join(filter(None, (item.text("compensation_type"), item.text("custom_id")))) or None,
            "termination_windows": windows(item) or None,
        }
        return [_draft("grant.issued", item, data)]

    def _vesting(self, item: Fields, date: int) -> dict[str, Any]:
        """Say how it vests: at once where it says nothing; `vestings` go before the terms."""
        quantity = item.decimal("quantity") or item.decimal("amount")
        if quantity and item.items("vestings"):
            return {"vesting": "scheduled", "schedule": by_dates(item.objects("vestings"), quantity, date)}
        name = item.text("vesting_terms_id")
        if name is None or quantity is None:
            return {"vesting": "immediate"}
        schedule = by_terms(self._terms_of(name), quantity)
        return {"vesting": "by_event"} if schedule is None else {"vesting": "scheduled", "schedule": schedule}

    def _terms_of(self, name: str) -> Fields:
        if name not in self._terms:
            msg = f"vesting_terms_id: the vesting terms {cut(name)!r} weren't read in this run."
            do = "Give their file first: covenant ingest --from ocf VestingTerms.ocf.json Transactions.ocf.json."
            raise Refusal(msg, do, code="unknown-terms", field="vesting_terms_id")
        return Fields(self._terms[name], "vesting_terms")

    def vesting_event(self, item: Fields) -> list[Draft]:
        """An event of the vesting terms vests its condition's share, or all that is left."""
        security = item.need("security_id")
        issued = self._issued.get(security)
        if issued is None:
            do = "Give the file that issues it in the same run, before this one."
            wrong("security_id", "a security that was issued in this run", security, do)
        grant = Fields(issued, "issuance")
        quantity = grant.decimal("quantity")
        if not quantity:
            wrong(grant.path("quantity"), "a number above 0", grant.value.get("quantity"))
        units = of_event(self._terms_of(grant.need("vesting_terms_id")), item.need("vesting_condition_id"), quantity)
        if units is None:
            return [_draft("grant.accelerated", item, {**self._grant(item), "reason": "all that was left vested"})]
        return [_draft("grant.vested", item, {**self._grant(item), "quantity": quantity_of(units, "quantity")})]

    def transfer(self, item: Fields) -> list[Draft]:
        """A transfer of a whole grant to the holder of the one security it results in."""
        after = [one for one in item.items("resulting_security_ids") if isinstance(one, str)]
        if item.has("balance_security_id") or len(after) != 1:
            msg = f"Transfer {cut(item.need('id'))} splits its security, and a grant is transferred whole."
            do = "Void the grant and issue its parts, or transfer each part's own security."
            raise Refusal(msg, do, code="split-transfer", field="resulting_security_ids")
        received = self._issued.get(after[0])
        if received is None:
            do = "Give the issuance of the resulting security in the same run: it names who received it."
            wrong("resulting_security_ids[0]", "a security that was issued in this run", after[0], do)
        to = Fields(received, "issuance").need("stakeholder_id")
        return [_draft("grant.transferred", item, {**self._grant(item), "to": to})]

    def _grant(self, item: Fields) -> dict[str, Any]:
        """Name the grant, and its holder where its issuance was read."""
        security = item.need("security_id")
        own = self._grants.get(security, security)
        issued = self._issued.get(security)
        return {"grant_id": own, "holder": None if issued is None else Fields(issued, "issuance").text("stakeholder_id")}

    def accepted(self, item: Fields) -> list[Draft]:
        """The holder accepted."""
        return [_draft("grant.accepted", item, self._grant(item))]

    def voided(self, item: Fields) -> list[Draft]:
        """A cancelled or retracted security is void; what a cancellation leaves is issued as another."""
        return [_draft("grant.voided", item, {**self._grant(item), "reason": item.text("reason_text")})]

    def vesting_started(self, item: Fields) -> list[Draft]:
        """The vesting start that a schedule waits for."""
        return [_draft("grant.vesting_started", item, self._grant(item))]

    def accelerated(self, item: Fields) -> list[Draft]:
        """Units that vest ahead of their schedule."""
        data = {**self._grant(item), "quantity": item.quantity("quantity"), "reason": item.text("reason_text")}
        return [_draft("grant.accelerated", item, data)]

    def consumed(self, item: Fields) -> list[Draft]:
        """An exercise or a release takes units out of the grant: they are consumed."""
        grant, issued = self._grant(item), self._issued.get(item.need("security_id"), {})
        holder = grant["holder"]
        data = {
            "person": holder,
            "user": None if holder else {"kind": "grant", "value": grant["grant_id"]},
            "grant_id": grant["grant_id"],
            "quantity": item.quantity("quantity"),
            "unit": issued.get("unit") or "share",
            "provider": SOURCE,
        }
        return [_draft("usage.charged", item, data)]

    def planned(self, item: Fields) -> list[Draft]:
        """A stock plan is a pool that grants are made from, of the day its board approved it."""
        date = item.time("board_approval_date")
        if date is None:
            wrong("board_approval_date", "the date of the plan", None)
        data = {
            "pool": item.need("id"),
            "quantity": item.quantity("initial_shares_reserved"),
            "unit": item.text("unit") or "share",
        }
        return [Draft("pool.planned", SOURCE, item.need("id"), date, data)]

    def resized(self, item: Fields) -> list[Draft]:
        """A plan's size changed."""
        return [_draft("pool.resized", item, {"pool": item.need("stock_plan_id"), "quantity": item.quantity("shares_reserved")})]

    def relationship(self, item: Fields) -> list[Draft]:
        """A change of how somebody is engaged."""
        return [_draft(kind, item, data, part) for kind, part, data in relationship(item)]

    def status(self, item: Fields) -> list[Draft]:
        """A leave or an end of employment."""
        kind, data = status(item)
        return [_draft(kind, item, data)]


def _draft(kind: str, item: Fields, data: dict[str, Any], part: str = "") -> Draft:
    return Draft(kind, SOURCE, item.need("id") + part, _date(item), data)


def _date(item: Fields) -> int:
    date = item.time("date")
    if date is None:
        wrong("date", "the transaction's date", None)
    return date


def _unrelated(kind: str) -> NoReturn:
    about = max((name for name in _UNRELATED if kind.startswith(name)), key=len, default="")
    what = _UNRELATED.get(about, "nothing that is known here")
    msg = f"{cut(kind)} is about {what}."
    raise Refusal(msg, "Nothing is to be done about it, unless it should be a grant.", code="not-a-grant", field="object_type")


_MADE: Final[dict[str, Callable[[Ocf, Fields], list[Draft]]]] = {
    "TX_EQUITY_COMPENSATION_ISSUANCE": Ocf.issuance,
    "TX_EQUITY_COMPENSATION_ACCEPTANCE": Ocf.accepted,
    "TX_EQUITY_COMPENSATION_CANCELLATION": Ocf.voided,
    "TX_EQUITY_COMPENSATION_RETRACTION": Ocf.voided,
    "TX_EQUITY_COMPENSATION_EXERCISE": Ocf.consumed,
    "TX_EQUITY_COMPENSATION_RELEASE": Ocf.consumed,
    "TX_EQUITY_COMPENSATION_TRANSFER": Ocf.transfer,
    "TX_VESTING_START": Ocf.vesting_started,
    "TX_VESTING_ACCELERATION": Ocf.accelerated,
    "TX_VESTING_EVENT": Ocf.vesting_event,
    "TX_STOCK_PLAN_POOL_ADJUSTMENT": Ocf.resized,
    "STOCK_PLAN": Ocf.planned,
    "CE_STAKEHOLDER_RELATIONSHIP": Ocf.relationship,
    "CE_STAKEHOLDER_STATUS": Ocf.status,
}
