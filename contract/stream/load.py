"""Reads a declared stream from its folder, and says of each mistake where it is and what to do."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from contract.errors import InvalidStream
from contract.stream.declaration import Stream
from contract.stream.event_fields import EventField, NoEvent, event_fields, mistakes, time_unit
from contract.stream.traffic_mistakes import traffic_mistakes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contract.stream.declaration import Dimension
    from contract.stream.event_fields import Location, TimeUnit

FILE: Final = "stream.toml"

SHIPPED: Final = Path(__file__).parents[1] / "streams" / "avazu"
"""Folder of the stream that the platform counts as it ships."""

MAX_FILE_BYTES: Final = 4 << 20
"""Of a declaration, a schema or a file of names: more is something else by mistake."""

NAMES_HEADER: Final = ["value", "name"]


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong, for one line to a person."""

    file: str
    line: int | None
    said: str

    def __str__(self) -> str:
        """As compilers say it."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.said}"


def _invalid(*mistakes_: Mistake) -> InvalidStream:
    return InvalidStream("\n".join(map(str, mistakes_)))


@dataclass(frozen=True)
class DeclaredStream:
    """A stream, with what its folder holds beside the declaration."""

    declaration: Stream
    text: str
    """The file that declares it."""

    event_schema: str
    """The event's Avro schema: JSON."""

    fields: Mapping[str, EventField | None]
    """The event's fields by name; None: of a type that nothing can be declared of."""

    time_unit: TimeUnit
    names: Mapping[str, Mapping[str, str]]
    """By dimension's column, names of its values."""

    sample: Path | None = None
    """A CSV whose rows synthetic events are drawn from."""

    def is_number(self, dimension: Dimension) -> bool:
        """Whether a dimension's values are integers; else they are texts."""
        found = self.fields[dimension.field]
        return found is not None and found.kind == "int"

    @property
    def kept_alone(self) -> tuple[str, ...]:
        """Fields that raw events keep and that are no dimensions, which they have anyway."""
        split = {each.field for each in self.declaration.dimensions}
        return tuple(each for each in self.declaration.event.kept if each not in split)


def load_stream(folder: Path) -> DeclaredStream:
    """Read the declaration in a folder, and everything that it names.

    Raises:
        InvalidStream: it declares none; all mistakes that can be found at once are named.
    """
    text = _text(folder / FILE)
    stream, lines = _read(text)
    schema = _beside(folder, stream.event.avro_schema, lines.of(("event", "schema")))
    declared = _checked(stream, text, schema, lines)
    names = {
        each.column_name: dict(_names(folder, each.names, lines.of(("dimensions", number, "names"))))
        for number, each in enumerate(stream.dimensions)
        if each.names is not None
    }
    sample = None if stream.traffic.like is None else folder / stream.traffic.like
    if sample is not None:
        _beside(folder, str(stream.traffic.like), lines.of(("traffic", "like")))
    return replace(declared, names=names, sample=sample)


def parse_stream(text: str, event_schema: str) -> DeclaredStream:
    """Read a declaration that was kept with its schema; its values have no names.

    Raises:
        InvalidStream: it declares none.
    """
    stream, lines = _read(text)
    return _checked(stream, text, event_schema, lines)


def _read(text: str) -> tuple[Stream, _Lines]:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise _invalid(Mistake(FILE, int(line[1]) if line else None, f"no TOML: {error}")) from None
    lines = _Lines(text)
    try:
        return Stream.model_validate(values), lines
    except ValidationError as error:
        raise _invalid(*(_as_mistake(each, lines) for each in error.errors())) from None


def _checked(stream: Stream, text: str, schema: str, lines: _Lines) -> DeclaredStream:
    try:
        fields = event_fields(_json(stream.event.avro_schema, schema))
    except NoEvent as error:
        raise _invalid(Mistake(stream.event.avro_schema, None, str(error))) from None
    found = [
        Mistake(FILE, lines.of(place), said)
        for place, said in (*mistakes(stream, fields), *traffic_mistakes(stream, fields))
    ]
    if found:
        raise _invalid(*found)
    unit = time_unit(stream, fields)
    assert unit is not None  # noqa: S101 - else it was a mistake
    return DeclaredStream(stream, text, schema, fields, unit, names={})


