"""The values of a dimension that a reader can choose: the largest first, each with its name and its share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashboard.user_context.dimensions import in_order
from dashboard.view_models.labels import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dashboard.user_context.dimensions import ShownDimension
    from dashboard.user_context.formatting import UserContext
    from warehouse.windows import Segment, Value

SEPARATOR: Final = " · "
"""Before the share."""


@dataclass(frozen=True)
class Choices:
    """Values with their labels, no two of which are the same."""

    labels: Mapping[Value, str]
    """In the order in which they are offered."""

    named: Mapping[str, Value]
    """The values by their labels without the share, which changes from one run of a page to the next."""

    def label(self, value: Value) -> str:
        """What is offered for a value."""
        return self.labels.get(value, str(value))

    def chosen(self, held: Iterable[Value]) -> list[Value]:
        """The values that a widget holds: as such, or by the label of an earlier run; others are dropped."""
        found = (each if each in self.labels else self._by_label(str(each)) for each in held)
        return [each for each in found if each is not None]

    def _by_label(self, label: str) -> Value | None:
        return self.named.get(label, self.named.get(label.rpartition(SEPARATOR)[0]))


def choices(
    user: UserContext, dimension: ShownDimension, known: Iterable[Segment], chosen: Iterable[Value]
) -> Choices:
    """Offer the values of some segments, and those that are chosen already.

    Args:
        user: who reads it.
        dimension: of which one chooses.
        known: segments, no impression in two of them; the shares are of all their impressions.
        chosen: values that are offered even if no segment has them; these have no share.
    """
    sizes: Counter[Value | None] = Counter()
    for segment in known:
        sizes[segment.value(dimension.column)] += segment.impressions
    total = sizes.total()
    labels: dict[Value, str] = {}
    named: dict[str, Value] = {}
    used: set[str] = set()
    there = in_order({*chosen, *(each for each in sizes if each is not None)})
    for value in sorted(there, key=lambda each: -sizes.get(each, 0)):
        share = f"{SEPARATOR}{user.share(100 * sizes[value] / total)}" if sizes.get(value) else ""
        label = _unused(plain(dimension.named(value)), share, used)
        used |= {label, label + share}
        labels[value] = label + share
        named[label] = value
    return Choices(labels, named)


def _unused(label: str, share: str, used: set[str]) -> str:
    """Two values that look alike, by what is invisible in them, are told apart by a number."""
    number, found = 1, label
    while found in used or found + share in used:
        number += 1
        found = f"{label} ({number})"
    return found
