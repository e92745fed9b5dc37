"""One field of a declared mapping: how its value is read from a row's cells. Checked when the mapping is loaded. Pure.

What a cell becomes follows from the event's field: a quantity or a count is a number (times other columns, times a
scale, exact until it is rounded half-even), a time is read by the mapping's clock, a list is split. An empty cell is
the default, else the field is left out. See docs/mappings.md.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, inspect

from engine.domain.codec import check_value
from engine.domain.errors import Refusal, UsageError
from engine.domain.prepared import converter
from engine.domain.values import Instant, Quantity, instant_text
from engine.domain.wording import cut, refusal, shown, unknown
from engine.intake.exact import Number, decimal_text, number, ratio, rounded, times
from engine.intake.local_time import Clock

Cells = Mapping[str, Any]
Reader = Callable[[Cells], Any]
"""Gives the field's value, or UNSET where the row has none."""

_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_DO: Final = "Correct the row or the mapping."


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where one value comes from: a column, a constant, or fields of its own."""

    column: str | None = None
    constant: Any = UNSET
    default: Any = UNSET
    """For an empty cell."""
    values: dict[str, Any] | None = None
    """Cell → value; a cell that isn't among them is refused."""
    prefix: str = ""
    scale: str | int | float | None = None
    """A number or a fraction such as 1/3600, by which the cell is multiplied."""
    times: str | tuple[str, ...] = ()
    """Other columns by which the cell is multiplied."""
    separator: str | None = None
    """Between the parts of a cell that holds a list."""
    fields: dict[str, Any] | None = None


_READ: Final = converter(Field)


def declared(raw: Any, at: str) -> Field:
    """Read a field's declaration; `UsageError` names what is wrong."""
    try:
        found = _READ(raw)
    except msgspec.ValidationError as error:
        wrong = refusal(error, Field, raw, at)
        raise UsageError(wrong.message, wrong.do) from error
    ways = [found.column is not None, found.constant is not UNSET, found.fields is not None]
    if sum(ways) != 1:
        msg = f"{at}: expected exactly one of column, constant and fields."
        raise UsageError(msg, f"Write {at}: {{column: NAME}} or {at}: {{constant: VALUE}}.")
    if found.column is None and found != Field(constant=found.constant, fields=found.fields):
        msg = f"{at}: a constant has no default, values, prefix, scale, times or separator."
        raise UsageError(msg, "Leave them out, or name a column.")
    return found


def cell(cells: Cells, column: str) -> str:
    """Give a cell as text without surrounding space; empty where there is none. `usage.tokens` looks inside objects."""
    value = cells.get(column)
    if type(value) is str:
        return value.strip()
    if value is None and "." in column:
        value = cells
        for step in column.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value).strip()
    msg = f"column {column}: expected a text or a number, got {shown(value)}."
    raise Refusal(msg, "Name a column within it, such as usage.tokens.", field=column)


def columns_of(field: Field) -> set[str]:
    """Give the columns a field reads."""
    if field.fields is not None:
        return {name for key, raw in field.fields.items() for name in columns_of(declared(raw, key))}
    return {name for name in (field.column, *_others(field)) if name is not None}


def reader(field: Field, kind: Any, at: str, clock: Clock) -> Reader:
    """Make the reader of a field whose event field has the annotated type `kind`."""
    if field.fields is not None:
        return _nested(field.fields, kind, at, clock)
    if field.column is None:
        _check(kind, field.constant, at)
        return lambda _: field.constant
    if field.default is not UNSET:
        _check(kind, field.default, at)
    for value in (field.values or {}).values():
        _check(kind, value, f"{at}.values")
    read = _by_type(field, inspect.type_info(_bare(kind)), at, clock)
    column, default, values = field.column, field.default, field.values

    def value_of(cells: Cells) -> Any:
        text = cell(cells, column)
        if not text:
            return default
        if values is not None:
            return _among(values, text, column)
        try:
            return read(text, cells)
        except Refusal as error:
            raise in_column(error, column) from error

    return value_of


def amount(field: Field, at: str) -> Callable[[str, Cells], Number]:
    """Make what multiplies a cell by other columns and a scale."""
    factor = (1, 1) if field.scale is None else ratio(str(field.scale))
    if factor is None:
        msg = f"{at}.scale: expected a number above 0 or a fraction, got {shown(field.scale)}."
        raise UsageError(msg, "Write 60, 0.001 or 1/3600.")
    others = _others(field)

    def value_of(text: str, cells: Cells) -> Number:
        value = number(text) if factor == (1, 1) else times(number(text), factor)
        for other in others:
            try:
                value = times(value, number(cell(cells, other)))
            except Refusal as error:
                raise in_column(error, other) from error
        return value

    return value_of


def in_column(error: Refusal, column: str) -> Refusal:
    """Name the column in a refusal that doesn't yet."""
    if error.field:
        return error
    message = error.message.rstrip(".")
    return Refusal(f"column {column}: {message[:1].lower() + message[1:]}.", error.do or _DO, code=error.code, field=column)


