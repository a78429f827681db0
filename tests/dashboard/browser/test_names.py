"""In a real browser a value is found by its name or its id, and stays chosen while its share moves on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import expect

from tests.support.browsing import CHART, figure, settled
from tests.support.traffic import put_hour
from tests.support.windows import put_rows
from warehouse.dimension_names import keep_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack

LABELS: Final = "chart => [...chart.querySelectorAll('.ytick text')].map(each => each.textContent.trim())"
NAMES: Final = {
    "site_category": {"news": "Daily News", "sports": "**Sports** [x](https://example.org)", "games": "Play"},
    "device_type": {"1": "Mobile"},
}


def _find(page: Page, dimension: str, words: str, option: str) -> None:
    box = page.get_by_role("combobox", name=dimension)
    box.click()
    box.press_sequentially(words)
    page.get_by_role("option", name=option).first.click()
    page.keyboard.press("Escape")


def test_a_choice_by_name_stays_while_shares_move_on(
    served: RunningStack, visit: Callable[..., Page]
) -> None:
    settings = served.settings
    keep_names(settings.postgres_url, NAMES)
    hour = put_hour(settings, "1min")
    page = visit("/?refresh=60")
    expect(page).to_have_title("Ad click-through rate")
    expect(page.locator(CHART)).to_have_count(4)
    settled(page)
    assert page.locator(CHART).nth(1).evaluate(LABELS) == ["Daily News", "**Sports** [x](…"]
    _find(page, "Site category", "**Sports", "**Sports** [x](https://example.org) (sports) · 8.1%")
    page.wait_for_url(re.compile("category=sports"))
    expect(figure(page, "Impressions")).to_have_text("34")
    settled(page)
    tags = page.locator("[data-testid=stMultiSelect]").first.locator("[data-tag]")
    expect(tags).to_have_count(1)

    put_rows(settings, "1min", hour.before, {("sports", 4): [111_234, 0]})
    page.get_by_role("button", name="Refresh now").click()
    # What is chosen shows its share of now.
    expect(tags.first).to_contain_text("54.1%")
    settled(page)
    _find(page, "Site category", "games", "Play (games) · 4.5%")
    page.wait_for_url(re.compile("category=sports&category=games"))
    expect(tags).to_have_count(2)
    _find(page, "Device type", "Mobi", "Mobile (1)")
    page.wait_for_url(re.compile("category=sports&category=games.*device=1"))
    page.reload()
    expect(tags).to_have_count(2)
    expect(figure(page, "Impressions", 1)).to_have_text("9,000")
    settled(page)
