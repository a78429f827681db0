"""What `stream.toml` says: which fields of an event are counted, and by what. Its shape alone; see `load`."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from contract.stream.part import Part
from contract.stream.traffic import Replay, Traffic

MAX_DIMENSIONS: Final = 6
"""Each multiplies the segments of a window, of which a partition names `MAX_SEGMENTS`."""

LANGUAGES: Final = ("en", "ko")
"""Of the dashboard."""

_COLUMN: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")

TAKEN_COLUMNS: Final = frozenset(
    {
        *("window_start", "window_end", "window_type", "window_id", "impressions", "clicks", "ctr", "late"),
        *("topic", "partition", "offset", "first_offset", "last_offset", "id", "click", "event_time"),
        *("created_at", "revision", "final", "timestamp", "segments", "repair_id"),
        *("total_impressions", "total_clicks", "expected_impressions", "expected_clicks"),
        *("actual_impressions", "actual_clicks"),
        *("rt", "window_time", "closed_at"),
    }
)
"""Columns and document fields of the platform's own, beside which a dimension or measure stands."""


def _column(name: str) -> str:
    if not _COLUMN.fullmatch(name):
        raise ValueError("write a-z, 0-9 and _, at most 41 characters, a letter first")
    if name in TAKEN_COLUMNS:
        raise ValueError("this is a column of the platform's own: choose another")
    return name


def _titled(title: dict[str, str]) -> dict[str, str]:
    unknown = sorted(title.keys() - set(LANGUAGES))
    if unknown:
        raise ValueError(f"the dashboard speaks {' and '.join(LANGUAGES)}, not {unknown[0]}")
    if "en" not in title or not all(text.strip() for text in title.values()):
        raise ValueError('give at least the English one, such as { en = "Country" }')
    return title


Column = Annotated[str, AfterValidator(_column)]
Title = Annotated[dict[str, str], AfterValidator(_titled)]
FieldName = Annotated[str, Field(min_length=1)]


class Time(Part):
    """When an event happened."""

    field: FieldName = Field(description="A `long` of the schema.")
    unit: Literal["ms", "s", "us"] | None = Field(
        default=None,
        description="What it counts since the epoch, UTC. Needed unless the schema says it by a logical "
        "type, `timestamp-millis` or `timestamp-micros`.",
    )


class Click(Part):
    """Which impressions were clicked."""

    field: FieldName = Field(
        description="Without `equals`: an `int` of 0 or 1, or a `boolean`. With it: a `string` or an `enum`."
    )
    equals: str | None = Field(default=None, min_length=1, description="The value that means a click.")


class Event(Part):
    """The event: a record of Avro, one for each impression."""

    avro_schema: str = Field(
        alias="schema", description="File of its Avro schema, beside this one: a record in JSON."
    )
    id: FieldName = Field(description="A `string` that identifies it, by which raw events are sampled.")
    time: Time = Field(description="When it happened.")
    click: Click = Field(description="Whether the impression was clicked.")
    kept: tuple[FieldName, ...] = Field(
        default=(),
        description="Further fields of a raw event that is kept for a look, beside id, click, dimensions and "
        "time: a `string`, `int`, `long`, `enum` or `boolean`. Their columns are the fields in lower case.",
    )


class Dimension(Part):
    """A field by whose values the counts are split."""

    field: FieldName = Field(description="A `string`, `int`, `enum` or `boolean` of the schema.")
    column: Column | None = Field(
        default=None, description="Its column in the warehouse; the field in lower case if left out."
    )
    title: Title = Field(description="What the dashboard calls it, by language.")
    blank: str = Field(
        default="unknown",
        min_length=1,
        max_length=40,
        description="What a missing or blank text counts as; of numbers and booleans none is blank.",
    )
    rates: Column | None = Field(
        default=None,
        description="Name of its rates in documents and views; its column with `_ctr` behind it if left out.",
    )
    names: str | None = Field(
        default=None,
        description="File of names for its values, beside this one: a CSV of `value` and `name`.",
    )

    @property
    def column_name(self) -> str:
        """Its column in the warehouse."""
        return self.column or self.field.lower()

    @property
    def rates_name(self) -> str:
        """Name of its rates in documents and views."""
        return self.rates or f"{self.column_name}_ctr"

    @model_validator(mode="after")
    def _named(self) -> Self:
        _column(self.column_name)
        return self


