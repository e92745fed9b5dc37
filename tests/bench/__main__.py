"""`python -m tests.bench`: measure, print the table, write `build/bench.json`. `QUICK=1` takes under two minutes."""

from __future__ import annotations

import json
import os
import sys
import time

from tests.bench import figures
from tests.bench.running import QUICK, Plan, run
from tests.services.parts import ROOT, MissingPart

RESULT = ROOT / "build" / "bench.json"


def main() -> int:
    """Run the bench; 3 where OPA is missing, without which there is nothing to compare."""
    plan = QUICK if os.environ.get("QUICK", "") not in ("", "0") else Plan()
    started = time.monotonic()
    try:
        result = run(plan, _say)
    except MissingPart as missing:
        sys.stderr.write(f"The bench needs OPA. {missing}\n")
        return 3
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result.document(plan), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write("\n" + figures.table(result.figures, result.others) + "\n")
    for part in result.missing:
        sys.stdout.write(f"left out: {part}\n")
    sys.stdout.write(f"\n{RESULT.relative_to(ROOT)} written after {time.monotonic() - started:.0f} s.\n")
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
