"""What is published for programs is what the program says: a change that breaks a reader shows as a change of a document."""

from __future__ import annotations

from tests.house.published import published, there


def test_published_documents_are_what_the_classes_give() -> None:
    """Each one, none too many; `python -m tests.house` writes them anew."""
    wanted, found = published(), there()
    changed = [name for name in sorted(wanted.keys() | found.keys()) if wanted.get(name) != found.get(name)]
    assert changed == [], "see that no reader breaks (a breaking change is a new .vN), then run `python -m tests.house`"
