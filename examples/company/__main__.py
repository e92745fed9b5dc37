"""`python -m examples.company > FILE` writes the example company's events, one CloudEvent a line, as they arrived."""

from __future__ import annotations

import sys

from examples.company import lines


def main() -> None:
    """Write the lines to standard output."""
    sys.stdout.buffer.writelines(line + b"\n" for line in lines())


if __name__ == "__main__":
    main()
