"""A mapping file: YAML that declares how the rows of any CSV or JSON-lines file become events. Pure: text in.

`read_mapping` checks all that can be known without the data, and says in one sentence what is wrong: unknown and
missing keys, fields the event doesn't have, values it wouldn't take, zones, formats, scales. See docs/mappings.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

import msgspec
import yaml

from engine.domain.errors import Refusal, UsageError
from engine.domain.events import TYPES, Data
from engine.domain.events.base import Name
from engine.domain.prepared import converter
from engine.domain.values import LIMIT, SECOND_US
from engine.domain.wording import cut, nearest, refusal, shown, unknown
from engine.intake.exact import rounded
from engine.intake.local_time import Ambiguous, Clock, Skipped
from engine.intake.mapping_fields import Cells, Field, Reader, amount, cell, columns_of, declared, in_column, readers_of

SIZE_MAX: Final = 1 << 16
"""Characters in a mapping file."""
_DO: Final = "The format is described in docs/mappings.md."
_ACTORS: Final = {"person": "person", "credential": "credential", "user": "user", "login": "actor"}
"""What an actor is given as, and the event's field it fills."""


class Time(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The event's time: which column, and how it is written."""

    column: Name
    format: str = "rfc3339"
    zone: str | None = None
    ambiguous: Ambiguous = "refuse"
    skipped: Skipped = "refuse"
    plus: dict[str, Any] | None = None
    """Seconds to add, as a field: usage is metered when it ends, and some files give its start and how long it took."""


class Declaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's top level."""

    source: Name
    """Of every event; with the row's id it identifies it."""
    type: str
    time: Time
    data: dict[str, Any] = {}
    actor: dict[str, Any] | None = None
    id: str | tuple[str, ...] = ()
    """Columns that identify a row; without them its content and an ordinal among identical rows do."""
    format: Literal["csv", "json-lines"] = "csv"
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","
    columns: tuple[str, ...] = ()
    """The columns' names, where the file has no header."""
    organisation: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[^/]*$")] | None = None


_READ: Final = converter(Declaration)


class Mapping(msgspec.Struct, frozen=True):
    """A checked mapping, ready to read rows."""

    name: str
    declaration: Declaration
    when: Callable[[Cells], int]
    """Gives the event's time in µs UTC."""
    readers: dict[str, Reader]
    """Of the event's data, field by field."""
    ids: tuple[str, ...]
    needed: frozenset[str]
    """Columns without which no row can be read."""
    origins: dict[str, str]
    """Data field → column, to say where a wrong value came from."""


def read_mapping(text: str, name: str) -> Mapping:
    """Check a mapping and make its readers; `UsageError` names the file, the key and what to write instead."""
    try:
        return _mapping(_declaration(text), name)
    except UsageError as error:
        msg = f"{name}: {error.message}"
        raise UsageError(msg, error.do or _DO) from error


def _declaration(text: str) -> Declaration:
    if len(text) > SIZE_MAX:
        msg = f"The mapping has {len(text):,} characters; {SIZE_MAX:,} is the most that is read."
        raise UsageError(msg, _DO)
    try:
        raw = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader that also refuses keys given twice
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark is not None else ""
        msg = f"This is not YAML{place}: {getattr(error, 'problem', None) or 'it is nested too deep or holds a wrong value'}."
        raise UsageError(msg, _DO) from error
    if not isinstance(raw, dict):
        msg = f"Expected keys such as source, type, time and data, got {shown(raw)}."
        raise UsageError(msg, _DO)
    try:
        return _READ(raw)
    except msgspec.ValidationError as error:
        wrong = refusal(error, Declaration, raw, do=_DO)
        raise UsageError(wrong.message, wrong.do) from error


def _mapping(found: Declaration, name: str) -> Mapping:
    kind = TYPES.get(found.type)
    if kind is None or not kind.TOPIC:
        like = nearest(found.type, (known for known, one in TYPES.items() if one.TOPIC))
        msg = f"type: {cut(found.type)!r} is not an event type Covenant accepts."
        raise UsageError(msg, f"Did you mean {like[0]}?" if like else "Types are named as compute.usage.inference.v1 is.")
    if found.delimiter in '"\r\n':
        msg = "delimiter: a quote or a line end can't separate cells."
        raise UsageError(msg, 'Use "," or ";" or "|" or "\\t".')
    clock = Clock(found.time.format, found.time.zone, found.time.ambiguous, found.time.skipped)
    clock.check()
    fields = {key: declared(raw, f"data.{key}") for key, raw in found.data.items()}
    fields |= _actor(found.actor, kind, fields)
    when, columns = _when(found.time, clock)
    ids = (found.id,) if isinstance(found.id, str) else found.id
    needed = columns | set(ids) | {column for field in fields.values() for column in columns_of(field)}
    if found.columns and (absent := sorted(needed - set(found.columns))):
        msg = f"columns: has no {', '.join(absent)}, which the mapping reads."
        raise UsageError(msg, "List all columns of the file, in their order.")
    return Mapping(
        name=name,
        declaration=found,
        when=when,
        readers=readers_of(fields, kind, "data", clock),
        ids=ids,
        needed=frozenset(needed),
        origins={key: ", ".join(sorted(columns_of(field))) for key, field in fields.items()},
    )


def _actor(raw: dict[str, Any] | None, kind: type[Data], fields: dict[str, Field]) -> dict[str, Field]:
    """Give the field an actor fills."""
    able = [word for word, field in _ACTORS.items() if field in kind.__struct_fields__]
    if raw is None:
        if {"person", "user"} <= set(kind.__struct_fields__) and not fields.keys() & {"person", "credential", "user"}:
            msg = f"actor: missing; {kind.TYPE} needs somebody to charge."
            raise UsageError(msg, "Write actor: {credential: {column: NAME}}, or person, or user with a kind.")
        return {}
    if len(raw) != 1:
        msg = "actor: expected exactly one of person, credential, user and login."
        raise UsageError(msg, "Write actor: {credential: {column: NAME}}.")
    word, inner = next(iter(raw.items()))
    if not able:
        msg = f"actor: {kind.TYPE} has none; whom it is about stands in its data."
        raise UsageError(msg, "Leave actor out.")
    if word not in able:
        wrong = unknown(word, able, "actor")
        raise UsageError(wrong.message, wrong.do)
    field = _ACTORS[word]
    if field in fields:
        msg = f"actor.{word}: data.{field} is given too, and they are the same."
        raise UsageError(msg, "Give it once.")
    if word in {"person", "credential"}:
        return {field: declared(inner, f"actor.{word}")}
    return {field: _alias(word, inner)}


def _alias(word: str, raw: Any) -> Field:
    """Give the alias of a user (who has a kind, such as unix_user or team) or of a login."""
    if not isinstance(raw, dict):
        msg = f"actor.{word}: expected an object with a column, got {shown(raw)}."
        raise UsageError(msg, f"Write actor: {{{word}: {{kind: unix_user, column: NAME}}}}.")
    kind = raw.get("kind", "login" if word == "login" else None)
    if kind is None:
        msg = f"actor.{word}.kind: missing; it says what sort of name this is."
        raise UsageError(msg, "Write kind: unix_user, or team, or email.")
    value = {key: one for key, one in raw.items() if key != "kind"}
    declared(value, f"actor.{word}")
    return Field(fields={"kind": {"constant": kind}, "value": value})


def _when(time: Time, clock: Clock) -> tuple[Callable[[Cells], int], set[str]]:
    """Make the reader of the event's time, and say which columns it needs."""

    def start(cells: Cells) -> int:
        try:
            return clock.read(cell(cells, time.column))
        except Refusal as error:
            raise in_column(error, time.column) from error

    if time.plus is None:
        return start, {time.column}
    plus = declared(time.plus, "time.plus")
    if plus.column is None:
        msg = "time.plus: expected a column of seconds."
        raise UsageError(msg, "Write plus: {column: NAME}, with a scale where it isn't in seconds.")
    seconds, added = amount(plus, "time.plus"), plus.column

    def end(cells: Cells) -> int:
        try:
            micros = start(cells) + rounded(seconds(cell(cells, added), cells), SECOND_US)
        except Refusal as error:
            raise in_column(error, added) from error
        if not 0 <= micros <= LIMIT:
            msg = f"columns {time.column} and {added}: expected a time after 1970 and before 2255."
            raise Refusal(msg, "Correct the row or the mapping.", code="invalid-time", field=added)
        return micros

    return end, {time.column} | columns_of(plus)


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice, and takes keys as they are written (1, not the number)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: ARG002, FBT001, FBT002
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be a text", key_node.start_mark)
            key = key_node.value
            if key in found:
                raise yaml.constructor.ConstructorError(None, None, f"{cut(key)} is given twice", key_node.start_mark)
            found[key] = self.construct_object(value_node, deep=True)
        return found
