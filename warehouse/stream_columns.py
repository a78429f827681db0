"""Columns that a stream declares: of its dimensions, its measures and what raw events keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Boolean, Integer, Text

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

    from contract.stream.event_fields import Kind
    from warehouse.windows import Value

OTHER_TEXT: Final = "other"
OTHER_NUMBER: Final = -1
"""Values of the one segment that all are counted as which have no name of their own."""


@dataclass(frozen=True)
class DimensionColumn:
    """The column of a dimension."""

    name: str
    is_number: bool
    """An integer, else text."""

    title: str
    """In English."""

    rates_name: str
    """Column of its rates in the views of windows."""

    blank: str
    """What a missing or blank text counts as."""

    @property
    def type(self) -> TypeEngine[Any]:
        """Of Postgres."""
        return Integer() if self.is_number else Text()

    @property
    def other(self) -> Value:
        """Its value in the segment of those without a name."""
        return OTHER_NUMBER if self.is_number else OTHER_TEXT

    @property
    def unknown(self) -> Value:
        """Its value in windows that were counted before there was such a dimension."""
        return OTHER_NUMBER if self.is_number else self.blank


@dataclass(frozen=True)
class MeasureColumn:
    """The column of a sum besides impressions and clicks."""

    name: str
    title: str
    """In English."""


@dataclass(frozen=True)
class KeptColumn:
    """A column of raw events alone."""

    name: str
    kind: Kind
    """Of the field."""

    @property
    def type(self) -> TypeEngine[Any]:
        """Of Postgres."""
        kinds: dict[str, TypeEngine[Any]] = {"int": Integer(), "long": BigInteger(), "boolean": Boolean()}
        return kinds.get(self.kind, Text())

    @property
    def nothing(self) -> Value:
        """Its value in events that were kept before it was."""
        return {"int": 0, "long": 0, "boolean": False}.get(self.kind, "")
