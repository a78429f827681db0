"""In a real browser every page is complete, on a desk and on a phone, and nothing comes from elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import expect

from ctr_platform.defs.alerts.heartbeats import record_heartbeat
from tests.dashboard.app_pages.test_comparison import put_quarter
from tests.dashboard.app_pages.test_health import put_job_metrics
from tests.dashboard.app_pages.test_quality import put_ledger, put_verifications
from tests.support.browsing import CHART, brightness, settled
from tests.support.traffic import put_hour
from warehouse.models.operation import SUPERVISOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack

PAGES: Final = {
    "/": ("Live", 4),
    "/five-minutes": ("5 minutes", 4),
    "/comparison": ("Comparison", 2),
    "/quality": ("Quality", 2),
    "/health": ("Health", 4),
    "/settings": ("Settings", 0),
}
"""Title and number of charts, by the page's address."""

OVERFLOWING: Final = """() => [document.documentElement, document.querySelector('[data-testid=stMain]')]
    .map(element => element.scrollWidth - element.clientWidth)"""


def fill(served: RunningStack) -> None:
    """Put something onto every page."""
    settings = served.settings
    put_quarter(settings)
    put_hour_of_segments(served)
    put_verifications(settings)
    put_ledger(settings)
    put_job_metrics(settings, (60, 30, -600))
    record_heartbeat(settings, SUPERVISOR, "ctr_windows is RUNNING")


def put_hour_of_segments(served: RunningStack) -> None:
    put_hour(served.settings, "1min")


@pytest.mark.parametrize(("width", "height"), [(1200, 1600), (390, 844)])
def test_every_page_is_complete_and_fits(
    served: RunningStack, visit: Callable[..., Page], width: int, height: int
) -> None:
    fill(served)
    page = visit("/settings", width=width, height=height)
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    for path, (title, charts) in PAGES.items():
        page.goto(served.settings.dashboard_url + path)
        expect(page.locator("h1")).to_have_text(title)
        expect(page.locator(CHART)).to_have_count(charts)
        settled(page)
        for number in range(charts):
            chart = page.locator(CHART).nth(number)
            expect(chart).to_have_attribute("role", "img")
            expect(chart).to_have_attribute("aria-label", re.compile(r"\S.{10,}"))
            # Plotly is done, with something to see.
            expect(chart.locator(".main-svg").first).to_be_attached()
            box = chart.bounding_box()
            assert box is not None
            assert 0 <= box["x"] <= box["x"] + box["width"] <= width, path
        assert page.evaluate(OVERFLOWING) == [0, 0], path
    assert hosts == {served.settings.dashboard_url.split("/")[2]}
    assert not problems


def test_a_link_says_the_language_and_else_the_browser(visit: Callable[..., Page]) -> None:
    settled(visit("/?lang=ko", title="실시간"))
    settled(visit("/quality", locale="ko-KR", title="품질"))
    settled(visit("/health?lang=en", locale="ko-KR", title="Health"))


def test_a_link_says_the_theme_and_the_settings_change_it(visit: Callable[..., Page]) -> None:
    page = visit("/settings?theme=dark&refresh=30", title="Settings")
    page.wait_for_url("**embed_options=dark_theme**")
    settled(page)
    assert brightness(page) < 60
    page.get_by_role("radio", name="Light").or_(page.get_by_role("button", name="Light")).first.click()
    page.wait_for_url(re.compile("theme=light.*embed_options=light_theme"))
    settled(page)
    expect(page.locator("h1")).to_have_text("Settings")
    assert brightness(page) > 200
    assert "refresh=30" in page.url


LOSE_THE_THEME: Final = """new MutationObserver((_, observer) => {
  if (!document.querySelector("[data-testid^=stTopNav]")) return;
  observer.disconnect();
  const address = new URL(location.href);
  address.searchParams.delete("embed_options");
  history.replaceState(null, "", address);
}).observe(document, { childList: true, subtree: true });"""
"""What going to another page does to the address, before the page's own script has looked at it."""


def test_a_reader_who_goes_on_at_once_has_the_page_loaded_once(visit: Callable[..., Page]) -> None:
    page = visit("/settings?theme=dark", title="Settings")
    page.wait_for_url("**embed_options=dark_theme**")
    settled(page)
    page.add_init_script(LOSE_THE_THEME)
    loads: list[str] = []
    page.on("load", lambda loaded: loads.append(loaded.url))
    page.reload()
    settled(page)
    page.get_by_role("link", name="Health").first.click()
    expect(page.locator("h1")).to_have_text("Health")
    settled(page)
    assert brightness(page) < 60
    assert len(loads) == 1, loads


def test_choices_stay_on_the_way_to_another_page(visit: Callable[..., Page]) -> None:
    page = visit("/settings?theme=dark&lang=ko&refresh=30&category=news", title="설정")
    page.wait_for_url("**embed_options=dark_theme**")
    settled(page)
    for title in ("상태", "실시간", "설정"):
        page.evaluate("window.mark = 'same page'")
        page.get_by_role("link", name=title).first.click()
        expect(page.locator("h1")).to_have_text(title)
        page.wait_for_url(re.compile(r"theme=dark&lang=ko&refresh=30&category=news"))
        settled(page)
        assert brightness(page) < 60
        assert page.evaluate("window.mark") == "same page"
    # Taken back on another page it is forgotten, and does not come back.
    page.get_by_role("radio", name="English").or_(page.get_by_role("button", name="English")).first.click()
    expect(page.locator("h1")).to_have_text("Settings")
    page.get_by_role("link", name="Health").first.click()
    expect(page.locator("h1")).to_have_text("Health")
    page.wait_for_url(re.compile(r"/health\?.*lang=en"))