@cache
def shipped_stream() -> DeclaredStream:
    """Return the stream that the platform counts."""
    return load_stream(SHIPPED)


def _text(path: Path, shown: str | None = None) -> str:
    name = shown or path.name
    try:
        with path.open("rb") as file:
            held = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _invalid(Mistake(str(path), None, f"cannot be read: {error.strerror}")) from None
    if len(held) > MAX_FILE_BYTES:
        raise _invalid(Mistake(name, None, f"is larger than {MAX_FILE_BYTES >> 20} MiB"))
    try:
        return held.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = held[: error.start].count(b"\n") + 1
        raise _invalid(Mistake(name, line, "is not in UTF-8: save it so")) from None


def _beside(folder: Path, name: str, line: int | None) -> str:
    """A file that the declaration names: in its folder, and nowhere else."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise _invalid(Mistake(FILE, line, f"{name} is not in the folder of the declaration"))
    if not path.is_file():
        raise _invalid(Mistake(FILE, line, f"there is no file {name} beside it"))
    return _text(path, name)


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _invalid(Mistake(name, error.lineno, f"no JSON: {error.msg}")) from None
    except RecursionError:
        raise _invalid(Mistake(name, None, "is nested too deep")) from None


def _names(folder: Path, name: str, line: int | None) -> Iterator[tuple[str, str]]:
    rows = csv.reader(_beside(folder, name, line).splitlines(), strict=True)
    try:
        if next(rows, None) != NAMES_HEADER:
            raise _invalid(Mistake(name, 1, f"the first line must be {','.join(NAMES_HEADER)}"))
        seen: set[str] = set()
        for row in rows:
            if len(row) != len(NAMES_HEADER):
                raise _invalid(Mistake(name, rows.line_num, "write a value, a comma and its name"))
            value, title = row
            if value in seen:
                raise _invalid(Mistake(name, rows.line_num, f"{value} has a name already"))
            seen.add(value)
            yield value, title
    except csv.Error as error:
        raise _invalid(Mistake(name, rows.line_num, f"no CSV: {error}")) from None


class _Lines:
    """Where in the text of a TOML file the parts of its values are."""

    def __init__(self, text: str) -> None:
        self._at: dict[Location, int] = {}
        table: Location = ()
        arrays: dict[Location, int] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if header := re.match(r"\s*\[\[\s*([\w.-]+)\s*\]\]", line):
                name = tuple(header[1].split("."))
                arrays[name] = arrays.get(name, -1) + 1
                table = (*name, arrays[name])
                self._at.setdefault(name, number)
                self._at.setdefault(table, number)
            elif header := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
                table = tuple(header[1].split("."))
                self._at.setdefault(table, number)
            elif key := re.match(r"\s*([\w.-]+)\s*=", line):
                path = (*table, *key[1].split("."))
                for length in range(len(table) + 1, len(path) + 1):
                    self._at.setdefault(path[:length], number)

    def of(self, place: Location) -> int | None:
        """The line of a part, or of the nearest that holds it; None: the file's beginning."""
        while place and place not in self._at:
            place = place[:-1]
        return self._at.get(place)


def _as_mistake(error: Any, lines: _Lines) -> Mistake:
    """What pydantic says, in the words of the file."""
    place: Location = error["loc"]
    dotted = ".".join(f"[{each + 1}]" if isinstance(each, int) else each for each in place)
    name = dotted.replace(".[", "[") or "the declaration"
    said = error["msg"].removeprefix("Value error, ")
    if error["type"] == "missing":
        said = "is missing"
    elif error["type"] == "extra_forbidden":
        said = "is not known: see docs/reference/stream-declaration.md"
    return Mistake(FILE, lines.of(place), f"{name}: {said}")
