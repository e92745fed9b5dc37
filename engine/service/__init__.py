"""Use cases, each thin."""
