"""Names of categories come with the events: whatever they hold, a page shows text and room for figures."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import expect

from tests.support.browsing import CHART, settled
from tests.support.traffic import AHEAD_MS, starts
from tests.support.windows import put_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack

LINK: Final = '<a href="https://example.org">free</a>'
MARKDOWN: Final = "[free](https://example.org) **b** :red[x] $x^2$ www.example.org"
WIDE: Final = "W" * 128
HEBREW: Final = "\u05d7\u05d3\u05e9\u05d5\u05ea"
CONTROLS: Final = "a\u202eb\x07c"
NAMES: Final = (LINK, WIDE, HEBREW, CONTROLS, MARKDOWN, "<b>bold</b>", "news")

LINKS: Final = """() => [...document.querySelectorAll('a, iframe, img, script')]
    .filter(each => /\\/\\/(www\\.)?example\\.org/.test(each.outerHTML)).length"""
LABELS: Final = "chart => [...chart.querySelectorAll('.ytick text')].map(each => each.textContent.trim())"
LONGEST_BAR: Final = """chart => Math.max(...[...chart.querySelectorAll('.bars .point path')]
    .map(each => each.getBoundingClientRect().width)) / chart.getBoundingClientRect().width"""
HOVERED: Final = "chart => chart.querySelector('.hoverlayer')?.textContent ?? ''"


@pytest.mark.parametrize("width", [1200, 390])
def test_names_are_text_on_the_live_page(
    served: RunningStack, visit: Callable[..., Page], width: int
) -> None:
    ahead_ms = int(1000 * time.time()) + AHEAD_MS
    counts = {(name, 1): [1_000 - 100 * number, 5] for number, name in enumerate(NAMES)}
    put_document(served.settings, "1min", starts("1min").current, counts, final=False, written_ms=ahead_ms)
    page = visit("/", width=width)
    expect(page.locator(CHART)).to_have_count(4)
    settled(page)
    bars = page.locator(CHART).nth(1)
    expect(bars.locator(".ytick text")).to_have_count(len(NAMES))
    labels: list[str] = bars.evaluate(LABELS)
    assert labels[0] == '<a href="https:…'
    assert labels[1] == f"{'W' * 15}…"
    assert labels[2].strip("\u2068\u2069") == HEBREW
    assert labels[3] == "a\ufffdb␇c"
    assert labels[5:] == ["<b>bold</b>", "news"]
    assert page.evaluate(LINKS) == 0
    assert bars.evaluate(LONGEST_BAR) > 0.15
    # The whole name is there for who asks.
    bars.locator(".bars .point path").nth(1).hover(force=True)
    page.wait_for_function(
        "([chart, name]) => document.querySelectorAll(chart)[1].querySelector('.hoverlayer')"
        ".textContent.replaceAll('\\u200b', '').includes(name)",
        arg=[CHART, "W" * 40],
    )
    assert "W" * 128 in bars.evaluate(HOVERED).replace("\n", "")
