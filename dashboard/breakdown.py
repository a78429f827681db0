"""A window split by one of its dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from warehouse.ctr import percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from warehouse.windows import WindowDetail

MAX_PARTS: Final = 8
"""Bars that fit beside each other's labels; the rest is summed."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """The share of one value of a dimension, or of several together."""

    label: str
    impressions: int
    ctr: float


def by_category(window: WindowDetail) -> list[Part]:
    """Parts by site category, the largest first, the sum of the small ones last."""
    counted = ((each.site_category, each.impressions, each.clicks) for each in window.segments)
    return _parts(counted, window.category_ctr)


def by_device(window: WindowDetail) -> list[Part]:
    """Parts by device type, the largest first, the sum of the small ones last."""
    counted = (
        ("other" if each.device_type is None else str(each.device_type), each.impressions, each.clicks)
        for each in window.segments
    )
    return _parts(counted, window.device_ctr)


def _parts(counted: Iterable[tuple[str, int, int]], rates: Mapping[str, float]) -> list[Part]:
    sums: dict[str, tuple[int, int]] = {}
    for value, impressions, clicks in counted:
        before = sums.get(value, (0, 0))
        sums[value] = (before[0] + impressions, before[1] + clicks)
    ranked = sorted(sums.items(), key=lambda item: (-item[1][0], item[0]))
    named = ranked if len(ranked) <= MAX_PARTS else ranked[: MAX_PARTS - 1]
    parts = [
        # A document sums its smallest segments; its rates are of all of them.
        Part(label=value, impressions=impressions, ctr=rates.get(value, percent(clicks, impressions)))
        for value, (impressions, clicks) in named
    ]
    if rest := ranked[len(named) :]:
        impressions = sum(sums[0] for _, sums in rest)
        clicks = sum(sums[1] for _, sums in rest)
        parts.append(
            Part(label=f"{len(rest)} more", impressions=impressions, ctr=percent(clicks, impressions))
        )
    return parts
