"""`python -m examples.company > FILE` writes the example company's events, one CloudEvent a line, as they arrived.

With `stories` as its only argument it writes the stories instead, as Markdown.
"""

from __future__ import annotations

import sys

from examples.company import expected, lines
from examples.company.telling import tell


def main() -> int:
    """Write the lines, or the stories, to standard output; gives the exit code."""
    if sys.argv[1:] == ["stories"]:
        sys.stdout.write(tell(expected()))
    elif sys.argv[1:]:
        sys.stderr.write("Usage: python -m examples.company [stories]\n")
        return 2
    else:
        sys.stdout.buffer.writelines(line + b"\n" for line in lines())
    return 0


if __name__ == "__main__":
    sys.exit(main())
