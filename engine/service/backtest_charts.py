"""The charts of a backtest's page, as SVG with words. Pure: rows of counts in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Final

WIDTH: Final = 760
LABEL: Final = 110
ROW: Final = 26
HEIGHT: Final = 170
KINDS: Final = (("same", "as it was"), ("changed", "changed"), ("closed", "gone"), ("opened", "new"))
NARROWEST: Final = 2.0
"""Pixels a count that isn't none takes at least."""


def stacked(rows: Sequence[dict[str, Any]], key: str) -> str:
    """Draw a bar for each row: what stays, what changes, what goes and what is new."""
    counts = [_kinds(row) for row in rows]
    most = max(1, *(sum(one.values()) for one in counts))
    scale = (WIDTH - LABEL - 150) / most
    parts = []
    for number, (row, one) in enumerate(zip(rows, counts, strict=True)):
        y, x = 34 + number * ROW, float(LABEL)
        parts.append(f'<text x="{LABEL - 10}" y="{y + 13}" text-anchor="end">{escape(str(row[key]))}</text>')
        for name, _ in KINDS:
            if one[name]:
                width = max(NARROWEST, one[name] * scale)
                parts.append(f'<rect class="b-{name}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="17"/>')
                x += width
        parts.append(f'<text class="soft" x="{x + 8:.1f}" y="{y + 13}">{_signs(one)}</text>')
    told = "; ".join(f"{row[key]}: {_spoken(one)}" for row, one in zip(rows, counts, strict=True))
    return _figure(f"Findings by {key}", told, "".join(parts), 40 + len(rows) * ROW)


def columns(rows: Sequence[dict[str, Any]], key: str) -> str:
    """Draw two columns for each row: what is new goes up, what is gone goes down."""
    most = max(1, *(max(row["opened"], row["closed"]) for row in rows))
    step = min(70.0, (WIDTH - 40) / len(rows))
    middle, scale = 34 + HEIGHT / 2, (HEIGHT / 2 - 16) / most
    parts = [f'<line class="axis" x1="20" x2="{WIDTH - 20}" y1="{middle}" y2="{middle}"/>']
    every = -(-len(rows) * 62 // (WIDTH - 40))
    for number, row in enumerate(rows):
        x, width = 20 + number * step, step * 0.6
        for name, up in (("opened", 1), ("closed", -1)):
            if row[name]:
                height = max(NARROWEST, row[name] * scale)
                top = middle - height if up > 0 else middle
                parts.append(f'<rect class="b-{name}" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"/>')
                at = top - 4 if up > 0 else top + height + 13
                parts.append(f'<text x="{x + width / 2:.1f}" y="{at:.1f}" text-anchor="middle">{row[name]}</text>')
        if number % every == 0:
            parts.append(f'<text class="soft" x="{x:.1f}" y="{34 + HEIGHT + 18}">{escape(str(row[key]))}</text>')
    told = "; ".join(f"{row[key]}: {row['opened']} new, {row['closed']} gone" for row in rows)
    return _figure(f"New and gone findings by the {key} in which they began", told, "".join(parts), 34 + HEIGHT + 28)


def _kinds(row: dict[str, Any]) -> dict[str, int]:
    counts = {name: int(row[name]) for name in ("changed", "closed", "opened")}
    return {"same": max(0, row["candidate"] - counts["opened"] - counts["changed"]), **counts}


def _signs(one: dict[str, int]) -> str:
    signs = (("opened", "+"), ("closed", "\N{MINUS SIGN}"), ("changed", "~"))
    return " ".join([str(sum(one.values()) - one["closed"]), *(f"({sign}{one[name]})" for name, sign in signs if one[name])])


def _spoken(one: dict[str, int]) -> str:
    return ", ".join(f"{one[name]} {words}" for name, words in KINDS if one[name]) or "none"


def _figure(title: str, told: str, drawn: str, height: float) -> str:
    legend, x = [], float(LABEL)
    for name, words in KINDS:
        if f'"b-{name}"' in drawn:
            legend.append(
                f'<rect class="b-{name}" x="{x}" y="6" width="13" height="13"/><text x="{x + 19}" y="17">{words}</text>'
            )
            x += 40 + 8 * len(words)
    svg = (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}"><title>{escape(title)}</title>'
        f"<desc>{escape(told)}</desc>{''.join(legend)}{drawn}</svg>"
    )
    return f'<figure tabindex="0">{svg}<figcaption>{escape(title)}.</figcaption></figure>'
