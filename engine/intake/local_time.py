"""Times as other people's files write them, turned into microseconds UTC. Pure but for the tz database.

A local time without an offset needs an IANA zone. Twice a year such a time may not exist (the clock is put forward) or
mean two instants (it is put back). Both are refused unless the mapping says how to read them: `skipped: forward` reads
02:30 as what a clock not yet put forward would show, `ambiguous: earlier` or `later` picks one (PEP 495's fold).
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from engine.domain.errors import Refusal, UsageError
from engine.domain.values import LIMIT, SECOND_US, from_datetime, instant
from engine.domain.wording import cut
from engine.intake.exact import number, rounded

_UNIX: Final = {"unix": SECOND_US, "unix-ms": 1000, "unix-us": 1}
_PLAIN: Final = "%Y-%m-%d %H:%M:%S"
_DIGITS: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_FINE: Final = re.compile(r"(\.[0-9]{6})[0-9]{1,6}(?![0-9])")
"""A fraction finer than microseconds, which strptime refuses."""
_SAMPLE: Final = dt.datetime(2001, 11, 22, 13, 44, 55, tzinfo=dt.UTC)

Ambiguous = Literal["refuse", "earlier", "later"]
Skipped = Literal["refuse", "forward"]


class Clock(msgspec.Struct, frozen=True):
    """How one file writes its times."""

    format: str = "rfc3339"
    """`rfc3339`, `unix`, `unix-ms`, `unix-us`, or a pattern of `strptime`."""
    zone: str | None = None
    ambiguous: Ambiguous = "refuse"
    skipped: Skipped = "refuse"

    def check(self) -> None:
        """Refuse a format or zone that can't work; `UsageError` says why."""
        offset_known = self.format in _UNIX or self.format == "rfc3339" or "%z" in self.format
        if offset_known and self.zone is not None:
            msg = f"time.zone: {self.format} carries its own offset, so a zone would contradict it."
            raise UsageError(msg, "Leave zone out.")
        if "%" in self.format:
            _check_pattern(self.format)
        elif not offset_known:
            msg = f"time.format: {cut(self.format)!r} is no format."
            raise UsageError(msg, 'Use rfc3339, unix, unix-ms, unix-us or a pattern such as "%Y-%m-%d %H:%M:%S".')
        if not offset_known:
            self._check_zone()

    def _check_zone(self) -> None:
        if self.zone is None:
            msg = "time.zone: missing; times without an offset need one."
            raise UsageError(msg, "Give the IANA zone the file's clock was in, such as Europe/Berlin or UTC.")
        try:
            ZoneInfo(self.zone)
        except (KeyError, OSError, ValueError) as error:
            msg = f"time.zone: {cut(self.zone)!r} is no IANA zone."
            raise UsageError(msg, "Use a name such as Europe/Berlin, America/Los_Angeles or UTC.") from error

    def read(self, text: str) -> int:
        """Give the instant in µs UTC; `Refusal` without the column's name says what is wrong."""
        if self.format == "rfc3339":
            return instant(text)
        scale = _UNIX.get(self.format)
        if scale is not None:
            return _unix(text, scale)
        when = self._parsed(text)
        if when.tzinfo is None:
            when = self._aware(when, text)
        try:
            return from_datetime(when)
        except OverflowError as error:
            raise _wrong(text, "a time after 1970 and before 2255") from error

    def _parsed(self, text: str) -> dt.datetime:
        try:
            if self.format == _PLAIN and _DIGITS.fullmatch(text):
                return dt.datetime.fromisoformat(text)  # many times faster than strptime, and equal for this form
            if "%f" in self.format:
                text = _FINE.sub(r"\1", text)
            return dt.datetime.strptime(text, self.format)  # noqa: DTZ007 - the zone is the mapping's
        except ValueError as error:
            raise _wrong(text, f"a time of the form {self.format}") from error

    def _aware(self, when: dt.datetime, text: str) -> dt.datetime:
        zone = ZoneInfo(self.zone or "UTC")
        first, second = when.replace(tzinfo=zone), when.replace(tzinfo=zone, fold=1)
        before, after = first.utcoffset(), second.utcoffset()
        if before == after or before is None or after is None:
            return first
        if before > after:
            if self.ambiguous == "refuse":
                what = f"{cut(text)} happened twice in {self.zone}, when clocks were put back"
                raise Refusal(what, "Say ambiguous: earlier or later in the mapping.", code="ambiguous-time")
            chosen = first if self.ambiguous == "earlier" else second
        else:
            if self.skipped == "refuse":
                what = f"{cut(text)} never happened in {self.zone}, when clocks were put forward"
                raise Refusal(what, "Say skipped: forward in the mapping.", code="skipped-time")
            chosen = first
        return chosen.astimezone(dt.UTC)


def _check_pattern(pattern: str) -> None:
    try:
        read = dt.datetime.strptime(_SAMPLE.strftime(pattern), pattern)  # noqa: DTZ007 - only the date is looked at
    except ValueError as error:
        msg = f"time.format: {cut(pattern)!r} can't be read back ({error})."
        raise UsageError(msg, "Use Python's strptime directives, such as %Y-%m-%d %H:%M:%S.") from error
    if read.date() != _SAMPLE.date():
        msg = f"time.format: {cut(pattern)!r} names no whole date."
        raise UsageError(msg, "It needs year, month and day, such as %Y-%m-%d.")


def _unix(text: str, scale: int) -> int:
    micros = rounded(number(text), scale)
    if not 0 <= micros <= LIMIT:
        raise _wrong(text, "a time after 1970 and before 2255")
    return micros


def _wrong(text: str, wanted: str) -> Refusal:
    return Refusal(f"expected {wanted}, got {cut(text)!r}", "Correct the row or the mapping.", code="invalid-time")
