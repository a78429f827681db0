"""Rows of an Avazu click log: CSV with commas, semicolons, tabs or bars, plain or compressed by gzip."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TextIO

from contract.errors import UsageError
from contract.stream.load import shipped_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ctr_platform.loadgen.encoder import Event

_INTEGER: Final = re.compile(r"(-?[0-9]{1,10})(\.0+)?")
"""Pandas writes a column of integers with a gap somewhere as 1005.0."""

_DELIMITERS: Final = (",", ";", "\t", "|")
_GZIP: Final = b"\x1f\x8b"
_OTHERS: Final = {
    b"PK": "is a zip archive: unpack it first",
    b"\x28\xb5\x2f\xfd": "is compressed by zstd: unpack it first",
    b"\xff\xfe": "is UTF-16: save it as UTF-8",
    b"\xfe\xff": "is UTF-16: save it as UTF-8",
}
"""What a file that is no CSV begins with, by its first bytes."""

_INT32: Final = range(-(2**31), 2**31)
_EVENT_TIME: Final = "timestamp"
"""The one field of an event that the log does not have."""


@dataclass(frozen=True)
class Row:
    """One impression of the log: an event but for its event time."""

    hour: int
    """YYMMDDHH, UTC."""
    click: int
    event: Event


def read_rows(path: Path, on_bad: Callable[[int, str], None]) -> Iterator[Row]:
    """The file's good rows, in its order; a bad one is reported by line number and reason, and left out.

    Raises:
        CtrError: the file cannot be read, or its header does not name the columns needed.
    """
    with _opened(path) as file:
        first = file.readline()
        dialect, header = _header(path, first)
        columns = _columns(path, header)
        reader = csv.reader(itertools.chain([first], file), delimiter=dialect, strict=True)
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
                yield _row(columns, cells)
            except ValueError as error:
                on_bad(reader.line_num, str(error))


@dataclass(frozen=True)
class _Columns:
    count: int
    wanted: list[tuple[int, str, bool]]
    """Position, name, and whether it is an integer."""


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


def _header(path: Path, line: str) -> tuple[str, list[str]]:
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
    names = set(_fields())
    chosen = max(found, key=lambda delimiter: len(names.intersection(found[delimiter])))
    return chosen, found[chosen]


def _fields() -> dict[str, dict[str, Any]]:
    """The event's fields but for its time, by name."""
    fields = json.loads(shipped_stream().event_schema)["fields"]
    return {each["name"]: each for each in fields if each["name"] != _EVENT_TIME}


def _columns(path: Path, header: list[str]) -> _Columns:
    fields = list(_fields().values())
    needed = [each["name"] for each in fields if "default" not in each]
    missing = [name for name in needed if name not in header]
    if not header or len(missing) == len(needed):
        raise UsageError(f"{path} has no header: its first line must name the columns {', '.join(needed)}.")
    if missing:
        raise UsageError(f"{path} lacks the columns {', '.join(missing)}.")
    return _Columns(
        count=len(header),
        wanted=[
            (header.index(each["name"]), each["name"], each["type"] == "int")
            for each in fields
            if each["name"] in header
        ],
    )


def _row(columns: _Columns, cells: list[str]) -> Row:
    """Read one row.

    Raises:
        ValueError: what is wrong with it.
    """
    if len(cells) != columns.count:
        raise ValueError(f"{len(cells)} columns instead of {columns.count}")
    event: dict[str, str | int] = {
        name: _integer(name, cells[position]) if is_integer else cells[position]
        for position, name, is_integer in columns.wanted
    }
    hour, click = int(event["hour"]), int(event["click"])
    if click not in {0, 1}:
        raise ValueError(f"click is {click}, not 0 or 1")
    _check_hour(hour)
    return Row(hour, click, event)


def _integer(name: str, text: str) -> int:
    whole = _INTEGER.fullmatch(text)
    if whole is None or int(whole[1]) not in _INT32:
        raise ValueError(f"{name} is {text!r}, not a whole number of 32 bits")
    return int(whole[1])


@lru_cache(maxsize=1024)
def _check_hour(hour: int) -> None:
    try:
        datetime.strptime(f"{hour:08d}", "%y%m%d%H").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"hour is {hour}, not YYMMDDHH") from None
