"""How the pages write figures and moments; every time is UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from warehouse.windows import Window

OPEN: Final = "Open"
FINAL: Final = "Final"

_IN_SECONDS_BELOW_S: Final = 120
"""Two minutes still read better in seconds."""


def count(number: int) -> str:
    """Write `1,234,567`."""
    return f"{number:,}"


def rate(ctr: float) -> str:
    """Write `17.09%`."""
    return f"{ctr:.2f}%"


def span(window: Window) -> str:
    """Write the window's start and end as clock times."""
    return f"{window.start:%H:%M}–{window.end:%H:%M}"  # noqa: RUF001 - an en dash is meant


def ago(age_s: float) -> str:
    """Write how long ago something was."""
    if age_s < 1:
        return "less than a second ago"
    if age_s < _IN_SECONDS_BELOW_S:
        return f"{age_s:.0f} s ago"
    return f"{age_s / 60:,.0f} min ago"
