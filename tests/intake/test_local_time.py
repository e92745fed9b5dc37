"""Times of other people's files."""

from __future__ import annotations

import pytest

from engine.domain.errors import Refusal, UsageError
from engine.domain.values import instant
from engine.intake.local_time import Ambiguous, Clock, Skipped

PLAIN = "%Y-%m-%d %H:%M:%S"


@pytest.mark.parametrize(
    ("clock", "text", "expected"),
    [
        (Clock(), "2026-01-31T08:00:00+01:00", "2026-01-31T07:00:00Z"),
        (Clock(), "2026-01-31", "2026-01-31T00:00:00Z"),
        (Clock("unix"), "1772600767", "2026-03-04T05:06:07Z"),
        (Clock("unix"), "1772600767.25", "2026-03-04T05:06:07.250000Z"),
        (Clock("unix-ms"), "1772600767250", "2026-03-04T05:06:07.250000Z"),
        (Clock("unix-us"), "1772600767250001", "2026-03-04T05:06:07.250001Z"),
        (Clock(PLAIN, "Asia/Shanghai"), "2024-11-15 16:57:50", "2024-11-15T08:57:50Z"),
        (Clock(PLAIN, "America/Los_Angeles"), "2017-10-09 07:01:55", "2017-10-09T14:01:55Z"),
        (Clock(PLAIN, "America/Los_Angeles"), "2017-12-09 07:01:55", "2017-12-09T15:01:55Z"),
        (Clock(PLAIN, "UTC"), "2024-1-5 3:4:5", "2024-01-05T03:04:05Z"),
        (Clock("%d.%m.%Y %H:%M", "Europe/Berlin"), "01.07.2026 12:30", "2026-07-01T10:30:00Z"),
        (Clock("%d.%m.%Y %H:%M %z"), "01.07.2026 12:30 +0530", "2026-07-01T07:00:00Z"),
    ],
)
def test_a_time_is_read_as_it_is_written(clock: Clock, text: str, expected: str) -> None:
    """In µs UTC, by the zone's offset on that day."""
    clock.check()
    assert clock.read(text) == instant(expected)


@pytest.mark.parametrize(
    ("ambiguous", "expected"),
    [("earlier", "2026-10-25T00:30:00Z"), ("later", "2026-10-25T01:30:00Z")],
)
def test_a_time_that_happened_twice_is_read_as_the_mapping_says(ambiguous: Ambiguous, expected: str) -> None:
    """Berlin puts its clocks back from 03:00 to 02:00 that night."""
    assert Clock(PLAIN, "Europe/Berlin", ambiguous).read("2026-10-25 02:30:00") == instant(expected)


@pytest.mark.parametrize("fraction", ["5", "500000", "5000009", "500000999999"])
def test_a_fraction_finer_than_a_microsecond_is_cut(fraction: str) -> None:
    """.NET writes seven digits, Go nine; strptime takes six."""
    assert Clock(f"{PLAIN}.%f", "UTC").read(f"2026-01-01 00:00:00.{fraction}") == instant("2026-01-01T00:00:00.5Z")


def test_a_time_that_never_happened_is_moved_forward_where_the_mapping_says_so() -> None:
    """02:30 is what a clock not yet put forward showed at 03:30 summer time."""
    clock = Clock(PLAIN, "Europe/Berlin", skipped="forward")
    assert clock.read("2026-03-29 02:30:00") == instant("2026-03-29T03:30:00+02:00")
    assert clock.read("2026-03-29 01:59:59") == instant("2026-03-29T01:59:59+01:00")
    assert clock.read("2026-03-29 03:00:00") == instant("2026-03-29T03:00:00+02:00")


@pytest.mark.parametrize(
    ("text", "code", "ambiguous", "skipped"),
    [("2026-10-25 02:30:00", "ambiguous-time", "refuse", "forward"), ("2026-03-29 02:30:00", "skipped-time", "later", "refuse")],
)
def test_by_default_such_times_are_refused(text: str, code: str, ambiguous: Ambiguous, skipped: Skipped) -> None:
    """Nobody guesses; the sentence says which key decides. Each key is for its own case."""
    with pytest.raises(Refusal) as caught:
        Clock(PLAIN, "Europe/Berlin", ambiguous, skipped).read(text)
    assert caught.value.code == code
    assert code.removesuffix("-time") in caught.value.do


@pytest.mark.parametrize(
    ("clock", "text"),
    [
        (Clock(PLAIN, "UTC"), ""),
        (Clock(PLAIN, "UTC"), "2024-11-31 00:00:00"),
        (Clock(PLAIN, "UTC"), "2024-W46-5 16:57:50"),
        (Clock(PLAIN, "UTC"), "1969-12-31 23:59:59"),
        (Clock(PLAIN, "Asia/Shanghai"), "0001-01-01 00:00:00"),
        (Clock(PLAIN, "America/Los_Angeles"), "9999-12-31 23:59:59"),
        (Clock(f"{PLAIN}.%f", "UTC"), "2024-11-15 16:57:50.5000000000000"),
        (Clock("unix"), "soon"),
        (Clock("unix"), "-1"),
        (Clock("unix"), "99999999999"),
        (Clock(), "2024-11-15 16:57:50"),
    ],
)
def test_what_is_no_such_time_is_refused(clock: Clock, text: str) -> None:
    """Another form, another calendar, out of range, without a zone."""
    with pytest.raises(Refusal) as caught:
        clock.read(text)
    assert caught.value.code in {"invalid-time", "invalid-number"}


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        (Clock(PLAIN), "time.zone: missing"),
        (Clock(PLAIN, "Europe/Atlantis"), "is no IANA zone"),
        (Clock(PLAIN, "../etc/passwd"), "is no IANA zone"),
        (Clock(PLAIN, "Europe"), "is no IANA zone"),
        (Clock("rfc3339", "UTC"), "carries its own offset"),
        (Clock("unix", "UTC"), "carries its own offset"),
        (Clock(PLAIN + " %z", "UTC"), "carries its own offset"),
        (Clock("iso", "UTC"), "is no format"),
        (Clock("%H:%M", "UTC"), "names no whole date"),
        (Clock("%Y-%m", "UTC"), "names no whole date"),
        (Clock("%Q-%d", "UTC"), "can't be read back"),
    ],
)
def test_a_clock_that_cannot_work_is_said_when_the_mapping_is_loaded(clock: Clock, words: str) -> None:
    """Once, and not for every row."""
    with pytest.raises(UsageError) as caught:
        clock.check()
    assert words in caught.value.message
    assert caught.value.do
