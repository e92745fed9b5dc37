"""How values are written on pages: times, quantities, links and the rest of what the templates ask for.

Owns the Jinja environment; autoescape is on for every template, and what is marked as safe is made here, of escaped
parts. Reads no store.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from engine.domain.errors import Refusal
from engine.domain.values import MICRO, instant, instant_text, quantity_text
from engine.service.finding_query import Query

HERE: Final = Path(__file__).parent
STYLE: Final = (HERE / "static" / "console.css").read_bytes()
ICON: Final = (HERE / "static" / "icon.svg").read_bytes()
STYLE_URL: Final = f"/static/console.{hashlib.sha256(STYLE).hexdigest()[:12]}.css"
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?Z")
_KINDS: Final = {"cap_uplift": "cap uplift", "own_time": "own time"}


def environment() -> Environment:
    """Make the environment the pages are rendered in."""
    templates = FileSystemLoader(HERE / "templates")
    made = Environment(loader=templates, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    filters: dict[str, Callable[..., Any]] = {
        "when": when, "day": day, "timed": timed, "units": units, "grouped": grouped, "words": words, "plural": plural,
        "share": share, "duration": duration, "section": section,
        "begun": begun,
    }  # fmt: skip
    made.filters.update(filters)
    made.globals.update({"finding_url": finding_url, "person_url": person_url, "find_url": find_url, "style_url": STYLE_URL})
    made.globals |= {"qualified": qualified, "decision_url": decision_url}
    return made


def when(micros: int) -> Markup:
    """Write an instant as people read it, with what programs read beside it."""
    at = _EPOCH + dt.timedelta(microseconds=micros)
    shown = f"{at.day} {at:%b %Y, %H:%M}" + (f":{at:%S}" if at.second else "") + " UTC"
    return Markup('<time datetime="{}">{}</time>').format(instant_text(micros), shown)


def day(micros: int) -> Markup:
    """Write an instant's date; the time of day is in the element for programs."""
    at = _EPOCH + dt.timedelta(microseconds=micros)
    return Markup('<time datetime="{}">{}</time>').format(instant_text(micros), f"{at.day} {at:%b %Y}")


def timed(sentence: str) -> Markup:
    """Escape a sentence and make the RFC 3339 times in it readable."""
    parts: list[str] = []
    end = 0
    for found in _INSTANT.finditer(sentence):
        try:
            shown = when(instant(found[0]))
        except Refusal:
            continue
        parts += [escape(sentence[end : found.start()]), shown]
        end = found.end()
    parts.append(escape(sentence[end:]))
    return Markup("").join(parts)


def units(micros: int) -> Markup:
    """Write micro-units with their thousands apart, to two decimals; the exact decimal is in the element for programs."""
    exact = quantity_text(micros)
    rough = micros % (MICRO // 100) and abs(micros) >= MICRO
    return Markup('<data value="{}">{}</data>').format(exact, f"{micros / MICRO:,.2f}" if rough else grouped(exact))


def grouped(text: str) -> str:
    """Set the thousands of a decimal string apart."""
    whole, point, part = str(text).partition(".")
    return f"{int(whole):,}{point}{part}" if whole.lstrip("-").isdecimal() else str(text)


def words(name: str) -> str:
    """Write an identifier as words."""
    return _KINDS.get(name, name.replace("_", " "))


def begun(text: str) -> str:
    """Begin a text with a capital and leave the rest as it is."""
    return text[:1].upper() + text[1:]


def plural(count: int, one: str, many: str = "") -> str:
    """Write a number with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def share(part: int, whole: int) -> str:
    """Give a share as a percentage for a bar's width: at least a sliver of what isn't nothing."""
    if part <= 0 or whole <= 0:
        return "0"
    return f"{min(100.0, max(0.8, 100 * part / whole)):.2f}"


def duration(text: str) -> str:
    """Write an ISO 8601 duration such as P1DT2H in words."""
    found = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", text)
    if not found or not any(found.groups()):
        return text
    names = ("day", "hour", "minute", "second")
    return ", ".join(plural(int(n), name) for n, name in zip(found.groups(), names, strict=True) if n and int(n)) or "no time"


def section(page: str, name: str) -> Markup:
    """Give one section of a rule's page (Markdown of paragraphs, lists and `code`) as HTML; empty where it isn't there."""
    found = re.search(rf"^## {re.escape(name)}\n+(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    blocks = re.split(r"\n\s*\n", found[1].strip()) if found else []
    return Markup("").join(_block(block) for block in blocks if block)


def _block(block: str) -> Markup:
    if block.startswith("- "):
        items = [_inline(item) for item in re.split(r"\n?^- ", block, flags=re.MULTILINE) if item.strip()]
        return Markup('<ul class="plain">{}</ul>').format(Markup("").join(Markup("<li>{}</li>").format(item) for item in items))
    return Markup("<p>{}</p>").format(_inline(block))


def _inline(text: str) -> Markup:
    parts = [Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(text.split("`"))]
    return Markup("").join(parts)


def finding_url(ident: str, twin: str = "") -> str:
    """Give a finding's address."""
    return f"/findings/{quote(ident, safe='')}{twin}"


def decision_url(ident: str, twin: str = "") -> str:
    """Give a decision's address."""
    return f"/decisions/{quote(ident, safe='')}{twin}"


def person_url(person: str, organisation: str = "", twin: str = "") -> str:
    """Give a person's address."""
    where = f"?{urlencode({'organisation': organisation})}" if organisation else ""
    return f"/people/{quote(person, safe='')}{twin}{where}"


def find_url(query: str = "", after: str = "", twin: str = "") -> str:
    """Give the address of findings that match a query."""
    asked = {name: value for name, value in (("q", query), ("after", after)) if value}
    return f"/findings{twin}" + (f"?{urlencode(asked)}" if asked else "")


def qualified(name: str, value: str) -> str:
    """Write a query for one value of a qualifier."""
    return Query(((name, value),)).text
