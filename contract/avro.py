"""Avro's binary encoding, read strictly: no length, number, branch or depth is believed before it is checked.

A value is read by its writer's type: see `contract.avro_schema`. Logical types are left alone: a value is
what its bytes say. Whatever the bytes are, reading them costs no more than their number, and ends in a
value or in `Malformed`.

Source: the Apache Avro specification 1.12, section "Binary Encoding".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from contract.errors import Malformed
from contract.utf8 import decode_utf8

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_DEPTH: Final = 64
"""Records, arrays and maps around a value, the event itself not counted."""

MAX_VALUES: Final = 100_000
"""So many values of one record are put into objects; telling where it ends has no such limit."""

MAX_INT_BYTES: Final = 5
"""Also a small number may not be written at greater length."""

INT_MIN: Final = -(2**31)
INT_MAX: Final = 2**31 - 1
_LONG_BITS: Final = 64
_GROUP_BITS: Final = 7
_GOES_ON: Final = 0x80

ENDS_TOO_EARLY: Final = "the record ends before its last field"
NUMBER_TOO_LONG: Final = "a number is longer than its type"
NO_SUCH_CHOICE: Final = "a union or enum names a choice that is not there"
IMPOSSIBLE_LENGTH: Final = "a length reaches beyond the record"
TOO_DEEP: Final = f"values are nested deeper than {MAX_DEPTH}"
TOO_MANY: Final = f"it holds more than {MAX_VALUES} values"


class Budget:
    """How many values may still be put into objects."""

    def __init__(self, values: int = MAX_VALUES) -> None:
        self._left = values

    def spend(self) -> None:
        """Count one.

        Raises:
            Malformed: there were too many.
        """
        self._left -= 1
        if self._left < 0:
            raise Malformed(TOO_MANY)


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """Return a zigzag number of at most 64 bits, and where it ends."""
    raw = 0
    for shift in range(0, _LONG_BITS + _GROUP_BITS - 1, _GROUP_BITS):
        if at >= len(data):
            raise Malformed(ENDS_TOO_EARLY)
        byte = data[at]
        at += 1
        raw |= (byte & (_GOES_ON - 1)) << shift
        if byte < _GOES_ON:
            raw &= (1 << _LONG_BITS) - 1
            return (raw >> 1) ^ -(raw & 1), at
    raise Malformed(NUMBER_TOO_LONG)


def _read_int(data: bytes, at: int) -> tuple[int, int]:
    value, end = read_long(data, at)
    if not INT_MIN <= value <= INT_MAX or end - at > MAX_INT_BYTES:
        raise Malformed(NUMBER_TOO_LONG)
    return value, end


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    length, at = read_long(data, at)
    if not 0 <= length <= len(data) - at:
        raise Malformed(IMPOSSIBLE_LENGTH)
    return length, at


def _read_choice(data: bytes, at: int, choices: int) -> tuple[int, int]:
    index, end = _read_int(data, at)
    if not 0 <= index < choices:
        raise Malformed(NO_SUCH_CHOICE)
    return index, end


class Type:
    """How values of one type are told apart from what follows them, and read."""

    takes_bytes: bool = True
    """Whether a value takes any: an array may claim any number of items that take none."""

    empty_depth: int = 0
    """Records within a value that takes no bytes, itself included."""

    def skip(self, data: bytes, at: int, depth: int) -> int:
        """Return where a value that begins at `at` ends.

        Args:
            data: the record.
            at: position in it.
            depth: of the value.

        Raises:
            Malformed: the bytes are not a value of this type.
        """
        raise NotImplementedError

    def read(self, data: bytes, at: int, depth: int, budget: Budget) -> tuple[Any, int]:
        """Return a value, and where it ends; see `skip`."""
        raise NotImplementedError


class Fixed(Type):
    """`size` bytes; with a form of `struct` they are a number."""

    def __init__(self, size: int, form: str | None = None) -> None:
        self.takes_bytes = size > 0
        self.size = size
        self._form = None if form is None else struct.Struct(form)

    @override
    def skip(self, data: bytes, at: int, depth: int) -> int:
        del depth
        if self.size > len(data) - at:
            raise Malformed(ENDS_TOO_EARLY)
        return at + self.size

    @override
    def read(self, data: bytes, at: int, depth: int, budget: Budget) -> tuple[Any, int]:
        budget.spend()
        end = self.skip(data, at, depth)
        return (data[at:end] if self._form is None else self._form.unpack_from(data, at)[0]), end


class Boolean(Fixed):
    """One byte: true where it is 1, as Avro's own reader takes it."""

    def __init__(self) -> None:
        super().__init__(1)

    @override
    def read(self, data: bytes, at: int, depth: int, budget: Budget) -> tuple[bool, int]:
        budget.spend()
        end = self.skip(data, at, depth)
        return data[at] == 1, end


class Null(Fixed):
    """No bytes at all."""

    @override
    def read(self, data: bytes, at: int, depth: int, budget: Budget) -> tuple[Any, int]:
        del data, depth
        budget.spend()
        return None, at


class Long(Type):
    """A zigzag number of at most 64 bits."""

    @override
    def skip(self, data: bytes, at: int, depth: int) -> int:
        del depth
        return read_long(data, at)[1]

    @override
    def read(self, data: bytes, at: int, depth: int, budget: Budget) -> tuple[int, int]:
        del depth
        budget.spend()
        return read_long(data, at)


