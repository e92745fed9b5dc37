"""`python -m tests.house`: write anew what documents show of the program, after the program has changed."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.house.published import write_published
from tests.house.shown import parts, split
from tests.services import opa
from tests.services.parts import ROOT


def write() -> list[str]:
    """Write each part that isn't as the program says; gives the documents that changed."""
    changed = []
    for name, before, after, make in parts(Path(opa.find())):
        path = ROOT / name
        head, shown, tail = split(path.read_text(encoding="utf-8"), before, after)
        if shown != (said := make()):
            path.write_text(head + said + tail, encoding="utf-8")
            changed.append(name)
    return changed


if __name__ == "__main__":
    sys.stdout.write("\n".join([*write_published(), *write()] or ["All is as the program says."]) + "\n")
