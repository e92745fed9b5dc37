"""Covenant: what happened under which rule, decided once and provable for ever."""