class Int(Type):
    """A zigzag number that fits 32 bits."""

    @override
    def skip(self, data: bytes, at: int, depth: int) -> int:
        del depth
        return _read_int(data, at)[1]

    @override
    def read(self, data: bytes, at: int, depth: int, budget: Budget) -> tuple[int, int]:
        budget.spend()
        self.skip(data, at, depth)
        return read_long(data, at)


class Bytes(Type):
    """A length, and so many bytes."""

    @override
    def skip(self, data: bytes, at: int, depth: int) -> int:
        del depth
        length, at = _read_length(data, at)
        return at + length

    @override
    def read(self, data: bytes, at: int, depth: int, budget: Budget) -> tuple[Any, int]:
        del depth
        budget.spend()
        length, at = _read_length(data, at)
        return data[at : at + length], at + length


class String(Bytes):
    """Bytes that are meant as UTF-8."""

    @override
    def read(self, data: bytes, at: int, depth: int, budget: Budget) -> tuple[str, int]:
        value, end = super().read(data, at, depth, budget)
        return decode_utf8(value), end


class Enum(Type):
    """The index of a symbol."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self.symbols = symbols

    @override
    def skip(self, data: bytes, at: int, depth: int) -> int:
        del depth
        return _read_choice(data, at, len(self.symbols))[1]

    @override
    def read(self, data: bytes, at: int, depth: int, budget: Budget) -> tuple[str, int]:
        del depth
        budget.spend()
        index, end = _read_choice(data, at, len(self.symbols))
        return self.symbols[index], end


class Union(Type):
    """The index of a branch, and a value of its type."""

    def __init__(self, branches: Sequence[Type]) -> None:
        self.branches = branches

    @override
    def skip(self, data: bytes, at: int, depth: int) -> int:
        index, at = _read_choice(data, at, len(self.branches))
        return self.branches[index].skip(data, at, depth)

    @override
    def read(self, data: bytes, at: int, depth: int, budget: Budget) -> tuple[Any, int]:
        index, at = _read_choice(data, at, len(self.branches))
        return self.branches[index].read(data, at, depth, budget)


def _deeper(depth: int) -> int:
    if depth >= MAX_DEPTH:
        raise Malformed(TOO_DEEP)
    return depth + 1


class Blocks(Type):
    """An array or a map: blocks of items, each with the number of them."""

    item: Type

    def _skip_item(self, data: bytes, at: int, depth: int) -> int:
        return self.item.skip(data, at, depth)

    def _read_item(self, data: bytes, at: int, depth: int, budget: Budget) -> tuple[Any, int]:
        return self.item.read(data, at, depth, budget)

    @override
    def skip(self, data: bytes, at: int, depth: int) -> int:
        depth = _deeper(depth)
        while True:
            count, at = read_long(data, at)
            if count == 0:
                return at
            claimed_end = None
            if count < 0:
                length, at = _read_length(data, at)
                claimed_end = at + length
            for _ in range(abs(count)):
                end = self._skip_item(data, at, depth)
                if end == at:
                    break  # an item without bytes is like all others
                at = end
            if claimed_end not in (None, at):
                raise Malformed(IMPOSSIBLE_LENGTH)

    @override
    def read(self, data: bytes, at: int, depth: int, budget: Budget) -> tuple[Any, int]:
        budget.spend()
        depth = _deeper(depth)
        found: list[Any] = []
        while True:
            count, at = read_long(data, at)
            if count == 0:
                return self._made(found), at
            claimed_end = None
            if count < 0:
                length, at = _read_length(data, at)
                claimed_end = at + length
            for _ in range(abs(count)):
                value, at = self._read_item(data, at, depth, budget)
                found.append(value)
            if claimed_end not in (None, at):
                raise Malformed(IMPOSSIBLE_LENGTH)

    def _made(self, found: list[Any]) -> Any:
        return found


class Array(Blocks):
    """A list."""


class Map(Blocks):
    """Values by string."""

    def _skip_item(self, data: bytes, at: int, depth: int) -> int:
        length, at = _read_length(data, at)
        return self.item.skip(data, at + length, depth)

    def _read_item(self, data: bytes, at: int, depth: int, budget: Budget) -> tuple[Any, int]:
        length, at = _read_length(data, at)
        key = decode_utf8(data[at : at + length])
        value, end = self.item.read(data, at + length, depth, budget)
        return (key, value), end

    def _made(self, found: list[Any]) -> Any:
        return dict(found)


class Record(Type):
    """Named fields, one after the other."""

    def __init__(self) -> None:
        self.fields: dict[str, Type] = {}
        self._with_bytes: list[Type] = []
        self._empty_depth = 0

    def complete(self, fields: dict[str, Type]) -> None:
        """Give it its fields; until then one of them may mean the record, but none is read."""
        self.fields = fields
        self._with_bytes = [each for each in fields.values() if each.takes_bytes]
        self._empty_depth = max(
            (each.empty_depth for each in fields.values() if not each.takes_bytes), default=0
        )
        self.takes_bytes = bool(self._with_bytes)
        self.empty_depth = 1 + self._empty_depth

    @override
    def skip(self, data: bytes, at: int, depth: int) -> int:
        depth = _deeper(depth)
        if depth + self._empty_depth > MAX_DEPTH:
            raise Malformed(TOO_DEEP)
        for field in self._with_bytes:
            at = field.skip(data, at, depth)
        return at

    @override
    def read(self, data: bytes, at: int, depth: int, budget: Budget) -> tuple[dict[str, Any], int]:
        budget.spend()
        depth = _deeper(depth)
        found = {}
        for name, field in self.fields.items():
            found[name], at = field.read(data, at, depth, budget)
        return found, at
