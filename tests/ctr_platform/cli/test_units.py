"""Durations, rates and moments as people type them."""

from __future__ import annotations

import pytest
import typer

from ctr_platform.cli.units import duration_ms, moment_ms, rate_per_second


@pytest.mark.parametrize(
    ("text", "expected"),
    [("500ms", 500), ("5s", 5000), ("1.5 s", 1500), ("10m", 600_000), ("10min", 600_000), ("1h", 3_600_000)],
)
def test_durations(text: str, expected: int) -> None:
    assert duration_ms(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("1000", 1000), ("0.5", 0.5), ("50k", 50_000), ("2M", 2e6), ("max", float("inf"))]
)
def test_rates(text: str, expected: float) -> None:
    assert rate_per_second(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1970-01-01T00:01", 60_000), ("1970-01-01T01:01+01:00", 60_000), ("1970-01-02", 86_400_000)],
)
def test_moments(text: str, expected: int) -> None:
    assert moment_ms(text) == expected


@pytest.mark.parametrize("text", ["", "5", "-5s", "s", "5d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="duration"):
        duration_ms(text)


@pytest.mark.parametrize("text", ["", "fast", "-1", "1e3", "inf"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="rate"):
        rate_per_second(text)


def test_what_is_no_moment() -> None:
    with pytest.raises(typer.BadParameter, match="moment"):
        moment_ms("yesterday")
