"""How the columns of a click log become a stream's events."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from contract.errors import UsageError
from contract.stream.values import boolean, whole_number
from ctr_platform.loadgen.clicks import click_field
from ctr_platform.loadgen.log_time import LogClock, log_time
from ctr_platform.loadgen.own_fields import OwnFields
from ctr_platform.loadgen.schema_fields import schema_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contract.stream.load import DeclaredStream
    from ctr_platform.loadgen.encoder import Event
    from ctr_platform.loadgen.schema_fields import SchemaField

    Convert = Callable[[str], Any]


@dataclass(frozen=True)
class Row:
    """One impression of the log: an event but for its event time."""

    hour: int
    """YYMMDDHH, UTC."""
    click: int
    """1 if it was clicked, else 0."""
    event: Event
    within_us: int | None = None
    """Since the hour began; None: the log has hours only."""


class LogColumns:
    """What is read of a log's columns."""

    def __init__(self, stream: DeclaredStream, *, templates: bool = False) -> None:
        """`templates`: for events that get their id and time later.

        Raises:
            UsageError: the schema needs a field that no CSV can hold.
        """
        replay = stream.declaration.replay
        own = OwnFields(stream)
        time = log_time(stream)
        self._click = click_field(stream)
        self._clicked = replay.clicked
        self._id = None if templates else own.id
        self._time = None if templates else time.column
        self._clock = LogClock(time)
        unread = own.names if templates else {own.time}
        self._fields: list[tuple[str, SchemaField]] = []
        """Column and field."""
        needed = []
        for field in schema_fields(stream):
            if field.name in unread:
                continue
            may_lack = field.has_default or field.nullable or field.name in own.names
            if field.kind == "other":
                if not may_lack:
                    raise UsageError(
                        f"A CSV cannot hold the schema's {field.name}: give it a default, or let it be null."
                    )
                continue
            column = replay.columns.get(field.name, field.name)
            self._fields.append((column, field))
            if not may_lack or field.name == self._click.name:
                needed.append(column)
        self.needed = list(dict.fromkeys(needed + ([] if self._time is None else [self._time])))
        """Columns without which there are no rows."""
        self.names = frozenset([*self.needed, *(column for column, _ in self._fields)])
        """All columns that are read."""

    def reader(self, header: Sequence[str]) -> RowReader:
        """Return what reads the rows of a file with these columns."""
        return RowReader(
            count=len(header),
            id_field=self._id,
            time=None if self._time is None else (header.index(self._time), self._clock),
            click=self._click.name,
            clicked=self._click.yes,
            cells=[
                (header.index(column), field.name, self._converter(column, field))
                for column, field in self._fields
                if column in header
            ],
        )

    def _converter(self, column: str, field: SchemaField) -> Convert | None:
        if field.name == self._click.name:
            return partial(self._click_value, column, field)
        if field.kind == "string" and not field.nullable:
            return None
        if field.kind == "int" and not field.nullable:
            return partial(_int, column)
        return partial(_value, column, field)

    def _click_value(self, column: str, field: SchemaField, cell: str) -> Any:
        if self._clicked is not None:
            return self._click.yes if cell == self._clicked else self._click.no
        value = _value(column, field, cell)
        if self._click.invalid is not None and value not in (self._click.yes, self._click.no):
            raise ValueError(f"{column} is {value}, not {self._click.no} or {self._click.yes}")
        return value


@dataclass(frozen=True, kw_only=True)
class RowReader:
    """Reads the rows of one file."""

    count: int
    """Columns of the file."""
    id_field: str | None
    """Gets an id that is made, unless a column holds it."""
    time: tuple[int, LogClock] | None
    """Position of the time's column, and what reads it."""
    click: str
    clicked: Any
    """What the click field holds where it was clicked."""
    cells: Sequence[tuple[int, str, Convert | None]]
    """Position, field, and what makes the value; None: the cell is the value."""

    def row(self, cells: Sequence[str], made_id: str) -> Row:
        """Read one row.

        Raises:
            ValueError: what is wrong with it.
        """
        if len(cells) != self.count:
            raise ValueError(f"{len(cells)} columns instead of {self.count}")
        event: dict[str, Any] = {} if self.id_field is None else {self.id_field: made_id}
        for place, name, convert in self.cells:
            event[name] = cells[place] if convert is None else convert(cells[place])
        click = int(event[self.click] == self.clicked)
        if self.time is None:
            return Row(0, click, event)
        place, clock = self.time
        moment = clock.moment(cells[place])
        return Row(moment.hour, click, event, moment.within_us)


def _int(column: str, cell: str) -> int:
    try:
        return whole_number(cell, 32)
    except ValueError as error:
        raise ValueError(f"{column} is {error}") from None


def _value(column: str, field: SchemaField, cell: str) -> Any:
    if not cell and field.nullable:
        return None
    try:
        if field.kind in ("int", "long"):
            return whole_number(cell, 32 if field.kind == "int" else 64)
        if field.kind == "boolean":
            return boolean(cell)
        if field.kind == "double":
            return _float(cell)
    except ValueError as error:
        raise ValueError(f"{column} is {error}") from None
    if field.kind == "enum" and cell not in field.symbols:
        raise ValueError(f"{column} is {cell!r}, not one of {', '.join(field.symbols)}")
    return cell


def _float(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r}, not a number") from None
    if not math.isfinite(number):
        raise ValueError(f"{text!r}, not a finite number")
    return number
