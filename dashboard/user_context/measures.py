"""The stream's measures as readers meet them: sums in their unit, and what one of them costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contract.stream.load import DeclaredStream
    from dashboard.user_context.formatting import UserContext
    from warehouse.windows import Window

Ratio = Literal["impression", "click", "1000 impressions"]

PER_THOUSAND: Final = 1000

_COUNTED: Final[Mapping[Ratio, Callable[[Window], float]]] = {
    "impression": lambda window: window.impressions,
    "click": lambda window: window.clicks,
    "1000 impressions": lambda window: window.impressions / PER_THOUSAND,
}


@dataclass(frozen=True)
class ShownMeasure:
    """A measure, as it is shown."""

    column: str
    titles: Mapping[str, str]
    """By language; there is always an English one."""

    unit: str
    scale: float
    """What one of the sum is in the unit."""

    per: tuple[Ratio, ...]

    def title(self, user: UserContext) -> str:
        """What a reader calls the sum, with its unit."""
        name = user.titled(self.titles)
        return f"{name}, {self.unit}" if self.unit else name

    def ratio_title(self, user: UserContext, ratio: Ratio) -> str:
        """What a reader calls the sum of one click, impression or thousand."""
        name = self.title(user)
        if ratio == "click":
            return user.t("{measure} per click", measure=name)
        if ratio == "impression":
            return user.t("{measure} per impression", measure=name)
        return user.t("{measure} per 1,000 impressions", measure=name)

    def total(self, window: Window) -> float:
        """The sum of a window, in the unit."""
        return self.scale * window.measures.get(self.column, 0)

    def ratio(self, window: Window, ratio: Ratio) -> float | None:
        """The sum by what was counted; None: nothing was."""
        counted = _COUNTED[ratio](window)
        return self.total(window) / counted if counted else None


def shown_measures(stream: DeclaredStream) -> tuple[ShownMeasure, ...]:
    """Those of a stream, in its order."""
    return tuple(
        ShownMeasure(each.column_name, each.title, each.unit, each.scale, each.per)
        for each in stream.declaration.measures
    )


def measured(
    user: UserContext, measures: tuple[ShownMeasure, ...], window: Window
) -> dict[str, float | None]:
    """Sums and ratios of a window, by their titles."""
    return {
        title: value
        for each in measures
        for title, value in (
            (each.title(user), each.total(window)),
            *((each.ratio_title(user, ratio), each.ratio(window, ratio)) for ratio in each.per),
        )
    }
