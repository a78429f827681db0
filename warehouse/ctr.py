"""The click-through rate, as the whole platform rounds it."""

from __future__ import annotations


def percent(clicks: int, impressions: int) -> float:
    """CTR in percent, rounded half-up to 2 decimals; exact, since only integers are rounded.

    Raises:
        ZeroDivisionError: there are no impressions, so there is no rate.
    """
    return (20_000 * clicks + impressions) // (2 * impressions) / 100
