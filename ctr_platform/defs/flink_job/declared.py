"""What the job is told of a declared stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flink.config import BLANK, Dimension, EventFields, Measure

if TYPE_CHECKING:
    from contract.stream.load import DeclaredStream

CLICKS: Final = "clicks"
"""Column of the sum that comes first."""


def declared(stream: DeclaredStream) -> dict[str, Any]:
    """Return the fields of `JobConfig` that tell what is counted; of the shipped stream, their defaults."""
    event = stream.declaration.event
    return {
        "reader_schema": stream.event_schema,
        "event": EventFields(
            id=event.id,
            time=event.time.field,
            time_unit=stream.time_unit,
            click=event.click.field,
            click_equals=event.click.equals,
        ),
        "dimensions": job_dimensions(stream),
        "measures": (
            Measure(field=event.click.field, column=CLICKS),
            *(Measure(field=each.field, column=each.column_name) for each in stream.declaration.measures),
        ),
        "kept": stream.kept_alone,
    }


def job_dimensions(stream: DeclaredStream) -> tuple[Dimension, ...]:
    """Return the dimensions of a stream, as the job knows them."""
    return tuple(
        Dimension(
            field=each.field,
            type=_kind(stream, each.field),
            document_key=each.rates_name,
            column=None if each.column_name == each.field else each.column_name,
            blank=None if each.blank == BLANK else each.blank,
        )
        for each in stream.declaration.dimensions
    )


def _kind(stream: DeclaredStream, field: str) -> Any:
    found = stream.fields[field]
    assert found is not None  # noqa: S101 - else the declaration had a mistake
    return found.kind
