"""The themes' colours: contrast for weak eyes, and series that colour-blind readers can tell apart.

Colour vision deficiencies are simulated by Brettel, Viénot and Mollon (1997): "Computerized simulation of
color appearance for dichromats".
"""

from __future__ import annotations

import tomllib
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import pytest
from coloraide import Color

CONFIG: Final = Path(__file__).parents[2] / ".streamlit" / "config.toml"

TEXT_CONTRAST: Final = 4.5
GRAPHIC_CONTRAST: Final = 3.0
"""WCAG 2.2, level AA: success criteria 1.4.3 and 1.4.11."""

SERIES: Final = 5
"""No chart has more series than this; each has a pattern or a dash of its own beside its colour."""

APART: Final = 10.0
"""CIEDE2000 between two series. Of patches side by side a careful eye sees a difference of about 2.3;
bars and lines are not side by side."""

LIGHTNESS_RANGE: Final = 30.0
"""CIE L* between the heat map's first and last colour: ten steps of what can be told apart, and more than
contrast with one colour of text leaves room for in the dark is not to be had."""


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> dict[str, Any]:
    chosen: dict[str, Any] = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"][request.param]
    return chosen


@pytest.mark.parametrize("ground", ["backgroundColor", "secondaryBackgroundColor"])
def test_text_can_be_read(theme: dict[str, Any], ground: str) -> None:
    for name in ("textColor", "primaryColor"):
        assert Color(theme[name]).contrast(theme[ground], method="wcag21") >= TEXT_CONTRAST, name


def test_series_stand_out_from_the_page(theme: dict[str, Any]) -> None:
    for colour in theme["chartCategoricalColors"][:SERIES]:
        assert Color(colour).contrast(theme["backgroundColor"], method="wcag21") >= GRAPHIC_CONTRAST, colour


@pytest.mark.parametrize("deficiency", [None, "deutan", "protan", "tritan"])
def test_series_can_be_told_apart(theme: dict[str, Any], deficiency: str | None) -> None:
    colours = [Color(colour) for colour in theme["chartCategoricalColors"][:SERIES]]
    seen = [colour.filter(deficiency, method="brettel") if deficiency else colour for colour in colours]
    apart = {
        (colours[one].to_string(hex=True), colours[other].to_string(hex=True)): seen[one].delta_e(
            seen[other], method="2000"
        )
        for one, other in combinations(range(SERIES), 2)
    }
    assert not {pair: distance for pair, distance in apart.items() if distance < APART}


def test_the_heat_map_goes_one_way_in_lightness(theme: dict[str, Any]) -> None:
    """So it can be read without hues, and in print."""
    lightness = [Color(colour).convert("lab")["lightness"] for colour in theme["chartSequentialColors"]]
    assert lightness in (sorted(lightness), sorted(lightness, reverse=True))
    assert abs(lightness[-1] - lightness[0]) > LIGHTNESS_RANGE


def test_figures_on_the_heat_map_can_be_read(theme: dict[str, Any]) -> None:
    for colour in (*theme["chartSequentialColors"], theme["backgroundColor"]):
        assert Color(colour).contrast(theme["textColor"], method="wcag21") >= TEXT_CONTRAST, colour


def test_no_theme_has_fewer_colours_than_plotly_asks_for(theme: dict[str, Any]) -> None:
    for name in ("chartCategoricalColors", "chartSequentialColors"):
        assert len(set(theme[name])) == len(theme[name]) == 10
