"""Pages of the dashboard by Streamlit's own test harness, and what is to be seen on them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from markdown_it import MarkdownIt
from streamlit.testing.v1 import AppTest

from dashboard.components.stores import read_anew

if TYPE_CHECKING:
    from collections.abc import Mapping

SCRIPT: Final = Path(__file__).parents[2] / "dashboard" / "pages.py"

RUN_TIMEOUT_S: Final = 120
"""The first run imports everything, perhaps on a busy machine."""

PAGES: Final = ("live", "five_minutes", "comparison", "quality", "health", "settings")

ENGLISH: Final = {"locale": "en-US", "timezone": "UTC"}
KOREAN: Final = {"locale": "ko-KR", "timezone": "Asia/Seoul"}


def open_page(
    name: str, address: Mapping[str, str | list[str]] | None = None, browser: Mapping[str, str] = ENGLISH
) -> AppTest:
    """Open a page as a reader who comes by a link.

    Args:
        name: of the page's script.
        address: parameters of the link.
        browser: what the reader's browser says of them.
    """
    read_anew()
    page = AppTest.from_file(str(SCRIPT), default_timeout=RUN_TIMEOUT_S)
    page.context = dict(browser)
    if name == "five_minutes":
        # Only a run tells the harness of a page whose address is not its file's name.
        run(page)
    for parameter, value in (address or {}).items():
        page.query_params[parameter] = value
    page.switch_page(f"app_pages/{name}.py")
    return run(page)


def run(page: AppTest) -> AppTest:
    """Run a page again; the stores are read anew."""
    read_anew()
    page.run()
    assert not page.exception, page.exception[0].stack_trace
    return page


def metrics(page: AppTest) -> dict[str, list[str]]:
    """Figures by their label, in the page's order."""
    found: dict[str, list[str]] = {}
    for metric in page.metric:
        found.setdefault(metric.label, []).append(metric.value)
    return found


def deltas(page: AppTest) -> dict[str, list[str]]:
    """How figures changed, by their label."""
    found: dict[str, list[str]] = {}
    for metric in page.metric:
        found.setdefault(metric.label, []).append(metric.delta)
    return found


def charts(page: AppTest) -> dict[str, Any]:
    """Figures by the key of their chart; each has an alternative text."""
    found = {}
    for chart in page.get("bidi_component"):
        data = json.loads(chart.proto.json)
        if "figure" in data:
            assert data["alt"].strip()
            found[str(chart.key)] = json.loads(data["figure"])
    return found


def alternatives(page: AppTest) -> dict[str, str]:
    """Alternative texts by the key of their chart."""
    found = ((chart.key, json.loads(chart.proto.json)) for chart in page.get("bidi_component"))
    return {str(key): data["alt"] for key, data in found if "figure" in data}


def said(page: AppTest) -> str:
    """All running text."""
    return "\n".join(each.value for each in (*page.markdown, *page.caption))


def titled(alerts: Any) -> list[tuple[str, str]]:
    """Titles and texts of boxes, as the reader sees them: paragraphs, not Markdown's lists and headings."""
    return [(alert.title, "\n\n".join(_paragraphs(alert.value))) for alert in alerts]


def _paragraphs(markdown: str) -> list[str]:
    tokens = MarkdownIt("commonmark").parse(markdown)
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}, markdown
    return [
        "".join(child.content for child in token.children or ()) for token in tokens if token.type == "inline"
    ]


def csv_rows(text: str) -> list[dict[str, str]]:
    """What a CSV file holds."""
    return list(csv.DictReader(io.StringIO(text)))
