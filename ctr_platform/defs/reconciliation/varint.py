"""A cursor in each of many Avro records at once: a step is a few array operations, whatever their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

T = TypeVar("T")

MAX_VARINT_BYTES: Final = 10
"""A 64 bit number in groups of 7 bits is no longer."""

MAX_INT_BYTES: Final = 5

GOES_ON: Final = 0x80
"""Set in every byte of a number but its last."""

INT_MIN: Final = -(2**31)
INT_MAX: Final = 2**31 - 1


class Cursors:
    """Positions in N records, which lie one after the other in one buffer.

    A record that turns out malformed has `bad[i]` true for ever; what is read of it then means nothing.
    """

    def __init__(self, records: Sequence[bytes]) -> None:
        # Padding: a number that begins at the end of the last record is looked at, then refused.
        self._bytes = np.frombuffer(b"".join(records) + bytes(MAX_VARINT_BYTES), np.uint8)
        lengths = np.fromiter(map(len, records), np.int64, len(records))
        self._end = np.cumsum(lengths)
        self._at = self._end - lengths
        self.bad: Flags = np.zeros(len(records), np.bool_)

    def skip(self, lengths: Ints | int) -> None:
        """Move on by so many bytes; negative lengths and those beyond the record's end make it bad."""
        room = self._end - self._at
        self.bad |= (lengths > room) | (np.less(lengths, 0))
        self._at = self._at + np.clip(lengths, 0, room)

    def longs(self) -> Ints:
        """One zigzag number of at most 64 bits of each record."""
        # Most numbers are one byte; `rows` are those that go on.
        byte = self._bytes[self._at]
        self.bad |= self._at >= self._end
        self._at = np.minimum(self._at + 1, self._end)
        raw = (byte & (GOES_ON - 1)).astype(np.uint64)
        rows = np.flatnonzero(byte >= GOES_ON)
        for index in range(1, MAX_VARINT_BYTES):
            if len(rows) == 0:
                break
            at, end = self._at[rows], self._end[rows]
            byte = self._bytes[at]
            self.bad[rows] |= at >= end
            self._at[rows] = np.minimum(at + 1, end)
            raw[rows] |= (byte & (GOES_ON - 1)).astype(np.uint64) << np.uint64(7 * index)
            rows = rows[byte >= GOES_ON]
        self.bad[rows] = True  # one more byte than 64 bits need
        values: Ints = (raw >> np.uint64(1)).astype(np.int64) ^ -(raw & np.uint64(1)).astype(np.int64)
        return values

    def ints(self) -> Ints:
        """One zigzag number of each record; it must fit 32 bits, and be no longer than these need."""
        start = self._at
        values = self.longs()
        self.bad |= (values < INT_MIN) | (values > INT_MAX) | (self._at - start > MAX_INT_BYTES)
        return values

    def booleans(self) -> Ints:
        """One byte of each record: 1 where it is 1, else 0."""
        at = self._at
        self.skip(1)
        values: Ints = (self._bytes[at] == 1).astype(np.int64)
        return values

    def choices(self, count: int) -> Ints:
        """One index into so many choices of each record; it is written as an int."""
        values = self.ints()
        self.bad |= (values < 0) | (values >= count)
        return values

    def only(self, rows: Flags, read: Callable[[], T]) -> T:
        """Let `read` move on in these records alone; in the others what it returns means nothing."""
        at, bad = self._at, self.bad.copy()
        found = read()
        self._at = np.where(rows, self._at, at)
        self.bad = np.where(rows, self.bad, bad)
        return found

    def slices(self) -> tuple[Ints, Ints]:
        """Start and end, in the buffer, of a length-prefixed value of each record; moves behind it."""
        lengths = self.longs()
        start = self._at
        self.skip(lengths)
        return start, self._at

    def cut(self, start: Ints, end: Ints) -> list[bytes]:
        """The bytes between the positions that `slices` gave."""
        buffer = self._bytes.tobytes()
        return [buffer[a:b] for a, b in zip(start.tolist(), end.tolist(), strict=True)]

    def finish(self) -> None:
        """Bytes left over make a record bad."""
        self.bad |= self._at != self._end
