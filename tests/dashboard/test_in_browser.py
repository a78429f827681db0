"""In a real browser a chart stays the same chart, with the reader's zoom, while its figures change."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.stack import running_stack
from tests.support.windows import put_document, put_rows
from warehouse.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.support.stack import RunningStack

CHROMIUM: Final = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH"),
]

PATIENCE_MS: Final = 60_000
"""For what a busy machine takes to start a browser and load a page."""

CHART: Final = ".js-plotly-plot"


@pytest.fixture(scope="module")
def minute() -> datetime:
    """Start of the window that these tests keep open, however long they take."""
    return datetime.fromtimestamp(time.time() // 60 * 60, tz=UTC)


@pytest.fixture(scope="module")
def served(minute: datetime) -> Iterator[RunningStack]:
    """The dashboard as the stack starts it, with half an hour of windows."""
    with running_stack(("dashboard",)) as running:
        migrate(running.settings.postgres_url)
        for ago in range(1, 30):
            put_rows(
                running.settings, "1min", minute - timedelta(minutes=ago), {("news", 1): [1000 + ago, 100]}
            )
        yield running


@pytest.fixture
def page(served: RunningStack, minute: datetime) -> Iterator[Page]:
    put_document(served.settings, "1min", minute, {("news", 1): [1111, 11]}, final=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1200, "height": 1600})
        page.set_default_timeout(PATIENCE_MS)
        page.goto(served.settings.dashboard_url)
        expect(page.locator(CHART)).to_have_count(3, timeout=PATIENCE_MS)
        yield page
        browser.close()


def _refresh(page: Page, served: RunningStack, minute: datetime, impressions: int) -> None:
    """Let the open window grow, and wait until the page shows it."""
    put_document(served.settings, "1min", minute, {("news", 1): [impressions, 11]}, final=False)
    page.get_by_role("button", name="Refresh now").click()
    expect(page.get_by_text(f"{impressions:,}", exact=True)).to_be_visible(timeout=PATIENCE_MS)


def test_a_refresh_draws_into_the_same_charts(page: Page, served: RunningStack, minute: datetime) -> None:
    page.evaluate(
        "selector => document.querySelectorAll(selector).forEach(e => e.dataset.mark = 'kept')", CHART
    )
    _refresh(page, served, minute, 2222)
    page.wait_for_function(
        "selector => document.querySelector(selector).data[0].y.at(-1) === 2222",
        arg=CHART,
        timeout=PATIENCE_MS,
    )
    expect(page.locator(f"{CHART}[data-mark=kept]")).to_have_count(3)


def test_a_zoom_stays(page: Page, served: RunningStack, minute: datetime) -> None:
    area = page.locator(CHART).first.locator(".nsewdrag").first.bounding_box()
    assert area is not None
    middle = area["y"] + area["height"] / 2
    page.mouse.move(area["x"] + 0.3 * area["width"], middle)
    page.mouse.down()
    page.mouse.move(area["x"] + 0.6 * area["width"], middle, steps=5)
    page.mouse.up()
    axis = "document.querySelector(selector)._fullLayout.xaxis"
    page.wait_for_function(f"selector => !{axis}.autorange", arg=CHART, timeout=PATIENCE_MS)
    before = page.evaluate(f"selector => {axis}.range", CHART)
    # A new window moves the chart on, which must not move the reader.
    put_rows(served.settings, "1min", minute + timedelta(minutes=1), {("news", 1): [5, 1]})
    _refresh(page, served, minute, 3333)
    page.wait_for_function(
        "selector => document.querySelector(selector).data[0].y.at(-1) === 5", arg=CHART, timeout=PATIENCE_MS
    )
    assert page.evaluate(f"selector => {axis}.range", CHART) == before


def test_nothing_is_fetched_from_elsewhere(served: RunningStack) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        hosts: set[str] = set()
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.goto(f"{served.settings.dashboard_url}/five-minutes")
        expect(page.get_by_text("Waiting for events")).to_be_visible(timeout=PATIENCE_MS)
        browser.close()
    assert hosts == {served.settings.dashboard_url.split("/")[2]}
