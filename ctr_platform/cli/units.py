"""Durations, rates and moments as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import typer

_UNIT_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000}
_MULTIPLES: Final = {"": 1, "k": 1000, "M": 1_000_000}


def duration_ms(text: str) -> int:
    """Read `500ms`, `5s`, `10m` or `1h`."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|min|h)\s*", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a duration: write 500ms, 5s, 10m or 1h.")
    return round(float(match[1]) * _UNIT_MS[match[2]])


def rate_per_second(text: str) -> float:
    """Read `1000`, `50k`, `0.5` or `max`."""
    if text == "max":
        return float("inf")
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kM]?)", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a rate: write events/s such as 1000 or 50k, or max.")
    return float(match[1]) * _MULTIPLES[match[2]]


def moment_ms(text: str) -> int:
    """Read an ISO 8601 date and time, in UTC unless it says otherwise."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no moment: write 2026-01-31T12:00 (UTC).") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
