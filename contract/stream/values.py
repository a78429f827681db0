"""Values of the schema's types, as a declaration or a log writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from contract.stream.event_fields import EventField

_BITS: Final = {"int": 32, "long": 64}

_INTEGER: Final = re.compile(r"(-?[0-9]{1,19})(\.0+)?")
"""Pandas writes a column of integers with a gap somewhere as 1005.0."""

_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


def fits(field: EventField, value: bool | int | str) -> bool:  # noqa: FBT001 - the value is what it is about
    """Whether the value is one of the field's type."""
    if field.kind == "boolean":
        return isinstance(value, bool)
    if field.kind in _BITS:
        return isinstance(value, int) and not isinstance(value, bool) and _in_range(value, _BITS[field.kind])
    return isinstance(value, str) and (field.kind != "enum" or value in field.symbols)


def value_of(field: EventField, text: str) -> bool | int | str:
    """Return what a text means as a value of the field's type.

    Raises:
        ValueError: it means none; the message goes on from "it is".
    """
    if field.kind in _BITS:
        return whole_number(text, _BITS[field.kind])
    if field.kind == "boolean":
        return boolean(text)
    if field.kind == "enum" and text not in field.symbols:
        raise ValueError(f"{text!r}, not one of {', '.join(field.symbols)}")
    return text


def whole_number(text: str, bits: int) -> int:
    """Return the number that a text is, also one that pandas wrote.

    Raises:
        ValueError: it is none of so many bits, the sign included.
    """
    found = _INTEGER.fullmatch(text)
    number = None if found is None else int(found[1])
    if number is None or not _in_range(number, bits):
        raise ValueError(f"{text!r}, not a whole number of {bits} bits")
    return number


def boolean(text: str) -> bool:
    """Return true or false, also written as 1 or 0.

    Raises:
        ValueError: it is neither.
    """
    found = _BOOLEANS.get(text.lower())
    if found is None:
        raise ValueError(f"{text!r}, not true or false")
    return found


def _in_range(value: int, bits: int) -> bool:
    return -(1 << bits - 1) <= value < 1 << bits - 1
