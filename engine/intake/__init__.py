"""Bytes become events, or a refusal with a reason."""
