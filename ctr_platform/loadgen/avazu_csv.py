"""Rows of an Avazu click log: a CSV file, or one compressed by gzip."""

from __future__ import annotations

import csv
import gzip
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TextIO

from contract.errors import UsageError
from ctr_platform.defs.registry.subject import event_schema_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ctr_platform.loadgen.encoder import Event

_INTEGER: Final = re.compile(r"-?[0-9]{1,10}")
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
        reader = csv.reader(file, strict=True)
        columns = _columns(path, next(reader, None))
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
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8", errors="replace", newline="") as file:
            yield file
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder: name a CSV file.") from None
    except (gzip.BadGzipFile, EOFError) as error:
        raise UsageError(f"{path} is not a whole gzip file: {error}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


def _columns(path: Path, header: list[str] | None) -> _Columns:
    fields = [each for each in json.loads(event_schema_json())["fields"] if each["name"] != _EVENT_TIME]
    needed = [each["name"] for each in fields if "default" not in each]
    missing = [name for name in needed if name not in (header or [])]
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
    if _INTEGER.fullmatch(text) is None or int(text) not in _INT32:
        raise ValueError(f"{name} is {text!r}, not a whole number of 32 bits")
    return int(text)


@lru_cache(maxsize=1024)
def _check_hour(hour: int) -> None:
    try:
        datetime.strptime(f"{hour:08d}", "%y%m%d%H").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"hour is {hour}, not YYMMDDHH") from None
