"""The fields in which events of one template differ: the id, the event time, and the time in other forms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from contract.stream.traffic import UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from contract.stream.load import DeclaredStream

Times = TypeVar("Times", int, "NDArray[np.int64]")

HOUR_MS: Final = 3_600_000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOGICAL_UNITS: Final = {"timestamp-millis": "ms", "timestamp-micros": "us"}
_STEPS_MS: Final = (
    ("%f", 1),
    ("%S", 1000),
    ("%s", 1000),
    ("%c", 1000),
    ("%X", 1000),
    ("%T", 1000),
    ("%M", 60_000),
)
"""How long a text of a format lasts, by the finest code in it; without any of these an hour."""


def step_ms(form: str) -> int:
    """How long a time in this form lasts, ms: 1 for a unit, else by the finest code of the format."""
    if form in UNITS:
        return 1
    return next((step for code, step in _STEPS_MS if code in form), HOUR_MS)


@dataclass(frozen=True)
class TimeForm:
    """How a field holds the event time."""

    form: str
    """`ms`, `s`, `us`, or a format of strftime, in UTC."""

    is_text: bool = False

    def numbers(self, time_ms: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """The times in a unit; None where the form is no unit."""
        return _in_unit(self.form, time_ms) if self.form in UNITS else None

    def value(self, time_ms: int) -> str | int:
        """What the field holds."""
        if self.form in UNITS:
            number = _in_unit(self.form, time_ms)
            return str(number) if self.is_text else number
        text = (_EPOCH + timedelta(milliseconds=time_ms)).strftime(self.form)
        return text if self.is_text else int(text)

    def values(self, time_ms: NDArray[np.int64]) -> tuple[list[str] | list[int], NDArray[np.int64]]:
        """Return the distinct values, and which of them each time has."""
        steps, which = _distinct(time_ms // step_ms(self.form))
        found: list[Any] = [self.value(each * step_ms(self.form)) for each in steps.tolist()]
        return found, which


class OwnFields:
    """Makes the values of these fields for a declared stream."""

    def __init__(self, stream: DeclaredStream) -> None:
        event = stream.declaration.event
        self.id: Final = event.id
        self.time: Final = event.time.field
        self.times: Final[Mapping[str, TimeForm]] = {
            self.time: TimeForm(stream.time_unit),
            **_other_times(stream),
        }
        """By field."""

    @property
    def names(self) -> frozenset[str]:
        """The fields' names."""
        return frozenset({self.id, *self.times})

    def values(self, identifier: str, time_ms: int) -> dict[str, Any]:
        """The fields of one event."""
        return {self.id: identifier, **{name: form.value(time_ms) for name, form in self.times.items()}}

    def with_times(self, event: Mapping[str, Any], time_ms: int) -> dict[str, Any]:
        """Return the event with this time; another form of it that the event holds stays as it is."""
        made = {name: form.value(time_ms) for name, form in self.times.items() if name not in event}
        return {**event, **made, self.time: self.times[self.time].value(time_ms)}


def _other_times(stream: DeclaredStream) -> dict[str, TimeForm]:
    """Declared ones, and those of which the schema says by a logical type that they are moments."""
    declared = stream.declaration.traffic
    described = {
        *(declared.segments[0].values if declared.segments else ()),
        *(name for each in declared.together for name in each.fields),
        *declared.fields,
        *(each.field for each in stream.declaration.measures),
        stream.declaration.event.time.field,
    }
    found = {}
    for name, field in stream.fields.items():
        if field is None:
            continue
        if name in declared.times:
            found[name] = TimeForm(declared.times[name], is_text=field.kind == "string")
        elif field.kind == "long" and field.logical_type in _LOGICAL_UNITS and name not in described:
            found[name] = TimeForm(_LOGICAL_UNITS[field.logical_type])
    return found


def _in_unit(form: str, time_ms: Times) -> Times:
    if form == "us":
        return time_ms * 1000
    return time_ms // 1000 if form == "s" else time_ms


def _distinct(steps: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return distinct numbers that hold all of these, and where each is among them."""
    first, last = int(steps.min(initial=np.iinfo(np.int64).max)), int(steps.max(initial=-1))
    if last - first > len(steps):
        return np.unique(steps, return_inverse=True)
    return np.arange(first, last + 1), steps - first
