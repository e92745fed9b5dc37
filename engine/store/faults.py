"""What went wrong in a database, as one of our errors: a sentence for a person, and what to do.

Owns the translation only. Bulk writes go straight to the drivers, so their own errors come here as well as
SQLAlchemy's. Every error is raised after the transaction was rolled back: nothing of it was written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from engine.domain.errors import CovenantError, IntegrityError, LaneConflict, StoreUnavailable, UsageError

READING: Final = "Reading"
"""What is tried where nothing is written."""
_LOST_RACES: Final = ("23505", "40001", "40P01")
"""PostgreSQL's codes (SQLSTATE) for a key that is there already, a lost serialisation and a deadlock."""
_REFUSED: Final = ("22", "23")
"""Classes of codes: data that can't be, and rows that contradict a constraint."""
_REFUSED_BY_SQLITE: Final = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.ProgrammingError,
    UnicodeEncodeError,
    OverflowError,
)
_KNOWN: Final = (
    ("is full", "The disk that holds the store is full.", "Make room and go on; nothing of the batch was written."),
    ("no space left", "The disk that holds the store is full.", "Make room and go on; nothing of the batch was written."),
    ("readonly", "The store may not be written.", "Give this user the right to write the file and its folder."),
    ("read-only", "The store may not be written.", "Connect to the primary, not to a standby, as a user who may write."),
    ("permission denied", "The store may not be used by this user.", "Grant the user of the store's URL rights on its tables."),
    ("locked", "Another process has kept the store locked for too long.", "See what else uses it, and try again."),
    ("lock timeout", "Another worker has kept the lane locked for too long.", "See whether a worker hangs, and end it."),
    ("not a database", "The file isn't a store.", "See that the URL names the right file."),
    ("unable to open", "The store's file can't be opened.", "See that its folder exists and may be written by this user."),
    ("password authentication", "PostgreSQL doesn't accept the user or the password.", "Correct them in the store's URL."),
    ("does not exist", "The store isn't there.", "Create the database first; its tables are made when it is opened."),
    ("database system is", "PostgreSQL is starting or stopping.", "Try again in a moment."),
    ("connection", "PostgreSQL can't be reached.", "See that PostgreSQL runs, and that the store's URL is right."),
    ("malformed", "The store's file is damaged.", "Restore it from a backup; `covenant replay --check` proves the copy."),
)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise a database's errors as ours; `doing` says what was tried, such as `Lane 2, version 7`."""
    try:
        yield
    except Exception as error:
        if not of_a_driver(error):
            raise
        raise told(error, doing) from error


def of_a_driver(error: Exception) -> bool:
    """Whether an error is a database's; psycopg's are known by their module, since only PostgreSQL's users import it."""
    ours = (DBAPIError, sqlite3.Error, PoolTimeout, UnicodeEncodeError, OverflowError)
    return isinstance(error, ours) or type(error).__module__.partition(".")[0] == "psycopg"


def told(error: BaseException, doing: str) -> CovenantError:
    """Give our error for a database's."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    said, code = _first_line(cause), str(getattr(cause, "sqlstate", None) or "")
    if code in _LOST_RACES or (isinstance(cause, sqlite3.IntegrityError) and "UNIQUE" in said):
        msg = f"{doing}: another worker has written this meanwhile."
        return LaneConflict(msg, "The lane is read again from the store's position.")
    if _refused(cause, code):
        if doing == READING:
            return UsageError(f"What was asked can't be looked up in a store: {said}.", "Ask in plain text and whole numbers.")
        msg = f"{doing}: the store doesn't accept what was to be written: {said}."
        return IntegrityError(msg, "Nothing of it was written. This is a fault of Covenant; report it with this sentence.")
    for sign, msg, do in _KNOWN:
        if sign in said.lower():
            return StoreUnavailable(f"{msg[:-1]}: {said}.", do)
    return StoreUnavailable(
        f"The store can't be used: {said}.", "See that the database runs, that its URL is right and that it may be written."
    )


def _refused(cause: BaseException, code: str) -> bool:
    kinds = {kind.__name__ for kind in type(cause).__mro__ if kind.__module__.partition(".")[0] == "psycopg"}
    return code[:2] in _REFUSED or isinstance(cause, _REFUSED_BY_SQLITE) or "DataError" in kinds


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].strip().rstrip(".") if lines else type(error).__name__
