"""In a real browser figures move on by themselves, in the same charts, under the reader's zoom."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import redis
from playwright.sync_api import expect
from sqlalchemy import text

from tests.support.browsing import CHART, figure, settled, trace
from tests.support.pages import csv_rows
from tests.support.stores import writing_engine
from tests.support.traffic import AHEAD_MS, put_closed, put_hour, put_open, starts
from tests.support.windows import put_document, put_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from contract.settings import Settings
    from tests.support.stack import RunningStack
    from tests.support.traffic import Hour

pytestmark = pytest.mark.stack

FASTEST: Final = "/?refresh=5"
REFRESHES: Final = 2

WATCH: Final = """() => {
    window.seen = [];
    setInterval(() => {
        const texts = document.querySelector('[data-testid=stMain]').innerText;
        const read = /Read at [0-9:]+/.exec(texts)?.[0];
        const shown = document.querySelector('[data-testid=stMetricValue]')?.innerText;
        const last = window.seen.at(-1);
        if (read && (!last || last.read !== read || last.shown !== shown)) window.seen.push({read, shown});
    }, 20);
}"""
"""Notes each moment of reading that the page names, with the figure beside it."""


def grow(settings: Settings, hour: Hour, impressions: int) -> None:
    """Let the open window grow."""
    ahead_ms = int(1000 * time.time()) + AHEAD_MS
    counts = {("news", 1): [impressions, 11]}
    put_document(settings, "1min", hour.current, counts, final=False, written_ms=ahead_ms)


def test_figures_move_on_without_a_reload_and_are_the_stores(
    served: RunningStack, visit: Callable[..., Page]
) -> None:
    settings = served.settings
    page = visit(FASTEST)
    expect(page.get_by_text("Waiting for events")).to_be_visible()
    page.evaluate("window.mark = 'same page'")

    hour = put_hour(settings, "1min")
    expect(figure(page, "Impressions")).to_have_text("1,234")
    expect(page.get_by_text("Waiting for events")).to_have_count(0)
    expect(page.locator(CHART)).to_have_count(4)
    page.evaluate(
        "selector => document.querySelectorAll(selector).forEach(e => e.dataset.mark = 'kept')", CHART
    )

    page.evaluate(WATCH)
    page.wait_for_function("window.seen.length > 0")
    grow(settings, hour, 2222)
    last_read = page.evaluate("window.seen.at(-1).read")
    expect(figure(page, "Impressions")).to_have_text("2,222")
    seen: list[dict[str, str]] = page.evaluate("window.seen")
    until = next(number for number, each in enumerate(seen) if each["shown"] == "2,222")
    since = next(number for number, each in enumerate(seen) if each["read"] == last_read)
    assert len({each["read"] for each in seen[since : until + 1]} - {last_read}) <= REFRESHES
    page.wait_for_function(
        "selector => document.querySelector(selector).data[0].y.at(-1) === 2222", arg=CHART
    )
    expect(page.locator(f"{CHART}[data-mark=kept]")).to_have_count(4)

    with redis.Redis(settings.redis_host, settings.redis_port) as client:
        (newest,) = client.zrevrange("metrics:1min:index", 0, 0)
        document = json.loads(client.get(b"metrics:1min:" + newest))
    with writing_engine(settings.postgres_url).connect() as connection:
        row = connection.execute(
            text("SELECT * FROM realtime.metrics_1min ORDER BY window_start DESC LIMIT 1")
        ).one()
    for position, (impressions, clicks, ctr) in enumerate(
        (
            (document["total_impressions"], document["total_clicks"], document["ctr"]),
            (row.total_impressions, row.total_clicks, row.ctr),
        )
    ):
        expect(figure(page, "Impressions", position)).to_have_text(f"{impressions:,}")
        expect(figure(page, "Clicks", position)).to_have_text(f"{clicks:,}")
        expect(figure(page, "CTR", position)).to_have_text(f"{ctr:.2f}%")
    assert page.evaluate("window.mark") == "same page"
    settled(page)


def test_a_zoom_and_the_place_on_the_page_stay(served: RunningStack, visit: Callable[..., Page]) -> None:
    settings = served.settings
    hour = put_hour(settings, "1min")
    for ago in range(3, 30):
        put_rows(settings, "1min", hour.current - timedelta(minutes=ago), {("news", 1): [1000 + ago, 100]})
    page = visit("/?refresh=60", height=700)
    expect(page.locator(CHART)).to_have_count(4)
    chart = page.locator(CHART).first
    chart.scroll_into_view_if_needed()
    area = chart.locator(".nsewdrag").first.bounding_box()
    assert area is not None
    middle = area["y"] + area["height"] / 2
    page.mouse.move(area["x"] + 0.3 * area["width"], middle)
    page.mouse.down()
    page.mouse.move(area["x"] + 0.6 * area["width"], middle, steps=5)
    page.mouse.up()
    axis = "document.querySelector(selector)._fullLayout.xaxis"
    page.wait_for_function(f"selector => !{axis}.autorange", arg=CHART)
    before = page.evaluate(f"selector => {axis}.range", CHART)
    scrolled = "() => document.querySelector('[data-testid=stMain]').scrollTop"
    place = page.evaluate(scrolled)

    # A new window moves the chart on, which must not move the reader.
    put_rows(settings, "1min", hour.current + timedelta(minutes=1), {("news", 1): [5, 1]})
    # A click would scroll to the button.
    page.get_by_role("button", name="Refresh now").evaluate("button => button.click()")
    page.wait_for_function("selector => document.querySelector(selector).data[0].y.at(-1) === 5", arg=CHART)
    assert page.evaluate(f"selector => {axis}.range", CHART) == before
    assert page.evaluate(scrolled) == place


def test_a_choice_of_segments_narrows_the_page_and_goes_into_its_address(
    served: RunningStack, visit: Callable[..., Page]
) -> None:
    put_hour(served.settings, "1min")
    page = visit("/")
    expect(figure(page, "Impressions")).to_have_text("1,234")
    page.get_by_role("combobox", name="Site category").click()
    page.get_by_role("option", name="sports").click()
    page.keyboard.press("Escape")
    page.wait_for_url("**category=sports**")
    expect(figure(page, "Impressions")).to_have_text("34")
    expect(figure(page, "Impressions", 1)).to_have_text("9,000")
    page.wait_for_function("selector => document.querySelector(selector).data[0].y.at(-1) === 34", arg=CHART)
    page.reload()
    expect(figure(page, "Impressions")).to_have_text("34")
    settled(page)


def test_the_shown_figures_are_downloaded(served: RunningStack, visit: Callable[..., Page]) -> None:
    put_hour(served.settings, "1min")
    page = visit("/?refresh=60&device=1")
    expect(page.locator(CHART)).to_have_count(4)
    settled(page)
    with page.expect_download() as begun:
        page.get_by_role("button", name="CSV").first.click()
    assert begun.value.suggested_filename == "windows-1min.csv"
    rows = csv_rows(Path(begun.value.path()).read_text(encoding="utf-8"))
    drawn = trace(page)
    assert [int(row["impressions"]) for row in reversed(rows)] == drawn["y"] == [50_000, 59_000, 1_200]
    with page.expect_download() as begun:
        page.get_by_role("button", name="CSV").nth(1).click()
    assert begun.value.suggested_filename == "segments-1min.csv"
    assert csv_rows(Path(begun.value.path()).read_text(encoding="utf-8")) == [
        {"site_category": "news", "device_type": "1", "impressions": "1200", "clicks": "100"}
    ]
    settled(page)


def test_outages_are_said_in_an_open_page_which_recovers(
    served: RunningStack, visit: Callable[..., Page]
) -> None:
    settings = served.settings
    put_hour(settings, "1min")
    page = visit(FASTEST)
    expect(figure(page, "Impressions")).to_have_text("1,234")
    page.evaluate("window.mark = 'same page'")
    alerts: Any = page.locator("[data-testid=stAlert]")
    stopped: list[str] = []
    try:
        for name, said in (("redis", "Redis does not answer"), ("postgres", "Neither store answers")):
            stopped.append(name)
            served.stop(name)
            expect(page.get_by_text(said)).to_be_visible()
            expect(alerts).to_have_count(1)
            expect(alerts).to_contain_text(re.compile(r"since \d\d:\d\d:\d\d", re.IGNORECASE))
            if name == "redis":
                # Postgres' windows stay.
                expect(figure(page, "Impressions", 1)).to_have_text("60,000")
        served.start(stopped[0])
        stopped.pop(0)
        hour = starts("1min")
        put_open(settings, "1min", hour)
        put_closed(settings, "1min", hour)
        expect(page.get_by_text("Postgres does not answer")).to_be_visible()
        expect(figure(page, "Impressions")).to_have_text("1,234")
    finally:
        for name in stopped:
            served.start(name)
    expect(alerts).to_have_count(0)
    expect(figure(page, "Impressions")).to_have_text("1,234")
    assert page.evaluate("window.mark") == "same page"
    settled(page)
