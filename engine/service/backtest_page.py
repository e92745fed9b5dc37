"""A backtest's report as one page that needs nothing else: no script, no font, no picture from elsewhere.

Made of the report's document alone. Every chart is an SVG that says in words what it shows, and stands above a table of
the same numbers; nothing is told by colour only. Text from events is escaped, always.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Final

from engine.service.backtest_charts import columns, stacked
from engine.service.backtest_report import differs, headline, period, was

LISTED: Final = 200
"""Decisions that are listed of one finding."""
MARKS: Final = {"opened": ("New", "+"), "closed": ("Gone", "\N{MINUS SIGN}"), "changed": ("Changed", "~")}
STYLE: Final = """
:root { color-scheme: light dark; --paper: #f7f6f3; --card: #fff; --line: #dcd8cf; --ink: #1d1c19; --soft: #5b574d;
  --link: #16564d; --opened: #a3150f; --closed: #1d5136; --changed: #7a5a00; --same: #8a8577; --focus: #0b5fd7; }
@media (prefers-color-scheme: dark) { :root { --paper: #141513; --card: #1d1e1b; --line: #373932; --ink: #ecebe4;
  --soft: #b3b1a5; --link: #86cfbf; --opened: #ff9c92; --closed: #a8dcbb; --changed: #e9c65c; --same: #84867a;
  --focus: #8ab4ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 74rem; margin-inline: auto; padding: 1.5rem clamp(1rem, 4vw, 2rem) 3rem; }
h1 { font-size: clamp(1.5rem, 1.2rem + 1.6vw, 2.1rem); line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .5rem; }
a { color: var(--link); } :focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
code { font: .88em ui-monospace, Menlo, Consolas, "Liberation Mono", monospace; }
.quiet { color: var(--soft); font-size: .9rem; max-width: 75ch; }
.sums { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1.25rem 0; padding: 0; }
.sums div, .finding, .scroll, figure { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.sums div { padding: .7rem 1rem; } .sums dt { color: var(--soft); font-size: .9rem; }
.sums dd { margin: 0; font-size: 1.7rem; font-weight: 650; font-variant-numeric: tabular-nums; }
.opened { color: var(--opened); } .closed { color: var(--closed); } .changed { color: var(--changed); }
figure { margin: .75rem 0; padding: 1rem; overflow-x: auto; } figcaption { font-size: .9rem; color: var(--soft); }
svg { display: block; width: 100%; height: auto; min-width: 30rem; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
svg .soft { fill: var(--soft); } svg .axis { stroke: var(--line); }
svg .b-opened { fill: var(--opened); } svg .b-closed { fill: var(--closed); } svg .b-changed { fill: var(--changed); }
svg .b-same { fill: var(--same); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .8rem; text-align: left; border-bottom: 1px solid var(--line); overflow-wrap: normal; }
tr:last-child > * { border-bottom: 0; } td.n, th.n { text-align: right; } thead th { font-size: .85rem; color: var(--soft); }
tbody th { font-weight: 500; min-width: 11rem; }
.finding { padding: .8rem 1rem; margin: .6rem 0; } .finding h3 { font-size: 1rem; margin: 0; } .finding p { margin: .35rem 0; }
.tag { font-weight: 650; margin-right: .4rem; } details { margin-top: .3rem; } summary { cursor: pointer; color: var(--link); }
dl.facts { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .1rem .9rem; margin: .5rem 0;
  font-size: .92rem; }
dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; } ul { margin: .3rem 0; padding-left: 1.2rem; }
"""
_HEADS: Final = (("base", "Now"), ("candidate", "Then"), ("opened", "New"), ("closed", "Gone"), ("changed", "Changed"))


def page(said: dict[str, Any], console: str) -> str:
    """Give the page; `console` is the address at which findings on record can be looked at."""
    rules = [row for row in said["rules"] if row["base"] or row["candidate"] or differs(row)]
    moved = [row for row in said["months"] if row["opened"] or row["closed"]]
    parts = [
        f"<h1>{escape(headline(said))}</h1>",
        _preface(said),
        _sums(said),
        *_section("By rule", _chart(stacked, rules, "rule"), _table(rules, "Rule", _rule_label)),
        *_section("By severity", _table(said["severities"], "Severity", lambda row: escape(row["severity"]))),
        *(_section("When they began", _chart(columns, moved, "month")) if moved else ()),
        *_section("By holder", _table([row for row in said["holders"] if differs(row)], "Holder", _holder_label)),
        *_section("Each finding that differs", *(_finding(row, console) for row in said["rows"])),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Backtest of {said['candidate'][:12]}</title><style>{STYLE}</style></head>\n<body><main>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def _preface(said: dict[str, Any]) -> str:
    return (
        f'<p class="quiet">A backtest: nobody was accused, and nothing was recorded. Candidate <code>{said["candidate"]}</code> '
        f"against what stands under <code>{said['base']}</code>; {escape(period(said))}, {said['events']:,} events judged.</p>"
    )


def _section(title: str, *parts: str) -> list[str]:
    held = [part for part in parts if part]
    return [f"<h2>{title}</h2>", *(held or ['<p class="quiet">Nothing differs here.</p>'])]


def _sums(said: dict[str, Any]) -> str:
    cells = (("New", "opened"), ("Gone", "closed"), ("Changed", "changed"), ("As they were", "unchanged"))
    return (
        '<dl class="sums">'
        + "".join(f'<div><dt>{label}</dt><dd class="{name}">{said[name]:,}</dd></div>' for label, name in cells)
        + "</dl>"
    )


def _chart(draw: Callable[[Sequence[dict[str, Any]], str], str], rows: Sequence[dict[str, Any]], key: str) -> str:
    return draw(rows, key) if rows else ""


def _rule_label(row: dict[str, Any]) -> str:
    mark = {"new": " (a new rule)", "gone": " (no longer a rule)", "both": ""}[row["standing"]]
    return f"{escape(row['rule'])} {escape(row['title'])}{mark}"


def _holder_label(row: dict[str, Any]) -> str:
    return escape(row["holder"]) or "nobody, or the company"


def _table(rows: Sequence[dict[str, Any]], head: str, label: Callable[[dict[str, Any]], str]) -> str:
    if not rows:
        return ""
    heads = "".join(f'<th scope="col" class="n">{name}</th>' for _, name in _HEADS)
    body = "".join(
        f'<tr><th scope="row">{label(row)}</th>' + "".join(f'<td class="n">{row[key]:,}</td>' for key, _ in _HEADS) + "</tr>"
        for row in rows
    )
    head = f'<thead><tr><th scope="col">{head}</th>{heads}</tr></thead>'
    return f'<div class="scroll" tabindex="0"><table>{head}<tbody>{body}</tbody></table></div>'


def _finding(row: dict[str, Any], console: str) -> str:
    name, sign = MARKS[row["change"]]
    where = row["holder"] or row["repository"] or row["aggregate"]
    facts = {
        "Began": row["opened_at"], "Last seen": row["last_seen_at"], "Times": f"{row['count']:,}", "Clause": row["clause"],
        "Breach of": row["respondent"], "Aggregate": row["aggregate"], "Apart by": ", ".join(row["discriminator"]),
    }  # fmt: skip
    held = "".join(f"<dt>{label}</dt><dd>{escape(str(value))}</dd>" for label, value in facts.items() if value)
    proof = "".join(
        f"<dt>{escape(key)}</dt><dd><code>{escape(_plain(value))}</code></dd>" for key, value in row["evidence"].items()
    )
    before = f'<p class="quiet">It stands as: {escape(was(row))}.</p>' if row["change"] == "changed" else ""
    link = f'<a href="{escape(console)}/findings/{row["id"]}">The finding on record</a>' if row["change"] != "opened" else ""
    return (
        f'<article class="finding" id="f-{row["id"]}"><h3><span class="tag {row["change"]}">{sign} {name}</span>'
        f"{escape(row['rule'])}, {escape(row['severity'])}: {escape(where)}</h3><p>{escape(row['sentence'])}</p>{before}{link}"
        f'<details><summary>Evidence and decisions</summary><dl class="facts">{held}{proof}</dl>'
        f"{_decisions(row, console)}</details>"
        "</article>"
    )


def _decisions(row: dict[str, Any], console: str) -> str:
    ids = row["decisions"]
    if not ids:
        return '<p class="quiet">No decision is on record for its events: no rule was asked about them.</p>'
    items = "".join(f'<li><a href="{escape(console)}/decisions/{one}">{one}</a></li>' for one in ids[:LISTED])
    more = f'<p class="quiet">And {len(ids) - LISTED:,} more; the JSON report has all.</p>' if len(ids) > LISTED else ""
    said = f"What was decided of its events, and is on record (why: <code>covenant explain {ids[-1]}</code>):"
    return f'<p class="quiet">{said}</p><ul>{items}</ul>{more}'


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
