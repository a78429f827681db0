"""What the job is told of a declared stream. `flink` itself knows no declarations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flink.config import BLANK, Dimension, EventFields, Measure

if TYPE_CHECKING:
    from contract.stream import declaration
    from contract.stream.event_fields import EventField
    from contract.stream.load import DeclaredStream

CLICKS: Final = "clicks"
"""Column of the first measure."""


@dataclass(frozen=True, kw_only=True)
class DeclaredJob:
    """The fields of a `JobConfig` that a declaration decides; they have the same names there.

    What the shipped stream has by default is the default here too, so that older releases are not told of it.
    """

    reader_schema: str
    event: EventFields
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    kept: tuple[str, ...]


def declared_job(stream: DeclaredStream) -> DeclaredJob:
    """What the job is told of a stream."""
    declared = stream.declaration
    event = declared.event
    return DeclaredJob(
        reader_schema=stream.event_schema,
        event=EventFields(
            id=event.id,
            time=event.time.field,
            time_unit=stream.time_unit,
            click=event.click.field,
            click_equals=event.click.equals,
        ),
        dimensions=tuple(_dimension(each, stream.fields[each.field]) for each in declared.dimensions),
        measures=(
            Measure(field=event.click.field, column=CLICKS),
            *(Measure(field=each.field, column=each.column_name) for each in declared.measures),
        ),
        kept=event.kept,
    )


def _dimension(declared: declaration.Dimension, field: EventField | None) -> Dimension:
    if field is None or field.kind == "long":
        raise AssertionError(f"{declared.field} is no dimension: the declaration was not checked")
    return Dimension(
        field=declared.field,
        # The ingest stage knows enums and booleans, and counts their values as texts.
        type=field.kind,
        document_key=declared.rates_name,
        # Left out where the job would take the same: else state and older releases would see another stream.
        column=None if declared.column_name == declared.field else declared.column_name,
        blank=None if declared.blank == BLANK else declared.blank,
    )
