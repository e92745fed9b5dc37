"""Tests mirror engine/ and streams/."""