def _by_type(field: Field, kind: inspect.Type, at: str, clock: Clock) -> Callable[[str, Cells], Any]:
    numeric = isinstance(kind, inspect.IntType) or (isinstance(kind, inspect.CustomType) and kind.cls is Quantity)
    if not numeric and (field.scale is not None or field.times):
        msg = f"{at}: scale and times are for numbers, and this field is none."
        raise UsageError(msg, "Leave them out.")
    if field.separator == "" or (field.separator and not isinstance(kind, inspect.VarTupleType)):
        msg = f"{at}: separator is for lists, and is at least one character."
        raise UsageError(msg, "Leave it out.")
    if numeric:
        value_of = amount(field, at)
        if isinstance(kind, inspect.IntType):
            return _count(value_of, scaled=field.scale is not None)
        return lambda text, cells: decimal_text(value_of(text, cells))
    if isinstance(kind, inspect.CustomType) and kind.cls is Instant:
        return lambda text, _: instant_text(clock.read(text))
    if isinstance(kind, inspect.BoolType):
        return lambda text, _: _truth(text)
    if isinstance(kind, inspect.VarTupleType):
        separator, prefix = field.separator or ";", field.prefix
        return lambda text, _: [prefix + part.strip() for part in text.split(separator) if part.strip()]
    if isinstance(kind, inspect.StructType):
        msg = f"{at}: is an object with {', '.join(one.name for one in kind.fields)}, so a column alone can't fill it."
        raise UsageError(msg, f"Write {at}: {{fields: {{{kind.fields[0].name}: {{column: NAME}}, …}}}}.")
    return lambda text, _: field.prefix + text


def _count(value_of: Callable[[str, Cells], Number], *, scaled: bool) -> Callable[[str, Cells], int]:
    """Read a count; only a scaled one may need rounding."""

    def count(text: str, cells: Cells) -> int:
        value = value_of(text, cells)
        if value[0] % value[1] and not scaled:
            msg = f"expected a whole number, got {cut(text)!r}"
            raise Refusal(msg, _DO, code="invalid-number")
        return rounded(value)

    return count


def _truth(text: str) -> bool:
    found = _WORDS.get(text.lower())
    if found is None:
        msg = f"expected true or false, got {cut(text)!r}"
        raise Refusal(msg, "Correct the row, or list the words under `values`.")
    return found


def _among(values: dict[str, Any], text: str, column: str) -> Any:
    try:
        return values[text]
    except KeyError:
        listed = ", ".join(map(cut, list(values)[:12]))
        msg = f"column {column}: {cut(text)!r} is not among the mapping's values ({listed})."
        raise Refusal(msg, "Add it to the mapping's `values`, or correct the row.", code="unknown-value", field=column) from None


def _nested(fields: dict[str, Any], kind: Any, at: str, clock: Clock) -> Reader:
    """Read an object of its own fields; where one that must be there is empty, the object is left out."""
    inner = _bare(kind)
    if not isinstance(inspect.type_info(inner), inspect.StructType):
        msg = f"{at}: has no fields of its own."
        raise UsageError(msg, f"Write {at}: {{column: NAME}}.")
    readers = readers_of(fields, inner, at, clock)
    required = {one.name for one in msgspec.structs.fields(inner) if one.required}

    def value_of(cells: Cells) -> Any:
        found = {name: read(cells) for name, read in readers.items()}
        found = {name: value for name, value in found.items() if value is not UNSET}
        return found if required <= found.keys() else UNSET

    return value_of


def readers_of(fields: Mapping[str, Any], kind: type, at: str, clock: Clock) -> dict[str, Reader]:
    """Make the readers of a class's fields; `UsageError` on a field it doesn't have and on one it must have."""
    hints = {field.name: field for field in msgspec.structs.fields(kind)}
    types_of = get_type_hints(kind, include_extras=True)
    for name in fields:
        if name not in hints:
            wrong = unknown(name, list(hints), at)
            raise UsageError(wrong.message, wrong.do)
    missing = [name for name, field in hints.items() if field.required and name not in fields]
    if missing:
        msg = f"{at}.{missing[0]}: missing; the event can't be without it."
        raise UsageError(msg, "Give it a column or a constant.")
    return {
        name: reader(raw if isinstance(raw, Field) else declared(raw, f"{at}.{name}"), types_of[name], f"{at}.{name}", clock)
        for name, raw in fields.items()
    }


def _check(kind: Any, value: Any, at: str) -> None:
    try:
        check_value(kind, value, at)
    except Refusal as error:
        raise UsageError(error.message, "Correct the mapping; quote numbers with decimals and dates.") from error


def _others(field: Field) -> tuple[str, ...]:
    return (field.times,) if isinstance(field.times, str) else field.times


def _bare(kind: Any) -> Any:
    """Give the type without `| None`."""
    if get_origin(kind) in {Union, types.UnionType}:
        left = [one for one in get_args(kind) if one is not types.NoneType]
        return left[0] if len(left) == 1 else kind
    return kind
