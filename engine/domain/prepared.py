"""Readers of our own types, made while modules are imported. Pure.

msgspec works out how a struct class is read when it first meets it, and shows other threads the unfinished result: two
that first read an event at once can end the process with a segmentation fault. Imports run one at a time, so every reader
of a type of ours is a module's constant; a test forbids making one within a function.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")
Hook = Callable[[type, Any], Any]

convert_learnt: Final = msgspec.convert
"""Convert to a type known only at run time, all of whose struct classes a reader made at import has learnt already."""


def converter(kind: type[T], hook: Hook | None = None) -> Callable[[Any], T]:
    """Give what turns parsed data into `kind`; `hook` is msgspec's `dec_hook`. To be called at import."""
    msgspec.json.Decoder(kind, dec_hook=hook)  # learns the class, and those of its fields
    return partial(msgspec.convert, type=kind, dec_hook=hook)
