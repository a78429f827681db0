"""How the fields of synthetic events are drawn: as declared, else as the schema suggests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import numpy as np

from contract.stream.values import value_of
from ctr_platform.loadgen.schema_fields import SchemaField, schema_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from contract.stream.event_fields import EventField
    from contract.stream.load import DeclaredStream
    from contract.stream.traffic import Drawn

T = TypeVar("T")

_MADE_UP: Final = 5
"""Values of a dimension of which nothing else is known."""
_NAMED: Final = 50
"""So many of the values that have a name are used."""
_MADE_UP_TEXTS: Final = 1000
_MADE_UP_NUMBERS: Final = (0, 1000)


class Draw(Protocol):
    """How a field is drawn."""

    def draw(self, rng: np.random.Generator, count: int) -> list[Any]:
        """So many values."""
        ...


@dataclass(frozen=True)
class Weighted:
    """Values, and how frequent each is."""

    values: Sequence[Any]
    weights: Sequence[float]

    def draw(self, rng: np.random.Generator, count: int) -> list[Any]:
        """Each in proportion to its weight."""
        return weighted(rng, self.values, self.weights, count)


@dataclass(frozen=True)
class Hashed:
    """So many distinct texts."""

    distinct: int

    def draw(self, rng: np.random.Generator, count: int) -> list[Any]:
        """Their popularity falls off as one over the rank."""
        values = [f"{number:08x}" for number in rng.integers(1 << 32, size=self.distinct)]
        return weighted(rng, values, 1 / np.arange(1, self.distinct + 1), count)


@dataclass(frozen=True)
class Ranged:
    """Whole numbers in `[low, high)`."""

    low: int
    high: int

    def draw(self, rng: np.random.Generator, count: int) -> list[Any]:
        """Each as often as any other."""
        drawn: list[Any] = rng.integers(self.low, self.high, count).tolist()
        return drawn


def weighted(
    rng: np.random.Generator, values: Sequence[T], weights: Sequence[float] | NDArray[np.float64], count: int
) -> list[T]:
    """`count` of `values`, each in proportion to its weight."""
    shares = np.asarray(weights, np.float64)
    return [values[index] for index in rng.choice(len(values), count, p=shares / shares.sum())]


def field_draws(stream: DeclaredStream, made_elsewhere: frozenset[str]) -> dict[str, Draw]:
    """Return how each field is drawn by itself; one with a default that nobody describes is left out."""
    declared = stream.declaration
    dimensions = {each.field: each for each in declared.dimensions}
    measures = {each.field for each in declared.measures}
    draws: dict[str, Draw] = {}
    for field in schema_fields(stream):
        if field.name in made_elsewhere:
            continue
        known = stream.fields[field.name]
        if field.name in declared.traffic.fields and known is not None:
            draws[field.name] = _declared(declared.traffic.fields[field.name], known)
        elif field.name in dimensions:
            names = stream.names.get(dimensions[field.name].column_name, {})
            draws[field.name] = _dimension(field, known, list(names))
        elif field.name in measures:
            draws[field.name] = Ranged(*_MADE_UP_NUMBERS)
        elif not field.has_default:
            draws[field.name] = _suggested(field)
    return draws


def _declared(drawn: Drawn, field: EventField) -> Draw:
    if drawn.weights is not None:
        return Weighted([value_of(field, text) for text in drawn.weights], list(drawn.weights.values()))
    if drawn.between is not None:
        return Ranged(*drawn.between)
    return Hashed(drawn.distinct or 1)


def _dimension(field: SchemaField, known: EventField | None, names: list[str]) -> Draw:
    values: list[Any] = []
    for name in names[:_NAMED]:
        try:
            values.append(name if known is None else value_of(known, name))
        except ValueError:
            continue
    if not values and field.kind == "string":
        values = [f"{field.name}_{number}" for number in range(1, _MADE_UP + 1)]
    elif not values and field.kind == "int":
        values = list(range(_MADE_UP))
    return _popular(values) if values else _suggested(field)


def _suggested(field: SchemaField) -> Draw:
    if field.kind == "string":
        return Hashed(_MADE_UP_TEXTS)
    if field.kind in ("int", "long"):
        return Ranged(*_MADE_UP_NUMBERS)
    if field.kind == "boolean":
        return _popular([False, True])
    if field.kind == "enum":
        return _popular(field.symbols)
    return _popular([field.empty])


def _popular(values: Sequence[Any]) -> Draw:
    return Weighted(values, [1 / rank for rank in range(1, len(values) + 1)])