class Measure(Part):
    """A number that is summed beside impressions and clicks."""

    field: FieldName = Field(description="An `int` or `long` of the schema.")
    column: Column | None = Field(
        default=None, description="The sum's column in the warehouse; the field in lower case if left out."
    )
    title: Title = Field(description="What the dashboard calls it, by language.")
    unit: str = Field(default="", max_length=20, description="Shown behind it, such as `USD`.")
    scale: float = Field(
        default=1.0, gt=0, description="What one of the sum is in `unit`, such as 0.000001 for micros."
    )
    per: tuple[Literal["impression", "click", "1000 impressions"], ...] = Field(
        default=(), description="Ratios that are shown: `click` is a CPC, `1000 impressions` a CPM."
    )

    @property
    def column_name(self) -> str:
        """The sum's column in the warehouse."""
        return self.column or self.field.lower()

    @model_validator(mode="after")
    def _named(self) -> Self:
        _column(self.column_name)
        return self


class Topics(Part):
    """Names of the topics; `KAFKA_TOPIC_PREFIX` comes before them."""

    raw: str = Field(
        default="ad_events_raw", pattern=r"^[A-Za-z0-9._-]{1,200}$", description="Of the events."
    )
    error: str = Field(
        default="ad_events_error", pattern=r"^[A-Za-z0-9._-]{1,200}$", description="The dead letter queue."
    )
    windows: str = Field(
        default="ctr_windows", pattern=r"^[A-Za-z0-9._-]{1,200}$", description="The feed of final windows."
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({self.raw, self.error, self.windows}) < 3:  # noqa: PLR2004 - there are three
            raise ValueError("two topics have the same name")
        return self


class Stream(Part):
    """A stream of ad events, as declared."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9_-]{0,40}$",
        description="What it is called in messages; a-z, 0-9, `_` and `-`.",
    )
    title: Title = Field(description="Title of the dashboard, by language.")
    event: Event = Field(description="The event.")
    topics: Topics = Field(default=Topics(), description="Names of the topics.")
    dimensions: tuple[Dimension, ...] = Field(
        min_length=1, max_length=MAX_DIMENSIONS, description="By whose values the counts are split."
    )
    measures: tuple[Measure, ...] = Field(
        default=(), description="What is summed beside impressions and clicks."
    )
    traffic: Traffic = Field(default=Traffic(), description="Synthetic events.")
    replay: Replay = Field(default=Replay(), description="Click logs that are replayed.")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names: dict[str, str] = {}
        for kind, name in (
            *(("column", each.column_name) for each in self.dimensions),
            *(("column", each.column_name) for each in self.measures),
            *(("rates", each.rates_name) for each in self.dimensions),
        ):
            if name in names:
                raise ValueError(
                    f"{name} is the {names[name]} of one and the {kind} of another: "
                    f"set `{kind}` of one of them"
                )
            names[name] = kind
        fields = [each.field for each in self.dimensions]
        columns = {each.column_name: each.field for each in self.dimensions}
        for field in self.event.kept:
            column = _column(field.lower())
            if columns.setdefault(column, field) != field:
                raise ValueError(
                    f"{column} is the column of {columns[column]} and of {field}: keep one of them"
                )
        if len(set(self.event.kept)) < len(self.event.kept):
            raise ValueError("event.kept names a field twice")
        if len(set(fields)) < len(fields):
            twice = next(each for each in fields if fields.count(each) > 1)
            raise ValueError(f"{twice} is a dimension twice")
        return self
