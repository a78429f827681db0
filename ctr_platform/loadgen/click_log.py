"""Rows of a click log: CSV with commas, semicolons, tabs or bars, plain or compressed by gzip."""

from __future__ import annotations

import csv
import gzip
import hashlib
import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

from contract.errors import UsageError
from ctr_platform.loadgen.log_columns import LogColumns, Row, RowReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contract.stream.load import DeclaredStream
    from ctr_platform.loadgen.encoder import Event

_DELIMITERS: Final = (",", ";", "\t", "|")
_GZIP: Final = b"\x1f\x8b"
_OTHERS: Final = {
    b"PK": "is a zip archive: unpack it first",
    b"\x28\xb5\x2f\xfd": "is compressed by zstd: unpack it first",
    b"\xff\xfe": "is UTF-16: save it as UTF-8",
    b"\xfe\xff": "is UTF-16: save it as UTF-8",
}
"""What a file that is no CSV begins with, by its first bytes."""

_IDENTIFYING_CHARACTERS: Final = 1 << 16
"""Of a file's beginning: ids that the log does not have are made of them."""


def read_rows(path: Path, stream: DeclaredStream, on_bad: Callable[[int, str], None]) -> Iterator[Row]:
    """The file's good rows, in its order; a bad one is reported by line number and reason, and left out.

    Raises:
        CtrError: the file cannot be read, or its header does not name the columns needed.
    """
    yield from _rows(path, LogColumns(stream), on_bad)


def sample_events(stream: DeclaredStream) -> list[Event]:
    """Return the rows of a stream's sample as events without id and time.

    Raises:
        UsageError: the sample cannot be used, or a row is bad.
    """
    path = stream.sample
    assert path is not None  # noqa: S101 - asked for only where there is one

    def refuse(line: int, reason: str) -> None:
        raise UsageError(f"{path}:{line}: {reason}.")

    events = [row.event for row in _rows(path, LogColumns(stream, templates=True), refuse)]
    if not events:
        raise UsageError(f"{path} has no row to draw events from.")
    return events


def _rows(path: Path, columns: LogColumns, on_bad: Callable[[int, str], None]) -> Iterator[Row]:
    with _opened(path) as file:
        begin = file.read(_IDENTIFYING_CHARACTERS)
        file.seek(0)
        first = file.readline()
        delimiter, header = _header(path, first, columns.names)
        rows = _reader(path, header, columns)
        ids = hashlib.blake2b(begin.encode(), digest_size=4).hexdigest()
        reader = csv.reader(itertools.chain([first], file), delimiter=delimiter, strict=True)
        next(reader)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                on_bad(reader.line_num, str(error))
                continue
            if not cells:
                continue
            try:
                yield rows.row(cells, f"{ids}{reader.line_num:012x}")
            except ValueError as error:
                on_bad(reader.line_num, str(error))


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with path.open("rb") as raw:
            begin = raw.read(4)
        for mark, problem in _OTHERS.items():
            if begin.startswith(mark):
                raise UsageError(f"{path} {problem}.")
        # By what it holds, whatever it is called.
        opener = gzip.open if begin.startswith(_GZIP) else open
        with opener(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as file:
            yield file
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder: name a CSV file.") from None
    except (gzip.BadGzipFile, EOFError) as error:
        raise UsageError(f"{path} is not a whole gzip file: {error}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


def _header(path: Path, line: str, names: frozenset[str]) -> tuple[str, list[str]]:
    """Return the delimiter, and the names between: those of the delimiter that finds most of the columns."""
    problem = ""
    found: dict[str, list[str]] = {}
    for delimiter in _DELIMITERS:
        try:
            found[delimiter] = next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            problem = str(error)
    if not found:
        raise UsageError(f"{path} is no CSV file: its first line is not in order ({problem}).")
    chosen = max(found, key=lambda delimiter: len(names.intersection(found[delimiter])))
    return chosen, found[chosen]


def _reader(path: Path, header: list[str], columns: LogColumns) -> RowReader:
    missing = [name for name in columns.needed if name not in header]
    if not header or len(missing) == len(columns.needed):
        raise UsageError(
            f"{path} has no header: its first line must name the columns {', '.join(columns.needed)}."
        )
    if missing:
        raise UsageError(
            f"{path} lacks the columns {', '.join(missing)}: "
            "[replay] of stream.toml says what they are called."
        )
    return columns.reader(header)
