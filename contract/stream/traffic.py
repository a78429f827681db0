"""What `stream.toml` says of synthetic events and of click logs: its shape alone; see `traffic_mistakes`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from contract.stream.part import Part

UNITS: Final = ("ms", "s", "us")
"""Of a time since the epoch, UTC."""

ISO: Final = "iso"
"""A time as ISO 8601 has it, with or without a zone; UTC without."""


def _plain(value: Any) -> Any:
    if not isinstance(value, str | int | bool):
        raise ValueError("write a text, a whole number, true or false")  # noqa: TRY004 - pydantic's way
    return value


Value = Annotated[bool | int | str, BeforeValidator(_plain)]


class Segment(Part):
    """Impressions that are alike in some fields, and how many of them were clicked."""

    values: dict[str, Value] = Field(
        min_length=1, description="Values of dimensions, and of fields that depend on them."
    )
    impressions: int = Field(ge=1, description="Its share, as a number beside those of the others.")
    clicks: int = Field(ge=0, description="How many of them were clicked.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.clicks > self.impressions:
            raise ValueError("more clicks than impressions")
        return self


class Together(Part):
    """Fields whose values go together, such as width and height."""

    fields: tuple[str, ...] = Field(min_length=2, description="Their names.")
    values: tuple[tuple[Value, ...], ...] = Field(
        min_length=1, description="What they are together: a list of values in the order of `fields` each."
    )
    weights: tuple[Annotated[float, Field(gt=0)], ...] = Field(description="How frequent each of these is.")

    @model_validator(mode="after")
    def _even(self) -> Self:
        if len(self.values) != len(self.weights):
            raise ValueError(f"{len(self.values)} values, but {len(self.weights)} weights")
        uneven = [each for each in self.values if len(each) != len(self.fields)]
        if uneven:
            raise ValueError(f"give {len(self.fields)} values each, not {len(uneven[0])}")
        return self


class Drawn(Part):
    """How a field is drawn that depends on no other: by one of these."""

    weights: dict[str, Annotated[float, Field(gt=0)]] | None = Field(
        default=None, min_length=1, description="Its values, and how frequent each is."
    )
    distinct: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="So many texts of eight hexadecimal digits, their popularity falling off as one over "
        "the rank.",
    )
    between: tuple[int, int] | None = Field(
        default=None, alias="range", description="Whole numbers from the first to below the second, evenly."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if [self.weights, self.distinct, self.between].count(None) != 2:  # noqa: PLR2004 - of three
            raise ValueError("say one of weights, distinct and range")
        if self.between is not None and self.between[0] >= self.between[1]:
            raise ValueError("the second number of a range is the larger one")
        return self


class Traffic(Part):
    """Synthetic events, of `ctr produce`. What it does not describe is made up from the schema."""

    segments: tuple[Segment, ...] = Field(
        default=(), description="Joint shares, from which the probability of a click follows."
    )
    together: tuple[Together, ...] = Field(default=(), description="Fields whose values go together.")
    fields: dict[str, Drawn] = Field(
        default={},
        description="How each further field is drawn, by its name. One with a default may be left out.",
    )
    times: dict[str, str] = Field(
        default={},
        description="Fields that hold the event time in another form: `ms`, `s`, `us`, or a format such as "
        "`%y%m%d%H`, in UTC.",
    )
    ctr_percent: float | None = Field(
        default=None, ge=0, le=100, description="CTR where no segments say it; 5 if left out."
    )
    not_clicked: str | None = Field(
        default=None,
        description="With `equals` of `event.click`: the value without a click; made up if left out.",
    )
    demo_per_second: int = Field(
        default=200,
        ge=0,
        le=10_000,
        description="Events/s that `make demo` sends by itself: enough that every window moves, little "
        "enough to forget about. 0: none, so that a log can be replayed into the past.",
    )
    like: str | None = Field(
        default=None,
        description="A CSV beside this file whose rows are drawn at random, instead of all but `times`. Its "
        "columns are those of `[replay]`.",
    )

    @model_validator(mode="after")
    def _once(self) -> Self:
        if self.like is not None and (
            self.segments or self.together or self.fields or self.ctr_percent is not None
        ):
            raise ValueError("like says it all: leave out segments, together, fields and ctr_percent")
        if self.segments and self.ctr_percent is not None:
            raise ValueError("the clicks of the segments say the CTR: leave out ctr_percent")
        return self


class LogTime(Part):
    """When a row of a click log happened."""

    column: str = Field(min_length=1, description="Its column.")
    format: str = Field(
        min_length=1,
        description="`iso`, such as 2026-01-31 09:00:00.5+00:00; `ms`, `s` or `us` since the epoch; or a "
        "format such as `%y%m%d%H`. UTC where it names no zone. Rows of a log that has hours only are spread "
        "evenly over theirs; else each keeps its place in its hour.",
    )


class Replay(Part):
    """Click logs, as CSV, that `ctr replay` sends."""

    time: LogTime | None = Field(
        default=None,
        description="When a row happened. If left out: a column of the event time's name, in its unit.",
    )
    columns: dict[str, str] = Field(
        default={},
        description="Columns by field, where they have another name. Without a column for it the id is made "
        "of what the file holds and the row's number.",
    )
    clicked: str | None = Field(
        default=None,
        min_length=1,
        description="What the click's column holds where it was clicked, if it is not what the field holds.",
    )
