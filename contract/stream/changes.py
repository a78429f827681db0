"""What it takes to count a stream by another declaration of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.stream.declaration import Dimension
    from contract.stream.load import DeclaredStream


@dataclass(frozen=True, kw_only=True)
class StreamChange:
    """What differs between two declarations, in words; all empty: nothing does."""

    labels: tuple[str, ...] = ()
    """Takes effect at once: nothing is counted in another way."""

    counting: tuple[str, ...] = ()
    """Takes a cutover: from some window on it is counted in another way."""

    refused: tuple[str, ...] = ()
    """Makes another stream of it, for other topics and another database."""

    @property
    def nothing(self) -> bool:
        """Whether the declarations mean the same."""
        return not (self.labels or self.counting or self.refused)


def change(before: DeclaredStream, after: DeclaredStream) -> StreamChange:
    """Compare the declaration by which is counted with another one."""
    return StreamChange(
        labels=tuple(_labels(before, after)),
        counting=tuple(_counting(before, after)),
        refused=tuple(_refused(before, after)),
    )


def _by_column(stream: DeclaredStream) -> dict[str, Dimension]:
    return {each.column_name: each for each in stream.declaration.dimensions}


def _labels(before: DeclaredStream, after: DeclaredStream) -> Iterator[str]:
    if before.declaration.title != after.declaration.title:
        yield f"the title is {after.declaration.title['en']}"
    new = _by_column(after)
    for column, dimension in _by_column(before).items():
        if column in new and new[column].title != dimension.title:
            yield f"the title of {column} is {new[column].title['en']}"
    if before.declaration.name != after.declaration.name:
        yield f"the stream is called {after.declaration.name}"
    known = {measure.column_name: measure for measure in before.declaration.measures}
    for measure in after.declaration.measures:
        shown = known.get(measure.column_name)
        if shown is not None and (shown.title, shown.unit, shown.scale, shown.per) != (
            measure.title,
            measure.unit,
            measure.scale,
            measure.per,
        ):
            yield f"{measure.column_name} is shown in another way"


def _counting(before: DeclaredStream, after: DeclaredStream) -> Iterator[str]:
    old, new = _by_column(before), _by_column(after)
    for column, dimension in new.items():
        if column not in old:
            yield f"split by {dimension.field} too: column {column}, rates {dimension.rates_name}"
        elif (old[column].field, old[column].blank, old[column].rates_name) != (
            dimension.field,
            dimension.blank,
            dimension.rates_name,
        ):
            yield f"{column} is read from {dimension.field}, with rates in {dimension.rates_name}"
    for column in old.keys() - new.keys():
        yield f"split by {column} no more: its values are summed"
    kept = [column for column in old if column in new]
    if kept != [column for column in new if column in old]:
        yield f"the order of the dimensions is {', '.join(new)}"
    events = [
        (each.declaration.event.model_copy(update={"kept": ()}), each.time_unit) for each in (before, after)
    ]
    if events[0] != events[1]:
        yield "id, time or click are read from other fields"
    if before.declaration.event.kept != after.declaration.event.kept:
        yield f"raw events keep {', '.join(after.declaration.event.kept) or 'nothing more'}"
    sums = [
        [(each.field, each.column_name) for each in stream.declaration.measures] for stream in (before, after)
    ]
    if sums[0] != sums[1]:
        yield f"summed are {', '.join(column for _, column in sums[1]) or 'impressions and clicks alone'}"


def _refused(before: DeclaredStream, after: DeclaredStream) -> Iterator[str]:
    if before.declaration.topics != after.declaration.topics:
        yield "the topics are other ones"
    old, new = _by_column(before), _by_column(after)
    for column in old.keys() & new.keys():
        if before.is_number(old[column]) != after.is_number(new[column]):
            yield f"{column} changes between numbers and texts: give the new one another `column`"
    sums = [{each.column_name for each in stream.declaration.measures} for stream in (before, after)]
    for column in (old.keys() & sums[1]) | (new.keys() & sums[0]):
        yield f"{column} changes between a dimension and a sum: give the new one another `column`"
