"""What quantities are counted in: the units everybody shares, and an organisation's own under `x-`. Pure.

A unit that was misspelt would be a second currency in the books, with balances of its own that nothing ever draws on; so
one that isn't known is refused. Counts of one unit are never added to those of another.
"""

from __future__ import annotations

from typing import Final

KNOWN: Final = {
    "CCU": "compute credit units, the organisation's own currency for compute",
    "GPU-h": "hours of one GPU",
    "GPU-s": "seconds of one GPU",
    "second": "seconds, of a GPU or of a service",
    "hour": "hours, of an instance or of a service",
    "token": "tokens of a language model",
    "request": "calls of a service",
    "requests": "calls of a service, as GitHub writes it",
    "credit": "a provider's credits",
    "ai-credits": "GitHub's credits for Copilot",
    "seat": "seats of a subscription",
    "share": "shares of a stock, or of a cluster",
    "USD": "US dollars",
    "EUR": "euros",
    "GBP": "pounds sterling",
}
"""Unit → what it counts."""
OWN: Final = "x-"
"""What a unit of an organisation's own begins with, such as x-render-minutes."""
PATTERN: Final = rf"^({'|'.join(KNOWN)}|{OWN}[A-Za-z0-9][A-Za-z0-9_-]{{0,29}})$"


def own(name: str) -> str:
    """Give a foreign name as a unit: one that is known as it is, any other as an organisation's own."""
    if name in KNOWN or name.startswith(OWN):
        return name
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "_-") else "-" for letter in name)
    return f"{OWN}{plain.strip('_-')[:30] or 'unit'}"
