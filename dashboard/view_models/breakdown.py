"""Segments summed by one of their dimensions, or laid out by two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashboard.view_models.selection import rate_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from warehouse.windows import Segment

MAX_PARTS: Final = 8
"""Bars, or rows of a heat map, that fit beside each other's labels; the rest is summed."""

OTHER: Final = "other"
"""What a document calls the sum of its smallest segments."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """The segments of one value of a dimension, or of several small ones together."""

    label: str
    """The value; empty where small ones are summed."""
    values: int
    """How many values it sums."""
    impressions: int
    clicks: int
    share: float
    """Percent of all impressions."""
    share_before: float | None
    """The same in the window before; None where there is none."""

    @property
    def ctr(self) -> float:
        """In percent."""
        return rate_of(self.clicks, self.impressions)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One field of the heat map."""

    row: str
    """Value of the first dimension."""
    column: str
    """Value of the second."""
    impressions: int
    clicks: int


def parts(dimension: str, segments: Sequence[Segment], before: Sequence[Segment] | None = None) -> list[Part]:
    """Sum by a dimension: the largest first, the sum of the small ones last.

    Args:
        dimension: to sum by; its column.
        segments: of one window, or of a span.
        before: of the window that shares are compared with.
    """
    sums = _sums(dimension, segments)
    earlier = _sums(dimension, before) if before else None
    ranked = sorted(sums, key=lambda value: (-sums[value][0], value))
    named = ranked if len(ranked) <= MAX_PARTS else ranked[: MAX_PARTS - 1]
    groups = [(value, [value]) for value in named]
    if small := ranked[len(named) :]:
        groups.append(("", small))
    return [
        Part(
            label=label,
            values=len(values),
            impressions=sum(sums[value][0] for value in values),
            clicks=sum(sums[value][1] for value in values),
            share=_share(sums, values),
            share_before=None if earlier is None else _share(earlier, values),
        )
        for label, values in groups
    ]


def cells(dimensions: tuple[str, str], segments: Sequence[Segment]) -> list[Cell]:
    """Lay the largest values of two dimensions out against each other; what is beyond them is left out."""
    rows, columns = ({part.label for part in parts(each, segments) if part.label} for each in dimensions)
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for segment in segments:
        place = (_label(segment, dimensions[0]), _label(segment, dimensions[1]))
        if place[0] in rows and place[1] in columns:
            impressions, clicks = sums.get(place, (0, 0))
            sums[place] = (impressions + segment.impressions, clicks + segment.clicks)
    return [
        Cell(row=row, column=column, impressions=impressions, clicks=clicks)
        for (row, column), (impressions, clicks) in sums.items()
    ]


def _sums(dimension: str, segments: Iterable[Segment]) -> dict[str, tuple[int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for segment in segments:
        value = _label(segment, dimension)
        impressions, clicks = sums.get(value, (0, 0))
        sums[value] = (impressions + segment.impressions, clicks + segment.clicks)
    return sums


def _label(segment: Segment, dimension: str) -> str:
    value = segment.value(dimension)
    return OTHER if value is None else str(value)


def _share(sums: Mapping[str, tuple[int, int]], values: Iterable[str]) -> float:
    total = sum(impressions for impressions, _ in sums.values())
    return 100 * sum(sums.get(value, (0, 0))[0] for value in values) / total if total else 0.0
