"""An event written once is what the codec writes part by part."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.domain import codec
from engine.domain.events import Event
from engine.domain.written import write
from tests.domain.make import event

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


@given(TEXT, TEXT, TEXT, st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1))
def test_an_event_written_once_is_what_the_codec_writes(subject: str, cause: str, source: str, time: int, recorded: int) -> None:
    """Identity, content and wire form agree byte for byte, whatever the envelope holds."""
    made = event("usage.gpu", "2026-01-02", person="p-1", gpu_seconds="12.5", started_at="2026-01-01T00:00:00.5Z")
    known = Event("acme", source, "id", made.type, time, made.data, subject, recorded, cause, cause)
    written = write(known)
    assert written.identity == codec.identity(known).hex()
    assert written.content == codec.content(known).hex()
    assert written.wire.encode() == codec.write_event(known)
