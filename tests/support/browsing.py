"""What tests look at in a browser that shows the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

CHART: Final = ".js-plotly-plot"
EXCEPTION: Final = "[data-testid=stException]"


def settled(page: Page) -> None:
    """Wait until the first run of the page is complete, and see that nothing went wrong."""
    app = page.locator("[data-testid=stApp]")
    expect(app).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.locator(EXCEPTION)).to_have_count(0)


def figure(page: Page, label: str, position: int = 0) -> Locator:
    """The value of a figure, by its label."""
    metric = page.locator("[data-testid=stMetric]").filter(
        has=page.locator("[data-testid=stMetricLabel]").get_by_text(label, exact=True)
    )
    return metric.nth(position).locator("[data-testid=stMetricValue]")


def trace(page: Page, position: int = 0) -> Any:
    """First trace of a chart, as it is drawn."""
    return page.locator(CHART).nth(position).evaluate("chart => ({x: chart.data[0].x, y: chart.data[0].y})")


def brightness(page: Page) -> float:
    """Brightness of the page's background: 0 is black, 255 white."""
    colour: str = page.locator("[data-testid=stApp]").evaluate("app => getComputedStyle(app).backgroundColor")
    parts = [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    return sum(parts) / len(parts)
