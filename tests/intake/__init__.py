"""Tests of intake: bytes to events or refusals."""
