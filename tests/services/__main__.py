"""Bring up what the tests need before they start, so that no test pays for it: `python -m tests.services`.

One line a part. Ends with 1 where a part is missing and `CI=true`; otherwise the tests leave out what needs it.
"""

from __future__ import annotations

import os
import sys

from tests.services import browser, kafka, opa, postgres
from tests.services.parts import MissingPart

PARTS = {"OPA": opa.prepare, "Kafka": kafka.prepare, "PostgreSQL": postgres.prepare, "browser": browser.prepare}


def main() -> int:
    """Prepare each part; gives the exit code."""
    missing = 0
    for name, prepare in PARTS.items():
        try:
            prepare()
        except MissingPart as error:
            missing += 1
            sys.stdout.write(f"missing  {error}\n")
        else:
            sys.stdout.write(f"ready    {name}\n")
        sys.stdout.flush()
    return int(bool(missing) and os.environ.get("CI") == "true")


if __name__ == "__main__":
    sys.exit(main())
