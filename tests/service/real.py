"""Other people's data as arrivals, and the people and grants made up for whom it names."""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from engine.domain.events import Event
from engine.intake.arrivals import Arrival
from engine.intake.sources import Options, open_source
from tests.domain.make import event

ROOT: Final = Path(__file__).parents[2]
REAL_DATA: Final = Path(os.environ.get("COVENANT_REAL_DATA") or ROOT.parent / "shared" / "data")
"""Where it lies: no part of the project."""
PHILLY: Final = f"map:{ROOT / 'examples/mappings/philly.yaml'}"
"""The source that reads the jobs of Microsoft's Philly cluster."""


class Jobs(NamedTuple):
    """A cluster's jobs, as CSV: as they were written down, and by when they ended, which is when they are metered."""

    grants: list[Arrival]
    as_written: bytes
    in_order: bytes


def read(source: str, data: bytes) -> Iterator[Arrival]:
    """Read a file's bytes through its source."""
    return open_source(source).arrivals(io.BytesIO(data), "file", Options(organisation="acme"))


def rows(content: bytes) -> list[dict[str, str]]:
    """A CSV file's rows."""
    return list(csv.DictReader(io.StringIO(content.decode())))


def granted(name: str, link: Event, unit: str, quantity: str, since: str) -> list[Arrival]:
    """A person behind a name, and a grant to them."""
    issued = event(
        "grant.issued", since, ident=f"grant-{name}", grant_id=f"G-{name}", holder=f"p-{name}", quantity=quantity, unit=unit,
        vesting="immediate",
    )  # fmt: skip
    return [Arrival(link), Arrival(issued)]


def philly(packed: bytes, most: int | None = None) -> Jobs:
    """The first `most` jobs of the Philly file (of all, None), with a grant to a person behind each team."""
    header, *lines = gzip.decompress(packed).splitlines(keepends=True)[: None if most is None else most + 1]
    as_written = header + b"".join(lines)
    ended = [arrival.event.time for arrival in read(PHILLY, as_written) if arrival.event is not None]
    in_order = [line for _, line in sorted(zip(ended, lines, strict=True))]
    grants = [
        arrival
        for team in sorted({line["cluster"] for line in rows(as_written)})
        for arrival in granted(
            team,
            event(
                "alias.linked", "2017-08-01", ident=f"link-{team}", alias={"kind": "team", "value": f"philly/{team}"},
                target={"kind": "person", "id": f"p-{team}"}, verified=True,
            ),
            "GPU-h", "20000", "2017-08-01",
        )
    ]  # fmt: skip
    return Jobs(grants, as_written, header + b"".join(in_order))
