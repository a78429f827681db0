"""One dashboard and one browser for all tests of this room."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.isolation import empty_cache
from tests.support.stores import empty
from warehouse.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from tests.support.stack import RunningStack, SharedStack

CHROMIUM: Final = shutil.which("chromium") or shutil.which("google-chrome")

PATIENCE_MS: Final = 90_000
"""For what a busy machine takes to start a browser and load a page."""

FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@pytest.fixture(scope="package")
def dashboard(shared: SharedStack) -> Iterator[RunningStack]:
    """The dashboard as the stack starts it, beside its two stores; it ends with this package."""
    running = shared.need("dashboard")
    migrate(running.settings.postgres_url)
    yield running
    shared.stop("dashboard")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser of one file: while it is open, its event loop runs in this thread."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on the PATH")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def served(dashboard: RunningStack) -> RunningStack:
    """The dashboard, its stores empty."""
    empty(dashboard.settings.postgres_url)
    empty_cache(dashboard.settings)
    return dashboard


@pytest.fixture
def visit(served: RunningStack, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an address of the dashboard as a reader of their own, and waits until the page is there."""
    contexts = []

    def opened(
        path: str = "/",
        *,
        width: int = 1200,
        height: int = 1600,
        locale: str = "en-US",
        title: str | None = None,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale=locale,
            timezone_id="UTC",
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(served.settings.dashboard_url + path)
        heading = page.locator("h1")
        expect(heading).to_have_text(title) if title else expect(heading).to_be_visible()
        return page

    yield opened
    for context in contexts:
        context.close()
