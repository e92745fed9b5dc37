"""Identities of rows whose source gives them no id: a hash of the row's content and an ordinal among identical rows.

Never a line number: the same rows in another order, or with other rows between them, keep their identities. Two files
that both hold a row are taken to hold the same row; a file's identical rows are distinct. Pure.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import msgspec

from engine.domain.codec import digest
from engine.domain.errors import Refusal

ROWS_MAX: Final = 10_000_000
"""Distinct rows without an id in one file: each is remembered by its 16-byte digest, about 1 GB at this limit."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class Identities:
    """Gives the rows of one file their ids."""

    def __init__(self) -> None:
        """Begin a file: nothing was seen."""
        self._seen: Counter[bytes] = Counter()

    def of(self, content: Any) -> str:
        """Give the id of the next row with this content (any JSON value; the order of its keys doesn't matter)."""
        key = digest(_encode(content))
        if len(self._seen) >= ROWS_MAX and key not in self._seen:
            msg = f"The file has more than {ROWS_MAX:,} rows without an id."
            raise Refusal(msg, "Name the column that holds the rows' ids, or split the file by time.", code="too-many-rows")
        self._seen[key] += 1
        return f"{key.hex()}-{self._seen[key]}"
